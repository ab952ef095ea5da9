/* Where the smallest build begins, and what must be in the machine's own words: no C library is in it. See libc.c. */
/* SPDX-License-Identifier: ISC */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

int main(int argc, char **argv);
_Noreturn void _exit(int code);
long syscall(long number, ...);
_Noreturn void bare_start(long *stack);

/* The compiler's canary: one variable, for threads' storage would have to be set up. Its first byte stays 0. */
uintptr_t __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);
int ioctl(int fd, unsigned long operation, void *at);
int prctl(int operation, unsigned long word);
extern char **environ __attribute__((visibility("hidden")));

/*
 * _start: the kernel leaves argc, argv, the environment and the auxiliary vector on the stack. syscall(2): the number
 * comes first, and an answer from -4095 on is an error. vfork(2): the child uses the stack that the parent will return
 * on, so on x86 the address of the caller is kept in a register.
 */
#if defined(__x86_64__)
__asm__(".globl _start, syscall, vfork\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call bare_start\n"
	"syscall:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	mov %r8, %r10\n"
	"	mov %r9, %r8\n"
	"	mov 8(%rsp), %r9\n"
	"	syscall\n"
	"answer:\n"
	"	cmp $-4095, %rax\n"
	"	jb 1f\n"
	"	neg %eax\n"
	"	mov %eax, bare_errno(%rip)\n"
	"	or $-1, %rax\n"
	"1:	ret\n"
	"vfork:\n"
	"	pop %rdx\n"
	"	mov $58, %eax\n"
	"	syscall\n"
	"	push %rdx\n"
	"	jmp answer\n");
#elif defined(__aarch64__)
__asm__(".globl _start, syscall, vfork\n"
	"_start:\n"
	"	mov x29, #0\n"
	"	mov x30, #0\n"
	"	mov x0, sp\n"
	"	bl bare_start\n"
	"vfork:\n"
	"	mov x0, #220\n"		/* clone(CLONE_VM | CLONE_VFORK | SIGCHLD, the same stack) */
	"	mov x1, #0x4111\n"
	"	mov x2, #0\n"
	"syscall:\n"
	"	mov x8, x0\n"
	"	mov x0, x1\n"
	"	mov x1, x2\n"
	"	mov x2, x3\n"
	"	mov x3, x4\n"
	"	mov x4, x5\n"
	"	mov x5, x6\n"
	"	svc #0\n"
	"	cmn x0, #4095\n"
	"	b.cc 1f\n"
	"	neg w0, w0\n"
	"	adrp x1, bare_errno\n"
	"	str w0, [x1, :lo12:bare_errno]\n"
	"	mov x0, #-1\n"
	"1:	ret\n");
#else
#error "the smallest build starts on x86_64 and aarch64; write it for this machine"
#endif

/* It never returns, and sets the canary that its caller would be checked by. */
__attribute__((used, optimize("no-stack-protector"))) void bare_start(long *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1);
	const unsigned long *aux;

	environ = argv + argc + 1;
	for (aux = (const unsigned long *)environ; *aux; aux++)
		;
	for (aux++; *aux != AT_NULL; aux += 2)
		if (*aux == AT_RANDOM)
			__builtin_memcpy(&__stack_chk_guard, (const void *)aux[1], sizeof __stack_chk_guard);
	__stack_chk_guard &= ~(uintptr_t)0xff;
#if defined(__aarch64__)
	__asm__("msr tpidr_el0, %0" : : "r"(&__stack_chk_guard));	/* where the Makefile has it looked for */
#endif
	_exit(main(argc, argv));
}

/* What headers declare with `...` is called like this all the same, and is smaller. */
int ioctl(int fd, unsigned long operation, void *at)
{
	return (int)syscall(SYS_ioctl, fd, operation, at);
}

int prctl(int operation, unsigned long word)
{
	return (int)syscall(SYS_prctl, operation, word, 0ul, 0ul, 0ul);
}

/* As PID 1, too, for the kernel sends this signal itself. */
void __stack_chk_fail(void)
{
	__builtin_trap();
}
