/* What the logger can still do once it runs: write into its two folders, and read what it was given. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/logger.h"
#include "init/base/sys.h"
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

/*
 * It stays uid 0, without any capability, instead of taking a uid of its own: the folders and files then belong
 * to root as everybody expects of /var/log, nothing needs to change owners when the uid changes from boot to
 * boot, and a service's uid can never own them. What uid 0 may open without capabilities (every file of root's)
 * Landlock takes away.
 */

int lockdown_group(void)
{
	FILE *f = geteuid() == 0 ? fopen("/etc/group", "re") : NULL;
	struct group *g;
	int found = 0;

	while (f && !found && (g = fgetgrent(f)))
		if (strcmp(g->gr_name, "prior") == 0)
			found = setresgid(g->gr_gid, g->gr_gid, g->gr_gid) == 0;
	if (f)
		fclose(f);
	return found;
}

static int set_limits(const struct logger *l)
{
	struct rlimit files, none = { 0, 0 }, memory = { 64u << 20, 64u << 20 };

	(void)l;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return -1;
	files.rlim_cur = files.rlim_max;	/* two for each service */
	return setrlimit(RLIMIT_NOFILE, &files) || setrlimit(RLIMIT_CORE, &none) || setrlimit(RLIMIT_NPROC, &none) ||
	       setrlimit(RLIMIT_AS, &memory) ? -1 : 0;
}

static int not_dumpable(const struct logger *l)
{
	(void)l;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int drop_groups(const struct logger *l)
{
	(void)l;
	/* The C library's would do so in all threads, of which the guard's forbids it. */
	return geteuid() == 0 ? (int)syscall(SYS_setgroups, 0, NULL) : 0;
}

static int drop_bounding(const struct logger *l)
{
	(void)l;
	if (geteuid() != 0)
		return 0;
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	return prctl(PR_SET_SECUREBITS, SECURE_ALL_BITS | SECURE_ALL_LOCKS, 0, 0, 0);
}

static int drop_caps(const struct logger *l)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 }, now[2];

	(void)l;
	if (syscall(SYS_capset, &h, none) < 0 || syscall(SYS_capget, &h, now) < 0)
		return -1;
	errno = EPERM;
	return memcmp(now, none, sizeof none) ? -1 : 0;
}

static int no_new_privs(const struct logger *l)
{
	(void)l;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Rights that headers of 6.1 do not name yet. */
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)

static int landlock_allow(int ruleset, int dir, uint64_t rights)
{
	struct landlock_path_beneath_attr a = { .allowed_access = rights, .parent_fd = dir };

	return dir < 0 ? 0 : (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
}

static int landlock(const struct logger *l)
{
	struct { uint64_t fs, net, scoped; } a = { .fs = (1ull << 13) - 1 };
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
			  LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;

	if (abi < 0)
		return -1;
	if (abi >= 2)
		a.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3) {
		a.fs |= FS_TRUNCATE;
		rights |= FS_TRUNCATE;
	}
	if (abi >= 4)
		a.net = 3;	/* bind and connect by TCP: nowhere */
	if (abi >= 5)
		a.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		a.scoped = 3;	/* signals and abstract sockets: none outside */
	size_t size = abi < 4 ? offsetof(__typeof__(a), net) : abi < 6 ? offsetof(__typeof__(a), scoped) : sizeof a;
	owned_fd ruleset = (int)syscall(SYS_landlock_create_ruleset, &a, size, 0);

	if (ruleset < 0 || landlock_allow(ruleset, l->run_dir, rights) < 0 ||
	    landlock_allow(ruleset, l->file_dir, rights) < 0)
		return -1;
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

/* What the loop calls, with either C library, on either architecture. */
static const int calls[] = {
	SYS_read, SYS_readv, SYS_write, SYS_writev, SYS_tee, SYS_recvmsg, SYS_openat, SYS_close, SYS_fstat,
	SYS_newfstatat, SYS_lseek, SYS_ftruncate, SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_epoll_ctl,
	SYS_epoll_pwait, SYS_ppoll, SYS_fcntl, SYS_clock_gettime, SYS_brk, SYS_munmap, SYS_mremap,
	SYS_madvise, SYS_futex, SYS_connect, SYS_sendto, SYS_uname,
	SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall, SYS_exit, SYS_exit_group,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_rename
	SYS_rename,
#endif
};

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "the architecture's audit number goes here"
#endif

#define CALLS (sizeof calls / sizeof *calls)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))

/* The arguments' low halves: the numbers we ask about have no others. */
static int filter(const struct logger *l)
{
	struct sock_filter f[CALLS + 20];
	unsigned n = 0, deny = CALLS + 16;	/* where the last two instructions are */

	(void)l;
	f[n++] = (struct sock_filter)LOAD(arch);
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	f[n++] = (struct sock_filter)LOAD(nr);
	/* Memory, but none to execute. */
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3);
	f[n++] = (struct sock_filter)LOAD(args[2]);
	f[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, (uint8_t)(deny - n - 1), 0);
	n++;
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	/* How much a pipe holds, and nothing that a terminal obeys. */
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3);
	f[n++] = (struct sock_filter)LOAD(args[1]);
	f[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FIONREAD, 0, (uint8_t)(deny - n - 1));
	n++;
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	/* syslog is on this machine. */
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3);
	f[n++] = (struct sock_filter)LOAD(args[0]);
	f[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, (uint8_t)(deny - n - 1));
	n++;
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	for (unsigned i = 0; i < CALLS; i++, n++)
		f[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i],
						    (uint8_t)(deny - n), 0);
	/* A call we forgot fails; killing would cost log lines and gain nothing. */
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog p = { .len = (unsigned short)n, .filter = f };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0);
}

/* The same for the guard: a list, for it needs little. It may kill, but only in its own process. */
static int guard_filter(void)
{
	static const int needed[] = {
		SYS_futex, SYS_clock_nanosleep, SYS_nanosleep, SYS_sendto, SYS_getpid, SYS_restart_syscall, SYS_exit,
		SYS_exit_group, SYS_rt_sigreturn,
	};
	enum { NEEDED = sizeof needed / sizeof *needed };
	struct sock_filter f[NEEDED + 10];
	unsigned n = 0, deny = NEEDED + 7;

	f[n++] = (struct sock_filter)LOAD(arch);
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	f[n++] = (struct sock_filter)LOAD(nr);
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 0, 2);
	f[n++] = (struct sock_filter)LOAD(args[0]);
	f[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)getpid(), (uint8_t)(deny - n),
					    (uint8_t)(deny - n - 1));
	n++;
	for (unsigned i = 0; i < NEEDED; i++, n++)
		f[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)needed[i],
						    (uint8_t)(deny - n), 0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog p = { .len = (unsigned short)n, .filter = f };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0);
}

void lockdown_guard(void)
{
	/* What a thread has of its own; the rest the logger does for both. A failure leaves the other fences. */
	drop_groups(NULL);
	drop_bounding(NULL);
	drop_caps(NULL);
	no_new_privs(NULL);
	guard_filter();
}

static const struct step {
	const char *name;
	int (*apply)(const struct logger *);
	const char *why;
} steps[] = {
	{ "limits",          set_limits,    "no core files, no processes; descriptors for every service" },
	{ "not dumpable",    not_dumpable,  "its memory holds every service's output" },
	{ "groups",          drop_groups,   "needs CAP_SETGID" },
	{ "bounding set",    drop_bounding, "needs CAP_SETPCAP; and being root gives nothing back" },
	{ "capabilities",    drop_caps,     "uid 0 writes root's folders as their owner, no capability needed" },
	{ "no new privs",    no_new_privs,  "the next two steps require it" },
	{ "Landlock",        landlock,      "of all that uid 0 owns, only the two folders" },
	{ "seccomp",         filter,        "last: the steps above need calls that it forbids" },
};

/* Goes on after a failure: with one fence missing, the others count more. */
int lockdown(const struct logger *l, struct err *e)
{
	e->code = 0;
	for (const struct step *s = steps; s < steps + sizeof steps / sizeof *steps; s++)
		if (s->apply(l) < 0) {
			if (e->code == 0)
				err_sys(e, "the logger runs without: %s", s->name);
		}
	return -e->code;
}
