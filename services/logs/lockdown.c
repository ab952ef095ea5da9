/* What the logger can still do once it runs: write into its two folders, and read what it was given. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/logger.h"
#include "init/base/allowlist.h"
#include "init/base/fence.h"
#include "init/base/sys.h"
#include <grp.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

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
	return geteuid() == 0 ? fence_bounding() : 0;
}

static int drop_caps(const struct logger *l)
{
	(void)l;
	return fence_caps(0);
}

static int no_new_privs(const struct logger *l)
{
	(void)l;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ull << 14)
#endif

static int landlock(const struct logger *l)
{
	const int dirs[] = { l->run_dir, l->file_dir };

	return fence_files(dirs, COUNT(dirs), FENCE_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
			   LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE);
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

static int filter(const struct logger *l)
{
	static const struct call_if memory[] = { { 2, ARG_LACKS, PROT_EXEC } },
				    /* How much a pipe holds, and nothing that a terminal obeys. */
				    control[] = { { 1, ARG_IS, FIONREAD } },
				    /* syslog is on this machine; by datagrams nobody is held up at its end. */
				    syslog[] = { { 0, ARG_IS, AF_UNIX },
						 { 1, ARG_IS, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK } };
	struct allowlist c;

	(void)l;
	allowlist_begin(&c);
	allowlist_add(&c, calls, COUNT(calls));
	allowlist_add_if(&c, SYS_mmap, memory, COUNT(memory));
	allowlist_add_if(&c, SYS_ioctl, control, COUNT(control));
	allowlist_add_if(&c, SYS_socket, syslog, COUNT(syslog));
	/* A call we forgot fails; killing would cost log lines and gain nothing. */
	return allowlist_enter(&c);
}

/* The same for the guard: a list, for it needs little. It may kill, but only in its own process. */
static int guard_filter(void)
{
	static const int needed[] = {
		SYS_futex, SYS_clock_nanosleep, SYS_nanosleep, SYS_sendto, SYS_getpid, SYS_restart_syscall, SYS_exit,
		SYS_exit_group, SYS_rt_sigreturn,
	};
	const struct call_if self[] = { { 0, ARG_IS, (uint32_t)getpid() } };
	struct allowlist c;

	allowlist_begin(&c);
	allowlist_add(&c, needed, COUNT(needed));
	allowlist_add_if(&c, SYS_kill, self, COUNT(self));
	return allowlist_enter(&c);
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
