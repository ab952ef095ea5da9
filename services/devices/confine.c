/* What the helper for devices can do once it runs: see inner.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/allowlist.h"
#include "init/base/fd.h"
#include "init/base/fence.h"
#include "init/base/text.h"
#include "services/devices/inner.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define CAPS (1u << CAP_CHOWN | 1u << CAP_FOWNER | 1u << CAP_SYS_MODULE)
#define WRITES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

static int set_limits(void)
{
	const struct rlimit none = { 0, 0 }, files = { 64, 64 }, memory = { 128u << 20, 128u << 20 };

	return setrlimit(RLIMIT_CORE, &none) || setrlimit(RLIMIT_NPROC, &none) || setrlimit(RLIMIT_NOFILE, &files) ||
	       setrlimit(RLIMIT_AS, &memory) ? -1 : 0;
}

/* It stays uid 0, whose files /dev, /sys and modules are, and keeps what it takes to give device files away. */
static int drop_caps(void)
{
	return fence_bounding() < 0 ? -1 : fence_caps(CAPS);
}

static int no_new_privs(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -1 : 0;
}

static int landlock(void)
{
	owned_fd dev = open("/dev", O_PATH | O_CLOEXEC), sys = open("/sys", O_PATH | O_CLOEXEC),
		 lib = open("/lib/modules", O_PATH | O_CLOEXEC), proc = open("/proc/cmdline", O_PATH | O_CLOEXEC);
	const struct fence_place places[] = {
		{ dev, LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_DIR |
		       LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR },
		{ sys, FENCE_READ }, { lib, FENCE_READ },
		{ proc, LANDLOCK_ACCESS_FS_READ_FILE },	/* parameters of modules */
	};

	return fence_places(places, COUNT(places));
}

/* No process, no socket, nothing executed, no file opened for writing. */
static const int calls[] = {
	SYS_read, SYS_pread64, SYS_pwrite64, SYS_ftruncate, SYS_write, SYS_writev, SYS_close, SYS_recvfrom, SYS_sendto,
	SYS_ppoll,
	SYS_fstat, SYS_newfstatat, SYS_statx, SYS_lseek, SYS_getdents64, SYS_readlinkat, SYS_symlinkat, SYS_unlinkat,
	SYS_mkdirat, SYS_fchownat, SYS_fchmodat, SYS_faccessat, SYS_fcntl, SYS_finit_module, SYS_uname,
	SYS_clock_gettime, SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex, SYS_getrandom, SYS_rt_sigreturn,
	SYS_restart_syscall, SYS_exit, SYS_exit_group,
#ifdef SYS_poll
	SYS_poll, SYS_access, SYS_readlink, SYS_stat,
#endif
};

static int filter(void)
{
	static const struct call_if memory[] = { { 2, ARG_LACKS, PROT_EXEC } },
				    reading[] = { { 2, ARG_LACKS, WRITES } }, opening[] = { { 1, ARG_LACKS, WRITES } };
	struct allowlist c;

	allowlist_begin(&c);
	allowlist_add(&c, calls, COUNT(calls));
	allowlist_add_if(&c, SYS_mmap, memory, COUNT(memory));
	allowlist_add_if(&c, SYS_openat, reading, COUNT(reading));
#ifdef SYS_open
	allowlist_add_if(&c, SYS_open, opening, COUNT(opening));	/* musl's */
#else
	(void)opening;
#endif
	return allowlist_enter(&c);
}

static const struct step {
	const char *name;
	int (*apply)(void);
	bool must;		/* without it nothing is done */
	const char *why;
} steps[] = {
	{ "limits",       set_limits,   true,  "no core files, no processes, few descriptors, little memory" },
	{ "capabilities", drop_caps,    true,  "all but those for owners of files and for modules" },
	{ "no new privs", no_new_privs, true,  "the next two steps require it" },
	{ "Landlock",     landlock,     false, "links below /dev, and reading what says something of devices" },
	{ "seccomp",      filter,       true,  "last: the steps above need calls that it forbids" },
};

int devices_confine(char *missing, size_t size, struct err *e)
{
	struct text t = { .at = missing, .size = size };

	missing[0] = '\0';
	for (const struct step *s = steps; s < steps + COUNT(steps); s++) {
		if (s->apply() == 0)
			continue;
		if (s->must)
			return err_sys(e, "devices: %s", s->name);
		text_fmt(&t, "%s%s", t.n ? ", " : "", s->name);
	}
	return 0;
}
