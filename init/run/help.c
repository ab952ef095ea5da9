/* Texts of one command: see help.h. dumb-init's own tests compare its help, so that is its text, word for word. */
/* SPDX-License-Identifier: ISC */
#include "init/run/help.h"
#include "init/base/version.h"
#include "init/run/say.h"

/* The versions that these options and words are those of. */
#define TINI_VERSION "tini version 0.19.0"
#define DUMB_INIT_VERSION "dumb-init v1.2.5\n"
#define CATATONIT_VERSION "tini version 0.1.7_catatonit"	/* what Docker looks for is "tini version" */

static const char prior_head[] =
	"Usage: prior run [OPTIONS] -- COMMAND [ARG...]\n"
	"Supervises one command: reaps, passes every signal on, exits with its code (128+N on signal N).\n\n"
	"  -g, --group          signals go to its whole process group\n"
	"      --session        it leads a session of its own, and gets our terminal; signals go to its group\n"
	"  -r, --rewrite S:T    signal S is passed on as T, by number or name; 15:0 drops it (repeat)\n"
	"  -e, --exit-code C[:D]  its exit code C becomes D, or 0 (repeat)\n"
	"  -p, --parent-death S  signal S comes to us, and is passed on, when our parent ends\n"
	"      --no-subreaper   orphans are somebody else's unless we are PID 1 (-s: they are ours, the default)\n"
	"  -w, --warn-reaped    say so for each orphan\n"
	"  -v, --verbose        say what happens; twice: all of it\n"
	"      --pause          no command: reap until SIGTERM or SIGINT\n";
static const char prior_confine[] =
	"\nConfined, as a service is:\n"
	"      --preset PRESET  minimal, server, strict, worker, database, contained\n"
	"      --set KEY=VALUE  any key of a service, dotted: --set limits.nofile=1024 (repeat)\n"
	"  -c, --config FILE    YAML with defaults and networks for it (no services)\n";
static const char prior_tail[] =
	"\n  -h, --help           this text\n"
	"  -V, --version        version and machine\n\n"
	"Exit: the command's code; 125 prior failed, 126 it cannot be run, 127 it is not there.\n"
	"Started as tini, dumb-init or catatonit it takes their options and speaks as they do.\n";

static const char tini_text[] =
	"Usage: tini [OPTIONS] PROGRAM -- [ARGS] | --version\n\n"
	"Runs a program under the supervision of a valid init process (prior, standing in for tini).\n\n"
	"  --version     version, alone on the line\n"
	"  -h            this text\n"
	"  -s            be a subreaper\n"
	"  -p SIGNAL     signal that comes when the parent dies, such as SIGKILL\n"
	"  -v            more verbose; up to three times\n"
	"  -w            warn about processes that are reaped\n"
	"  -g            signals go to the program's process group\n"
	"  -e EXIT_CODE  this exit code (0 to 255) becomes 0; repeat\n"
	"  -l            licence\n\n"
	"Environment: TINI_SUBREAPER, TINI_VERBOSITY (1), TINI_KILL_PROCESS_GROUP.\n";

static const char catatonit_text[] =
	"\n  -g              signals go to the program's process group\n"
	"  -h              this text (prior, standing in for catatonit)\n"
	"  -L              licence\n"
	"  -P              pause: no program; ends on SIGINT or SIGTERM\n"
	"  -V, --version   version\n";

/* From dumb-init 1.2.5, (c) 2015 Yelp, Inc., MIT licence: see NOTICE. */
static const char dumb_init_text[] =
	" [option] command [[arg] ...]\n\n"
	"dumb-init is a simple process supervisor that forwards signals to children.\n"
	"It is designed to run as PID1 in minimal container environments.\n\n"
	"Optional arguments:\n"
	"   -c, --single-child   Run in single-child mode.\n"
	"                        In this mode, signals are only proxied to the\n"
	"                        direct child and not any of its descendants.\n"
	"   -r, --rewrite s:r    Rewrite received signal s to new signal r before proxying.\n"
	"                        To ignore (not proxy) a signal, rewrite it to 0.\n"
	"                        This option can be specified multiple times.\n"
	"   -v, --verbose        Print debugging information to stderr.\n"
	"   -h, --help           Print this help message and exit.\n"
	"   -V, --version        Print the current version and exit.\n\n"
	"Full help is available online at https://github.com/Yelp/dumb-init\n";
static const char dumb_init_rewrite[] =
	"Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.\n"
	"This option can be specified multiple times.\n"
	"Use --help for full usage.\n";

static void put3(int fd, const char *a, const char *b, const char *c)
{
	wrap_put(fd, a);
	wrap_put(fd, b);
	wrap_put(fd, c);
}

int help_usage(const struct wrap *w)
{
	switch (w->as) {
	case AS_TINI:
		put3(1, TINI_VERSION "\n", tini_text, "");
		break;
	case AS_DUMB_INIT:
		put3(2, DUMB_INIT_VERSION "Usage: ", w->self, dumb_init_text);
		break;
	case AS_CATATONIT:
		help_short(w);
		wrap_put(2, catatonit_text);
		break;
	case AS_PRIOR:
	case WRAP_AS:
		put3(1, prior_head, WRAP_CONFINES ? prior_confine : "", prior_tail);
		break;
	}
	return 0;
}

void help_short(const struct wrap *w)
{
	switch (w->as) {
	case AS_TINI:
		wrap_put(2, tini_text);
		break;
	case AS_DUMB_INIT:
		put3(2, "Usage: ", w->self, " [option] program [args]\nTry ");
		put3(2, w->self, " --help for full usage.\n", "");
		break;
	case AS_CATATONIT:
		wrap_put(2, "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]\n");
		break;
	case AS_PRIOR:
	case WRAP_AS:
		wrap_put(2, "prior: run: no command; write it after --\n");
		break;
	}
}

void help_rewrite(void)
{
	wrap_put(2, dumb_init_rewrite);
}

int help_version(const struct wrap *w)
{
	switch (w->as) {
	case AS_TINI:
		wrap_put(1, TINI_VERSION "\n");
		break;
	case AS_DUMB_INIT:
		wrap_put(2, DUMB_INIT_VERSION);
		break;
	case AS_CATATONIT:
		wrap_put(1, CATATONIT_VERSION "\n");
		break;
	case AS_PRIOR:
	case WRAP_AS:
		wrap_put(1, "prior run " PRIOR_VERSION "\n");
		break;
	}
	return 0;
}

int help_licence(void)
{
	wrap_put(1, "prior, standing in: ISC licence, without any warranty; see LICENSE and NOTICE in its source.\n");
	return 0;
}
