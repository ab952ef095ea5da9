/* Steps that concern the process by itself: signals, session, scheduling, limits, the last prctls. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#ifndef PR_MDWE_REFUSE_EXEC_GAIN
#define PR_MDWE_REFUSE_EXEC_GAIN 1ul
#endif
#define SIGNALS 64

int step_death_signal(struct cell *c, struct err *e)
{
	struct pollfd other = { .fd = c->sync, .events = 0 };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_sys(e, "prctl");
	/* It may be too late for the signal. getppid() is 0 in a pid namespace, so the socket is asked. */
	if (c->sync >= 0 && poll(&other, 1, 0) > 0 && (other.revents & POLLHUP))
		return err_set(e, EPIPE, "the builder is gone");
	return 0;
}

bool is_death_signal(struct cell *c)
{
	int sig = 0;

	(void)c;
	return prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0) == 0 && sig == SIGKILL;
}

int step_signals(struct cell *c, struct err *e)
{
	struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } def = { 0 };

	(void)c;
	/* The raw call: a C library keeps the first real-time signals to itself and would refuse them. */
	for (int sig = 1; sig <= SIGNALS; sig++)
		if (sig != SIGKILL && sig != SIGSTOP && syscall(SYS_rt_sigaction, sig, &def, NULL, 8) < 0)
			return err_sys(e, "signal %d", sig);
	return 0;
}

bool is_signals(struct cell *c)
{
	struct sigaction a;

	(void)c;
	return sigaction(SIGPIPE, NULL, &a) == 0 && a.sa_handler == SIG_DFL &&
	       sigaction(SIGHUP, NULL, &a) == 0 && a.sa_handler == SIG_DFL;
}

int step_oom(struct cell *c, struct err *e)
{
	char text[16];
	const int proc = machine_proc(c, e);

	if (proc < 0)
		return proc;
	snprintf(text, sizeof text, "%d", (int)c->svc->oom_score_adj);
	return file_write(proc, "self/oom_score_adj", text, e);
}

int step_nice(struct cell *c, struct err *e)
{
	if (setpriority(PRIO_PROCESS, 0, c->svc->nice) < 0)
		return err_sys(e, "set %d", (int)c->svc->nice);
	return 0;
}

int step_affinity(struct cell *c, struct err *e)
{
	const struct plan_ref r = c->svc->affinity;

	if (syscall(SYS_sched_setaffinity, 0, r.n * sizeof(uint64_t), plan_array(c->plan, r)) < 0)
		return err_sys(e, "none of the listed CPUs may be used here");
	return 0;
}

int step_session(struct cell *c, struct err *e)
{
	if (setsid() < 0)
		return err_sys(e, "setsid");
	if (c->start->terminal && ioctl(0, TIOCSCTTY, 0) < 0)
		return err_sys(e, "take the terminal that is its own");
	/* A direct start is over before anybody could look; its exec sets this again anyway. */
	if (c->sync >= 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "prctl");
	return 0;
}

bool is_session(struct cell *c)
{
	return getsid(0) == getpid() && (c->sync < 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
}

static int32_t session_keyring(void)
{
	const long id = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0);

	return id < 0 ? 0 : (int32_t)id;
}

int step_keyring(struct cell *c, struct err *e)
{
	c->keyring = session_keyring();
	/* A kernel without keys has none to keep apart. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0 && errno != ENOSYS)
		return err_sys(e, "join an anonymous one");
	return 0;
}

/* Another one than before, and not the uid's. */
bool is_keyring(struct cell *c)
{
	char text[128];
	const int32_t now = session_keyring();
	const long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof text - 1, 0);

	if (n < 0)
		return errno == ENOSYS;
	text[n < (long)sizeof text - 1 ? n : (long)sizeof text - 1] = '\0';
	return now != 0 && now != c->keyring && strstr(text, ";_ses") != NULL;
}

/* PID 1 raised its own; programs that use select(2) count on less, so what it had before is handed on. */
int default_nofile(const struct cell *c, struct err *e)
{
	struct rlimit64 r;

	if (!c->start->nofile)
		return 0;
	PLAN_EACH(struct plan_rlimit, l, c->plan, c->svc->rlimits)
		if (l->resource == RLIMIT_NOFILE)
			return 0;
	if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &r) < 0)
		return err_sys(e, "descriptors");
	if (r.rlim_cur <= c->start->nofile)
		return 0;
	r.rlim_cur = c->start->nofile;
	return syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &r, NULL) < 0 ? err_sys(e, "descriptors") : 0;
}

int step_limits(struct cell *c, struct err *e)
{
	PLAN_EACH(struct plan_rlimit, l, c->plan, c->svc->rlimits) {
		struct rlimit64 r = { .rlim_cur = l->soft, .rlim_max = l->hard };

		if (syscall(SYS_prlimit64, 0, l->resource, &r, NULL) < 0)
			return err_sys(e, "rlimit %u to %llu:%llu", l->resource, (unsigned long long)l->soft,
				       (unsigned long long)l->hard);
	}
	return default_nofile(c, e);
}

bool is_limits(struct cell *c)
{
	PLAN_EACH(struct plan_rlimit, l, c->plan, c->svc->rlimits) {
		struct rlimit64 r;

		if (syscall(SYS_prlimit64, 0, l->resource, NULL, &r) < 0 || r.rlim_cur != l->soft ||
		    r.rlim_max != l->hard)
			return false;
	}
	return true;
}

int step_umask(struct cell *c, struct err *e)
{
	(void)e;
	umask((mode_t)c->svc->umask);
	return 0;
}

int step_cwd(struct cell *c, struct err *e)
{
	const char *cwd = plan_str(c->plan, c->svc->cwd);
	char now[4096];

	if (c->start->spawned && !has(c, CELL_MOUNT) && (!*cwd || !strcmp(cwd, "/")))
		return 0;	/* where the spawner is, in the same root */
	if (chdir(*cwd ? cwd : "/") < 0)
		return err_sys(e, "%s", cwd);
	/* "(unreachable)/..." is outside the root: a way back to what was left behind. */
	if (has(c, CELL_MOUNT) && (syscall(SYS_getcwd, now, sizeof now) < 0 || now[0] != '/'))
		return err_set(e, EPERM, "%s: not inside the root", cwd);
	return 0;
}

int step_personality(struct cell *c, struct err *e)
{
	(void)c;
	if (personality(PER_LINUX) < 0)
		return err_sys(e, "PER_LINUX");
	return 0;
}

bool is_personality(struct cell *c)
{
	(void)c;
	return personality(0xffffffff) == PER_LINUX;
}

int step_mdwe(struct cell *c, struct err *e)
{
	(void)c;
	/* Kernels before 6.3 say EINVAL; there the filter's rules on mmap and mprotect stand alone. */
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) < 0 && errno != EINVAL)
		return err_sys(e, "prctl");
	return 0;
}

bool is_mdwe(struct cell *c)
{
	const int now = prctl(PR_GET_MDWE, 0, 0, 0, 0);

	(void)c;
	return now < 0 ? errno == EINVAL : (now & (int)PR_MDWE_REFUSE_EXEC_GAIN) != 0;
}

int step_nnp(struct cell *c, struct err *e)
{
	(void)c;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? err_sys(e, "prctl") : 0;
}

bool is_nnp(struct cell *c)
{
	(void)c;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

int step_unblock(struct cell *c, struct err *e)
{
	const uint64_t none = 0;

	(void)c;
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none) < 0)
		return err_sys(e, "unblock");
	return 0;
}
