/* Is this a filter that the kernel would take? The rules of seccomp(2)'s classic BPF, for programs we did not write. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/types.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>

enum code_kind { CODE_UNKNOWN, CODE_PLAIN, CODE_LOAD, CODE_MEM, CODE_DIV, CODE_SHIFT, CODE_JA, CODE_JUMP, CODE_RET };

/* What seccomp takes, and what has to be looked at besides; the kernel's seccomp_check_filter() has the same list. */
static enum code_kind code_kind(uint16_t code)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return CODE_LOAD;
	case BPF_LD | BPF_MEM: case BPF_LDX | BPF_MEM: case BPF_ST: case BPF_STX:
		return CODE_MEM;
	case BPF_ALU | BPF_DIV | BPF_K:
		return CODE_DIV;
	case BPF_ALU | BPF_LSH | BPF_K: case BPF_ALU | BPF_RSH | BPF_K:
		return CODE_SHIFT;
	case BPF_LD | BPF_IMM: case BPF_LDX | BPF_IMM: case BPF_LD | BPF_W | BPF_LEN: case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_MISC | BPF_TAX: case BPF_MISC | BPF_TXA: case BPF_ALU | BPF_NEG:
	case BPF_ALU | BPF_ADD | BPF_K: case BPF_ALU | BPF_ADD | BPF_X:
	case BPF_ALU | BPF_SUB | BPF_K: case BPF_ALU | BPF_SUB | BPF_X:
	case BPF_ALU | BPF_MUL | BPF_K: case BPF_ALU | BPF_MUL | BPF_X: case BPF_ALU | BPF_DIV | BPF_X:
	case BPF_ALU | BPF_AND | BPF_K: case BPF_ALU | BPF_AND | BPF_X:
	case BPF_ALU | BPF_OR | BPF_K: case BPF_ALU | BPF_OR | BPF_X:
	case BPF_ALU | BPF_XOR | BPF_K: case BPF_ALU | BPF_XOR | BPF_X:
	case BPF_ALU | BPF_LSH | BPF_X: case BPF_ALU | BPF_RSH | BPF_X:
		return CODE_PLAIN;
	case BPF_JMP | BPF_JA:
		return CODE_JA;
	case BPF_JMP | BPF_JEQ | BPF_K: case BPF_JMP | BPF_JEQ | BPF_X:
	case BPF_JMP | BPF_JGE | BPF_K: case BPF_JMP | BPF_JGE | BPF_X:
	case BPF_JMP | BPF_JGT | BPF_K: case BPF_JMP | BPF_JGT | BPF_X:
	case BPF_JMP | BPF_JSET | BPF_K: case BPF_JMP | BPF_JSET | BPF_X:
		return CODE_JUMP;
	case BPF_RET | BPF_K: case BPF_RET | BPF_A:
		return CODE_RET;
	}
	return CODE_UNKNOWN;
}

static const char *instruction_wrong(const struct sock_filter *f, uint32_t i, uint32_t n)
{
	uint32_t left = n - i - 1;

	switch (code_kind(f->code)) {
	case CODE_UNKNOWN:
		return "an instruction that seccomp does not have";
	case CODE_LOAD:
		return f->k % 4 || f->k >= sizeof(struct seccomp_data) ? "a load beyond the call's data" : NULL;
	case CODE_MEM:
		return f->k >= BPF_MEMWORDS ? "a memory word that does not exist" : NULL;
	case CODE_DIV:
		return f->k == 0 ? "a division by zero" : NULL;
	case CODE_SHIFT:
		return f->k >= 32 ? "a shift by more than a word" : NULL;
	case CODE_JA:
		return f->k >= left ? "a jump beyond the end" : NULL;
	case CODE_JUMP:
		return f->jt >= left || f->jf >= left ? "a jump beyond the end" : NULL;
	case CODE_PLAIN:
	case CODE_RET:
		return NULL;
	}
	return NULL;
}

/* A word of memory holds something only after every way there has written it. Jumps lead forward, so one pass tells. */
static bool reads_before_write(const struct sock_filter *f, uint32_t n)
{
	uint16_t written[BPF_MAXINSNS];		/* on every way to this instruction */
	uint16_t now = 0;

	memset(written, 0xff, n * sizeof *written);
	for (uint32_t i = 0; i < n; i++) {
		now &= written[i];
		switch (f[i].code) {
		case BPF_ST: case BPF_STX:
			now |= (uint16_t)(1u << f[i].k);
			break;
		case BPF_LD | BPF_MEM: case BPF_LDX | BPF_MEM:
			if (!(now >> f[i].k & 1))
				return true;
			break;
		case BPF_JMP | BPF_JA:
			written[i + 1 + f[i].k] &= now;
			now = UINT16_MAX;
			break;
		default:
			if (BPF_CLASS(f[i].code) == BPF_JMP) {
				written[i + 1 + f[i].jt] &= now;
				written[i + 1 + f[i].jf] &= now;
			}
			if (BPF_CLASS(f[i].code) == BPF_JMP || BPF_CLASS(f[i].code) == BPF_RET)
				now = UINT16_MAX;
		}
	}
	return false;
}

const char *plan_filter_wrong(const struct sock_filter *f, uint32_t n)
{
	if (n == 0 || n > BPF_MAXINSNS)
		return "a filter has 1 to 4096 instructions";
	for (uint32_t i = 0; i < n; i++) {
		const char *why = instruction_wrong(f + i, i, n);

		if (why)
			return why;
	}
	if (code_kind(f[n - 1].code) != CODE_RET)
		return "it does not end with a verdict";
	return reads_before_write(f, n) ? "it reads memory that it may not have written" : NULL;
}
