/* The fuzz target over a small corpus as an ordinary test: the seeds and presets, and what chance makes of them. */
/* SPDX-License-Identifier: ISC */
#define FUZZER
#include "tests/fuzz/fuzz_conf.c"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>
#include <string.h>

#define ROUNDS 1500
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

static void collect(const char *pattern)
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

/* One of the usual slips: a byte changed, a piece cut out, or a piece of another file put in. */
static void mutate(struct input *in)
{
	static const char bytes[] = "{}[]:,-#&*!|>'\"%@`\n\t ${}0129az\\\xc3\xff";
	const struct input *other = &corpus[chance(inputs)];
	size_t at = chance(in->n + 1), n = chance(40), from = chance(other->n + 1);

	switch (chance(3)) {
	case 0:
		if (at < in->n)
			in->at[at] = (uint8_t)bytes[chance(sizeof bytes - 1)];
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

static void whatever_the_bytes_are_loading_and_printing_ends_well(void **state)
{
	static struct input in;

	(void)state;
	collect("tests/seeds/*.yaml");
	collect("configs/presets/*.yaml");
	if (inputs == 0)
		skip();	/* not started from the top of the tree, so there is no corpus */
	for (unsigned i = 0; i < inputs; i++)
		LLVMFuzzerTestOneInput(corpus[i].at, corpus[i].n);
	for (unsigned round = 0; round < ROUNDS; round++) {
		in = corpus[chance(inputs)];
		for (uint64_t n = 1 + chance(4); n > 0; n--)
			mutate(&in);
		LLVMFuzzerTestOneInput(in.at, in.n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_the_bytes_are_loading_and_printing_ends_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
