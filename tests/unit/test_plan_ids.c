/* Who a service is, when the files of its own root are strange: the rows of known failures, by their numbers. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/plan_compiled.h"
#include "init/base/fd.h"
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

#define IN_IMAGE "    command: [/bin/tool]\n    isolation: {rootfs: @/image}\n"
#define web(lines) compiled_web(&c, IN_IMAGE lines)
#define refused(lines, says) compiled_refuses(&c, IN_IMAGE lines, says)

static void file(const char *name, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/image/etc/%s", compiled_folder(), name);
	owned_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

/* runc read "1" as root's ids, crun took what followed a number: no spelling but one is a number, none is root's. */
static void cve_2016_3697_and_2026_30892_numbers_are_what_they_say(void **state)
{
	static const char *const odd[] = { "01", "00", "0x1", "-1", "+1", " 1", "1 ", "1a", "1:", "4294967295",
					   "4294967296", "18446744073709551616", ":0", "1.0" };

	(void)state;
	file("passwd", "root:x:0:0::/root:/bin/sh\n1:x:0:0::/:/bin/sh\nweb:x:901:902::/srv:\n");
	file("group", "root:x:0:\nweb:x:902:\n");
	assert_int_equal(web("    user: 1\n")->uid, 1);		/* not the user of that name, who is root */
	assert_int_equal(compiled_service(&c, "web")->gid, 1);	/* nor root's group for want of a line */
	assert_int_equal(web("    user: 1\n    group: 2\n")->gid, 2);
	assert_int_equal(web("    user: \"1:2\"\n")->gid, 2);
	assert_int_equal(web("    user: 0\n")->uid, 0);
	assert_int_equal(web("    user: 4294967294\n")->uid, 4294967294u);
	for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
		char lines[300];

		snprintf(lines, sizeof lines, IN_IMAGE "    user: \"%s\"\n", odd[i]);
		compiled_refuses(&c, lines, "");
		snprintf(lines, sizeof lines, IN_IMAGE "    user: web\n    group: \"%s\"\n", odd[i]);
		compiled_refuses(&c, lines, "");
		snprintf(lines, sizeof lines, IN_IMAGE "    user: web\n    supplementary_groups: [\"%s\"]\n", odd[i]);
		compiled_refuses(&c, lines, "");
	}
}

/* An invalid name once meant root. It means that the service does not run. */
static void cve_2017_1000082_and_2020_13776_a_bad_name_is_never_root(void **state)
{
	static const char *const odd[] = { "0day", "0x0", "web web", "-root", ".root", "ro\\tot", "root\\n", "r:o:t",
					   "nobody-there", "" };

	(void)state;
	file("passwd", "root:x:0:0::/root:/bin/sh\n0day:x:905:905::/:\n");
	for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
		char lines[300];

		snprintf(lines, sizeof lines, "services:\n  web:\n" IN_IMAGE "    user: \"%s\"\n", odd[i]);
		compiled_free(&c);
		compiled_make(&c, NULL, lines);
		const struct plan_service *s = compiled_service(&c, "web");

		/* "" is as if the key were not there: a dynamic user under the default preset */
		assert_true(s ? s->uid >= 61184 : compiled_refused(&c, "web") != NULL);
	}
}

static void malformed_lines_name_nobody(void **state)
{
	(void)state;
	file("passwd", "short:x:901\nfew:x:901:902::\nmany:x:901:902:::/bin/sh:more\nempty:x::902:::\n"
	     "gid:x:901:x:::\ntwice:x:901:902:::\ntwice:x:0:0:::\n:x:907:907:::\nweb:x:901:902::/srv:\n");
	file("group", "short:x\nfew:x:910\nmany:x:910:web:more\ntwice:x:911:\ntwice:x:0:\nodd:x:9 1:\nweb:x:902:\n");
	refused("    user: short\n", "malformed");
	refused("    user: few\n", "malformed");
	refused("    user: many\n", "malformed");
	refused("    user: empty\n", "has no valid number");
	refused("    user: gid\n", "has no valid group");
	refused("    user: twice\n", "it stands twice in ");
	refused("    user: web\n    group: few\n", "malformed");
	refused("    user: web\n    group: many\n", "malformed");
	refused("    user: web\n    group: twice\n", "it stands twice in ");
	refused("    user: web\n    group: odd\n", "has no valid number");
	refused("    user: web\n    supplementary_groups: [web, nowhere]\n", "'nowhere': not in ");
	refused("    user: web\n    supplementary_groups: [few]\n", "malformed");
	assert_int_equal(web("    user: web\n    supplementary_groups: [web]\n")->uid, 901);
}

/* An image's files name users; they do not make root of one. */
static void no_name_but_roots_is_root(void **state)
{
	(void)state;
	file("passwd", "root:x:0:0::/root:/bin/sh\nweb:x:0:0::/srv:\nlow:x:901:0::/srv:\nfine:x:901:902::/srv:\n");
	file("group", "root:x:0:\nadmins:x:0:\nfine:x:902:\n");
	refused("    user: web\n", "user 'web': is root (0) by its line in ");
	assert_int_equal(web("    user: root\n")->uid, 0);
	refused("    user: fine\n    group: admins\n", "group 'admins': is root's (0)");
	refused("    user: fine\n    supplementary_groups: [admins]\n", "'admins': is root's (0)");
	assert_int_equal(web("    user: fine\n    group: root\n")->gid, 0);	/* asked for by its name */
	assert_int_equal(web("    user: low\n")->gid, 0);
	assert_non_null(compiled_problem(&c, SEV_NOTE, "user 'low': its group is root's (0): name another with group"));
	assert_int_equal(web("    user: low\n    group: fine\n")->gid, 902);
}

#define TEST(f) cmocka_unit_test_teardown(f, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cve_2016_3697_and_2026_30892_numbers_are_what_they_say),
		TEST(cve_2017_1000082_and_2020_13776_a_bad_name_is_never_root),
		TEST(malformed_lines_name_nobody), TEST(no_name_but_roots_is_root),
	};

	return cmocka_run_group_tests_name("plan: ids", tests, compiled_setup, compiled_teardown);
}
