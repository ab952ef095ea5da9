/* The mounts of a cell as facts: what covers what, and what the minimal /dev has. */
/* SPDX-License-Identifier: ISC */
#include "services/cell/root.h"
#include "services/plan/write.h"
#include "init/base/sys.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct made {
	struct writer w;
	struct plan plan;
	struct plan_service s;
};

/* Rows of kind and target, in a plan that is never sealed. */
static void make(struct made *m, const enum mount_kind *kinds, const char *const *targets, unsigned n)
{
	struct plan_mount rows[8] = { 0 };

	*m = (struct made){ 0 };
	write_begin(&m->w);
	for (unsigned i = 0; i < n; i++) {
		rows[i].kind = kinds[i];
		rows[i].target = write_string(&m->w, targets[i]);
	}
	m->s.mounts = write_table(&m->w, rows, n, sizeof *rows);
	m->plan = (struct plan){ .at = m->w.at, .size = m->w.used };
}

static void a_path_is_below_a_folder_and_not_below_its_namesake(void **state)
{
	(void)state;
	assert_true(path_is_at_or_below("/proc/sys", "/proc"));
	assert_true(path_is_at_or_below("/proc", "/proc"));
	assert_true(path_is_at_or_below("/proc", "/"));
	assert_false(path_is_at_or_below("/process", "/proc"));
	assert_false(path_is_at_or_below("/", "/proc"));
}

static void a_row_covers_the_machines_mounts_below_it(void **state)
{
	static const enum mount_kind kinds[] = { MOUNT_DEV, MOUNT_TMPFS, MOUNT_REMOUNT };
	static const char *const targets[] = { "/dev", "/tmp", "/" };
	struct made m;

	(void)state;
	make(&m, kinds, targets, 3);
	assert_true(is_covered(&m.plan, &m.s, "/dev/pts"));
	assert_true(is_covered(&m.plan, &m.s, "/tmp"));
	assert_false(is_covered(&m.plan, &m.s, "/tmpfs"));
	assert_false(is_covered(&m.plan, &m.s, "/data"));	/* attributes cover nothing */
	write_free(&m.w);
}

static void the_plans_own_shm_takes_the_place_of_the_minimal_one(void **state)
{
	static const enum mount_kind kinds[] = { MOUNT_TMPFS, MOUNT_DEV, MOUNT_TMPFS, MOUNT_REMOUNT };
	static const char *const targets[] = { "/dev/pts", "/dev", "/dev/shm", "/dev/pts" };
	struct made m;

	(void)state;
	make(&m, kinds, targets, 4);
	const struct plan_mount *dev = PLAN_FIRST(&m.plan, m.s.mounts, struct plan_mount) + 1;

	assert_string_equal(dev_parts[0].name, "pts");
	assert_string_equal(dev_parts[1].name, "shm");
	assert_true(dev_part_is_replaced(&m.plan, &m.s, dev, &dev_parts[1]));
	/* A row before /dev is covered by it, and attributes replace nothing. */
	assert_false(dev_part_is_replaced(&m.plan, &m.s, dev, &dev_parts[0]));
	write_free(&m.w);
}

static void every_kind_of_mount_has_a_row(void **state)
{
	(void)state;
	for (unsigned k = 0; k < MOUNT_KINDS; k++)
		assert_non_null(mount_kinds[k].name);
}

static void no_mount_of_the_minimal_dev_lets_a_set_id_program_run(void **state)
{
	struct plan_mount dev = { .kind = MOUNT_DEV };

	(void)state;
	assert_true(dev_attr(&dev) & MOUNT_ATTR_NOSUID);
	assert_true(dev_attr(&dev) & MOUNT_ATTR_RDONLY);
	for (unsigned i = 0; i < DEV_PARTS; i++)
		assert_int_equal(dev_parts[i].attr & (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC),
				 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_below_a_folder_and_not_below_its_namesake),
		cmocka_unit_test(a_row_covers_the_machines_mounts_below_it),
		cmocka_unit_test(the_plans_own_shm_takes_the_place_of_the_minimal_one),
		cmocka_unit_test(every_kind_of_mount_has_a_row),
		cmocka_unit_test(no_mount_of_the_minimal_dev_lets_a_set_id_program_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
