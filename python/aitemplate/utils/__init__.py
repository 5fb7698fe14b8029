"""What programs that use the compiler need besides: shapes, types, texts and pictures."""
