/* Files that others could have written: what is refused, what is told, and the command that mends it. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/spec/spec.h"
#include "services/spec/trust.h"
#include "tests/unit/plan_compiled.h"
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct compiled c;

static int done(void **state)
{
	(void)state;
	compiled_free(&c);
	return 0;
}

static const char *says(unsigned mode, unsigned uid, unsigned gid, bool *all)
{
	static char text[TRUST_TEXT];
	const struct stat st = { .st_mode = S_IFREG | mode, .st_uid = uid, .st_gid = gid };

	return trust_wrong(text, "/etc/prior/x", &st, all);
}

static void who_can_write_it_is_named_with_the_command(void **state)
{
	bool all;

	(void)state;
	assert_null(says(0640, 0, 33, &all));
	assert_null(says(0664, 0, 0, &all));	/* root's group is root */
	assert_null(says(0644, geteuid(), 33, &all));
	assert_string_equal(says(0666, 0, 0, &all), "everybody can write it (mode 0666): chmod go-w /etc/prior/x");
	assert_true(all);
	assert_string_equal(says(0664, 0, 4033, &all), "group 4033 can write it (mode 0664): chmod g-w /etc/prior/x");
	assert_false(all);
	assert_string_equal(says(0600, 4033, 0, &all),
			    "it belongs to user 4033, who can change it: chown root /etc/prior/x");
	assert_false(all);
}

static void set_mode(const char *name, mode_t mode)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", compiled_folder(), name);
	assert_int_equal(chmod(path, mode), 0);
}

static void what_everybody_could_have_written_is_not_believed(void **state)
{
	struct spec s;
	struct err e;
	char path[PATH_MAX];

	(void)state;
	compiled_web(&c, "    command: [/bin/sh]\n");
	snprintf(path, sizeof path, "%s/prior.yaml", compiled_folder());
	set_mode("prior.yaml", 0646);
	assert_int_equal(spec_load(&s, path, &e), 0);
	assert_true(spec_has_errors(&s, NULL));
	assert_non_null(strstr(s.problems->text, "everybody can write it (mode 0646): chmod go-w "));
	spec_free(&s);
	set_mode("prior.yaml", 0644);
}

static void roots_and_files_of_variables_are_looked_at(void **state)
{
	(void)state;
	set_mode("env", 0666);
	compiled_refuses(&c, "    command: [/bin/sh]\n    env_file: [@/env]\n", "env_file: ");
	assert_non_null(strstr(compiled_refused(&c, "web"), "everybody can write it (mode 0666): chmod go-w "));
	set_mode("env", 0644);
	set_mode("image", 0757);
	compiled_refuses(&c, "    command: [/bin/tool]\n    isolation: {rootfs: @/image}\n", "everybody can write it");
	set_mode("image", 0755);
	compiled_web(&c, "    command: [/bin/tool]\n    isolation: {rootfs: @/image}\n    user: \"4001\"\n");
	assert_non_null(compiled_problem(&c, SEV_NOTE, "everybody can enter it: chown root:4001 "));
	set_mode("image", 0750);
	compiled_web(&c, "    command: [/bin/tool]\n    isolation: {rootfs: @/image}\n    user: \"4001\"\n");
	assert_null(compiled_problem(&c, SEV_NOTE, "everybody can enter it"));
	set_mode("image", 0755);
}

static void sockets_are_their_services_groups(void **state)
{
	(void)state;
	const struct plan_service *s = compiled_web(&c, "    command: [/bin/sh]\n    user: \"4001:4002\"\n"
						    "    listen: [{unix: /run/web.sock}]\n");
	const struct plan_listen *l = PLAN_FIRST(&c.plan, s->listen, struct plan_listen);

	assert_int_equal(l->mode, 0660);
	assert_int_equal(l->uid, 0);
	assert_int_equal(l->gid, 4002);
	s = compiled_web(&c, "    command: [/bin/sh]\n    user: \"4001:4002\"\n"
			 "    listen: [{unix: /run/web.sock, mode: \"0666\", user: \"7\", group: \"8\"}]\n");
	l = PLAN_FIRST(&c.plan, s->listen, struct plan_listen);
	assert_true(l->uid == 7 && l->gid == 8);
	assert_non_null(compiled_problem(&c, SEV_NOTE, "listen: /run/web.sock: everybody can connect (mode 0666)"));
}

#define TEST(f) cmocka_unit_test_teardown(f, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_can_write_it_is_named_with_the_command),
		TEST(what_everybody_could_have_written_is_not_believed),
		TEST(roots_and_files_of_variables_are_looked_at), TEST(sockets_are_their_services_groups),
	};

	return cmocka_run_group_tests_name("spec: trust", tests, compiled_setup, compiled_teardown);
}
