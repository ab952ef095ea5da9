/* From a configuration to directories, credentials and the ids that they belong to. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/one_plan.h"
#include <linux/mount.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define SHELL "    command: [/bin/sh]\n"
#define IMAGE "    command: [/bin/tool]\n    isolation: {rootfs: @/image}\n"

static const struct plan_dir *dir_of(const struct plan_service *s, enum plan_dir_kind kind)
{
	PLAN_EACH(struct plan_dir, d, &c.plan, s->dirs)
		if (d->kind == kind)
			return d;
	return NULL;
}

static void directories_are_planned_and_told(void **state)
{
	(void)state;
	const struct plan_service *s = web(SHELL "    user: \"4001\"\n    state_directory: [web, web/data]\n"
					   "    cache_directory: web\n    logs_directory: web\n"
					   "    runtime_directory: web\n"
					   "    state_directory_mode: \"0700\"\n");
	const struct plan_dir *d = dir_of(s, DIR_STATE);

	assert_int_equal(s->dirs.n, 5);
	assert_string_equal(str(d->base), "/var/lib");
	assert_string_equal(str(d->name), "web");
	assert_int_equal(d->mode, 0700);
	assert_int_equal(d->flags, DIR_F_KEEP);
	assert_int_equal(dir_of(s, DIR_CACHE)->mode, 0755);
	assert_int_equal(dir_of(s, DIR_RUNTIME)->flags, 0);
	assert_string_equal(compiled_env(&c, s, "STATE_DIRECTORY"), "/var/lib/web:/var/lib/web/data");
	assert_string_equal(compiled_env(&c, s, "CACHE_DIRECTORY"), "/var/cache/web");
	assert_string_equal(compiled_env(&c, s, "LOGS_DIRECTORY"), "/var/log/web");
	assert_string_equal(compiled_env(&c, s, "RUNTIME_DIRECTORY"), "/run/web");
	assert_null(compiled_env(&c, s, "CREDENTIALS_DIRECTORY"));
}

static void they_can_be_written_under_a_read_only_root(void **state)
{
	(void)state;
	const struct plan_service *s = web(SHELL "    user: \"4001\"\n    state_directory: web\n");
	const struct plan_mount *m = compiled_mount(&c, s, "/var/lib/web");

	assert_int_equal(m->kind, MOUNT_BIND);
	assert_true(m->flags & MOUNT_F_OWN);
	assert_true(m->attr & MOUNT_ATTR_NOSUID && m->attr & MOUNT_ATTR_NODEV && m->attr & MOUNT_ATTR_NOEXEC);
	assert_false(m->attr & MOUNT_ATTR_RDONLY);
	assert_string_equal(str(m->source), "/var/lib/web");
}

static void those_of_a_dynamic_user_are_private(void **state)
{
	(void)state;
	const struct plan_service *s = web(SHELL "    state_directory: web\n    runtime_directory: web\n");
	const struct plan_mount *parent = compiled_mount(&c, s, "/var/lib/private"),
				*own = compiled_mount(&c, s, "/var/lib/private/web");

	assert_true(s->flags & CELL_DYNAMIC);
	assert_int_equal(dir_of(s, DIR_STATE)->flags, DIR_F_PRIVATE | DIR_F_KEEP);
	assert_int_equal(dir_of(s, DIR_RUNTIME)->flags, 0);	/* it goes at the stop: nobody comes after it */
	assert_int_equal(parent->kind, MOUNT_TMPFS);
	assert_true(parent < own);
	assert_string_equal(compiled_env(&c, s, "STATE_DIRECTORY"), "/var/lib/private/web");
	assert_string_equal(compiled_env(&c, s, "RUNTIME_DIRECTORY"), "/run/web");
	assert_string_equal(str(dir_of(s, DIR_IDS)->name), "prior/uids");
	s = web(SHELL "    runtime_directory: web\n    runtime_directory_preserve: true\n");
	assert_int_equal(dir_of(s, DIR_RUNTIME)->flags, DIR_F_PRIVATE | DIR_F_KEEP);
}

static void an_id_is_remembered_where_files_can_stay(void **state)
{
	(void)state;
	assert_null(dir_of(web(SHELL), DIR_IDS));	/* server: it can write nowhere that stays */
	assert_non_null(dir_of(web(SHELL "    isolation: {volumes: [\"@/data:/srv:rw\"]}\n"), DIR_IDS));
	assert_null(dir_of(web(SHELL "    isolation: {volumes: [\"@/data:/srv\"]}\n"), DIR_IDS));
	assert_non_null(dir_of(web(SHELL "    isolation: {protect_system: full}\n"), DIR_IDS));
	assert_null(dir_of(web(SHELL "    user: \"4001\"\n    state_directory: web\n"), DIR_IDS));
}

static void a_dynamic_user_brings_what_keeps_it_from_leaving_files(void **state)
{
	(void)state;
	const struct plan_service *s = web(SHELL "    isolation: {preset: none}\n    security: {dynamic_user: true}\n");

	assert_true(s->flags & CELL_NNP && s->flags & CELL_MOUNT && s->flags & CELL_SECCOMP && s->flags & CELL_IPC);
	assert_int_equal(compiled_mount(&c, s, "/tmp")->kind, MOUNT_TMPFS);
	assert_true(compiled_mount(&c, s, "/")->attr & MOUNT_ATTR_RDONLY);
	s = web(SHELL "    isolation: {preset: none, private_tmp: false}\n    security: {dynamic_user: true}\n");
	assert_null(compiled_mount(&c, s, "/tmp"));
	assert_non_null(dir_of(s, DIR_IDS));
}

static void in_an_image_they_are_shown_at_their_usual_place(void **state)
{
	(void)state;
	const struct plan_service *s = web(IMAGE "    state_directory: web\n");
	const struct plan_mount *m = compiled_mount(&c, s, "/var/lib/web");

	assert_string_equal(str(m->source), "/var/lib/private/web");
	assert_true(m->flags & MOUNT_F_CREATE);
	assert_string_equal(compiled_env(&c, s, "STATE_DIRECTORY"), "/var/lib/web");
}

static void a_working_directory_may_be_one_of_them(void **state)
{
	(void)state;
	assert_string_equal(str(web(SHELL "    user: \"4001\"\n    state_directory: nobody-has-this\n"
				    "    working_dir: /var/lib/nobody-has-this/in/it\n")->cwd),
			    "/var/lib/nobody-has-this/in/it");
	refused(SHELL "    working_dir: /var/lib/nobody-has-this\n", "working_dir: ");
}

static void without_mounts_they_are_made_all_the_same(void **state)
{
	struct machine_facts f;

	(void)state;
	facts_of_machine(&f);
	f.can_namespaces = f.can_mount = f.can_userns = false;
	compiled_free(&c);
	compiled_make(&c, &f, "services:\n  web:\n" SHELL "    state_directory: web\n");
	const struct plan_service *s = compiled_service(&c, "web");

	assert_non_null(s);
	assert_int_equal(dir_of(s, DIR_STATE)->flags, DIR_F_KEEP);
	assert_int_equal(s->mounts.n, 0);
	assert_string_equal(compiled_env(&c, s, "STATE_DIRECTORY"), "/var/lib/web");
	bool found = false;

	PLAN_EACH(struct plan_landlock, l, &c.plan, s->landlock)
		found |= !strcmp(str(l->path), "/var/lib/web") && (l->access & 2);
	assert_true(found);
}

static void credentials_are_named_and_never_copied(void **state)
{
	(void)state;
	const struct plan_service *s = web(SHELL "    credentials: {key: @/env}\n");
	const struct plan_file *f = PLAN_FIRST(&c.plan, s->credentials, struct plan_file);
	const struct plan_mount *m = compiled_mount(&c, s, "/dev/credentials");

	assert_int_equal(s->credentials.n, 1);
	assert_string_equal(str(f->path), "key");
	assert_non_null(strstr(str(f->value), "/env"));
	assert_int_equal(m->kind, MOUNT_CREDENTIALS);
	assert_string_equal(compiled_env(&c, s, "CREDENTIALS_DIRECTORY"), "/dev/credentials");
	assert_null(memmem(c.plan.at, c.plan.size, "two words", 9));	/* the file's text */
	assert_non_null(compiled_problem(&c, SEV_NOTE, "others can read or write it (mode 0644): chmod 0600 "));
	s = web(SHELL "    isolation: {preset: minimal, private_devices: false}\n    credentials: {key: @/env}\n");
	assert_string_equal(compiled_env(&c, s, "CREDENTIALS_DIRECTORY"), "/run/credentials/web");
	assert_string_equal(str(dir_of(s, DIR_MOUNT_POINT)->name), "credentials/web");
}

static void credentials_that_cannot_be_kept_are_refused(void **state)
{
	struct machine_facts f;

	(void)state;
	refused(SHELL "    credentials: {key: @/data/last}\n", "a symbolic link");
	refused(SHELL "    credentials: {key: @/data/more/deep}\n", "a symbolic link");
	refused(SHELL "    credentials: {key: @/data}\n", "not a regular file");
	web(SHELL "    credentials: {key: @/nope}\n");
	assert_non_null(compiled_problem(&c, SEV_NOTE, "without it the service does not start"));
	compiled_free(&c);
	facts_of_machine(&f);
	f.can_namespaces = f.can_mount = false;
	compiled_make(&c, &f, "services:\n  web:\n" SHELL "    credentials: {key: @/env}\n");
	assert_non_null(strstr(compiled_refused(&c, "web"), "credentials: nothing can be mounted here"));
}

#define TEST(f) cmocka_unit_test_teardown(f, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(directories_are_planned_and_told), TEST(they_can_be_written_under_a_read_only_root),
		TEST(those_of_a_dynamic_user_are_private), TEST(an_id_is_remembered_where_files_can_stay),
		TEST(a_dynamic_user_brings_what_keeps_it_from_leaving_files),
		TEST(in_an_image_they_are_shown_at_their_usual_place), TEST(a_working_directory_may_be_one_of_them),
		TEST(without_mounts_they_are_made_all_the_same), TEST(credentials_are_named_and_never_copied),
		TEST(credentials_that_cannot_be_kept_are_refused),
	};

	return cmocka_run_group_tests_name("plan: directories", tests, compiled_setup, compiled_teardown);
}
