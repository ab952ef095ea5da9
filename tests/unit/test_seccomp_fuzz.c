/* What chance makes of an engine's profile: refused with a place, or a program that does what the policy says. */
/* SPDX-License-Identifier: ISC */
#define FUZZER
#include "tests/fuzz/fuzz_oci.c"
#include "tests/unit/filter_run.h"
#include "tests/unit/mutate.h"
#include <linux/audit.h>

#define ROUNDS 600
#define CALLS 24	/* asked of each program */

static unsigned accepted, refused;

/* Arguments at the edges, or what the profile is likely to speak of. */
static uint64_t argument(void)
{
	static const uint64_t edges[] = { 0, 1, 2, 38, 0x7e020000, 0xffffffff, 1ull << 32, UINT64_MAX };

	return chance(3) ? edges[chance(sizeof edges / sizeof *edges)] : chance(UINT64_MAX);
}

static int one_profile(const uint8_t *data, size_t size)
{
	static struct policy base;
	static const struct filter_wishes none;
	struct filter_wishes w = none;
	struct arena a = { 0 };
	struct err e = { 0 };

	w.arch = PLAN_ARCH;
	w.profile = SECCOMP_CUSTOM;
	w.base = &base;
	if (!read_profile(&base, &a, data, size, &e)) {
		refused++;
	} else if (policy_make(&policy, &w, &e) == 0 && (length = policy_emit(&policy, program, &e)) > 0) {
		accepted++;
		assert_null(plan_filter_wrong(program, (uint32_t)length));
		for (unsigned i = 0; i < CALLS; i++) {
			struct seccomp_data d = { .arch = PLAN_ARCH, .nr = (int)chance(620),
						  .args = { argument(), argument(), argument(), argument() } };

			compare(&d);
			d.arch = AUDIT_ARCH_I386;
			assert_int_equal(filter_run(program, length, &d), SECCOMP_RET_KILL_PROCESS);
		}
	} else {
		assert_true(e.code != 0 && *e.text);	/* too long, or a contradiction: told, not made */
	}
	arena_free(&a);
	return 0;
}

static void whatever_the_bytes_are_a_profile_is_refused_or_holds(void **state)
{
	(void)state;
	collect("tests/seccomp/*.json");
	collect("tests/golden/oci-*.txt");	/* JSON that is no profile */
	try_all(ROUNDS, one_profile);
	print_message("%u accepted, %u refused\n", accepted, refused);
	assert_true(accepted > ROUNDS / 20 && refused > ROUNDS / 20);
}

/* Of a profile that ends too early nothing is taken. */
static void half_a_profile_is_none(void **state)
{
	struct policy p;
	struct err e = { 0 };

	(void)state;
	if (inputs == 0)
		skip();
	size_t end = corpus[0].n;

	while (end > 0 && corpus[0].at[end - 1] != '}')
		end--;
	for (size_t n = 0; n < end; n += 1 + chance(60)) {
		struct arena a = { 0 };

		assert_int_equal(read_profile(&p, &a, corpus[0].at, n, &e), 0);
		arena_free(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_the_bytes_are_a_profile_is_refused_or_holds),
		cmocka_unit_test(half_a_profile_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
