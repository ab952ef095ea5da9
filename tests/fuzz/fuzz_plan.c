/* Fuzzes plan_verify(): what it accepts must be safe to read. libFuzzer's entry, or a main() of its own. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/plan.h"
#include "tests/unit/plan_sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is laid over a good plan at an offset of its own choice: random bytes alone would not get past the head. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	size_t n;
	unsigned char *plan = plan_sample(&n, 0);

	if (!plan)
		return 0;
	for (size_t i = 0; i + 4 <= size; i += 4) {
		size_t at = (data[i] | (size_t)data[i + 1] << 8) % n;

		plan[at] = data[i + 2];
		if (at + 1 < n)
			plan[at + 1] ^= data[i + 3];
	}
	plan_sample_sum(plan, n);
	if (plan_verify(plan, n, &e) == 0)
		plan_sample_walk(plan, n);
	if (size >= 8 && plan_verify(data, size, &e) == 0)
		plan_sample_walk(data, size);
	free(plan);
	return 0;
}

#ifndef FUZZER
/* fuzz_plan [ROUNDS [SEED]], or fuzz_plan FILE to try one input again. */
int main(int argc, char **argv)
{
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 0) : 10000;
	uint8_t input[256];
	FILE *f = argc == 2 ? fopen(argv[1], "re") : NULL;

	if (f) {
		LLVMFuzzerTestOneInput(input, fread(input, 1, sizeof input, f));
		fclose(f);
		return 0;
	}
	seed = seed * 0x9e3779b97f4a7c15ull + 1;
	for (uint64_t round = 0; round < rounds; round++) {
		size_t n = 4 * (1 + round % 16);

		for (size_t i = 0; i < n; i++) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			input[i] = (uint8_t)(seed >> 24);
		}
		LLVMFuzzerTestOneInput(input, n);
	}
	printf("%llu inputs\n", (unsigned long long)rounds);
	return 0;
}
#endif
