/* A small interpreter of classic BPF: see filter_run.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/types.h"
#include "tests/unit/filter_run.h"
#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

unsigned filter_steps;

uint32_t filter_run(const struct sock_filter *filter, int len, const struct seccomp_data *d)
{
	uint32_t a = 0;

	filter_steps = 0;
	for (int pc = 0; pc < len; pc++) {
		const struct sock_filter *f = filter + pc;

		filter_steps++;
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_in_range(f->k, 0, sizeof *d - 4);
			memcpy(&a, (const char *)d + f->k, 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += (int)f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += a > f->k ? f->jt : f->jf;
			break;
		case BPF_LD | BPF_IMM:
			a = f->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += a & f->k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			fail_msg("instruction %d has code %#x", pc, f->code);
		}
	}
	fail_msg("the program runs over its end");
	return 0;
}

static bool passes(const struct check *c, const struct seccomp_data *d)
{
	uint32_t v = (uint32_t)d->args[c->arg], w = (uint32_t)d->args[c->arg2];
	bool listed = false;

	for (unsigned i = 0; i < c->nvalues; i++)
		listed = listed || c->values[i] == v;
	switch ((enum check_kind)c->kind) {
	case CHECK_ANY:
		return (v & c->mask) == 0;
	case CHECK_ALL:
		return (v & c->mask) != c->mask;
	case CHECK_BOTH:
		return (v & c->mask) == 0 || (w & c->mask2) == 0;
	case CHECK_HAS:
		return (v & c->mask) == c->mask;
	case CHECK_IS:
		return (v & c->mask) != c->mask2;
	case CHECK_ONLY:
		return listed;
	case CHECK_NONE:
		return !listed;
	}
	return false;
}

static bool compares(const struct condition *c, const struct seccomp_data *d)
{
	const uint64_t keep = c->narrow ? UINT32_MAX : UINT64_MAX;
	const uint64_t v = d->args[c->arg] & keep, w = c->value & keep;

	switch ((enum compare_op)c->op) {
	case COMPARE_NE:
		return v != w;
	case COMPARE_LT:
		return v < w;
	case COMPARE_LE:
		return v <= w;
	case COMPARE_EQ:
		return v == w;
	case COMPARE_GE:
		return v >= w;
	case COMPARE_GT:
		return v > w;
	case COMPARE_MASKED:
		return (v & c->mask) == w;
	}
	return false;
}

static uint32_t rules_say(const struct policy *p, const struct decision *x, const struct seccomp_data *d)
{
	for (unsigned i = 0; i < x->nrules; i++) {
		const struct rule *r = &p->rules[x->rules[i]];
		bool all = true;

		for (unsigned j = 0; j < r->nconditions; j++)
			all = all && compares(&r->conditions[j], d);
		if (all)
			return r->ret;
	}
	return p->otherwise;
}

static uint32_t denial(const struct policy *p, unsigned err)
{
	if (p->action == SECCOMP_ACT_LOG_ONLY)
		return SECCOMP_RET_LOG;
	if (p->action == SECCOMP_ACT_KILL_PROCESS && err != ENOSYS)
		return SECCOMP_RET_KILL_PROCESS;
	return SECCOMP_RET_ERRNO | err;
}

uint32_t policy_says(const struct policy *p, const struct seccomp_data *d)
{
	uint32_t nr = (uint32_t)d->nr;

	if (d->arch != p->arch || (d->arch == AUDIT_ARCH_X86_64 && nr >= 0x40000000))
		return SECCOMP_RET_KILL_PROCESS;
	const struct decision *x = nr < CALLS_MAX ? &p->call[nr] : &p->above;

	if (x->verdict == VERDICT_DENY || x->verdict == VERDICT_ENOSYS)
		return denial(p, x->verdict == VERDICT_DENY ? EPERM : ENOSYS);
	for (unsigned i = 0; i < x->nchecks; i++)
		if (!passes(&p->checks[x->checks[i]], d))
			return denial(p, p->checks[x->checks[i]].err);
	return x->verdict == VERDICT_RULES ? rules_say(p, x, d) : SECCOMP_RET_ALLOW;
}

struct policy policy;
struct sock_filter program[BPF_MAXINSNS];
int length;

void compare(const struct seccomp_data *d)
{
	uint32_t got = filter_run(program, length, d), want = policy_says(&policy, d);

	if (got != want)
		fail_msg("call %d arch %#x args %llx %llx %llx %llx: %#x, declared %#x", d->nr, d->arch,
			 (long long)d->args[0], (long long)d->args[1], (long long)d->args[2], (long long)d->args[3],
			 got, want);
}

/* --- arguments at the edges of a check --- */

#define EDGES_MAX 512
static unsigned edges(uint64_t *out, uint32_t mask, const struct check *c)
{
	unsigned n = 0;
	uint32_t base[] = { 0, 1, mask, ~mask, mask - 1, mask + 1, 0x7fffffff, 0x80000000, 0xffffffff };

	for (unsigned i = 0; i < sizeof base / sizeof *base; i++)
		out[n++] = base[i];
	for (unsigned bit = 0; bit < 32; bit++)
		if (mask & 1u << bit)
			out[n++] = 1u << bit;
	for (unsigned i = 0; i < c->nvalues; i++)
		for (int around = -1; around <= 1; around++)
			out[n++] = c->values[i] + (uint32_t)around;
	/* The same with rubbish in the upper half, which the kernel does not look at. */
	for (unsigned i = 0, was = n; i < was && n + 2 <= EDGES_MAX; i++) {
		out[n++] = out[i] | 1ull << 32;
		out[n++] = out[i] | 0xffffffff00000000ull;
	}
	return n;
}

static void compare_checked(int nr)
{
	const struct decision *x = &policy.call[nr];
	uint64_t a[EDGES_MAX], b[EDGES_MAX];

	for (unsigned i = 0; i < x->nchecks; i++) {
		const struct check *c = &policy.checks[x->checks[i]];
		unsigned na = edges(a, c->mask, c), nb = c->kind == CHECK_BOTH ? edges(b, c->mask2, c) : 1;

		for (unsigned j = 0; j < na; j++)
			for (unsigned k = 0; k < nb; k++) {
				struct seccomp_data d = { .nr = nr, .arch = policy.arch,
							  .args = { 7, 7, 7, 7, 7, 7 } };

				d.args[c->arg] = a[j];
				if (c->kind == CHECK_BOTH)
					d.args[c->arg2] = b[k];
				compare(&d);
			}
	}
}

/* Around each value of each comparison, with each half disturbed; the other arguments at their own edges. */
static void compare_rules(int nr)
{
	const struct decision *x = &policy.call[nr];
	struct seccomp_data base = { .nr = nr, .arch = policy.arch };

	for (unsigned i = 0; i < x->nrules; i++) {
		const struct rule *r = &policy.rules[x->rules[i]];

		for (unsigned j = 0; j < r->nconditions; j++)
			base.args[r->conditions[j].arg] = r->conditions[j].value;
		for (unsigned j = 0; j < r->nconditions; j++) {
			const struct condition *c = &r->conditions[j];
			const uint64_t at[] = { c->value, c->value - 1, c->value + 1, c->mask, ~c->mask, 0, 1,
						UINT32_MAX, UINT64_MAX };

			for (unsigned k = 0; k < sizeof at / sizeof *at; k++)
				for (unsigned bit = 0; bit <= 64; bit += bit == 0 ? 31 : 1) {
					struct seccomp_data d = base;

					d.args[c->arg] = bit < 64 ? at[k] ^ 1ull << bit : at[k];
					compare(&d);
				}
		}
	}
}

void compare_all(void)
{
	static const uint32_t foreign[] = { AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64, 0 };
	static const uint64_t odd[] = { 0, 1, 0xffffffff, 0x100000000, 0xffffffffffffffff };

	for (int nr = 0; nr <= 600; nr++) {
		for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
			struct seccomp_data d = { .nr = nr, .arch = policy.arch,
						  .args = { odd[i], odd[i], odd[i], odd[i], odd[i], odd[i] } };

			compare(&d);
		}
		for (unsigned i = 0; i < sizeof foreign / sizeof *foreign; i++)
			compare(&(struct seccomp_data){ .nr = nr, .arch = foreign[i] });
		compare(&(struct seccomp_data){ .nr = nr | 0x40000000, .arch = policy.arch });
		if (nr < CALLS_MAX && policy.call[nr].nchecks)
			compare_checked(nr);
		if (nr < CALLS_MAX && policy.call[nr].nrules)
			compare_rules(nr);
	}
	compare(&(struct seccomp_data){ .nr = -1, .arch = policy.arch });
	compare(&(struct seccomp_data){ .nr = 0x3fffffff, .arch = policy.arch });
}

void make(const struct filter_wishes *w)
{
	struct err e = { 0 };

	if (policy_make(&policy, w, &e) < 0)
		fail_msg("%s", e.text);
	length = policy_emit(&policy, program, &e);
	if (length < 0)
		fail_msg("%s", e.text);
	assert_null(plan_filter_wrong(program, (uint32_t)length));
}

uint32_t ask_number(int nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return filter_run(program, length, &(struct seccomp_data){ .nr = nr, .arch = policy.arch,
								   .args = { a, b, c, d } });
}

uint32_t ask(const char *call, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	int nr = call_number(policy.arch, call);

	if (nr < 0)
		fail_msg("no call %s", call);
	return ask_number(nr, a, b, c, d);
}
