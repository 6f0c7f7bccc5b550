.globl _start
_start:
    movl $20, %eax
    int $0x80
    movl $1, %eax
    movl $5, %ebx
    int $0x80
