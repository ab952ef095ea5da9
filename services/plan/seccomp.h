/* System call filters: a policy is one decision for each call number; the emitter makes the shortest program of it. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "services/spec/spec.h"
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * For the compiler child and the tests. Everything is decided from the number and, for the few calls with
 * checks, from the lower 32 bits of arguments: the kernel takes int and unsigned arguments so, whatever stands
 * in the upper half. A foreign architecture and x32 are killed; numbers that nobody knows get ENOSYS, so that
 * programs fall back.
 */
#define CALLS_MAX 512		/* numbers looked at; all above are unknown */
#define CHECKS_MAX 6		/* for one call */
#define VALUES_MAX 48

enum verdict {
	VERDICT_DENY,		/* the action of the service: EPERM, kill or log */
	VERDICT_ALLOW,		/* if the checks say so too */
	VERDICT_ENOSYS,		/* as if the kernel did not have it */
	VERDICT_RULES,		/* what the first rule that applies says; none: policy.otherwise */
};

enum check_kind {
	CHECK_ANY,		/* denied when one of the bits of mask is set */
	CHECK_ALL,		/* denied when all of them are */
	CHECK_BOTH,		/* denied when one of mask is set in arg and one of mask2 in arg2 */
	CHECK_ONLY,		/* denied unless the argument is one of the values */
	CHECK_NONE,		/* denied when it is one of the values */
	CHECK_HAS,		/* denied unless all bits of mask are set */
	CHECK_IS,		/* denied when the bits of mask are exactly those of mask2 */
};

struct check {
	uint8_t kind, arg, arg2, nvalues;
	uint16_t err;		/* what a denied call gets */
	uint32_t mask, mask2;
	uint32_t values[VALUES_MAX]; /* ascending */
};

/* Rules of profiles from files: an action for calls whose arguments all compare so, as libseccomp compares them. */
#define RULES_MAX 256
#define CALL_RULES_MAX 16	/* for one call */
#define CONDITIONS_MAX 6

enum compare_op { COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_EQ, COMPARE_GE, COMPARE_GT, COMPARE_MASKED };

struct condition {
	uint64_t value, mask;	/* mask: COMPARE_MASKED only */
	uint8_t op, arg;	/* enum compare_op */
	bool narrow;		/* the kernel takes 32 bits of this argument, so only those are compared */
};

struct rule {
	uint32_t ret;		/* SECCOMP_RET_* */
	uint32_t nconditions;	/* 0: always */
	struct condition conditions[CONDITIONS_MAX];
};

struct decision {
	uint8_t verdict;	/* enum verdict */
	uint8_t nchecks, nrules;
	uint8_t checks[CHECKS_MAX]; /* of policy.checks; all must pass before the verdict is ALLOW or RULES */
	uint8_t rules[CALL_RULES_MAX]; /* of policy.rules */
};

struct policy {
	uint32_t arch;		/* AUDIT_ARCH_* */
	unsigned action;	/* enum seccomp_action */
	struct decision call[CALLS_MAX];
	struct decision above;	/* for numbers from CALLS_MAX on */
	struct check checks[64];
	unsigned nchecks;
	uint32_t otherwise;	/* SECCOMP_RET_*, for VERDICT_RULES */
	struct rule rules[RULES_MAX];
	unsigned nrules;
};

struct filter_wishes {
	uint32_t arch;
	unsigned profile, action;	/* enum seccomp_profile (not CUSTOM), enum seccomp_action */
	bool namespaces, realtime, suid_sgid, personality, write_execute, modules, logs, clock, hostname, raw_io;
	bool archs;			/* nothing but that other architectures are killed */
	bool truncation;		/* no file loses its contents but through a descriptor to write to */
	bool loads;			/* it has a dynamic loader; for promises */
	uint64_t promises;		/* instead of a profile; 0: none */
	bool families;			/* only family_list may be used */
	uint32_t spaces_allowed;	/* CLONE_NEW* that `namespaces` lets through */
	uint32_t family_list[VALUES_MAX];
	unsigned nfamilies;
	struct str_list allow, deny;	/* calls and @groups */
	const struct policy *base;	/* of a file, in the place of a profile; or NULL */
};

/* EINVAL: a name in allow or deny is none; E2BIG: more than the bounds above. */
int policy_make(struct policy *p, const struct filter_wishes *w, struct err *e);
/* out has room for BPF_MAXINSNS. Returns the number of instructions. */
int policy_emit(const struct policy *p, struct sock_filter *out, struct err *e);
/*
 * Let a second program decide what the first one allows; both then fit into out, which has room for BPF_MAXINSNS.
 * Returns the number of instructions of both. E2BIG: too many.
 */
int filter_append(struct sock_filter *out, int n, const struct sock_filter *then, unsigned nthen, struct err *e);

/* calls.c: names and numbers. -1: no such call anywhere; -2: not on this architecture. */
int call_number(uint32_t arch, const char *name);
/* Its name, which is the caller's to free; NULL: none. */
char *call_name(uint32_t arch, unsigned number);
/* Whether a number is a call that we know of. */
bool call_is_known(uint32_t arch, unsigned number);
/* The calls of a group ("@file-system"), separated by blanks, with other groups among them; NULL: no such group. */
const char *call_group(const char *name);
/* Each call of a text like the above, groups unfolded. false: each() or a name failed. */
bool calls_each(const char *text, bool (*each)(void *ctx, const char *call), void *ctx);
