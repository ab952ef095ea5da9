/* One command under the smallest supervisor there is, as tini and its kin are: libc only, no heap, no /proc. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stdint.h>

/* Whose options, words and exit codes: it follows from the name that we were started under. */
enum wrap_as { AS_PRIOR, AS_TINI, AS_DUMB_INIT, AS_CATATONIT, WRAP_AS };

#define WRAP_SIGNALS 64		/* Linux's, the real-time ones among them */
#define WRAP_DROP 255

/* The smallest build knows one command as it is, and nothing that confines it. */
#ifdef PRIOR_RUN_ONLY
#define WRAP_CONFINES false
#define RUN_SETS_MAX 1
#else
#define WRAP_CONFINES true
#define RUN_SETS_MAX 64
#endif

struct run_set {
	const char *key, *value;
};

/* What was asked for. Zero is a plain `prior run`. */
struct wrap {
	char **command;		/* NULL-ended, lies in argv behind our name; NULL with pause */
	const char *self;	/* argv[0] */
	enum wrap_as as;
	int verbosity;		/* of the style's own levels: say.c */
	int parent_death;	/* signal sent to us, and passed on, when our parent ends; 0: none */
	bool group;		/* signals go to the command's process group */
	bool session;		/* the command leads a session of its own and gets our terminal */
	bool same_group;	/* the command stays in our process group */
	bool subreaper;		/* orphans come to us even when we are not PID 1 */
	bool warn_reaped;
	bool pause;		/* no command: reap until SIGTERM or SIGINT */
	uint8_t send[WRAP_SIGNALS + 1];	/* what is passed on for a signal; 0: itself, WRAP_DROP: nothing */
	uint8_t exit_xor[256];	/* exit code ^ this is ours */

	/* What confines; asked for with AS_PRIOR only. */
	struct run_set sets[RUN_SETS_MAX];
	unsigned nsets;
	const char *config;
};

/* Runs what confines (w->nsets or w->config): an exit code, or -errno. NULL where that cannot be asked for. */
typedef int wrap_confined(struct wrap *w, struct err *e);

/* The style that this argv[0] means; AS_PRIOR for all other names. */
enum wrap_as wrap_as(const char *argv0);

/* A whole life: argv[0] is our name, options follow. Returns the exit code. */
int wrap_main(int argc, char **argv, enum wrap_as as, wrap_confined *confined);

/* Reads the options into *w, zeroed but for as. -1: go on; else the exit code, and all has been said. */
int wrap_options(struct wrap *w, int argc, char **argv);

/* Starts the command and lives until it ends. */
int wrap_live(const struct wrap *w);

/* Names of signals: "TERM", "SIGTERM", "15", "RTMIN+3"; 0 when it is none. */
int wrap_signal(const char *name);

/* PR_SET_PDEATHSIG, and the signal itself when the parent is gone already. */
int wrap_parent_death(int sig);
