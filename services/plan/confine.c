/* The compiler gives up what it does not need: it reads files, thinks, and hands over one memfd. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/fence.h"
#include "init/base/sys.h"
#include "services/plan/confine.h"
#include "services/plan/plan.h"
#include "services/plan/seccomp.h"
#include "services/plan/types.h"
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define NOBODY 65534
#define SECONDS 60
#define MEMORY (1024ull << 20)

/* Calls of a filter's `strict` profile that reading and thinking do not take. */
static const char *const needless[] = {
	"execve", "execveat", "fork", "vfork", "clone", "socket", "socketpair", "connect", "bind", "listen", "accept",
	"accept4", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open", "pidfd_send_signal",
	"unlink", "unlinkat", "rename", "renameat", "renameat2", "rmdir", "mkdir", "mkdirat", "link", "linkat",
	"symlink", "symlinkat", "truncate", "creat", "chmod", "fchmod", "fchmodat", "fchmodat2", "setxattr",
	"lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr", "prctl", "setrlimit", "prlimit64",
	"setsid", "setpgid", "@sandbox", "ptrace", "@mount", "inotify_init", "inotify_init1",
};

static int set_limit(int which, uint64_t most, const char *what, struct err *e)
{
	struct rlimit r = { most, most }, now;

	if (getrlimit(which, &now) == 0 && now.rlim_max < most)
		return 0;
	return setrlimit(which, &r) < 0 ? err_sys(e, "compiler: limit of %s", what) : 0;
}

static int set_limits(struct err *e)
{
	int ret = set_limit(RLIMIT_CORE, 0, "core files", e);

	ret = ret < 0 ? ret : set_limit(RLIMIT_CPU, SECONDS, "CPU time", e);
	ret = ret < 0 ? ret : set_limit(RLIMIT_FSIZE, PLAN_MAX, "file sizes", e);
	ret = ret < 0 ? ret : set_limit(RLIMIT_NPROC, 0, "processes", e);
#ifndef __SANITIZE_ADDRESS__	/* its shadow memory alone is terabytes */
	ret = ret < 0 ? ret : set_limit(RLIMIT_AS, MEMORY, "memory", e);
#endif
	return ret;
}

/* Reading every file is all that is left of root. Where there is no user 65534, uid 0 of that container stays. */
static int drop_privilege(struct err *e)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	if (geteuid() != 0)	/* those of a user namespace of our own, if any */
		return fence_caps(0) < 0 ? err_sys(e, "compiler: capset") : 0;
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);	/* without CAP_SETPCAP there is none to lose here */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(e, "compiler: keep capabilities");
	if ((setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	     setresuid(NOBODY, NOBODY, NOBODY) < 0) &&
	    errno != EINVAL && errno != EPERM)
		return err_sys(e, "compiler: become user %d", NOBODY);
	if (syscall(SYS_capget, &h, d) < 0)
		return err_sys(e, "compiler: capget");
	uint32_t kept = d[0].permitted & 1u << CAP_DAC_READ_SEARCH;

	return fence_caps(kept) < 0 ? err_sys(e, "compiler: capset") : 0;
}

/* Reading below "/", and nothing else of files, networks and other processes. A kernel without Landlock lacks it. */
static int set_landlock(struct err *e)
{
	owned_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root >= 0 && fence_files(&root, 1, FENCE_READ) < 0 && errno != ENOSYS)
		return err_sys(e, "compiler: Landlock");
	return root < 0 ? err_sys(e, "compiler: open /") : 0;
}

static int set_filter(struct err *e)
{
	static struct sock_filter program[BPF_MAXINSNS];
	static struct policy p;
	struct filter_wishes w = { .arch = PLAN_ARCH, .profile = SECCOMP_STRICT, .namespaces = true,
				   .personality = true,
				   .deny = { (const char **)needless, sizeof needless / sizeof *needless } };
	int n = policy_make(&p, &w, e);

	if (n == 0)
		n = policy_emit(&p, program, e);
	if (n < 0)
		return err_in(e, "compiler");
	struct sock_fprog prog = { .len = (unsigned short)n, .filter = program };

	/* A kernel without filters lacks this wall, and whoever asks for a filter of his own is refused by name. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0 && errno != ENOSYS)
		return err_sys(e, "compiler: seccomp");
	return 0;
}

int confine_compiler(struct err *e)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "compiler: dumpable");
	if (set_limits(e) < 0 || drop_privilege(e) < 0)
		return -e->code;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "compiler: no_new_privs");
	return set_landlock(e) < 0 ? -e->code : set_filter(e);
}
