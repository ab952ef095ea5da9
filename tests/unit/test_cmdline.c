/* The kernel's command line, however long it is, and the anchor that stands in it or may stand in it. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=read */
#include "init/base/cmdline.h"
#include "services/plan/anchor.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <cmocka.h>

static char said[80 << 10];
static size_t length, at;
static bool fails;

ssize_t __wrap_read(int fd, void *to, size_t n);

/* In pieces, as the kernel may give it. */
ssize_t __wrap_read(int fd, void *to, size_t n)
{
	static void *begin;	/* of the line: there it is opened anew */

	(void)fd;
	begin = begin ? begin : to;
	at = to == begin ? 0 : at;
	size_t k = length - at < 1000 ? length - at : 1000;

	if (fails && at) {
		errno = EIO;
		return -1;
	}
	k = k < n ? k : n;
	memcpy(to, said + at, k);
	at += k;
	return (ssize_t)k;
}

static void say(size_t n, const char *end)
{
	memset(said, 'x', sizeof said);
	memcpy(said, "quiet ", 6);
	memcpy(said + n - strlen(end), end, strlen(end));
	length = n;
}

static void an_anchor_that_cannot_be_known_is_one_that_nobody_has(void **state)
{
	char key[ANCHOR_MAX];

	(void)state;
	unsetenv(ANCHOR_ENV);
	for (unsigned i = 0; i < 2; i++) {
		say(i ? sizeof said : 5000, " prior.trust=/key");	/* too long; or unreadable from its middle on */
		fails = !i;
		assert_false(cmdline_is_known());
		assert_false(cmdline_word("quiet"));	/* nothing is told of a part */
		assert_string_equal(anchor_find(false, key), "");
		assert_null(anchor_find(true, key));	/* a container's is not there */
	}
	fails = false;
}

/* The last of these, for what was read is kept. */
static void a_long_line_does_not_lose_its_anchor(void **state)
{
	char key[ANCHOR_MAX];

	(void)state;
	say(40000, " prior.trust=/key\n");
	assert_true(cmdline_is_known());
	assert_true(cmdline_word("quiet"));
	assert_string_equal(anchor_find(false, key), "/key");
}

static void an_empty_anchor_in_the_environment_is_none_that_could_have_signed(void **state)
{
	char key[ANCHOR_MAX];

	(void)state;
	setenv(ANCHOR_ENV, "", 1);
	assert_string_equal(anchor_find(true, key), "");
	unsetenv(ANCHOR_ENV);
	assert_null(anchor_find(true, key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_anchor_that_cannot_be_known_is_one_that_nobody_has),
		cmocka_unit_test(a_long_line_does_not_lose_its_anchor),
		cmocka_unit_test(an_empty_anchor_in_the_environment_is_none_that_could_have_signed),
	};

	return cmocka_run_group_tests_name("command line", tests, NULL, NULL);
}
