/* What the endpoint can do once it runs: take connections, ask PID 1, read control groups' files. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/http/http.h"
#include "services/plan/types.h"
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
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
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } }, now[2];

	/* Where they may not be dropped there are none to be had again: no_new_privs comes next. */
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	prctl(PR_SET_SECUREBITS, SECURE_ALL_BITS | SECURE_ALL_LOCKS, 0, 0, 0);
	if (syscall(SYS_capset, &h, none) < 0 || syscall(SYS_capget, &h, now) < 0)
		return -1;
	errno = EPERM;
	return memcmp(now, none, sizeof none) ? -1 : 0;
}

static int no_new_privs(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -1 : 0;
}

/* No file at all but for reading below the control groups. They are not kept where that cannot be had. */
static int landlock(void)
{
	struct { uint64_t fs, net, scoped; } a = { .fs = (1ull << 13) - 1 };
	struct landlock_path_beneath_attr below = { LANDLOCK_ACCESS_FS_READ_FILE, CGROUP_FD };
	const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi >= 2)
		a.fs = abi >= 5 ? 0xffff : abi >= 3 ? 0x7fff : 0x3fff;
	if (abi >= 4)
		a.net = 3;
	if (abi >= 6)
		a.scoped = 3;
	const size_t size = abi < 4 ? 8 : abi < 6 ? 16 : sizeof a;
	owned_fd rules = abi < 1 ? FD_NONE : (int)syscall(SYS_landlock_create_ruleset, &a, size, 0);

	if (rules >= 0 &&
	    (!with_cgroup || !syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0)) &&
	    syscall(SYS_landlock_restrict_self, rules, 0) == 0)
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
#define CALLS (sizeof calls / sizeof *calls)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))

/* The arguments' low halves: the numbers we ask about have no others. */
static int filter(void)
{
	const unsigned end = CALLS + 12;	/* the two verdicts: denied, allowed */
	struct sock_filter f[CALLS + 14];
	unsigned n = 0;

	f[n++] = (struct sock_filter)LOAD(arch);
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PLAN_ARCH, 1, 0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	f[n++] = (struct sock_filter)LOAD(nr);
	/* Memory, but none to execute. */
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3);
	f[n++] = (struct sock_filter)LOAD(args[2]);
	f[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, (uint8_t)(end - n - 1), 0);
	n++;
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	/* Files, only to read. */
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3);
	f[n++] = (struct sock_filter)LOAD(args[2]);
	f[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, O_RDONLY | O_CLOEXEC, 0,
					    (uint8_t)(end - n - 1));
	n++;
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	for (unsigned i = 0; i < CALLS; i++, n++)
		f[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i],
						    (uint8_t)(end - n), 0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog p = { .len = (unsigned short)n, .filter = f };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0);
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
	for (const struct step *s = steps; s < steps + sizeof steps / sizeof *steps; s++) {
		if (s->apply() == 0)
			continue;
		if (s->must)
			return err_sys(e, "%s", s->name);
		text_add(&t, t.n ? ", " : "");
		text_add(&t, s->name);
	}
	return 0;
}
