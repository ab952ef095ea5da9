/* A policy in the OCI runtimes' words: rules with an action each, instead of a program. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/oci.h"
#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>

/*
 * libseccomp, which is behind crun and runc, takes any number of rules for a call, of which one must match; within a
 * rule each argument may be compared once. So every check becomes a list of cubes: sets of the form (argument & mask)
 * == value. The cubes of several checks are intersected, one by one; what is left are the rules. All comparisons are on
 * the lower 32 bits, as in our own program.
 * What no rule lets through gets the default: ENOSYS, as unknown numbers must. What is denied with another errno is
 * named, as far as that has a short form; a list of many allowed values has none, and what it denies gets ENOSYS.
 */
#define ARGS 6
#define CUBES_MAX 512
#define SHORT 40		/* cubes for the errno of what a check denies */
#define WORD 0xffffffffu

struct cube {
	uint32_t mask[ARGS], value[ARGS];
};

struct cubes {
	struct cube v[CUBES_MAX];
	unsigned n;
	bool full;
};

static void add(struct cubes *s, const struct cube *c)
{
	if (s->n == CUBES_MAX)
		s->full = true;
	else
		s->v[s->n++] = *c;
}

static void add_one(struct cubes *s, unsigned arg, uint32_t mask, uint32_t value)
{
	struct cube c = { .mask = { [0] = 0 } };

	c.mask[arg] = mask;
	c.value[arg] = value;
	add(s, &c);
}

/* One cube for each bit of mask: that bit is `set`. */
static void add_bits(struct cubes *s, unsigned arg, uint32_t mask, bool set)
{
	for (uint32_t bit = 1; bit; bit <<= 1)
		if (mask & bit)
			add_one(s, arg, bit, set ? bit : 0);
}

static void add_values(struct cubes *s, const struct check *k)
{
	for (unsigned i = 0; i < k->nvalues; i++)
		add_one(s, k->arg, WORD, k->values[i]);
}

/* All numbers but the values: at each bit, those that agree with a value so far and with none from there on. */
static void add_others(struct cubes *s, const struct check *k)
{
	for (uint32_t bit = 0x80000000u; bit; bit >>= 1)
		for (unsigned i = 0; i < k->nvalues; i++) {
			const uint32_t mask = ~(bit - 1), value = (k->values[i] ^ bit) & mask;
			bool leads_on = false, said = false;

			for (unsigned j = 0; j < k->nvalues; j++) {
				leads_on = leads_on || (k->values[j] & mask) == value;
				said = said || (j < i && ((k->values[j] ^ bit) & mask) == value);
			}
			if (!leads_on && !said)
				add_one(s, k->arg, mask, value);
		}
}

/* The arguments that pass a check. */
static void passes(struct cubes *s, const struct check *k)
{
	s->n = 0;
	switch ((enum check_kind)k->kind) {
	case CHECK_ANY:
		add_one(s, k->arg, k->mask, 0);
		return;
	case CHECK_ALL:
		add_bits(s, k->arg, k->mask, false);
		return;
	case CHECK_BOTH:
		add_one(s, k->arg, k->mask, 0);
		add_one(s, k->arg2, k->mask2, 0);
		return;
	case CHECK_HAS:
		add_one(s, k->arg, k->mask, k->mask);
		return;
	case CHECK_IS:
		add_bits(s, k->arg, k->mask & k->mask2, false);
		add_bits(s, k->arg, k->mask & ~k->mask2, true);
		return;
	case CHECK_ONLY:
		add_values(s, k);
		return;
	case CHECK_NONE:
		add_others(s, k);
		return;
	}
}

/* Those that do not. */
static void fails(struct cubes *s, const struct check *k)
{
	s->n = 0;
	switch ((enum check_kind)k->kind) {
	case CHECK_ANY:
		add_bits(s, k->arg, k->mask, true);
		return;
	case CHECK_ALL:
		add_one(s, k->arg, k->mask, k->mask);
		return;
	case CHECK_BOTH:
		for (uint32_t a = 1; a; a <<= 1)
			for (uint32_t b = 1; b; b <<= 1)
				if (k->mask & a && k->mask2 & b) {
					struct cube c = { .mask = { [0] = 0 } };

					c.mask[k->arg] = c.value[k->arg] = a;
					c.mask[k->arg2] = c.value[k->arg2] = b;
					add(s, &c);
				}
		return;
	case CHECK_HAS:
		add_bits(s, k->arg, k->mask, false);
		return;
	case CHECK_IS:
		add_one(s, k->arg, k->mask, k->mask2);
		return;
	case CHECK_ONLY:
		add_others(s, k);
		return;
	case CHECK_NONE:
		add_values(s, k);
		return;
	}
}

static bool meet(const struct cube *a, const struct cube *b, struct cube *both)
{
	for (unsigned i = 0; i < ARGS; i++) {
		if ((a->value[i] ^ b->value[i]) & a->mask[i] & b->mask[i])
			return false;
		both->mask[i] = a->mask[i] | b->mask[i];
		both->value[i] = a->value[i] | b->value[i];
	}
	return true;
}

static void intersect(struct cubes *s, const struct cubes *with, struct cubes *spare)
{
	struct cube both;

	spare->n = 0;
	for (unsigned i = 0; i < s->n; i++)
		for (unsigned k = 0; k < with->n; k++)
			if (meet(&s->v[i], &with->v[k], &both))
				add(spare, &both);
	for (unsigned i = 0; i < spare->n; i++)
		s->v[i] = spare->v[i];
	s->n = spare->n;
	s->full = s->full || with->full || spare->full;
}

/* Without a profile the default lets everything through, and only what is denied has rules. */
static bool allows_all(const struct policy *p)
{
	return p->above.verdict == VERDICT_ALLOW;
}

static void put_action(struct json_out *j, unsigned action, int code)
{
	static const char *const names[] = { "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_LOG" };
	const bool is_errno = action == SECCOMP_ACT_ERRNO_EPERM || code == ENOSYS;

	json_out_text(j, "action", is_errno ? names[0] : names[action]);
	if (is_errno)
		json_out_num(j, "errnoRet", code);
}

/* One rule for each cube. code 0: allowed. */
static void put_rules(struct json_out *j, const char *call, const struct cubes *s, unsigned action, int code)
{
	for (unsigned i = 0; i < s->n; i++) {
		json_out_open(j, NULL, '{');
		json_out_open(j, "names", '[');
		json_out_text(j, NULL, call);
		json_out_close(j, ']');
		if (code)
			put_action(j, action, code);
		else
			json_out_text(j, "action", "SCMP_ACT_ALLOW");
		json_out_open(j, "args", '[');
		for (unsigned a = 0; a < ARGS; a++) {
			if (!s->v[i].mask[a])
				continue;
			json_out_open(j, NULL, '{');
			json_out_num(j, "index", a);
			json_out_unsigned(j, "value", s->v[i].mask[a]);
			json_out_unsigned(j, "valueTwo", s->v[i].value[a]);
			json_out_text(j, "op", "SCMP_CMP_MASKED_EQ");
			json_out_close(j, '}');
		}
		json_out_close(j, ']');
		json_out_close(j, '}');
	}
}

/* All calls with this verdict and no check, in one entry. */
static void put_plain(struct json_out *j, const struct policy *p, enum verdict verdict)
{
	bool begun = false;

	for (unsigned n = 0; n < CALLS_MAX; n++) {
		char *name = p->call[n].verdict == verdict && !p->call[n].nchecks ? call_name(p->arch, n) : NULL;

		if (name && !begun) {
			json_out_open(j, NULL, '{');
			json_out_open(j, "names", '[');
			begun = true;
		}
		if (name)
			json_out_text(j, NULL, name);
		free(name);
	}
	if (!begun)
		return;
	json_out_close(j, ']');
	if (verdict == VERDICT_ALLOW)
		json_out_text(j, "action", "SCMP_ACT_ALLOW");
	else
		put_action(j, p->action, verdict == VERDICT_DENY ? EPERM : ENOSYS);
	json_out_close(j, '}');
}

static int put_checked(struct json_out *j, const struct policy *p, unsigned n, struct err *e)
{
	static struct cubes allowed, one, spare;	/* too large for the stack; the compiler has one thread */
	const struct decision *d = &p->call[n];
	char *name = call_name(p->arch, n);

	if (!name)
		return 0;
	allowed.n = 1;
	allowed.v[0] = (struct cube){ .mask = { [0] = 0 } };
	allowed.full = one.full = spare.full = false;
	for (unsigned i = 0; i < d->nchecks; i++) {
		passes(&one, &p->checks[d->checks[i]]);
		intersect(&allowed, &one, &spare);
	}
	if (!allows_all(p))
		put_rules(j, name, &allowed, p->action, 0);
	int rc = allowed.full ? err_set(e, E2BIG, "seccomp: the checks of %s have no short form in an OCI bundle",
					name) : 0;

	for (unsigned i = 0; rc == 0 && i < d->nchecks; i++) {
		fails(&one, &p->checks[d->checks[i]]);
		if (one.n <= SHORT || allows_all(p))
			put_rules(j, name, &one, p->action, p->checks[d->checks[i]].err);
	}
	free(name);
	return rc;
}

int policy_oci(const struct policy *p, struct json_out *j, bool log, struct err *e)
{
	json_out_open(j, "seccomp", '{');
	json_out_text(j, "defaultAction", allows_all(p) ? "SCMP_ACT_ALLOW" : "SCMP_ACT_ERRNO");
	if (!allows_all(p))
		json_out_num(j, "defaultErrnoRet", ENOSYS);
	json_out_open(j, "architectures", '[');
	json_out_text(j, NULL, p->arch == AUDIT_ARCH_AARCH64 ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64");
	json_out_close(j, ']');
	if (log) {
		json_out_open(j, "flags", '[');
		json_out_text(j, NULL, "SECCOMP_FILTER_FLAG_LOG");
		json_out_close(j, ']');
	}
	json_out_open(j, "syscalls", '[');
	put_plain(j, p, allows_all(p) ? VERDICT_ENOSYS : VERDICT_ALLOW);
	put_plain(j, p, VERDICT_DENY);
	for (unsigned n = 0; n < CALLS_MAX; n++)
		if (p->call[n].verdict == VERDICT_ALLOW && p->call[n].nchecks && put_checked(j, p, n, e) < 0)
			return -e->code;
	json_out_close(j, ']');
	json_out_close(j, '}');
	return 0;
}
