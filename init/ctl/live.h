/* What the running prior knows, as the control tool sees it: ledger and plan, and one view per service. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "init/ctl/seen.h"
#include "init/ctl/term.h"
#include "services/plan/plan.h"
#include "services/supervise/ledger.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Zeroed is closed. */
struct live {
	struct ledger ledger;
	struct plan plan;
	struct ucred peer;	/* who answered; pid 0: it cannot be seen from here */
	struct seen_from from;	/* whose numbers the pids in the ledger are; a view's are ours */
};

/* One service at one moment. Strings point into the plan. */
struct view {
	const char *name;
	uint32_t index;			/* in plan and ledger; of no meaning when refused */
	const struct plan_service *plan; /* NULL: refused when it was planned */
	bool unseen;			/* it has a process, which cannot be found from here: now.pid is 0 */
	const char *refused;		/* why; NULL: it was not. Both NULL: an instance that nobody has started */
	struct ledger_svc now;
	struct ledger_conn conn;	/* of a slot: what it serves; family 0: nothing */
	unsigned served;		/* of a base: its connections */
	bool has_memory, has_cpu;	/* could be read */
	uint64_t memory, cpu_us;	/* of its cgroup: bytes now, microseconds so far */
	bool has_peak, has_tasks;
	uint64_t peak, tasks;		/* most bytes that it had; processes and threads, or processes */
};

struct views {
	struct view *v;
	unsigned n;
	int64_t now_ms;			/* CLOCK_BOOTTIME when they were taken, for "since" */
};

/* Ask the prior at run_dir. On failure e says what to do; nothing is open. */
int live_open(struct live *l, const char *run_dir, struct err *e);
void live_close(struct live *l);
/*
 * All that it says is the word of who answered. What is done with our own rights because of it (to run a program, to
 * write a file) is done only for one that has the same already: our user's, and for root in the same user, pid and
 * mount namespaces. EPERM: it is another's; e says how it is to be asked.
 */
int live_is_trusted(const struct live *l, struct err *e);
/*
 * An ordinary user's prior lives in a user namespace of its own (init/rootless.h), and what the kernel says depends on
 * who asks: ids and groups are ours only from in there. The namespace is its user's, who may enter it; its spawner is
 * in there, too. False: we are neither root nor the one whose prior it is.
 */
bool live_enter_users(const struct live *l);

/* Services by name, or all when there are none. ENOENT: no such service; e names it and the nearest one. */
int views_take(struct views *to, const struct live *l, const char *const *names, int64_t now_ms,
	       struct err *e);
void views_free(struct views *v);
void view_read_usage(struct view *v);	/* memory and CPU from the cgroup of its process */

/* Whether it is started at boot, as was said last. */
bool view_is_enabled(const struct live *l, const struct view *v);

/* What a state means to a person. */
struct state_row {
	bool active;			/* exit code 0 of `status` */
	enum colour colour;
};
const struct state_row *state_row(unsigned state);

/* Each writes into buf and returns it. */
#define LINE_TEXT 192
const char *sandbox_text(const struct view *v, char buf[static LINE_TEXT]);
bool sandbox_is_bad(const struct view *v);	/* runs, should be attested, is not */
const char *end_text(const struct ledger_svc *s, char buf[static LINE_TEXT]); /* "exited with code 1" */
const char *listen_text(const struct plan *p, const struct plan_listen *l, char buf[static LINE_TEXT]);
const char *peer_text(const struct view *v, char buf[static LINE_TEXT]);	/* "192.0.2.7 port 4711" */
const char *planned_addr_text(const struct plan_addr *a, bool prefix, char buf[static LINE_TEXT]);
