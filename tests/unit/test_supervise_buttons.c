/* What a press on a button asks for, and what is no button. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm,--wrap=ioctl */
#include "services/spec/spec.h"
#include "services/supervise/buttons.h"
#include "init/base/pass.h"
#include "tests/unit/plan_compiled.h"
#include "tests/unit/served.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>
/* after the four that it needs */
#include <cmocka.h>

static bool all_have_a_power_key;	/* whatever file it is */

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, unsigned char *to);
int __wrap_ioctl(int fd, unsigned long request, unsigned char *to)
{
	if (!all_have_a_power_key)
		return __real_ioctl(fd, request, to);
	if (_IOC_NR(request) == _IOC_NR(EVIOCGBIT(EV_KEY, 0)) && _IOC_DIR(request) == _IOC_READ)
		to[KEY_POWER / 8] |= 1 << KEY_POWER % 8;
	return 0;
}

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
	unsigned more;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/event0", folder);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(buttons_look(folder, fds, BUTTONS_MAX, &more), 0);
	unlink(path);
	rmdir(folder);
	assert_int_equal(buttons_look(folder, fds, BUTTONS_MAX, &more), 0);
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

static void of_more_than_there_is_room_for_the_lowest_numbers_are_taken_and_the_others_counted(void **state)
{
	static const char *const names[] = { "event10", "event9", "event2", "event", "event1x", "event9999", "mouse0" };
	static const char *const taken[] = { "/event2", "/event9" };
	char folder[] = "/tmp/buttons-XXXXXX", path[64], is[64];
	int fds[2];
	unsigned more;

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		close(open(path, O_WRONLY | O_CREAT, 0600));
	}
	all_have_a_power_key = true;
	assert_int_equal(buttons_look(folder, fds, 2, &more), 2);
	all_have_a_power_key = false;
	assert_int_equal(more, 1);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fds[i]);
		is[readlink(path, is, sizeof is - 1)] = '\0';
		assert_string_equal(strrchr(is, '/'), taken[i]);
		close(fds[i]);
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* --- PID 1's side: a machine, and a look that has ended --- */

static int64_t due(void)
{
	return prior.loop.due[prior.n + TIMER_BUTTONS];
}

/* The child that looks has said this (NULL: it was killed) with this descriptor (< 0: none), and is gone. */
static void a_look_ends(const uint8_t *word, int fd)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	if (word)
		assert_int_equal(pass_send(pair[1], word, 1, fd, 0), 1);
	close(pair[1]);
	prior.buttons.sock = pair[0];
	prior.buttons.pid = 1;
	prior.ledger.head->mode = MODE_MACHINE;
	buttons_ended(&prior);
	prior.ledger.head->mode = MODE_UP;
}

static void a_look_that_was_killed_leaves_the_buttons_that_were_there_and_is_tried_again(void **state)
{
	const uint8_t none_more = 0;
	int pipes[2], was;
	int64_t pause = 0;

	(void)state;
	serve_rows((const struct made_svc[]){ { .name = "web" } }, 1);
	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	a_look_ends(&none_more, pipes[0]);
	was = prior.buttons.fd[0];
	assert_true(was >= 0);
	assert_int_equal(due(), 0);
	for (unsigned i = 0; i < 12; i++) {
		loop_timer_set(&prior.loop, prior.n + TIMER_BUTTONS, 0);
		a_look_ends(NULL, -1);
		assert_int_equal(prior.buttons.fd[0], was);
		assert_true(due() - prior.loop.now.ms > pause || i > 8);
		pause = due() - prior.loop.now.ms;
		assert_true(pause <= 51200);
	}
	loop_timer_set(&prior.loop, prior.n + TIMER_BUTTONS, 0);
	a_look_ends(&none_more, -1);	/* one that has seen that there are none is believed */
	assert_int_equal(prior.buttons.fd[0], FD_NONE);
	assert_int_equal(prior.buttons.failed, 0);
	close(pipes[0]);
	close(pipes[1]);
}

static void devices_that_come_one_after_the_other_do_not_put_off_the_look(void **state)
{
	int pipes[2];
	int64_t first;

	(void)state;
	serve_rows((const struct made_svc[]){ { .name = "web" } }, 1);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	const struct inotify_event new = { .wd = 1, .mask = IN_CREATE };

	prior.buttons.inotify_fd = pipes[0];
	prior.buttons.in_input = 1;
	first = prior.loop.now.ms + 200;
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(write(pipes[1], &new, sizeof new), sizeof new);
		buttons_folder(&prior, 0, EPOLLIN);
		assert_int_equal(due(), first);
		prior.loop.now.ms += 100;
	}
	prior.buttons.inotify_fd = FD_NONE;
	prior.buttons.in_input = 0;
	loop_timer_set(&prior.loop, prior.n + TIMER_BUTTONS, 0);
	close(pipes[0]);
	close(pipes[1]);
}

static void who_has_more_buttons_than_are_heard_is_told_once(void **state)
{
	const uint8_t three_more = 3;

	(void)state;
	serve_rows((const struct made_svc[]){ { .name = "web" } }, 1);
	a_look_ends(&three_more, -1);
	UNTIL(heard("3 input devices with a power key are not listened to: 8 are, and no more"));
	assert_int_equal(prior.buttons.more, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_pressing_one_of_two_keys_is_a_wish),
		cmocka_unit_test(what_is_no_input_device_is_not_taken),
		cmocka_unit_test(the_configuration_says_what_it_does),
		cmocka_unit_test(of_more_than_there_is_room_for_the_lowest_numbers_are_taken_and_the_others_counted),
		cmocka_unit_test_teardown(a_look_that_was_killed_leaves_the_buttons_that_were_there_and_is_tried_again,
					  serve_stop),
		cmocka_unit_test_teardown(devices_that_come_one_after_the_other_do_not_put_off_the_look, serve_stop),
		cmocka_unit_test_teardown(who_has_more_buttons_than_are_heard_is_told_once, serve_stop),
	};

	return cmocka_run_group_tests_name("supervise_buttons", tests, NULL, NULL);
}
