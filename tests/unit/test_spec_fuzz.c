/* The fuzz target over a small corpus as an ordinary test: the seeds and presets, and what chance makes of them. */
/* SPDX-License-Identifier: ISC */
#define FUZZER
#include "tests/fuzz/fuzz_conf.c"
#include "tests/unit/mutate.h"

static void whatever_the_bytes_are_loading_and_printing_ends_well(void **state)
{
	(void)state;
	collect("tests/seeds/*.yaml");
	collect("configs/presets/*.yaml");
	try_all(1500, LLVMFuzzerTestOneInput);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_the_bytes_are_loading_and_printing_ends_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
