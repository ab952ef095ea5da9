/* prior probe: every row can be asked by anybody, and says what would mend it; services need what their plan uses. */
/* SPDX-License-Identifier: ISC */
#include "services/probe/probe.h"
#include "tests/unit/plan_compiled.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define TOOL "    command: /bin/sh\n"
#define LIMITED TOOL "    isolation: {rootfs: @/image}\n    limits: {cgroup: {memory_max: 64M}}\n"

static struct compiled c;

static const struct probe_row *row(const char *name)
{
	for (const struct probe_row *r = probe_rows; r->name; r++)
		if (!strcmp(r->name, name))
			return r;
	fail_msg("no row '%s'", name);
	return NULL;
}

static void every_row_can_be_asked(void **state)
{
	struct probe_answer a;

	(void)state;
	for (const struct probe_row *r = probe_rows; r->name; r++) {
		assert_true(*r->group && *r->mend);
		for (const struct probe_row *k = probe_rows; k < r; k++)
			assert_string_not_equal(k->name, r->name);
		probe_ask(r, &a);
		assert_in_range(a.code, 0, 4095);
		assert_non_null(memchr(a.detail, '\0', sizeof a.detail));
	}
}

static void what_every_kernel_has_works(void **state)
{
	static const char *const names[] = { "openat2", "clone3", "pidfds", "close_range", "no new privileges",
					     "seccomp" };
	struct probe_answer a;

	(void)state;
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		probe_ask(row(names[i]), &a);
		if (a.code)
			fail_msg("%s: %s: %s", names[i], a.detail, strerror(a.code));
	}
}

static int dies(char *detail)
{
	(void)detail;
	return raise(SIGKILL);
}

static int is_refused(char *detail)
{
	errno = EPERM;
	return probe_failed(detail, "the call");
}

static void a_trial_that_dies_is_an_answer(void **state)
{
	struct probe_answer a;

	(void)state;
	probe_ask(&(struct probe_row){ .name = "dies", .try = dies }, &a);
	assert_int_equal(a.code, EIO);
	assert_string_equal(a.detail, "the trial was ended by signal 9");
	probe_ask(&(struct probe_row){ .name = "refused", .try = is_refused }, &a);
	assert_int_equal(a.code, EPERM);
	assert_string_equal(a.detail, "the call");
}

static bool needs(const char *lines, const char *name)
{
	const struct plan_service *s = compiled_web(&c, lines);

	return probe_is_wanted(row(name), &c.plan, s);
}

static void a_service_needs_what_its_plan_uses(void **state)
{
	(void)state;
	assert_true(needs(TOOL "    isolation: {rootfs: @/image}\n", "pid namespace"));
	assert_false(needs(TOOL "    isolation: {rootfs: @/image}\n", "network namespace"));
	assert_true(needs(TOOL "    isolation: {rootfs: @/image, network: true}\n", "network namespace"));
	assert_true(needs(LIMITED, "memory"));
	assert_false(needs(LIMITED, "pids"));
	assert_true(needs(TOOL "    isolation: {rootfs: @/image, unveil: {/: rx}}\n", "Landlock"));
	assert_true(needs(TOOL "    isolation: {rootfs: @/image, network: true}\n"
			  "    security: {cap_add: [NET_BIND_SERVICE]}\n", "low ports in a private network"));
	assert_false(needs(TOOL "    isolation: {preset: none, rootfs: @/image}\n", "seccomp"));
	assert_false(needs(TOOL "    isolation: {preset: none, rootfs: @/image}\n", "stop at the exec (ptrace)"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_can_be_asked),
		cmocka_unit_test(what_every_kernel_has_works),
		cmocka_unit_test(a_trial_that_dies_is_an_answer),
		cmocka_unit_test(a_service_needs_what_its_plan_uses),
	};

	return cmocka_run_group_tests(tests, compiled_setup, compiled_teardown);
}
