#define _GNU_SOURCE
#include "kernel.h"

#include <errno.h>
#include <time.h>

#include "descriptors.h"
#include "real.h"

/*
 * syscall() itself: some libraries close descriptors by it (libuv does), and a listener that is closed so is closed all the same. In
 * assembler, and without a frame, since what the kernel does with the stack (clone) is between it and the caller.
 */
#if defined(__x86_64__)
__asm__(".pushsection .text\n"
	".globl syscall\n"
	".type syscall, @function\n"
	"syscall:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	cmpq $3, %rdi\n" /* SYS_close */
	"	je 1f\n"
	"	cmpq $436, %rdi\n" /* SYS_close_range */
	"	je 2f\n"
	".hidden ff_kernel\n"
	".globl ff_kernel\n"
	".type ff_kernel, @function\n"
	"ff_kernel:\n"
	"	movq %rdi, %rax\n"
	"	movq %rsi, %rdi\n"
	"	movq %rdx, %rsi\n"
	"	movq %rcx, %rdx\n"
	"	movq %r8, %r10\n"
	"	movq %r9, %r8\n"
	"	movq 8(%rsp), %r9\n"
	"	syscall\n"
	"	cmpq $-4095, %rax\n"
	"	jae 3f\n"
	"	ret\n"
	"1:	movq %rsi, %rdi\n"
	"	jmp ff_syscall_close\n"
	"2:	movq %rsi, %rdi\n"
	"	movq %rdx, %rsi\n"
	"	movq %rcx, %rdx\n"
	"	jmp ff_syscall_close_range\n"
	"3:	negl %eax\n"
	"	movl %eax, %edi\n"
	"	jmp ff_kernel_failed\n"
	".cfi_endproc\n"
	".size ff_kernel, . - ff_kernel\n"
	".size syscall, . - syscall\n"
	".popsection\n");
#elif defined(__aarch64__)
__asm__(".pushsection .text\n"
	".globl syscall\n"
	".type syscall, %function\n"
	"syscall:\n"
	"	.cfi_startproc\n"
	"	cmp x0, #57\n" /* SYS_close */
	"	b.eq 1f\n"
	"	cmp x0, #436\n" /* SYS_close_range */
	"	b.eq 2f\n"
	".hidden ff_kernel\n"
	".globl ff_kernel\n"
	".type ff_kernel, %function\n"
	"ff_kernel:\n"
	"	mov x8, x0\n"
	"	mov x0, x1\n"
	"	mov x1, x2\n"
	"	mov x2, x3\n"
	"	mov x3, x4\n"
	"	mov x4, x5\n"
	"	mov x5, x6\n"
	"	svc #0\n"
	"	cmn x0, #4095\n"
	"	b.cs 3f\n"
	"	ret\n"
	"1:	mov x0, x1\n"
	"	b ff_syscall_close\n"
	"2:	mov x0, x1\n"
	"	mov x1, x2\n"
	"	mov x2, x3\n"
	"	b ff_syscall_close_range\n"
	"3:	neg w0, w0\n"
	"	b ff_kernel_failed\n"
	".cfi_endproc\n"
	".size ff_kernel, . - ff_kernel\n"
	".size syscall, . - syscall\n"
	".popsection\n");
#else
#error "which system calls does this machine have?"
#endif

int ff_wait(struct pollfd *entries, nfds_t count, int milliseconds)
{
	struct timespec time = { .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L };

	return (int)ff_kernel(SYS_ppoll, entries, count, milliseconds < 0 ? NULL : &time, NULL, 0L);
}

#define FF_FROM_ASSEMBLER __attribute__((used, visibility("hidden")))

FF_FROM_ASSEMBLER long ff_kernel_failed(int error)
{
	errno = error;
	return -1;
}

FF_FROM_ASSEMBLER long ff_syscall_close(int descriptor)
{
	return ff_close(descriptor);
}

FF_FROM_ASSEMBLER long ff_syscall_close_range(unsigned int first, unsigned int last, int flags)
{
	return ff_close_range(first, last, flags);
}
