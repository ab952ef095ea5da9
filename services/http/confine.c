/* What the endpoint can do once it runs: take connections, ask PID 1, read control groups' files. */
/* SPDX-License-Identifier: ISC */
#include "init/base/allowlist.h"
#include "init/base/fd.h"
#include "init/base/fence.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/http/http.h"
#include <linux/landlock.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define CGROUP_FD 5
#define MEMORY (256u << 20)	/* address space: the mapped ledger, and the answers on their way */

static bool with_cgroup;	/* CGROUP_FD is open */

static int set_limits(void)
{
	const struct rlimit none = { 0, 0 }, files = { HTTP_CLIENTS + 16, HTTP_CLIENTS + 16 },
			    memory = { MEMORY, MEMORY };

	return setrlimit(RLIMIT_CORE, &none) || setrlimit(RLIMIT_FSIZE, &none) || setrlimit(RLIMIT_NPROC, &none) ||
	       setrlimit(RLIMIT_NOFILE, &files) || setrlimit(RLIMIT_AS, &memory) ? -1 : 0;
}

/* The system calls themselves: there is one thread. */
static int set_ids(void)
{
	if (geteuid() != 0)	/* an ordinary user's: it has no other id to give */
		return 0;
	return syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, HTTP_ID, HTTP_ID, HTTP_ID) ||
	       syscall(SYS_setresuid, HTTP_ID, HTTP_ID, HTTP_ID) ? -1 : 0;
}

/* Nobody in it has an id of the machine's. Its capabilities, all of them at first, are dropped next. */
static int own_users(void)
{
	return unshare(CLONE_NEWUSER);
}

static int drop_caps(void)
{
	/* Where they may not be dropped there are none to be had again: no_new_privs comes next. */
	fence_bounding();
	return fence_caps(0);
}

static int no_new_privs(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -1 : 0;
}

/* No file at all but for reading below the control groups. They are not kept where that cannot be had. */
static int landlock(void)
{
	const int below = with_cgroup ? CGROUP_FD : FD_NONE;

	if (fence_files(&below, 1, LANDLOCK_ACCESS_FS_READ_FILE) == 0)
		return 0;
	sys_close_range(CGROUP_FD, CGROUP_FD, 0);
	return -1;
}

static const int calls[] = {
	SYS_read, SYS_write, SYS_close, SYS_accept4, SYS_recvfrom, SYS_recvmsg, SYS_sendto, SYS_shutdown, SYS_ppoll,
	SYS_clock_gettime, SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_fstat, SYS_newfstatat, SYS_lseek,
	SYS_futex, SYS_getrandom, SYS_rt_sigreturn, SYS_restart_syscall, SYS_exit, SYS_exit_group,
#ifdef SYS_poll
	SYS_poll,
#endif
};
#define COUNT(a) (sizeof(a) / sizeof *(a))

static int filter(void)
{
	static const struct call_if memory[] = { { 2, ARG_LACKS, PROT_EXEC } },
				    reading[] = { { 2, ARG_IS, O_RDONLY | O_CLOEXEC } };
	struct allowlist c;

	allowlist_begin(&c);
	allowlist_add(&c, calls, COUNT(calls));
	allowlist_add_if(&c, SYS_mmap, memory, COUNT(memory));
	allowlist_add_if(&c, SYS_openat, reading, COUNT(reading));
	return allowlist_enter(&c);
}

static const struct step {
	const char *name;
	int (*apply)(void);
	bool must;		/* without it nothing is served */
	const char *why;
} steps[] = {
	{ "limits",         set_limits,   true,  "no core files, no processes, few descriptors, little memory" },
	{ "own ids",        set_ids,      false, "needs CAP_SETUID; a container may have none to give" },
	{ "user namespace", own_users,    false, "after the ids, which would have to be mapped into it" },
	{ "capabilities",   drop_caps,    true,  "after the user namespace, which gives all of them" },
	{ "no new privs",   no_new_privs, true,  "the next two steps require it" },
	{ "Landlock",       landlock,     false, "of all files, only what is below the control groups" },
	{ "seccomp",        filter,       true,  "last: the steps above need calls that it forbids" },
};

int http_confine(bool spaces, bool cgroup, char *missing, size_t size, struct err *e)
{
	struct text t = { .at = missing, .size = size };

	with_cgroup = cgroup;
	missing[0] = '\0';
	if (!spaces)
		text_add(&t, "namespaces");
	for (const struct step *s = steps; s < steps + COUNT(steps); s++) {
		if (s->apply() == 0)
			continue;
		if (s->must)
			return err_sys(e, "%s", s->name);
		text_add(&t, t.n ? ", " : "");
		text_add(&t, s->name);
	}
	return 0;
}
