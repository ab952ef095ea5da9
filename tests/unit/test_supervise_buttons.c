/* What a press on a button asks for, and what is no button. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/spec.h"
#include "services/supervise/buttons.h"
#include "tests/unit/plan_compiled.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
/* after the four that it needs */
#include <cmocka.h>

#define KEY(code_is, value_is) { .type = EV_KEY, .code = (code_is), .value = (value_is) }

static void only_pressing_one_of_two_keys_is_a_wish(void **state)
{
	const struct input_event power[] = { { .type = EV_MSC, .code = MSC_SCAN, .value = 1 }, KEY(KEY_POWER, 1) },
				 restart = KEY(KEY_RESTART, 1),
				 none[] = { KEY(KEY_POWER, 0), KEY(KEY_POWER, 2), KEY(KEY_SLEEP, 1), KEY(KEY_A, 1),
					    { .type = EV_REL, .code = KEY_POWER, .value = 1 } };

	(void)state;
	assert_int_equal(buttons_ask(power, 2, BUTTON_POWEROFF), SHUTDOWN_POWEROFF);
	assert_int_equal(buttons_ask(power, 2, BUTTON_REBOOT), SHUTDOWN_REBOOT);
	assert_int_equal(buttons_ask(&restart, 1, BUTTON_POWEROFF), SHUTDOWN_REBOOT);
	assert_int_equal(buttons_ask(none, sizeof none / sizeof *none, BUTTON_POWEROFF), SHUTDOWN_NONE);
	assert_int_equal(buttons_ask(NULL, 0, BUTTON_POWEROFF), SHUTDOWN_NONE);
}

static void what_is_no_input_device_is_not_taken(void **state)
{
	char folder[] = "/tmp/buttons-XXXXXX", path[64];
	int fds[BUTTONS_MAX];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/event0", folder);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(buttons_look(folder, fds, BUTTONS_MAX), 0);
	unlink(path);
	rmdir(folder);
	assert_int_equal(buttons_look(folder, fds, BUTTONS_MAX), 0);
}

static void the_configuration_says_what_it_does(void **state)
{
	static const struct { const char *yaml; uint32_t is; } rows[] = {
		{ "machine: {power_button: ignore}\n", BUTTON_IGNORE },
		{ "machine: {power_button: reboot}\n", BUTTON_REBOOT }, { "version: 1\n", BUTTON_POWEROFF },
	};
	struct compiled c = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		compiled_make(&c, NULL, rows[i].yaml);
		assert_int_equal(c.plan.head->power_button, rows[i].is);
		compiled_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_pressing_one_of_two_keys_is_a_wish),
		cmocka_unit_test(what_is_no_input_device_is_not_taken),
		cmocka_unit_test(the_configuration_says_what_it_does),
	};

	return cmocka_run_group_tests_name("supervise_buttons", tests, NULL, NULL);
}
