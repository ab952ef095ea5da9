/* Ends in words. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "services/supervise/stop.h"
#include <signal.h>

/* sigabbrev_np() is glibc's own. */
static const char *const signal_names[] = {
	[SIGHUP] = "SIGHUP", [SIGINT] = "SIGINT", [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL",
	[SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS", [SIGFPE] = "SIGFPE",
	[SIGKILL] = "SIGKILL", [SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
	[SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM", [SIGXCPU] = "SIGXCPU",
	[SIGXFSZ] = "SIGXFSZ", [SIGSYS] = "SIGSYS", [SIGPWR] = "SIGPWR",
};

static void signal_text(struct text *t, int sig)
{
	if (sig > 0 && (size_t)sig < sizeof signal_names / sizeof *signal_names && signal_names[sig])
		text_fmt(t, "killed by %s", signal_names[sig]);
	else
		text_fmt(t, "killed by signal %d", sig);
}

int exit_code_of(const struct ledger_svc *s)
{
	switch ((enum svc_exit_kind)s->exit_kind) {
	case EXIT_CODE:
		return s->exit_status;
	case EXIT_SIGNAL:
	case EXIT_CORE:
	case EXIT_OOM:
	case EXIT_VIOLATION:
		return 128 + s->exit_status;
	case EXIT_NONE:
	case EXIT_START_FAILED:
	case EXIT_TIMEOUT:
	case EXIT_WATCHDOG:
	case EXIT_UNHEALTHY:
	case EXIT_GONE:
	case EXIT_KINDS:
		break;
	}
	return s->flags & SVC_F_MISSING ? 127 : 1;
}

bool exit_is_decided(uint8_t kind)
{
	return kind == EXIT_START_FAILED || kind == EXIT_TIMEOUT || kind == EXIT_WATCHDOG || kind == EXIT_UNHEALTHY;
}

void exit_text(struct text *t, uint8_t exit_kind, int32_t exit_status)
{
	switch ((enum svc_exit_kind)exit_kind) {
	case EXIT_NONE:
		return;
	case EXIT_CODE:
		text_fmt(t, "exited with code %d", exit_status);
		return;
	case EXIT_SIGNAL:
		signal_text(t, exit_status);
		return;
	case EXIT_CORE:
		signal_text(t, exit_status);
		text_add(t, " (core dumped)");
		return;
	case EXIT_OOM:
		text_add(t, "killed by the kernel: out of memory (limits.cgroup.memory_max, or the machine's)");
		return;
	case EXIT_START_FAILED:
		text_add(t, "could not be started");
		return;
	case EXIT_TIMEOUT:
		text_add(t, "not ready in time");
		return;
	case EXIT_VIOLATION:
		text_add(t, "killed by its system call filter (SIGSYS)");
		return;
	case EXIT_WATCHDOG:
		text_add(t, "killed because it did not say WATCHDOG=1 in time");
		return;
	case EXIT_UNHEALTHY:
		text_add(t, "stopped because its health check failed");
		return;
	case EXIT_GONE:
		text_add(t, "ended; how is not known, as its main process was no child of prior's");
		return;
	case EXIT_KINDS:
		return;
	}
}
