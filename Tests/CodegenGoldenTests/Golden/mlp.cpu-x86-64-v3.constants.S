// Places the constants' data in the library. Generated.
  .section .rodata.ait,"a",@progbits
  .balign 4096
  .globl aitImage
  .hidden aitImage
aitImage:
  .incbin "constants.bin"
  .section .note.GNU-stack,"",@progbits
