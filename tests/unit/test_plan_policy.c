/* Devices and internet sockets in a plan: what the programs on the cgroup are to allow. */
/* SPDX-License-Identifier: ISC */
#include "init/base/bpf.h"
#include "tests/unit/one_plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define TOOL "    command: [/bin/tool, -a]\n"
#define STANDARD 8	/* null zero full random urandom tty ptmx pts */

static const struct device_rule *rule(const struct plan_service *s, uint32_t major, uint32_t minor)
{
	PLAN_EACH(struct device_rule, d, &c.plan, s->devices)
		if (d->major == major && d->minor == minor)
			return d;
	return NULL;
}

static void a_dev_of_its_own_brings_a_policy_of_what_is_in_it(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL "    isolation: {rootfs: @/image}\n");

	assert_true(s->flags & CELL_DEVICES);
	assert_int_equal(s->devices.n, STANDARD);
	assert_int_equal(rule(s, 1, 3)->access, DEVICE_READ | DEVICE_WRITE);	/* null */
	assert_int_equal(rule(s, 136, DEVICE_ANY)->type, DEVICE_CHARACTER);	/* pts/N */
	assert_null(rule(s, 1, 11));						/* kmsg */
	PLAN_EACH(struct device_rule, d, &c.plan, s->devices)
		assert_int_equal(d->access & DEVICE_MKNOD, 0);
	s = web("    command: [/bin/true]\n    isolation: {preset: minimal}\n");
	assert_int_equal(s->flags & CELL_DEVICES, 0);	/* the machine's own /dev */
}

static void a_device_that_is_named_has_the_access_that_is_said(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL "    isolation: {rootfs: @/image, devices: [\"/dev/full:/dev/x:r\", "
					   "/dev/zero, \"/dev/null:rwm\"]}\n");

	assert_int_equal(s->devices.n, STANDARD);	/* the three are of it, and said anew */
	const struct device_rule *first = PLAN_FIRST(&c.plan, s->devices, struct device_rule);

	assert_int_equal(first[0].access, DEVICE_READ);
	assert_int_equal(first[1].access, DEVICE_READ | DEVICE_WRITE);
	assert_int_equal(first[2].access, DEVICE_ALL);
}

static void less_than_rw_is_enforced_or_refused(void **state)
{
	struct machine_facts poor;

	(void)state;
	facts_of_machine(&poor);
	poor.can_policy = false;
	compiled_make(&c, &poor, "services: {a: {command: [/bin/true], isolation: {devices: [\"/dev/full:r\"]}}, "
				 "b: {command: [/bin/true], isolation: {devices: [/dev/full]}}}\n");
	assert_non_null(strstr(compiled_refused(&c, "a"), "/dev/full: only rw can be had: 'r' takes a program"));
	const struct plan_service *b = compiled_service(&c, "b");

	assert_non_null(b);
	assert_int_equal(b->flags & CELL_DEVICES, 0);
	assert_non_null(strstr(plan_str(&c.plan, b->note), "no device policy"));
	compiled_free(&c);
	refused("    command: [/bin/true]\n    isolation: {preset: minimal, devices: [\"/dev/full:w\"]}\n",
		"'w' needs a /dev of the service's own: private_devices: true");
	refused(TOOL "    isolation: {rootfs: @/image, devices: [/dev/shm]}\n", "is not a device");
}

static void families_that_leave_out_one_of_the_internets_bring_a_policy(void **state)
{
	static const struct { const char *list; int inet; } rows[] = {
		{ "[inet, unix]", 1 }, { "[inet6]", 2 }, { "[unix, netlink]", 0 }, { "[inet, inet6, unix]", -1 },
	};
	char lines[200];

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(lines, sizeof lines, TOOL "    isolation: {rootfs: @/image}\n"
			 "    security: {restrict_address_families: %s}\n", rows[i].list);
		const struct plan_service *s = web(lines);

		assert_int_equal(!!(s->flags & CELL_SOCKETS), rows[i].inet >= 0);
		assert_int_equal(s->inet, rows[i].inet < 0 ? 0 : rows[i].inet);
		compiled_free(&c);
	}
}

#define TEST(f) cmocka_unit_test_teardown(f, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_dev_of_its_own_brings_a_policy_of_what_is_in_it),
		TEST(a_device_that_is_named_has_the_access_that_is_said),
		TEST(less_than_rw_is_enforced_or_refused),
		TEST(families_that_leave_out_one_of_the_internets_bring_a_policy),
	};

	return cmocka_run_group_tests_name("plan: policy", tests, compiled_setup, compiled_teardown);
}
