/* What services say: watchdog, reload, stored descriptors, more time, another main process; and who may say it. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm,--wrap=member_is */
#include "services/spec/spec.h"
#include "services/supervise/care.h"
#include "services/supervise/fdstore.h"
#include "services/supervise/fsm.h"
#include "services/supervise/main_pid.h"
#include "services/supervise/member.h"
#include "services/supervise/notify.h"
#include "tests/unit/served.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <cmocka.h>

#define ROWS(...) serve_rows((const struct made_svc[]){ __VA_ARGS__ }, \
	sizeof((struct made_svc[]){ __VA_ARGS__ }) / sizeof(struct made_svc))

static bool anybody_may;	/* the test itself speaks for the service */

bool __real_member_is(struct prior *p, uint32_t i, pid_t pid, int pidfd);
bool __wrap_member_is(struct prior *p, uint32_t i, pid_t pid, int pidfd);
bool __wrap_member_is(struct prior *p, uint32_t i, pid_t pid, int pidfd)
{
	return anybody_may || __real_member_is(p, i, pid, pidfd);
}

static int setup(void **state)
{
	(void)state;
	anybody_may = true;
	return 0;
}

static void tell(const char *text, const int *fds, unsigned n)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char path[128];
	union {
		char at[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr head;
	} c = { { 0 } };
	struct iovec v = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr m = { .msg_name = &a, .msg_namelen = sizeof a, .msg_iov = &v, .msg_iovlen = 1 };
	owned_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, notify_path(&prior, 0, path, sizeof path));
	if (n) {
		m.msg_control = c.at;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c.head = (struct cmsghdr){ CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&c.head), fds, n * sizeof(int));
	}
	assert_true(sendmsg(fd, &m, 0) >= 0);
}

#define TALKS .ready = READY_NOTIFY, .flags = CELL_NOTIFY

static void until_up(void)
{
	UNTIL(named("web")->flags & SVC_F_RAN);
	tell("READY=1", NULL, 0);
	UNTIL(is_in("web", SVC_UP));
}

static void a_service_that_hangs_is_killed_and_said_to_have(void **state)
{
	(void)state;
	ROWS({ "web", TALKS, .care = { .watchdog_ms = 60 } });
	int64_t began = mono_now().ms;	/* not later: the test may be kept waiting between two lines */

	until_up();
	UNTIL(is_in("web", SVC_FAILED));
	assert_true(mono_now().ms - began >= 55);
	assert_int_equal(named("web")->exit_kind, EXIT_WATCHDOG);
	assert_string_equal(named("web")->why, "no WATCHDOG=1 within 60ms");
}

static void a_service_that_pings_lives_on(void **state)
{
	(void)state;
	ROWS({ "web", TALKS, .care = { .watchdog_ms = 600 } });
	until_up();
	for (int64_t end = mono_now().ms + 900; mono_now().ms < end;) {
		tell("WATCHDOG=1", NULL, 0);
		served_turn();
	}
	assert_true(is_in("web", SVC_UP));
}

static void the_time_of_the_watchdog_can_be_changed_and_its_end_called_for(void **state)
{
	(void)state;
	ROWS({ "web", TALKS, .care = { .watchdog_ms = 600 } });
	until_up();
	tell("WATCHDOG_USEC=60000000", NULL, 0);
	for (int64_t end = mono_now().ms + 900; mono_now().ms < end;)
		served_turn();
	assert_true(is_in("web", SVC_UP));
	tell("WATCHDOG=trigger", NULL, 0);
	UNTIL(is_in("web", SVC_FAILED));
	assert_int_equal(named("web")->exit_kind, EXIT_WATCHDOG);
}

static void more_time_to_start_is_given_as_long_as_it_is_asked_for(void **state)
{
	(void)state;
	ROWS({ "web", TALKS, .start_ms = 600 });
	UNTIL(named("web")->flags & SVC_F_RAN);
	tell("EXTEND_TIMEOUT_USEC=1500000", NULL, 0);
	for (int64_t end = mono_now().ms + 700; mono_now().ms < end;)
		served_turn();
	assert_true(is_in("web", SVC_STARTING));
	UNTIL(is_in("web", SVC_FAILED));
	assert_int_equal(named("web")->exit_kind, EXIT_TIMEOUT);
}

static void descriptors_are_kept_over_a_restart_and_handed_back_by_name(void **state)
{
	char command[160];
	int pair[2], file = memfd_create("kept", MFD_CLOEXEC);

	(void)state;
	snprintf(command, sizeof command, "echo $LISTEN_FDS:$LISTEN_FDNAMES >/tmp/prior-test-%d/said; exec sleep 1000",
		 (int)getpid());
	ROWS({ "web", .sh = command, TALKS, .care = { .fd_store_max = 2 } });
	until_up();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	tell("FDSTORE=1\nFDNAME=conn", &pair[0], 1);
	fd_drop(&pair[0]);
	UNTIL(prior.ledger.stored[0].fd >= 0 && prior.run[0].notify_src);
	tell("FDSTORE=1\nFDNAME=memory", &file, 1);
	UNTIL(prior.ledger.stored[1].fd >= 0 && prior.run[0].notify_src);
	tell("FDSTORE=1", &file, 1);	/* no room */
	svc_post(&prior, 0, EV_RESTART);
	UNTIL(named("web")->starts == 2 && named("web")->flags & SVC_F_RAN);
	snprintf(command, sizeof command, "%s/said", run_dir);
	UNTIL(!strcmp(read_file(command), "2:conn:memory\n"));
	/* Its other end goes: it is of no use any more. */
	fd_drop(&pair[1]);
	UNTIL(prior.ledger.stored[0].fd < 0);
	tell("FDSTOREREMOVE=1\nFDNAME=memory", NULL, 0);
	UNTIL(prior.ledger.stored[1].fd < 0);
	fd_drop(&file);
}

static void a_stop_empties_the_store(void **state)
{
	int file = memfd_create("kept", MFD_CLOEXEC);

	(void)state;
	ROWS({ "web", TALKS, .care = { .fd_store_max = 1 } });
	until_up();
	tell("FDSTORE=1", &file, 1);
	UNTIL(prior.ledger.stored[0].fd >= 0);
	assert_string_equal(prior.ledger.stored[0].name, "stored");
	svc_post(&prior, 0, EV_STOP);
	UNTIL(is_in("web", SVC_DOWN));
	assert_int_equal(prior.ledger.stored[0].fd, FD_NONE);
	fd_drop(&file);
}

static void what_cannot_be_closed_at_once_is_not_stored(void **state)
{
	int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC), null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_false(store_takes(file));
	assert_false(store_takes(null));
	fd_drop(&file);
	fd_drop(&null);
	assert_true(store_name_is_fine("a.b-c", 5));
	assert_false(store_name_is_fine("a:b", 3));
	assert_false(store_name_is_fine("", 0));
}

static void a_reload_is_over_when_the_service_says_so(void **state)
{
	struct timespec now;
	char text[80];
	struct err e;

	(void)state;
	ROWS({ "web", .sh = "trap : HUP; while :; do sleep 0.01; done", .ready = READY_NOTIFY_RELOAD,
	       .flags = CELL_NOTIFY, .care = { .watchdog_ms = 60000 } });
	until_up();
	UNTIL(traps("web", SIGHUP));
	assert_int_equal(care_reload(&prior, 0, &e), 0);
	assert_true(named("web")->flags & SVC_F_RELOAD_ASKED);
	tell("READY=1", NULL, 0);		/* of nothing yet */
	tell("RELOADING=1\nMONOTONIC_USEC=1", NULL, 0);	/* one that was before it */
	tell("STATUS=a", NULL, 0);
	UNTIL(!strcmp(named("web")->status, "a"));
	assert_false(named("web")->flags & SVC_F_RELOADING);
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld%06ld", (long long)now.tv_sec, now.tv_nsec / 1000);
	tell(text, NULL, 0);
	UNTIL(named("web")->flags & SVC_F_RELOADING);
	tell("READY=1", NULL, 0);
	UNTIL(!(named("web")->flags & (SVC_F_RELOADING | SVC_F_RELOAD_ASKED)));
	assert_true(is_in("web", SVC_UP));
}

static void a_newline_on_the_pipe_is_readiness(void **state)
{
	(void)state;
	ROWS({ "fixed", .sh = "echo >&7; exec sleep 1000", .ready = READY_FD, .care = { .ready_fd = 7 } },
	     { "told", .sh = "echo warm >&$NOTIFY_FD; exec sleep 1000", .ready = READY_FD,
	       .care = { .watchdog_ms = 60000 } },
	     { "wrong", .sh = "printf x >&$NOTIFY_FD; exec sleep 1000", .ready = READY_FD,
	       .care = { .watchdog_ms = 60000 }, .start_ms = 2000 });
	UNTIL(is_in("fixed", SVC_UP) && is_in("told", SVC_UP));
	UNTIL(is_in("wrong", SVC_FAILED));
	assert_string_equal(named("wrong")->why, "not ready within 2s");
}

static void another_service_may_be_started_by_a_failure(void **state)
{
	(void)state;
	ROWS({ "rescue", .flags = CELL_ON_CALL },
	     { "web", .sh = "exit 1", .on_failure = ON_FAILURE_START, .on_failure_start = "rescue" });
	assert_true(is_in("rescue", SVC_DOWN));
	UNTIL(is_in("web", SVC_FAILED));
	UNTIL(is_in("rescue", SVC_UP));
}

static void only_its_own_processes_are_heard(void **state)
{
	owned_fd stranger = FD_NONE;

	(void)state;
	anybody_may = false;
	ROWS({ "web", .sh = "sleep 1000 & exec sleep 1000", TALKS }, { .name = "zed" });
	UNTIL(named("web")->flags & SVC_F_RAN && is_in("zed", SVC_UP));
	tell("READY=1\nSTATUS=forged", NULL, 0);	/* from the test */
	UNTIL(prior.run[0].said & SAID_STRANGER);
	assert_true(is_in("web", SVC_STARTING));
	assert_string_equal(named("web")->status, "");
	assert_true(member_is(&prior, 0, named("web")->pid, FD_NONE));
	assert_false(member_is(&prior, 0, named("zed")->pid, FD_NONE));
	assert_false(member_is(&prior, 0, getpid(), FD_NONE));
	assert_false(member_is(&prior, 0, 0, FD_NONE));
	assert_int_equal(main_pid_take(&prior, 0, named("zed")->pid, &(struct err){ 0 }), -ESRCH);
}

static void a_child_may_become_the_main_process(void **state)
{
	char pid[64];
	pid_t child = 0;

	(void)state;
	snprintf(pid, sizeof pid, "/tmp/prior-test-%d/child", (int)getpid());
	char command[200];

	snprintf(command, sizeof command, "sleep 1000 & echo $! >%s; wait", pid);
	ROWS({ "web", .sh = command, TALKS });
	until_up();
	UNTIL((child = atoi(read_file(pid))) > 0);
	char text[32];

	snprintf(text, sizeof text, "MAINPID=%d", (int)child);
	tell(text, NULL, 0);
	UNTIL(named("web")->pid == child);
	assert_true(named("web")->flags & SVC_F_FOREIGN);
	kill(child, SIGKILL);
	UNTIL(!is_in("web", SVC_UP));
	UNTIL(is_in("web", SVC_FAILED));
}

static void every_byte_is_taken_or_ignored(void **state)
{
	static const char *const words[] = { "READY=", "RELOADING=", "WATCHDOG=", "WATCHDOG_USEC=", "MAINPID=",
		"ERRNO=", "EXTEND_TIMEOUT_USEC=", "FDSTORE=", "FDSTOREREMOVE=", "FDNAME=", "MONOTONIC_USEC=",
		"STATUS=", "\n", "1",
		"0", "9999999999999999999", "-1", "trigger", "=", "\n", "\1", "STOPPING=", "BARRIER=" };

	(void)state;
	ROWS({ "web", .ready = READY_FD, .flags = CELL_NOTIFY,
	       .care = { .watchdog_ms = 60000, .fd_store_max = 1 } });
	UNTIL(named("web")->flags & SVC_F_RAN);
	srandom(7);
	for (int round = 0; round < 20000; round++) {
		char bytes[256] = "";

		for (int k = 0; k < 8; k++)
			strcat(bytes, words[(size_t)random() % (sizeof words / sizeof *words)]);
		notify_take(&prior, 0, 0, bytes, strlen(bytes));
	}
	assert_true(ledger_svc_is_whole(named("web")));
}

static void only_the_main_process_is_heard_unless_all_are(void **state)
{
	(void)state;
	ROWS({ "web", .ready = READY_NOTIFY, .flags = CELL_NOTIFY | CELL_NOTIFY_MAIN, .start_ms = 200 });
	UNTIL(named("web")->flags & SVC_F_RAN);
	tell("READY=1", NULL, 0);	/* we are of it, but not it */
	UNTIL(prior.run[0].said & SAID_STRANGER);
	UNTIL(is_in("web", SVC_FAILED));
	assert_int_equal(named("web")->exit_kind, EXIT_TIMEOUT);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, serve_stop)
	const struct CMUnitTest tests[] = {
		T(a_service_that_hangs_is_killed_and_said_to_have), T(a_service_that_pings_lives_on),
		T(the_time_of_the_watchdog_can_be_changed_and_its_end_called_for),
		T(more_time_to_start_is_given_as_long_as_it_is_asked_for),
		T(descriptors_are_kept_over_a_restart_and_handed_back_by_name), T(a_stop_empties_the_store),
		cmocka_unit_test(what_cannot_be_closed_at_once_is_not_stored),
		T(a_reload_is_over_when_the_service_says_so),
		T(a_newline_on_the_pipe_is_readiness), T(another_service_may_be_started_by_a_failure),
		T(only_its_own_processes_are_heard), T(a_child_may_become_the_main_process),
		T(only_the_main_process_is_heard_unless_all_are), T(every_byte_is_taken_or_ignored),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
