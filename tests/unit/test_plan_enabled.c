/* What starts at boot as somebody said later: kept in files, read back, put into a plan. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/plan/enabled.h"
#include "tests/unit/conf_sample.h"
#include "tests/unit/made_plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void what_was_said_last_is_what_is_read(void **state)
{
	struct enabled x;
	struct err e;

	(void)state;
	assert_int_equal(enabled_look("state", "web"), -1);
	assert_int_equal(enabled_write("state", "web", true, &e), 0);
	assert_int_equal(enabled_look("state", "web"), 1);
	assert_int_equal(enabled_write("state", "web", false, &e), 0);
	assert_int_equal(enabled_write("state", "a@b", true, &e), 0);
	assert_int_equal(enabled_read(&x, "state", &e), 0);
	assert_int_equal(x.n, 2);
	assert_int_equal(enabled_of(&x, "web"), 0);
	assert_int_equal(enabled_of(&x, "a@b"), 1);
	assert_int_equal(enabled_of(&x, "a"), -1);
	enabled_free(&x);
	assert_int_equal(enabled_read(&x, NULL, &e), 0);
	assert_int_equal(enabled_of(&x, "web"), -1);
}

static void other_names_and_contents_mean_nothing_and_none_is_a_way_out(void **state)
{
	static const char *const names[] = { "..", "../x", "a/b", "", "a@", "@a", "A", "a@../b" };
	struct enabled x;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_int_equal(enabled_write("state", names[i], true, &e), -22);
		assert_int_equal(enabled_look("state", names[i]), -1);
	}
	conf_write("state/enabled/half", "ye");
	conf_write("state/enabled/more", "yes\nno\n");
	conf_write("state/enabled/Bad", "yes\n");
	assert_int_equal(symlink("/etc/passwd", "state/enabled/link"), 0);
	assert_int_equal(mkdir("state/enabled/folder", 0755), 0);
	assert_int_equal(mkfifo("state/enabled/pipe", 0600), 0);
	assert_int_equal(enabled_read(&x, "state", &e), 0);
	assert_int_equal(x.n, 2);
	enabled_free(&x);
}

static void where_nothing_can_be_kept_it_is_said_in_one_line(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(enabled_write("/dev/null/x", "web", true, &e), -20);
	assert_string_equal(e.text, "keep it in /dev/null/x/enabled: Not a directory");
}

static void more_files_than_services_are_refused(void **state)
{
	struct enabled x;
	char path[64];
	struct err e;

	(void)state;
	assert_int_equal(mkdir("many", 0755), 0);
	assert_int_equal(mkdir("many/enabled", 0755), 0);
	for (unsigned i = 0; i <= PLAN_SERVICES_MAX; i++) {
		snprintf(path, sizeof path, "many/enabled/s%u", i);
		conf_write(path, "no\n");
	}
	assert_int_equal(enabled_read(&x, "many", &e), -7);
	assert_string_equal(e.text, "many/enabled: more than 4096 files");
	assert_null(x.v);
}

static void a_plan_takes_it_over(void **state)
{
	struct enabled_row rows[] = { { "a", false }, { "c", true }, { "none", false } };
	const struct enabled x = { rows, 3 };
	const struct made_svc made[] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
	owned_fd fd = made_plan(made, 3), again = FD_NONE, back = FD_NONE;
	const struct enabled none = { 0 };
	struct plan p, q, r;
	struct err e;

	(void)state;
	assert_int_equal(plan_map(&p, fd, &e), 0);
	assert_int_equal(enabled_apply(&p, &x, &again, &e), 0);
	assert_int_equal(plan_map(&q, again, &e), 0);
	assert_true(plan_is_disabled(&q, 0) && !plan_is_disabled(&q, 1) && !plan_is_disabled(&q, 2));
	assert_int_equal(plan_service(&q, 0)->hash, plan_service(&p, 0)->hash);
	assert_int_equal(enabled_apply(&q, &none, &back, &e), 0);
	assert_int_equal(plan_map(&r, back, &e), 0);
	assert_true(plan_is_disabled(&r, 0));
	plan_unmap(&p);
	plan_unmap(&q);
	plan_unmap(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_said_last_is_what_is_read),
		cmocka_unit_test(other_names_and_contents_mean_nothing_and_none_is_a_way_out),
		cmocka_unit_test(where_nothing_can_be_kept_it_is_said_in_one_line),
		cmocka_unit_test(more_files_than_services_are_refused),
		cmocka_unit_test(a_plan_takes_it_over),
	};

	return cmocka_run_group_tests(tests, conf_enter, conf_leave);
}
