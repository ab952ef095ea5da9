/* A pledge as decisions: which calls each promise brings, and what is looked at in calls that several of them share. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/seccomp_pledge.h"
#include "services/spec/promises.h"
#include <errno.h>
#include <linux/sched.h>

/*
 * Calls by promise. Paths are Landlock's business (compile_landlock.c): a filter cannot see them. execve() is in stdio
 * because the service itself is started by it; which programs it may execute is said there, too.
 */
static const char *const calls_of[PROMISES] = {
	[PROMISE_STDIO] = "@io-event @timer arch_prctl brk clock_getres clock_gettime clock_nanosleep clone close "
		"close_range copy_file_range dup dup2 dup3 execve execveat exit exit_group fadvise64 "
		"fchdir fcntl fdatasync fstat fsync ftruncate futex futex_requeue futex_wait futex_waitv "
		"futex_wake get_robust_list get_thread_area getcpu getdents getdents64 getegid geteuid "
		"getgid getgroups getpgid getpgrp getpid getppid getpriority getrandom getresgid "
		"getresuid getrlimit getrusage getsid gettid gettimeofday getuid ioctl lseek madvise "
		"map_shadow_stack membarrier mincore mmap mprotect mremap mseal msync munmap nanosleep "
		"newfstatat pause pipe pipe2 prctl pread64 preadv preadv2 prlimit64 pwrite64 pwritev "
		"pwritev2 read readahead readv recvfrom restart_syscall rseq rt_sigaction rt_sigpending "
		"rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sched_get_priority_max "
		"sched_get_priority_min sched_getaffinity sched_getparam sched_getscheduler sched_yield "
		"sendfile sendto set_robust_list set_thread_area set_tid_address shutdown sigaltstack "
		"signalfd signalfd4 socketpair splice statx sync_file_range sysinfo tee tgkill time umask "
		"uname wait4 waitid write writev",
	[PROMISE_RPATH] = "@ask chdir getcwd inotify_add_watch inotify_init inotify_init1 inotify_rm_watch open openat",
	[PROMISE_WPATH] = "@ask fallocate open openat truncate",
	[PROMISE_CPATH] = "@ask creat link linkat mkdir mkdirat open openat rename renameat renameat2 rmdir symlink "
		"symlinkat unlink unlinkat",
	[PROMISE_DPATH] = "mknod mknodat",
	[PROMISE_TMPPATH] = "@ask fallocate open openat unlink unlinkat",
	[PROMISE_INET] = "@network-io",
	[PROMISE_MCAST] = "getsockopt setsockopt",
	[PROMISE_FATTR] = "chmod fchmod fchmodat fchmodat2 fremovexattr fsetxattr futimesat lremovexattr lsetxattr "
		"removexattr removexattrat setxattr setxattrat utime utimensat utimes",
	[PROMISE_CHOWN] = "@chown",
	[PROMISE_FLOCK] = "flock",
	[PROMISE_UNIX] = "@network-io",
	[PROMISE_DNS] = "@ask bind connect getpeername getsockname getsockopt open openat recvmmsg recvmsg sendmmsg "
		"sendmsg setsockopt socket",
	[PROMISE_GETPW] = "@ask open openat",
	[PROMISE_SENDFD] = "sendmmsg sendmsg",
	[PROMISE_RECVFD] = "recvmmsg recvmsg",
	[PROMISE_TTY] = "open openat",
	[PROMISE_PROC] = "fork ioprio_get kill pidfd_open pidfd_send_signal process_mrelease rt_sigqueueinfo "
		"rt_tgsigqueueinfo setpgid setpriority setsid tkill vfork",
	[PROMISE_EXEC] = "@ask open openat",	/* what is executed has a loader of its own */
	[PROMISE_PROT_EXEC] = "pkey_alloc pkey_free pkey_mprotect",
	[PROMISE_SETTIME] = "@clock",
	[PROMISE_PS] = "@ask open openat",
	[PROMISE_VMINFO] = "@ask open openat",
	[PROMISE_ID] = "@setuid capget capset setfsgid setfsuid setpriority setrlimit",
	[PROMISE_ROUTE] = "@network-io",
	[PROMISE_WROUTE] = "@network-io",
	[PROMISE_UNVEIL] = "landlock_add_rule landlock_create_ruleset landlock_restrict_self open openat",
	[PROMISE_ERROR] = "",
};

/* What a dynamic loader does before the program's own first instruction. */
#define LOADER "access faccessat faccessat2 open openat readlink readlinkat"

#define BIT(p) (UINT64_C(1) << PROMISE_##p)
#define PATHS (BIT(RPATH) | BIT(WPATH) | BIT(CPATH) | BIT(TMPPATH) | BIT(DNS) | BIT(GETPW) | BIT(EXEC) | BIT(PS) | \
	       BIT(VMINFO))

#define IOCTL_STDIO 0x5401, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451, 0x802c542a /* TCGETS, TIOCGWINSZ, FION*, F*CLEX */
static const struct check ioctl_stdio = { .kind = CHECK_ONLY, .arg = 1, .err = EPERM, .nvalues = 7,
					  .values = { IOCTL_STDIO } };
/* Modes, job control, window size, pseudo-terminals; not TIOCSTI, TIOCLINUX, TIOCSETD. */
static const struct check ioctl_tty = { .kind = CHECK_ONLY, .arg = 1, .err = EPERM, .nvalues = 27, .values = {
	0x5401, 0x5402, 0x5403, 0x5404, 0x5409, 0x540a, 0x540b, 0x540e, 0x540f, 0x5410, 0x5413, 0x5414, 0x541b,
	0x5421, 0x5422, 0x5425, 0x5429, 0x5441, 0x5450, 0x5451, 0x40045431, 0x402c542b, 0x402c542c, 0x402c542d,
	0x80045430, 0x80045439, 0x802c542a } };
/* DUMPABLE, NAME, GET_SECCOMP, CAPBSET_READ, TIMERSLACK, NO_NEW_PRIVS, TID_ADDRESS, GET_MDWE, SET_VMA */
static const struct check prctl_stdio = { .kind = CHECK_ONLY, .arg = 0, .err = EPERM, .nvalues = 13, .values = {
	3, 4, 15, 16, 21, 23, 29, 30, 38, 39, 40, 66, 0x53564d41 } };
static const struct check own_limits = { .kind = CHECK_ONLY, .arg = 0, .err = EPERM, .nvalues = 1, .values = { 0 } };
static const struct check threads_only = { .kind = CHECK_HAS, .arg = 0, .err = EPERM,
					   .mask = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND };
static const struct check no_spaces = { .kind = CHECK_ANY, .arg = 0, .err = EPERM,
					.mask = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
						CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET };
/* AT_EMPTY_PATH: of a descriptor, which is what fstat() is in newer libraries. */
static const struct check of_descriptor = { .kind = CHECK_HAS, .arg = 3, .err = EPERM, .mask = 0x1000 };
static const struct check of_descriptor_x = { .kind = CHECK_HAS, .arg = 2, .err = EPERM, .mask = 0x1000 };
static const struct check pairs = { .kind = CHECK_ONLY, .arg = 0, .err = EAFNOSUPPORT, .nvalues = 1, .values = { 1 } };

/* Families in ascending order: unix, inet, inet6, netlink. */
static struct check families_of(uint64_t set)
{
	const bool inet = PROMISED(set, INET) || PROMISED(set, DNS);
	struct check c = { .kind = CHECK_ONLY, .arg = 0, .err = EAFNOSUPPORT };

	if (PROMISED(set, UNIX))
		c.values[c.nvalues++] = 1;
	if (inet)
		c.values[c.nvalues++] = 2;
	if (inet)
		c.values[c.nvalues++] = 10;
	if (PROMISED(set, ROUTE) || PROMISED(set, WROUTE))
		c.values[c.nvalues++] = 16;
	return c;
}

static int set_checks(struct policy *p, uint64_t set, struct err *e)
{
	const struct check families = families_of(set);
	const struct {
		bool wanted;
		const char *call;
		const struct check *check;
	} rows[] = {
		{ true, "ioctl", PROMISED(set, TTY) ? &ioctl_tty : &ioctl_stdio },
		{ true, "prctl", &prctl_stdio },
		{ !PROMISED(set, ID) && !PROMISED(set, PROC), "prlimit64", &own_limits },
		{ true, "clone", PROMISED(set, PROC) ? &no_spaces : &threads_only },
		{ !(set & PATHS), "newfstatat", &of_descriptor },
		{ !(set & PATHS), "statx", &of_descriptor_x },
		{ true, "socketpair", &pairs },
		{ true, "socket", &families },
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].wanted && policy_check(p, rows[i].call, rows[i].check, e) < 0)
			return -e->code;
	return 0;
}

int policy_pledge(struct policy *p, uint64_t set, bool loads, struct err *e)
{
	const enum verdict no = PROMISED(set, ERROR) ? VERDICT_ENOSYS : VERDICT_DENY;

	for (unsigned i = 0; i < CALLS_MAX; i++)
		p->call[i].verdict = (uint8_t)(call_is_known(p->arch, i) ? no : VERDICT_ENOSYS);
	p->above.verdict = VERDICT_ENOSYS;
	/* A C library asks before main(), and lives without an answer. */
	if (p->action == SECCOMP_ACT_KILL_PROCESS)
		policy_absent(p, "@ask");
	for (unsigned i = 0; i < PROMISES; i++)
		if (set >> i & 1)
			policy_allow(p, calls_of[i]);
	if (loads)
		policy_allow(p, LOADER);
	policy_absent(p, "@absent openat2");	/* their flags lie behind pointers; programs have another way */
	return set_checks(p, set, e);
}

const char *pledge_calls(unsigned promise)
{
	return promise < PROMISES ? calls_of[promise] : NULL;
}
