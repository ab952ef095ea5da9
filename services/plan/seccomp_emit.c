/* The emitter: from decisions to the classic BPF program that reaches each of them by the fewest instructions. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/seccomp.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

/*
 * The program is written from its end to its beginning, because jumps go forward only: whatever an instruction
 * leads to is there already, and its distance is known. A place is counted from the end. A conditional jump
 * reaches 255 instructions: where its target is farther, a verdict is simply written again, and anything else
 * gets a long jump in between. The kernel runs the program once for each call number when it is loaded, to find
 * those that it always allows.
 */
#define REACH 250
#define X32_BIT 0x40000000u
#define NUMBER offsetof(struct seccomp_data, nr)
#define ARCH offsetof(struct seccomp_data, arch)
/* The lower half of an argument, on the little-endian machines that we have rows for. */
#define ARG(n) (offsetof(struct seccomp_data, args) + 8 * (n))

struct emit {
	const struct policy *p;
	struct sock_filter at[BPF_MAXINSNS];	/* at[0] is the last instruction */
	unsigned n;
	bool full;
	struct {
		struct decision d;
		unsigned place;
	} blocks[64];				/* checks of calls, written once each */
	unsigned nblocks;
};

/* From `from` up to the next range: all numbers, or all values of an argument, that lead to the same. */
struct range {
	uint32_t from;
	uint32_t to_what;	/* for numbers: index into leaves; for values: a place */
};

static unsigned push(struct emit *e, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (e->n == BPF_MAXINSNS) {
		e->full = true;
		return 0;
	}
	e->at[e->n] = (struct sock_filter){ code, jt, jf, k };
	return e->n++;
}

static unsigned distance(const struct emit *e, unsigned place)
{
	return e->n - place - 1;
}

/* A verdict that the next instructions can reach. */
static unsigned ret(struct emit *e, uint32_t value)
{
	for (unsigned i = e->n; i-- > 0 && distance(e, i) <= REACH;)
		if (e->at[i].code == (BPF_RET | BPF_K) && e->at[i].k == value)
			return i;
	return push(e, BPF_RET | BPF_K, 0, 0, value);
}

/* The same place, or one that leads there and is near enough. */
static unsigned near(struct emit *e, unsigned place)
{
	if (distance(e, place) <= REACH)
		return place;
	if (e->at[place].code == (BPF_RET | BPF_K))
		return ret(e, e->at[place].k);
	return push(e, BPF_JMP | BPF_JA, 0, 0, distance(e, place));
}

static unsigned jump(struct emit *e, uint16_t op, uint32_t k, unsigned yes, unsigned no)
{
	if (yes == no)
		return yes;
	yes = near(e, yes);
	no = near(e, no);
	return push(e, BPF_JMP | op | BPF_K, (uint8_t)distance(e, yes), (uint8_t)distance(e, no), k);
}

/* What comes right before `place` must be followed by it. */
static void fall_into(struct emit *e, unsigned place)
{
	if (place != e->n - 1)
		push(e, BPF_JMP | BPF_JA, 0, 0, distance(e, place));
}

static unsigned load(struct emit *e, uint32_t offset, unsigned then)
{
	fall_into(e, then);
	return push(e, BPF_LD | BPF_W | BPF_ABS, 0, 0, offset);
}

/*
 * Where the accumulator leads among n ranges, of which the first begins at or below every value. A single value between
 * two ranges that lead to the same is one comparison for equality instead of two.
 */
static unsigned search(struct emit *e, const struct range *r, unsigned n, unsigned (*place)(struct emit *e,
											    uint32_t what))
{
	if (n == 1)
		return place(e, r[0].to_what);
	if (n % 2 && n <= 7) {		/* X y X y X: a short chain */
		unsigned i = 1;

		while (i < n && r[i].from + 1 == r[i + 1].from && r[i - 1].to_what == r[i + 1].to_what)
			i += 2;
		if (i >= n) {
			unsigned all = place(e, r[0].to_what);

			for (i = 1; i < n; i += 2)
				all = jump(e, BPF_JEQ, r[i].from, place(e, r[i].to_what), all);
			return all;
		}
	}
	unsigned half = n / 2;

	/* Halves that begin with what a chain begins with: most single values stand alone among allowed ones. */
	if (half > 1 && r[half].from + 1 == r[half + 1 < n ? half + 1 : half].from)
		half--;
	unsigned high = search(e, r + half, n - half, place), low = search(e, r, half, place);

	return jump(e, BPF_JGE, r[half].from, high, low);
}

static uint32_t denied(const struct emit *e, uint16_t err)
{
	switch ((enum seccomp_action)e->p->action) {
	case SECCOMP_ACT_ERRNO_EPERM:
		return SECCOMP_RET_ERRNO | err;
	case SECCOMP_ACT_KILL_PROCESS:
		return err == ENOSYS ? SECCOMP_RET_ERRNO | ENOSYS : SECCOMP_RET_KILL_PROCESS;
	case SECCOMP_ACT_LOG_ONLY:
		return SECCOMP_RET_LOG;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

static unsigned place_itself(struct emit *e, uint32_t place)
{
	(void)e;
	return place;
}

/* The accumulator holds the argument: `in` for the listed values, `out` for others. */
static unsigned among(struct emit *e, const struct check *c, unsigned in, unsigned out)
{
	struct range r[2 * VALUES_MAX + 1] = { { 0, out } };
	unsigned n = 1;

	for (unsigned i = 0; i < c->nvalues; i++) {
		if (r[n - 1].from == c->values[i])
			r[n - 1].to_what = in;		/* the range that began here was the gap's */
		else
			r[n++] = (struct range){ c->values[i], in };
		if (c->values[i] == UINT32_MAX)
			break;
		r[n++] = (struct range){ c->values[i] + 1, out };
	}
	/* Neighbours that lead to the same are one. */
	unsigned m = 1;

	for (unsigned i = 1; i < n; i++)
		if (r[i].to_what != r[m - 1].to_what)
			r[m++] = r[i];
	return search(e, r, m, place_itself);
}

/* One check: the place where it begins, given the one where the call has passed it. */
static unsigned check_block(struct emit *e, const struct check *c, unsigned passed)
{
	unsigned no = ret(e, denied(e, c->err)), test;

	switch ((enum check_kind)c->kind) {
	case CHECK_ANY:
		test = jump(e, BPF_JSET, c->mask, no, passed);
		break;
	case CHECK_ALL:
		fall_into(e, jump(e, BPF_JEQ, c->mask, no, passed));
		test = push(e, BPF_ALU | BPF_AND | BPF_K, 0, 0, c->mask);
		break;
	case CHECK_BOTH:
		test = load(e, ARG(c->arg2), jump(e, BPF_JSET, c->mask2, no, passed));
		test = jump(e, BPF_JSET, c->mask, test, passed);
		break;
	case CHECK_HAS:
		fall_into(e, jump(e, BPF_JEQ, c->mask, passed, no));
		test = push(e, BPF_ALU | BPF_AND | BPF_K, 0, 0, c->mask);
		break;
	case CHECK_IS:
		fall_into(e, jump(e, BPF_JEQ, c->mask2, no, passed));
		test = push(e, BPF_ALU | BPF_AND | BPF_K, 0, 0, c->mask);
		break;
	case CHECK_ONLY:
		test = among(e, c, passed, no);
		break;
	case CHECK_NONE:
		test = among(e, c, no, passed);
		break;
	default:
		test = no;
	}
	return load(e, ARG(c->arg), test);
}

/* One half of an argument against one number. */
static unsigned half_block(struct emit *e, uint32_t at, uint16_t op, uint32_t k, uint32_t mask, unsigned yes,
			   unsigned no)
{
	unsigned test = jump(e, op, k, yes, no);

	if (mask != UINT32_MAX) {
		fall_into(e, test);
		test = push(e, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
	}
	return load(e, at, test);
}

static unsigned equal_block(struct emit *e, const struct condition *c, uint64_t mask, unsigned yes, unsigned no)
{
	unsigned place = half_block(e, ARG(c->arg), BPF_JEQ, (uint32_t)c->value, (uint32_t)mask, yes, no);

	if (c->narrow || (mask >> 32 == 0 && c->value >> 32 == 0))
		return place;
	return half_block(e, ARG(c->arg) + 4, BPF_JEQ, (uint32_t)(c->value >> 32), (uint32_t)(mask >> 32), place, no);
}

/* At least, or more than: the upper half decides unless it is equal. */
static unsigned order_block(struct emit *e, const struct condition *c, uint16_t op, unsigned yes, unsigned no)
{
	const uint32_t high = (uint32_t)(c->value >> 32);
	unsigned place = half_block(e, ARG(c->arg), op, (uint32_t)c->value, UINT32_MAX, yes, no);

	if (c->narrow)
		return place;
	return load(e, ARG(c->arg) + 4, jump(e, BPF_JGT, high, yes, jump(e, BPF_JEQ, high, place, no)));
}

static unsigned condition_block(struct emit *e, const struct condition *c, unsigned yes, unsigned no)
{
	switch ((enum compare_op)c->op) {
	case COMPARE_NE:
		return equal_block(e, c, UINT64_MAX, no, yes);
	case COMPARE_EQ:
		return equal_block(e, c, UINT64_MAX, yes, no);
	case COMPARE_MASKED:
		return equal_block(e, c, c->mask, yes, no);
	case COMPARE_LT:
		return order_block(e, c, BPF_JGE, no, yes);
	case COMPARE_LE:
		return order_block(e, c, BPF_JGT, no, yes);
	case COMPARE_GE:
		return order_block(e, c, BPF_JGE, yes, no);
	case COMPARE_GT:
		return order_block(e, c, BPF_JGT, yes, no);
	}
	return no;
}

/* A call's rules, one after the other; the first that applies decides. */
static unsigned rules_place(struct emit *e, const struct decision *d)
{
	unsigned place = ret(e, e->p->otherwise);

	for (unsigned i = d->nrules; i-- > 0;) {
		const struct rule *r = e->p->rules + d->rules[i];
		unsigned yes = ret(e, r->ret);

		for (unsigned j = r->nconditions; j-- > 0;)
			yes = condition_block(e, r->conditions + j, yes, place);
		place = yes;
	}
	return place;
}

/* Where a decision begins: a verdict, or its checks one after the other. */
static unsigned decision_place(struct emit *e, const struct decision *d)
{
	if (d->verdict == VERDICT_DENY)
		return ret(e, denied(e, EPERM));
	if (d->verdict == VERDICT_ENOSYS)
		return ret(e, denied(e, ENOSYS));
	if (!d->nchecks && !d->nrules)
		return ret(e, d->verdict == VERDICT_RULES ? e->p->otherwise : SECCOMP_RET_ALLOW);
	for (unsigned i = 0; i < e->nblocks; i++)
		if (!memcmp(&e->blocks[i].d, d, sizeof *d))
			return e->blocks[i].place;
	unsigned place = d->verdict == VERDICT_RULES ? rules_place(e, d) : ret(e, SECCOMP_RET_ALLOW);

	for (unsigned i = d->nchecks; i-- > 0;)
		place = check_block(e, e->p->checks + d->checks[i], place);
	if (e->nblocks < sizeof e->blocks / sizeof *e->blocks) {
		e->blocks[e->nblocks].d = *d;
		e->blocks[e->nblocks++].place = place;
	}
	return place;
}

/* Number of a call -> place of its decision. */
static unsigned number_place(struct emit *e, uint32_t number)
{
	return decision_place(e, number < CALLS_MAX ? e->p->call + number : &e->p->above);
}

static bool same(const struct decision *a, const struct decision *b)
{
	return a->verdict == b->verdict && a->nchecks == b->nchecks && a->nrules == b->nrules &&
	       !memcmp(a->checks, b->checks, a->nchecks) && !memcmp(a->rules, b->rules, a->nrules);
}

/* Runs of numbers with the same decision; to_what is the first number of the first run with that decision. */
static unsigned number_ranges(const struct policy *p, struct range r[static CALLS_MAX + 1])
{
	unsigned n = 0;

	for (uint32_t i = 0; i <= CALLS_MAX; i++) {
		const struct decision *d = i < CALLS_MAX ? p->call + i : &p->above;

		if (n && same(d, r[n - 1].to_what < CALLS_MAX ? p->call + r[n - 1].to_what : &p->above))
			continue;
		uint32_t what = i;

		for (unsigned j = 0; j < n && what == i; j++)
			if (same(d, p->call + r[j].to_what))
				what = r[j].to_what;
		r[n++] = (struct range){ i, what };
	}
	return n;
}

int policy_emit(const struct policy *p, struct sock_filter *out, struct err *err)
{
	static struct emit e;	/* too large for the stack; the compiler has one thread */
	struct range r[CALLS_MAX + 1];

	e.p = p;
	e.n = e.nblocks = 0;
	e.full = false;
	unsigned n = number_ranges(p, r), start, kill;

	for (unsigned i = 0; i < n; i++)	/* checks first: they end up behind the search, out of its way */
		if (r[i].from < CALLS_MAX && (p->call[r[i].from].nchecks || p->call[r[i].from].nrules))
			number_place(&e, r[i].from);
	start = search(&e, r, n, number_place);
	kill = ret(&e, SECCOMP_RET_KILL_PROCESS);
	if (p->arch == AUDIT_ARCH_X86_64)
		start = jump(&e, BPF_JGE, X32_BIT, kill, start);
	start = load(&e, NUMBER, start);
	start = jump(&e, BPF_JEQ, p->arch, start, kill);
	load(&e, ARCH, start);
	if (e.full)
		return err_set(err, E2BIG, "seccomp: a filter of more than %d instructions", BPF_MAXINSNS);
	for (unsigned i = 0; i < e.n; i++)
		out[i] = e.at[e.n - 1 - i];
	return (int)e.n;
}

int filter_append(struct sock_filter *out, int n, const struct sock_filter *then, unsigned nthen, struct err *e)
{
	/* A program begins with an accumulator of 0. */
	const struct sock_filter clean = BPF_STMT(BPF_LD | BPF_IMM, 0);

	if ((unsigned)n + 1 + nthen > BPF_MAXINSNS)
		return err_set(e, E2BIG, "seccomp: a filter of more than %d instructions", BPF_MAXINSNS);
	for (int i = 0; i < n; i++)
		if (out[i].code == (BPF_RET | BPF_K) && out[i].k == SECCOMP_RET_ALLOW)
			out[i] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)(n - i - 1));
	out[n] = clean;
	memcpy(out + n + 1, then, nthen * sizeof *then);
	return n + 1 + (int)nthen;
}
