/* Following every way through a seccomp program: see reach.h. */
/* SPDX-License-Identifier: ISC */
#include "services/exposure/reach.h"
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

/* A register of the program: a value, or anything. */
struct word {
	uint32_t v;
	bool known;
};

struct walk {
	const struct sock_filter *f;
	unsigned n;
	const struct reach_call *call;
	uint8_t been[BPF_MAXINSNS];	/* here before, with nothing known */
};

struct state {
	struct word a, x, mem[BPF_MEMWORDS];
};

static struct word load(const struct walk *w, uint32_t at)
{
	const struct reach_call *c = w->call;
	uint64_t v = REACH_ANY;

	if (at == offsetof(struct seccomp_data, nr))
		v = c->number;
	else if (at == offsetof(struct seccomp_data, arch))
		v = c->arch;
	else if (at >= offsetof(struct seccomp_data, args) && at < sizeof(struct seccomp_data) && at % 8 == 0)
		v = c->arg[(at - offsetof(struct seccomp_data, args)) / 8];
	return v == REACH_ANY ? (struct word){ 0 } : (struct word){ (uint32_t)v, true };
}

static struct word alu(uint16_t op, struct word a, struct word b)
{
	struct word r = { 0, a.known && (b.known || op == BPF_NEG) };

	switch (op) {
	case BPF_ADD: r.v = a.v + b.v; break;
	case BPF_SUB: r.v = a.v - b.v; break;
	case BPF_MUL: r.v = a.v * b.v; break;
	case BPF_DIV: r.v = b.v ? a.v / b.v : 0; break;
	case BPF_AND: r.v = a.v & b.v; break;
	case BPF_OR: r.v = a.v | b.v; break;
	case BPF_XOR: r.v = a.v ^ b.v; break;
	case BPF_LSH: r.v = b.v < 32 ? a.v << b.v : 0; break;
	case BPF_RSH: r.v = b.v < 32 ? a.v >> b.v : 0; break;
	case BPF_NEG: r.v = -a.v; break;
	default: r.known = false;
	}
	return r;
}

static bool holds(uint16_t op, uint32_t a, uint32_t b)
{
	return op == BPF_JEQ ? a == b : op == BPF_JGT ? a > b : op == BPF_JGE ? a >= b : (a & b) != 0;
}

static void plain(const struct walk *w, const struct sock_filter *f, struct state *s)
{
	const struct word k = { f->k, true };

	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
		s->a = BPF_MODE(f->code) == BPF_ABS ? load(w, f->k) : BPF_MODE(f->code) == BPF_MEM ?
			s->mem[f->k % BPF_MEMWORDS] : BPF_MODE(f->code) == BPF_IMM ? k : (struct word){ 0 };
		break;
	case BPF_LDX:
		s->x = BPF_MODE(f->code) == BPF_MEM ? s->mem[f->k % BPF_MEMWORDS] :
		       BPF_MODE(f->code) == BPF_IMM ? k : (struct word){ 0 };
		break;
	case BPF_ST:
		s->mem[f->k % BPF_MEMWORDS] = s->a;
		break;
	case BPF_STX:
		s->mem[f->k % BPF_MEMWORDS] = s->x;
		break;
	case BPF_ALU:
		s->a = alu(BPF_OP(f->code), s->a, BPF_SRC(f->code) == BPF_X ? s->x : k);
		break;
	case BPF_MISC:
		if (BPF_MISCOP(f->code) == BPF_TAX)
			s->x = s->a;
		else
			s->a = s->x;
		break;
	}
}

static bool is_let_through(uint32_t verdict)
{
	verdict &= SECCOMP_RET_ACTION_FULL;
	return verdict == SECCOMP_RET_ALLOW || verdict == SECCOMP_RET_LOG || verdict == SECCOMP_RET_TRACE ||
	       verdict == SECCOMP_RET_USER_NOTIF;
}

/* Programs only jump forward, so this ends. */
static bool walk(struct walk *w, unsigned at, struct state s)
{
	for (; at < w->n; at++) {
		const struct sock_filter *f = &w->f[at];
		const struct word b = BPF_SRC(f->code) == BPF_X ? s.x : (struct word){ f->k, true };

		if (BPF_CLASS(f->code) == BPF_RET)
			return BPF_RVAL(f->code) == BPF_A ? !s.a.known || is_let_through(s.a.v) : is_let_through(f->k);
		if (BPF_CLASS(f->code) != BPF_JMP) {
			plain(w, f, &s);
		} else if (BPF_OP(f->code) == BPF_JA) {
			at += f->k;
		} else if (s.a.known && b.known) {
			at += holds(BPF_OP(f->code), s.a.v, b.v) ? f->jt : f->jf;
		} else {
			if (w->been[at])	/* where nothing is known, nothing new is found */
				return false;
			w->been[at] = 1;
			if (walk(w, at + 1 + f->jt, s))
				return true;
			at += f->jf;
		}
	}
	return true;
}

bool reach_allows(const struct sock_filter *f, unsigned n, const struct reach_call *c)
{
	struct walk w = { .f = f, .n = n < BPF_MAXINSNS ? n : BPF_MAXINSNS, .call = c };

	return n == 0 || walk(&w, 0, (struct state){ { 0 }, { 0 }, { { 0 } } });
}
