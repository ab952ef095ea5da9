/* What is said while one command runs, in the words of whom we stand in for. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/run/wrap.h"

enum said {
	SAID_STARTED,		/* text: the command, a: its pid */
	SAID_SIGNAL,		/* a: a signal came */
	SAID_CHILD,		/* SIGCHLD came */
	SAID_REWRITTEN,		/* a: a signal, b: what becomes of it */
	SAID_SENT,		/* a: what was passed on */
	SAID_DROPPED,		/* a: nothing of this one */
	SAID_TOLD,		/* likewise, by dumb-init without a session */
	SAID_NOBODY,		/* a: a signal nobody was there for */
	SAID_EXITED,		/* a: pid, b: exit code: a process */
	SAID_KILLED,		/* a: pid, b: signal */
	SAID_MAIN_EXITED,	/* a: exit code: the command */
	SAID_MAIN_KILLED,	/* a: signal */
	SAID_REAPED,		/* a: pid of somebody's orphan */
	SAID_END,		/* a: our exit code */
	SAID_STOP,		/* we stop with it */
	SAID_DETACHED,		/* from our terminal */
	SAID_DETACHED_LEADER,	/* likewise; the kernel's SIGHUP and SIGCONT are awaited */
	SAID_NOT_DETACHED,	/* a: errno */
	SAID_HANDOFF,		/* a: that signal */
	SAID_SESSION,		/* the command leads a session */
	SAID_NO_TERMINAL,	/* a: errno */
	SAID_DEBUG,
	SAID_NO_SESSION,
	SAID_NO_REAPER,		/* orphans will not come to us */
	SAID_NOT_RUN,		/* text: the command, a: errno of its exec */
	SAID_NO_FORK,		/* a: errno */
	SAID_WHAT,
};

/* One line, when the verbosity allows it. Also called between vfork and exec: no heap, no stdio. */
void wrap_say(const struct wrap *w, enum said what, int64_t a, int64_t b, const char *text);

/* Text as it is to a descriptor; what cannot be written is lost. */
void wrap_put(int fd, const char *text);
