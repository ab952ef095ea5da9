/* The compiler gives up what it does not need: it reads files, thinks, and hands over one memfd. */
/* SPDX-License-Identifier: ISC */
#include "init/base/allowlist.h"
#include "init/base/fd.h"
#include "init/base/fence.h"
#include "init/base/sys.h"
#include "services/plan/confine.h"
#include "services/plan/plan.h"
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define NOBODY 65534
#define SECONDS 60
#define MEMORY (1024ull << 20)

/* What reading and thinking take, with either C library, on either architecture. */
static const int calls[] = {
	SYS_read, SYS_readv, SYS_pread64, SYS_preadv, SYS_write, SYS_writev, SYS_pwrite64, SYS_lseek, SYS_close,
	SYS_close_range, SYS_dup, SYS_dup3, SYS_fcntl, SYS_openat, SYS_openat2, SYS_faccessat, SYS_faccessat2,
	SYS_newfstatat, SYS_fstat, SYS_statx, SYS_statfs, SYS_fstatfs, SYS_readlinkat, SYS_getdents64, SYS_getcwd,
	SYS_memfd_create, SYS_ftruncate, SYS_sendfile, SYS_sendto, SYS_sendmsg, SYS_recvfrom, SYS_recvmsg, SYS_ppoll,
	SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex, SYS_getrandom, SYS_uname, SYS_sysinfo,
	SYS_sched_getaffinity, SYS_clock_gettime, SYS_gettimeofday, SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid,
	SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getresuid, SYS_getresgid, SYS_getgroups, SYS_capget,
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_exit,
	SYS_exit_group,
#ifdef __x86_64__	/* the older names of some */
	SYS_open, SYS_access, SYS_stat, SYS_lstat, SYS_readlink, SYS_dup2, SYS_poll, SYS_time,
#endif
#ifdef __SANITIZE_ADDRESS__	/* of its runtime */
	SYS_prctl, SYS_sched_yield, SYS_mprotect,
#endif
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

/* A list of our own: a filter of libseccomp's takes longer to make and to load than some services to start. */
static int set_filter(struct err *e)
{
	static const struct call_if memory[] = { { 2, ARG_LACKS, PROT_EXEC } };
	const struct call_if self[] = { { 0, ARG_IS, (uint32_t)getpid() } };	/* abort(3) */
	struct allowlist c;

	allowlist_begin(&c);
	allowlist_add(&c, calls, sizeof calls / sizeof *calls);
	allowlist_add_if(&c, SYS_mmap, memory, 1);
#ifndef __SANITIZE_ADDRESS__
	allowlist_add_if(&c, SYS_mprotect, memory, 1);
#endif
	allowlist_add_if(&c, SYS_tgkill, self, 1);
	/* A kernel without filters lacks this wall, and whoever asks for a filter of his own is refused by name. */
	if (allowlist_enter(&c) < 0 && (errno != EINVAL || prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0))
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
