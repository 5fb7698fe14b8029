"""What speaks to libraries: the compiler, through `bridge`, and compiled models."""
