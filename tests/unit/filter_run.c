/* A small interpreter of classic BPF: see filter_run.h. */
/* SPDX-License-Identifier: ISC */
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

uint32_t filter_run(const struct sock_filter *program, int length, const struct seccomp_data *d)
{
	uint32_t a = 0;

	filter_steps = 0;
	for (int pc = 0; pc < length; pc++) {
		const struct sock_filter *f = program + pc;

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
	case CHECK_ONLY:
		return listed;
	case CHECK_NONE:
		return !listed;
	}
	return false;
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

	if (x->verdict != VERDICT_ALLOW)
		return denial(p, x->verdict == VERDICT_DENY ? EPERM : ENOSYS);
	for (unsigned i = 0; i < x->nchecks; i++)
		if (!passes(&p->checks[x->checks[i]], d))
			return denial(p, p->checks[x->checks[i]].err);
	return SECCOMP_RET_ALLOW;
}

