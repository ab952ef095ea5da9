/* What chance makes of a corpus: the usual slips, the same ones at each run. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#define INPUT_MAX 8192

static struct input {
	uint8_t at[INPUT_MAX];
	size_t n;
} corpus[32];
static unsigned inputs;
static uint64_t state_of_chance = 0x9e3779b97f4a7c15ull;

static uint64_t chance(uint64_t below)
{
	state_of_chance ^= state_of_chance << 13;
	state_of_chance ^= state_of_chance >> 7;
	state_of_chance ^= state_of_chance << 17;
	return (state_of_chance >> 11) % below;
}

static __attribute__((unused)) void collect(const char *pattern)
{
	glob_t g = { 0 };

	if (glob(pattern, 0, NULL, &g) != 0)
		return;
	for (size_t i = 0; i < g.gl_pathc && inputs < sizeof corpus / sizeof *corpus; i++) {
		FILE *f = fopen(g.gl_pathv[i], "re");

		assert_non_null(f);
		corpus[inputs].n = fread(corpus[inputs].at, 1, INPUT_MAX, f);
		inputs++;
		fclose(f);
	}
	globfree(&g);
}

/* One of the usual slips: a byte or a letter changed, a piece cut out, or a piece of another file put in. */
static void mutate(struct input *in)
{
	static const char bytes[] = "{}[]:,-#&*!|>'\"%@`\n\t ${}0129az\\\xc3\xff";
	const struct input *other = &corpus[chance(inputs)];
	size_t at = chance(in->n + 1), n = chance(40), from = chance(other->n + 1);

	switch (chance(6)) {
	case 0:
		if (at < in->n)
			in->at[at] = (uint8_t)bytes[chance(sizeof bytes - 1)];
		break;
	default:	/* a letter or a digit for another: the form stays, the sense does not */
		while (at < in->n && !isalnum(in->at[at]))
			at++;
		if (at < in->n)
			in->at[at] = (uint8_t)(isdigit(in->at[at]) ? '0' + chance(10) : 'a' + chance(26));
		break;
	case 1:
		if (at + n < in->n) {
			memmove(in->at + at, in->at + at + n, in->n - at - n);
			in->n -= n;
		}
		break;
	case 2:
		if (in->n + n <= INPUT_MAX && from + n <= other->n) {
			memmove(in->at + at + n, in->at + at, in->n - at);
			memcpy(in->at + at, other->at + from, n);
			in->n += n;
		}
		break;
	}
}

/*
 * Each input as it is, then `rounds` of them with one to four slips. A test that is not started from the top of the
 * tree has no corpus, and skips.
 */
static void try_all(unsigned rounds, int (*target)(const uint8_t *data, size_t size))
{
	static struct input in;

	if (inputs == 0)
		skip();
	for (unsigned i = 0; i < inputs; i++)
		target(corpus[i].at, corpus[i].n);
	for (unsigned round = 0; round < rounds; round++) {
		in = corpus[chance(inputs)];
		for (uint64_t n = 1 + chance(4); n > 0; n--)
			mutate(&in);
		target(in.at, in.n);
	}
}
