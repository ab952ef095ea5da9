/* What a configuration says of the machine's slots, as planned or refused. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/spec.h"
#include "tests/unit/plan_compiled.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after the four that it needs */
#include <cmocka.h>

static struct compiled c;

static const char *slots_problem(const char *lines)
{
	char yaml[512];

	snprintf(yaml, sizeof yaml, "machine: {slots: {%s}}\n", lines);
	compiled_free(&c);
	compiled_make(&c, NULL, yaml);
	return compiled_problem(&c, SEV_ERROR, strstr(lines, "baud") ? "machine.console" : "machine.slots");
}

static void slots_are_planned_or_refused(void **state)
{
	static const struct { const char *lines, *says; } bad[] = {
		{ "list: [{name: a}]", "machine.slots.at: is missing: where the tries are counted" },
		{ "by: systemd, list: [{name: a}]", "machine.slots.at: is missing: where the tries are counted" },
		{ "by: uboot, list: [{name: a}]",
		  "machine.slots.env: is missing: where U-Boot keeps its environment" },
		{ "at: /x}, console: {baud: 1200", "1200 is no rate of a serial line such as 9600 or 115200" },
		{ "at: /x", "machine.slots.list: is missing: which slots there are" },
		{ "at: /x, list: [{name: a}, {name: a}]", "machine.slots.list: a name is given twice" },
		{ "at: /x, list: [{name: a/b}]", "'a/b' is not a name of up to 31 letters, digits, - and _" },
		{ "at: x, list: [{name: a}]", "'x' is neither a path nor a device (PARTLABEL=, PARTUUID=, LABEL=)" },
		{ "by: uboot, env: [/dev/x 0], list: [{name: a}]",
		  "a line is DEVICE OFFSET SIZE, as in fw_env.config" },
		{ "by: uboot, env: [/dev/x 0 64, /dev/x 64 128], list: [{name: a}]",
		  "machine.slots.env: it is one line, or two of the same size" },
		{ "at: /x, list: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}, {name: f}, {name: g}, "
		  "{name: h}, {name: i}]", "machine.slots.list: more than eight" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *said = slots_problem(bad[i].lines);

		if (!said || !strstr(said, bad[i].says))
			fail_msg("%s: said '%s'", bad[i].lines, said ? said : "nothing");
	}
	assert_null(slots_problem("by: uboot, env: [\"/dev/x 0x10000 0x1000\", \"/dev/x 0x20000 4096\"], "
				  "list: [{name: a, device: LABEL=a}, {name: b}]"));
	const struct plan_boot_env *v = PLAN_FIRST(&c.plan, c.plan.head->boot_env, struct plan_boot_env);

	assert_int_equal(c.plan.head->boot_slots.n, 2);
	assert_int_equal(v[1].offset, 0x20000);
	assert_int_equal(v[1].size, v[0].size);
	assert_string_equal(plan_str(&c.plan, v->place), "/dev/x");
	assert_int_equal(c.plan.head->slots_tries, 3);
	assert_int_equal(c.plan.head->good_after_ms, 10000);
}

static void a_brake_that_nothing_counts_for_is_an_error(void **state)
{
	(void)state;
	compiled_free(&c);
	compiled_make(&c, NULL, "machine: {brake: {then: shell}}\n");
	assert_non_null(compiled_problem(&c, SEV_ERROR,
					 "machine.brake counts in machine.last_boot, which is not given"));
	compiled_free(&c);
	compiled_make(&c, NULL, "machine: {last_boot: /data/boots, brake: {then: shell}}\n");
	assert_null(compiled_problem(&c, SEV_ERROR, "machine.brake"));
}

static void a_watchdog_is_not_told_of_its_end_after_it(void **state)
{
	(void)state;
	compiled_free(&c);
	compiled_make(&c, NULL, "machine: {watchdog: {device: /dev/watchdog, timeout: 4s, pretimeout: 4s}}\n");
	assert_non_null(compiled_problem(&c, SEV_ERROR, "machine.watchdog.pretimeout: must be shorter than"));
	compiled_free(&c);
	compiled_make(&c, NULL, "machine: {watchdog: {device: /dev/watchdog, timeout: 4s, pretimeout: 2s}}\n");
	assert_int_equal(c.plan.head->watchdog_pre_ms, 2000);
}

/* Three bad boots of one slot would be the last three of the machine. */
static void a_brake_that_no_other_slot_could_outlive_is_an_error(void **state)
{
	static const struct { const char *reboots, *tries; bool bad; } rows[] = {
		{ "3", "3", true }, { "4", "3", false }, { "0", "3", false }, { "5", "9", true }, { "10", "9", false },
	};
	char yaml[256];

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(yaml, sizeof yaml, "machine: {last_boot: /dev/x, brake: {reboots: %s}, slots: {at: /dev/y, "
			 "tries: %s, list: [{name: a}, {name: b}]}}\n", rows[i].reboots, rows[i].tries);
		compiled_free(&c);
		compiled_make(&c, NULL, yaml);
		assert_int_equal(!!compiled_problem(&c, SEV_ERROR, "would stop the machine before another slot has its "
						    "turn: it must be more than machine.slots.tries"), rows[i].bad);
	}
}

static void a_single_environment_is_told_to_be_in_danger(void **state)
{
	(void)state;
	compiled_free(&c);
	compiled_make(&c, NULL, "machine: {slots: {by: uboot, env: [/dev/x 0 64], list: [{name: a}]}}\n");
	assert_non_null(compiled_problem(&c, SEV_NOTE, "a cut of power while it is written loses all of it"));
	compiled_free(&c);
	compiled_make(&c, NULL, "machine: {slots: {by: uboot, env: [/dev/x 0 64, /dev/x 64 64], list: [{name: a}]}}\n");
	assert_null(compiled_problem(&c, SEV_NOTE, "machine.slots.env"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_planned_or_refused),
		cmocka_unit_test(a_brake_that_nothing_counts_for_is_an_error),
		cmocka_unit_test(a_watchdog_is_not_told_of_its_end_after_it),
		cmocka_unit_test(a_brake_that_no_other_slot_could_outlive_is_an_error),
		cmocka_unit_test(a_single_environment_is_told_to_be_in_danger),
	};
	const int rc = cmocka_run_group_tests_name("plan_machine", tests, compiled_setup, compiled_teardown);

	compiled_free(&c);
	return rc;
}
