/* The verbs and their options, one row each: help, manual and parser come from the rows. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What an exit code means; the same for every verb but where its row says otherwise. */
#define DONE 0
#define FAILED 1
#define UNREADABLE 2	/* check, compile, show: the configuration cannot be read */
#define INACTIVE 3	/* status */
#define UNKNOWN 4	/* no such service; status: no prior runs */
#define USAGE 64	/* EX_USAGE */

enum ctl_opt {
	OPT_HELP, OPT_JSON, OPT_CONFIG, OPT_RUN_DIR, OPT_NO_WAIT, OPT_OFFLINE, OPT_OUTPUT, OPT_CONTAINER,
	OPT_ISOLATION, OPT_STEPS, OPT_PRIOR, OPT_SIGNAL, OPT_FOLLOW, OPT_LINES, OPT_SINCE, OPT_UNTIL,
	OPT_GREP, OPT_LEVEL, OPT_TIMEOUT,
	OPT_DEVICE, OPT_BATCH, OPT_FORCE, OPT_DRY_RUN, OPT_EXPOSURE, OPT_THRESHOLD, OPT_BUNDLE, OPT_SVG, OPT_NOW,
	OPT_INITRD, OPT_APPEND, OPT_PRIVILEGED, OPT_SECRET, OPT_PUBLIC,
	OPT_TRUST,
	OPTS
};
#define OPT_BIT(o) (UINT64_C(1) << (o))
#define OPT(name) OPT_BIT(OPT_##name)

struct opt {
	const char *name;	/* without its dashes */
	char letter;		/* 0: none */
	const char *arg;	/* what its argument is called; NULL: it is a flag */
	const char *summary;
};
extern const struct opt ctl_opts[OPTS];

enum verb_group { GROUP_RUN, GROUP_CONFIG, GROUP_SERVICES, GROUP_INSIGHT, GROUP_MACHINE, GROUP_HIDDEN, GROUPS };
extern const char *const group_titles[GROUPS];

/* One command line, parsed. */
struct ctl {
	const struct verb *verb;
	const char *value[OPTS];	/* NULL: not given; a flag is "" */
	const char **args;		/* operands, NULL-ended */
	int nargs;
};

struct verb {
	const char *name;
	enum verb_group group;
	int (*run)(struct ctl *c);	/* returns the exit code */
	int (*raw)(int argc, char **argv); /* instead of run: reads its own command line; neither: not built yet */
	const char *args;		/* operands, as help shows them */
	int min, max;			/* how many operands; max < 0: any number */
	uint64_t opts;			/* OPT() of each that it takes */
	const char *summary;		/* one line for the list */
	const char *more;		/* further sentences for its own help and the manual; may be NULL */
	const char *exits;		/* what its exit codes mean; NULL: 0 done, 1 failed */
};
extern const struct verb ctl_verbs[];	/* ended by a row without a name */

static inline bool verb_is_built(const struct verb *v)
{
	return v->run || v->raw;
}

const struct verb *verb_find(const char *name);
const char *verb_nearest(const char *name);	/* NULL: nothing is near */

/* Fill c from the words after the verb. USAGE and a message in e when they make no sense. */
int verb_parse(struct ctl *c, const struct verb *v, int argc, char **argv, struct err *e);
/* Find, parse, run; prints what goes wrong. argv[0] is whatever it was called by. */
int verb_dispatch(const char *name, int argc, char **argv);

void help_all(FILE *to);
void help_verb(const struct verb *v, FILE *to);

static inline bool has(const struct ctl *c, enum ctl_opt o)
{
	return c->value[o] != NULL;
}

/* --run-dir, or where prior runs by default. */
const char *ctl_run_dir(const struct ctl *c);

/* Say why the verb failed, as "prior: VERB: TEXT", and return code. */
int ctl_fail(const struct ctl *c, int code, const struct err *e);
int ctl_say(const struct ctl *c, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The verbs' functions, by file. */
int verb_check(struct ctl *c), verb_compile(struct ctl *c);			/* config.c */
int verb_show(struct ctl *c), verb_schema(struct ctl *c);			/* show.c */
int verb_docs(struct ctl *c);							/* manual.c */
int verb_status(struct ctl *c);							/* status.c */
int verb_start(struct ctl *c), verb_stop(struct ctl *c), verb_restart(struct ctl *c);	/* control.c */
int verb_reload(struct ctl *c);
int verb_enable(struct ctl *c), verb_disable(struct ctl *c);			/* enable.c */
int verb_signal(struct ctl *c), verb_reexec(struct ctl *c), verb_wait(struct ctl *c);
int verb_logs(struct ctl *c), verb_events(struct ctl *c);			/* logs.c */
int verb_network(struct ctl *c);						/* network.c */
int verb_audit(struct ctl *c);							/* audit.c */
int verb_probe(struct ctl *c);							/* probe.c */
int verb_healthy(struct ctl *c);							/* healthy.c */
int verb_top(struct ctl *c);							/* top.c */
int verb_completion(struct ctl *c);						/* completion.c */
int verb_why(struct ctl *c);							/* why.c */
int verb_enter(struct ctl *c);							/* enter.c */
int verb_poweroff(struct ctl *c), verb_reboot(struct ctl *c), verb_halt(struct ctl *c); /* power.c */
int verb_kexec(struct ctl *c), verb_soft_reboot(struct ctl *c);			/* kexec.c, power.c */
int verb_reload_config(struct ctl *c);						/* reload.c */
int verb_graph(struct ctl *c), verb_chart(struct ctl *c);			/* graph.c, chart.c */
int verb_console(struct ctl *c);						/* console.c */
int verb_last_boot(struct ctl *c);						/* last_boot.c */
int verb_slot(struct ctl *c);							/* slot.c */
int verb_boot_good(struct ctl *c);
int verb_keygen(struct ctl *c), verb_sign(struct ctl *c), verb_verify(struct ctl *c);	/* sign.c */
int verb_help(struct ctl *c), verb_version(struct ctl *c);			/* help.c */

/* power.c: `shutdown -h now`, `telinit 6`, ... */
int link_shutdown(int argc, char **argv);
int link_telinit(int argc, char **argv);
int link_power(int argc, char **argv);	/* `halt -p`, `poweroff now`, `reboot -f` */
