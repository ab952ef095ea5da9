/* How exposed a service is: one number to compare with others', and a list of our own that goes further. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "services/plan/plan.h"
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The comparable score asks the questions of systemd-analyze security, with its weights and its formula, of what the
 * plan says (declared) or of what the kernel says (attested). Both are first brought into one form, struct exposed,
 * so that a question is asked in one way. What cannot be seen counts as absent: a score never gets better by looking
 * away. For the control tool and the tests: it takes memory.
 */

/* One mount as the service sees it, in the order in which they lie over each other. */
struct exposed_mount {
	const char *target, *type, *options;	/* options: of the file system, "subset=pid,hidepid=invisible" */
	uint64_t attr;				/* MOUNT_ATTR_* */
	bool machines;				/* the machine has the same there */
	bool covered;				/* an empty folder or file that nobody may enter */
	bool volume;				/* a part of the machine's that is there by wish */
};

struct exposed {
	uint32_t uid, gid, umask;
	uint32_t spaces;		/* CELL_* of the namespaces that are its own */
	uint64_t bounding, ambient;
	bool more_groups, no_new_privs, keyring, any_may_notify, owns_cgroup, root_tree, only_loopback;
	bool device_program;		/* its control group decides about devices */
	/* for the list of our own */
	bool inert_caps, no_new_spaces, landlock, maps_root, core_dumps, pids_limit, memory_limit;
	bool seen;			/* by the kernel's word: what it does not tell is not asked */
	uint32_t arch;			/* AUDIT_ARCH_* */
	const struct sock_filter *filter;
	unsigned nfilter;
	int root;			/* its root, to see whether a place exists; FD_NONE: everything does */
	struct exposed_mount *mounts;
	unsigned nmounts;
	void *owned[3];			/* what exposed_free() frees */
	int owned_root;
};

/* facts of the plan; root is looked at where it is here. ENOMEM. */
int exposed_by_plan(struct exposed *x, const struct plan *p, const struct plan_service *s, struct err *e);
/*
 * Facts of the running process pid, from the kernel; procfs as for attest(). s says only what is not in the kernel: who
 * may write to the notify socket. ESRCH and others: it cannot be asked.
 */
int exposed_by_kernel(struct exposed *x, const struct plan *p, const struct plan_service *s, pid_t pid, int procfs,
		      struct err *e);
void exposed_free(struct exposed *x);

/* NotifyAccess=all, in the other program's words. */
static inline bool any_may_notify(const struct plan_service *s)
{
	return s->flags & CELL_NOTIFY && !(s->flags & CELL_NOTIFY_MAIN);
}

#define NOT_ASKED 255

struct exposure_check {
	const char *name;	/* as the other program calls it; ours: in words */
	uint16_t weight;
	uint8_t range;		/* badness is 0 to range */
	uint8_t (*badness)(const struct exposed *x, uint64_t param); /* or NOT_ASKED: it does not apply */
	uint64_t param;
};
#define EXPOSURE_CHECKS 81
extern const struct exposure_check exposure_checks[EXPOSURE_CHECKS];
extern const struct exposure_check exposure_further[];	/* ended by a row without a name */

#define EXPOSURE_ROWS_MAX EXPOSURE_CHECKS

/* The answers to a list of questions, and what they come to. */
struct exposure {
	uint8_t badness[EXPOSURE_ROWS_MAX];
	unsigned rows;
	unsigned score;			/* tenths, 0 to 100: rounded up as the other program does */
	uint64_t bad, all;		/* what is missing, of what there could be, by weight */
};
/* n rows, or to the end: 0. */
void exposure_ask(struct exposure *to, const struct exposed *x, const struct exposure_check *rows, unsigned n);
const char *exposure_word(unsigned score);	/* "OK", "MEDIUM", ... */
/* What one answer adds to the score, in hundredths of a point. */
unsigned exposure_share(const struct exposure *r, const struct exposure_check *row, uint8_t badness);

/* places.c: what lies at a path. */
const struct exposed_mount *exposed_at(const struct exposed *x, const char *path);
bool exposed_exists(const struct exposed *x, const char *path);
bool exposed_is_own(const struct exposed *x, const char *path);		/* not what the machine has there */
bool exposed_is_fixed(const struct exposed *x, const char *path);	/* read-only, covered, or not there */
/* calls.c: is there a way to make one of these calls? Words as for calls_each(). */
bool exposed_calls(const struct exposed *x, const char *calls);
bool exposed_call(const struct exposed *x, const char *call, const uint64_t arg[6]);
