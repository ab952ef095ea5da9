/* The service of all measurements: no C library, so that its own start costs next to nothing. */
/* SPDX-License-Identifier: ISC */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/time.h>

/*
 *	hello			first of all asks for the time, writes it (struct timespec of CLOCK_MONOTONIC)
 *				on standard output and ends
 *	hello stay		the same, and stays until it is killed
 *	hello PATH		opens PATH, which is how an observer with an inotify watch learns of it, and stays
 *	run			(the name under which runit and s6 start it) the same with ./mark
 */
static long call(long n, long a, long b, long c, long d)
{
	long ret;

#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	ret = x0;
#else
#error "write a system call for this architecture"
#endif
	return ret;
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call hello\n");
#else
__asm__(".globl _start\n_start:\n mov x0, sp\n bl hello\n");
#endif

static _Noreturn void stay(void)
{
	for (;;)
		call(__NR_ppoll, 0, 0, 0, 0);
}

static int is_stay(const char *arg)
{
	return arg[0] == 's' && arg[1] == 't' && arg[2] == 'a' && arg[3] == 'y' && !arg[4];
}

/* Called "run", or "./run", with or without the service's name as argument. */
static int is_run(const char *name)
{
	const char *end = name;

	while (*end)
		end++;
	return end - name >= 3 && end[-3] == 'r' && end[-2] == 'u' && end[-1] == 'n';
}

_Noreturn void hello(long *stack);
_Noreturn void hello(long *stack)
{
	struct __kernel_timespec now;
	long argc = stack[0];
	const char *name = (const char *)stack[1], *arg = argc > 1 ? (const char *)stack[2] : "";

	call(__NR_clock_gettime, 1, (long)&now, 0, 0);
	if (is_run(name))
		arg = "mark";
	if (*arg && !is_stay(arg))
		call(__NR_openat, AT_FDCWD, (long)arg, O_RDONLY, 0);
	else
		call(__NR_write, 1, (long)&now, sizeof now, 0);
	if (*arg)
		stay();
	call(__NR_exit_group, 0, 0, 0, 0);
	for (;;)
		;
}
