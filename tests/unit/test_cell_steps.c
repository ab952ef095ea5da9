/* The step table's order and completeness, the secure bits, and reading a status file. */
/* SPDX-License-Identifier: ISC */
#include "init/base/file.h"
#include "init/base/sys.h"
#include "services/cell/attest_inner.h"
#include "services/cell/steps.h"
#include "services/plan/write.h"
#include <linux/securebits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static int place(const char *name)
{
	for (unsigned i = 0; i < cell_step_count(); i++)
		if (!strcmp(cell_step_name(i), name))
			return (int)i;
	fail_msg("there is no step '%s'", name);
	return -1;
}

static void every_step_says_why_it_is_there(void **state)
{
	(void)state;
	for (unsigned i = 0; i < cell_step_count(); i++) {
		assert_true(strlen(cell_step_name(i)) > 2);
		assert_true(strlen(cell_step_why(i)) > 15);
		assert_int_equal(place(cell_step_name(i)), i);	/* names are unique */
	}
	assert_null(cell_step_name(cell_step_count()));
	assert_null(cell_step_why(cell_step_count()));
	assert_null(cell_step_seen(cell_step_count()));
}

/* What the kernel forces: the left one is before the right one, or the right one undoes or forbids it. */
static void the_order_is_the_one_the_kernel_forces(void **state)
{
	static const char *const before[][2] = {
		{ "network namespace", "network" },
		{ "oom score", "session" },
		{ "detached procfs", "mounts private" },
		{ "mounts private", "new root" },
		{ "new root", "mounts" },
		{ "mounts", "enter root" },
		{ "join network", "unprivileged ports" },
		{ "unprivileged ports", "user namespace" },
		{ "host name", "user namespace" },
		{ "enter root", "executable" },
		{ "enter root", "user namespace" },
		{ "resource limits", "user namespace" },
		{ "groups", "user namespace" },
		{ "user namespace", "no new namespaces" },
		{ "user namespace", "secure bits" },
		{ "user namespace", "bounding set" },
		{ "no new namespaces", "ids" },
		{ "secure bits", "ids" },
		{ "bounding set", "ids" },
		{ "ids", "capabilities" },
		{ "capabilities", "ambient set" },
		{ "ambient set", "no way back" },
		{ "ids", "death signal again" },
		{ "ids", "working directory" },
		{ "no new privileges", "landlock" },
		{ "enter root", "landlock" },
		{ "landlock", "seccomp" },
		{ "descriptors", "seccomp" },
		{ "personality", "seccomp" },
		{ "no new executable memory", "seccomp" },
		{ "handover", "seccomp" },
		{ "signal mask", "seccomp" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof before / sizeof *before; i++)
		if (place(before[i][0]) >= place(before[i][1]))
			fail_msg("'%s' must come before '%s'", before[i][0], before[i][1]);
	/* the last that the service does; what comes after it, the builder does while the service is stopped */
	assert_int_equal(place("seccomp"), cell_step_count() - 2);
	assert_int_equal(place("policies on the cgroup"), cell_step_count() - 1);
}

static void secure_bits_lock_all_but_what_a_later_step_needs(void **state)
{
	struct plan_service user = { .uid = 1000, .caps = 1 }, none = { .uid = 1000 }, root = { .caps = 1 };
	const unsigned locks = SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED;

	(void)state;
	assert_int_equal(wanted_securebits(&user, true) & SECURE_ALL_LOCKS, SECURE_ALL_LOCKS);
	assert_int_equal(wanted_securebits(&user, false) & SECURE_ALL_LOCKS, locks);
	assert_int_equal(wanted_securebits(&none, false) & SECURE_ALL_LOCKS, SECURE_ALL_LOCKS);
	assert_true(wanted_securebits(&user, true) & SECBIT_NO_SETUID_FIXUP);
	/* Root's own setuid must drop what it has. */
	assert_false(wanted_securebits(&root, true) & SECBIT_NO_SETUID_FIXUP);
	assert_true(wanted_securebits(&root, true) & SECBIT_NOROOT);
	assert_false(wanted_securebits(&root, true) & SECBIT_KEEP_CAPS);
}

/* In the room that an asking for another key left behind it. */
static const char *value_of(const char *status, const char *key, char *to, size_t size)
{
	struct attest_run r = { .status = status, .next = status };
	char other[16];

	status_value(&r, "Groups", other, sizeof other);
	return status_value(&r, key, to, size);
}

static void a_status_value_is_found_by_its_whole_key(void **state)
{
	static const char status[] = "Name:\tUid:\tx\nUid:\t1\t2\t3\t4\nGroups:\t4 5 \nSeccomp:\t2\n"
				     "Seccomp_filters:\t1\nNSpid:\t7\t2";
	char v[16];

	(void)state;
	assert_string_equal(value_of(status, "Uid", v, sizeof v), "1\t2\t3\t4");
	assert_string_equal(value_of(status, "Groups", v, sizeof v), "4 5");
	assert_string_equal(value_of(status, "Seccomp", v, sizeof v), "2");
	assert_string_equal(value_of(status, "NSpid", v, sizeof v), "7\t2");
	assert_string_equal(value_of(status, "Ui", v, sizeof v), "");
	assert_string_equal(value_of(status, "Absent", v, sizeof v), "");
	assert_string_equal(value_of("", "Absent", v, sizeof v), "");
	assert_string_equal(value_of(status, "Uid", v, 4), "1\t2");
}

static void numbers_of_a_status_file_are_read_in_any_order(void **state)
{
	static const char status[] = "Umask:\t0027\nPid:\t41\nCapBnd:\t00000000a80425fb\nSeccomp_filters:\t3\n";
	struct attest_run r = { .status = status, .next = status };

	(void)state;
	assert_int_equal(status_number(&r, "Seccomp_filters", 10), 3);
	assert_int_equal(status_number(&r, "CapBnd", 16), 0xa80425fb);
	assert_int_equal(status_number(&r, "Umask", 8), 027);
	assert_int_equal(status_number(&r, "Umask", 8), 027);
	assert_int_equal(status_number(&r, "Absent", 10), 0);
	assert_int_equal(status_number(&r, "Pid", 10), 41);
}

/* A folder that looks like the procfs of process 7. */
static int make_procfs(char folder[])
{
	static const char *const files[] = { "7/setgroups", "7/gid_map", "7/uid_map" };

	assert_non_null(mkdtemp(folder));
	const int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(mkdirat(dir, "7", 0700), 0);
	for (unsigned i = 0; i < 3; i++) {
		owned_fd file = openat(dir, files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		assert_true(file >= 0);
	}
	return dir;
}

static void remove_procfs(const char *folder, int dir)
{
	static const char *const files[] = { "7/setgroups", "7/gid_map", "7/uid_map" };

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(unlinkat(dir, files[i], 0), 0);
	assert_int_equal(unlinkat(dir, "7", AT_REMOVEDIR), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void assert_says(int dir, const char *path, const char *what)
{
	char text[128];
	struct err e;

	assert_true(file_read(dir, path, text, sizeof text, &e) >= 0);
	assert_string_equal(text, what);
}

static void an_id_map_has_the_service_s_own_ids_or_says_that_they_are_too_many(void **state)
{
	char folder[] = "/tmp/prior-maps-XXXXXX";
	owned_fd dir = make_procfs(folder);
	uint32_t many[256], few[] = { 41, 7, 4000000000 };
	struct plan_service s = { .uid = 61000, .gid = 41 };
	struct writer w;
	struct err e;

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		many[i] = 4000000000 + i;
	write_begin(&w);
	const struct plan_ref some = write_table(&w, few, 3, sizeof *few);
	const struct plan_ref all = write_table(&w, many, 256, sizeof *many);
	const struct plan p = { .at = w.at, .size = w.used };
	struct cell c = { .plan = &p, .svc = &s, .machine_proc = dir };

	s.groups = some;
	assert_int_equal(maps_write(&c, 7, &e), 0);
	assert_says(dir, "7/setgroups", "deny");
	assert_says(dir, "7/gid_map", "41 41 1\n7 7 1\n4000000000 4000000000 1\n");
	assert_says(dir, "7/uid_map", "61000 61000 1\n");
	s.groups = all;
	assert_int_equal(maps_write(&c, 7, &e), -E2BIG);
	assert_string_equal(e.text, "256 groups: their numbers are too long for one id map of the kernel's "
				    "(4095 bytes)");
	s.uid = 0;
	assert_int_equal(maps_write(&c, 7, &e), -EINVAL);
	write_free(&w);
	remove_procfs(folder, dir);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_map_has_the_service_s_own_ids_or_says_that_they_are_too_many),
		cmocka_unit_test(every_step_says_why_it_is_there),
		cmocka_unit_test(the_order_is_the_one_the_kernel_forces),
		cmocka_unit_test(secure_bits_lock_all_but_what_a_later_step_needs),
		cmocka_unit_test(a_status_value_is_found_by_its_whole_key),
		cmocka_unit_test(numbers_of_a_status_file_are_read_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
