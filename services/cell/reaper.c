/* PID 1 of a cell: one page of the binary's text, nothing else. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/cell/inner.h"
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

/*
 * The kernel reaps for whoever ignores SIGCHLD, so that this process has nothing to do and needs nothing: the loop
 * below lies alone in its page (aligned and padded to it), unmaps everything before and behind it, its own stack
 * included, and pauses until it is killed. The page is the file's: the same memory for all reapers of the machine.
 * Rows: the largest page to align to; two munmap(2) and an endless pause(2), without memory. Arguments: nothing, where
 * user memory ends, and the size of a page, as far as it varies.
 */
#if defined(__x86_64__)
#define REAPER_PAGE 4096
#define REAPER_CODE							\
	"mov %rsi, %r12\n"						\
	"lea reaper_page(%rip), %rbx\n"					\
	"xor %edi, %edi\n mov %rbx, %rsi\n mov $11, %eax\n syscall\n"	\
	"lea 4096(%rbx), %rdi\n mov %r12, %rsi\n sub %rdi, %rsi\n"	\
	"mov $11, %eax\n syscall\n"					\
	"1: mov $34, %eax\n syscall\n jmp 1b\n"
#elif defined(__aarch64__)
#define REAPER_PAGE 65536
#define REAPER_CODE							\
	"mov x19, x1\n mov x21, x2\n"					\
	"adr x20, reaper_page\n"					\
	"mov x0, #0\n mov x1, x20\n mov x8, #215\n svc #0\n"		\
	"add x0, x20, x21\n sub x1, x19, x0\n"				\
	"mov x8, #215\n svc #0\n"					\
	"1: mov x0, #0\n mov x1, #0\n mov x2, #0\n mov x3, #0\n"	\
	"mov x4, #0\n mov x8, #73\n svc #0\n b 1b\n"
#else
#error "write the loop for this architecture"
#endif
#define TEXT_OF_(n) #n
#define TEXT_OF(n) TEXT_OF_(n)

__asm__(".pushsection .text.reaper_page,\"ax\",%progbits\n"
	".balign " TEXT_OF(REAPER_PAGE) "\n"
	".globl reaper_page\n.hidden reaper_page\n.type reaper_page, %function\n"
	"reaper_page:\n" REAPER_CODE
	".balign " TEXT_OF(REAPER_PAGE) "\n"
	".popsection\n");
void reaper_page(unsigned long unused, unsigned long end, unsigned long page) __attribute__((noreturn));

/* Where user memory ends: the first of these whose last page munmap(2) accepts. */
static const unsigned long ends[] = {
#if defined(__x86_64__)
	(1ul << 47) - 4096,
#else
	1ul << 48, 1ul << 47, 1ul << 42, 1ul << 39, 1ul << 36,
#endif
};

static unsigned long end_of_memory(void)
{
	for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++)
		if (syscall(SYS_munmap, ends[i] - REAPER_PAGE, REAPER_PAGE) == 0)
			return ends[i];
	return 0;
}

/*
 * A C library may have told the kernel to write the CPU's number into this thread's memory (rseq). The kernel kills
 * whoever takes that memory away. glibc says where it is; a C library without these names has not asked for it.
 */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned __rseq_size __attribute__((weak));
#if defined(__x86_64__)
#define RSEQ_SIGNATURE 0x53053053u
#else
#define RSEQ_SIGNATURE 0xd428bc00u
#endif
#define RSEQ_UNREGISTER 1

static int end_rseq(struct err *e)
{
	if (&__rseq_size == NULL || __rseq_size == 0)
		return 0;
	char *at = (char *)__builtin_thread_pointer() + __rseq_offset;

	/* It was registered with a length that only the library knows: a multiple of its alignment. */
	for (unsigned len = 32; len <= 512; len += 32)
		if (syscall(SYS_rseq, at, len, RSEQ_UNREGISTER, RSEQ_SIGNATURE) == 0)
			return 0;
	return errno == ENOSYS ? 0 : err_sys(e, "end restartable sequences");
}

int reaper_life(struct err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (sigaction(SIGCHLD, &ignore, NULL) < 0)
		return err_sys(e, "ignore SIGCHLD");
	/* Same uid as a service that runs as root, and visible to it: it must not be a way to anything. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "close to ptrace");
	if (prctl(PR_SET_NAME, "prior-reaper") < 0 || setsid() < 0)
		return err_sys(e, "leave the session");
	if (syscall(SYS_capset, &head, none) < 0)
		return err_sys(e, "give up capabilities");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_sys(e, "die with the supervisor");
	if (end_rseq(e) < 0)
		return -e->code;
	if (sys_close_range(0, ~0u, 0) < 0)
		return err_sys(e, "close descriptors");
	reaper_page(0, end_of_memory(), getauxval(AT_PAGESZ));
}
