/* Services as real processes: starts, ends, stops, readiness, and what is told about them. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm,--wrap=member_is */
#include "services/spec/spec.h"
#include "services/supervise/ending.h"
#include "services/supervise/fsm.h"
#include "services/supervise/notify.h"
#include "services/supervise/reap.h"
#include "tests/unit/served.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <cmocka.h>

/* The test itself speaks for its services. */
bool __wrap_member_is(struct prior *p, uint32_t i, pid_t pid, int pidfd);
bool __wrap_member_is(struct prior *p, uint32_t i, pid_t pid, int pidfd)
{
	(void)p, (void)i, (void)pid, (void)pidfd;
	return true;
}

#define ROWS(...) serve_rows((const struct made_svc[]){ __VA_ARGS__ }, \
	sizeof((struct made_svc[]){ __VA_ARGS__ }) / sizeof(struct made_svc))

static void a_simple_service_is_up_once_it_runs(void **state)
{
	(void)state;
	ROWS({ .name = "web" });
	UNTIL(is_in("web", SVC_UP));
	assert_true(named("web")->pid > 0);
	assert_true(named("web")->flags & SVC_F_RAN);
	assert_true(named("web")->ready_us > 0);
	assert_int_equal(named("web")->report_fd, FD_NONE);
	UNTIL(prior.ledger.head->settled);
}

static void a_failure_is_restarted_after_a_while(void **state)
{
	(void)state;
	ROWS({ "web", .sh = "exit 3", .restart = RESTART_ON_FAILURE, .backoff_ms = 10, .max_restarts = 3 });
	UNTIL(is_in("web", SVC_BACKOFF));
	assert_string_equal(named("web")->why, "exited with code 3");
	UNTIL(is_in("web", SVC_FAILED));
	assert_int_equal(named("web")->restarts, 3);
	assert_int_equal(named("web")->starts, 4);
	assert_non_null(strstr(named("web")->why, "exited with code 3; restarted 3 times within 1m"));
}

static void a_oneshot_that_succeeds_is_done(void **state)
{
	(void)state;
	ROWS({ "task", .sh = "exit 0", .type = TYPE_ONESHOT });
	UNTIL(is_in("task", SVC_DONE));
	assert_int_equal(named("task")->exit_kind, EXIT_CODE);
	assert_int_equal(named("task")->starts, 1);
}

static void a_service_does_not_inherit_that_prior_steps_back(void **state)
{
	(void)state;
	ROWS({ .name = "web" });
	UNTIL(is_in("web", SVC_UP));
	assert_int_equal(syscall(SYS_sched_getscheduler, named("web")->pid), SCHED_OTHER);
	UNTIL(prior.ledger.head->settled);
	assert_int_equal(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
}

static void a_program_that_is_not_there_is_not_tried_again(void **state)
{
	(void)state;
	ROWS({ "web", .exe = "/nonexistent", .restart = RESTART_ALWAYS });
	UNTIL(is_in("web", SVC_FAILED));
	assert_int_equal(named("web")->starts, 1);
	assert_int_equal(named("web")->exit_kind, EXIT_START_FAILED);
	assert_non_null(strstr(named("web")->why, "/nonexistent"));
}

static void a_stop_is_the_stop_signal(void **state)
{
	(void)state;
	ROWS({ .name = "web" });
	UNTIL(is_in("web", SVC_UP));
	svc_post(&prior, 0, EV_STOP);
	assert_true(is_in("web", SVC_STOPPING));
	UNTIL(is_in("web", SVC_DOWN));
	assert_int_equal(named("web")->exit_kind, EXIT_SIGNAL);
	assert_int_equal(named("web")->exit_status, SIGTERM);
	assert_int_equal(named("web")->pidfd, FD_NONE);
}

static void who_ignores_it_is_killed_after_the_timeout(void **state)
{
	(void)state;
	ROWS({ "web", .sh = "trap '' TERM; while :; do sleep 0.01; done", .stop_ms = 50 });
	UNTIL(is_in("web", SVC_UP));
	UNTIL(traps("web", SIGTERM));
	svc_post(&prior, 0, EV_STOP);
	UNTIL(is_in("web", SVC_DOWN));
	assert_int_equal(named("web")->exit_status, SIGKILL);
	assert_true(named("web")->flags & SVC_F_KILLED);
}

static void a_stop_in_the_middle_of_a_start_ends_it(void **state)
{
	(void)state;
	ROWS({ "web", .ready = READY_NOTIFY, .flags = CELL_NOTIFY });
	assert_true(is_in("web", SVC_STARTING));
	svc_post(&prior, 0, EV_STOP);
	UNTIL(is_in("web", SVC_DOWN));
	assert_int_equal(prior.live, 0);
}

static void who_is_not_ready_in_time_has_failed(void **state)
{
	(void)state;
	ROWS({ "web", .ready = READY_NOTIFY, .flags = CELL_NOTIFY, .start_ms = 50 });
	UNTIL(is_in("web", SVC_FAILED));
	assert_int_equal(named("web")->exit_kind, EXIT_TIMEOUT);
	assert_string_equal(named("web")->why, "not ready within 50ms");
}

static void tell(const char *bytes, size_t n, int fd_to_send)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char path[128];
	union {
		char at[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} c = { { 0 } };
	struct iovec v = { (void *)(uintptr_t)bytes, n };
	struct msghdr m = { .msg_name = &a, .msg_namelen = sizeof a, .msg_iov = &v, .msg_iovlen = 1 };
	owned_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int big = 4 << 20;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof big);
	strcpy(a.sun_path, notify_path(&prior, 0, path, sizeof path));
	if (fd_to_send >= 0) {
		m.msg_control = c.at;
		m.msg_controllen = sizeof c.at;
		c.head = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&c.head), &fd_to_send, sizeof(int));
	}
	(void)!sendmsg(fd, &m, 0);
}
#define TELL(text) tell(text, sizeof text - 1, -1)

static void ready_is_what_the_service_says(void **state)
{
	(void)state;
	ROWS({ "web", .ready = READY_NOTIFY, .flags = CELL_NOTIFY });
	UNTIL(named("web")->flags & SVC_F_RAN);
	assert_true(is_in("web", SVC_STARTING));
	TELL("STATUS=warming up\nREADY=1\n");
	UNTIL(is_in("web", SVC_UP));
	assert_string_equal(named("web")->status, "warming up");
}

static void its_socket_is_its_users_alone(void **state)
{
	struct stat st;
	char path[128];

	(void)state;
	ROWS({ "web", .ready = READY_NOTIFY, .flags = CELL_NOTIFY });
	assert_int_equal(lstat(notify_path(&prior, 0, path, sizeof path), &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_status_line_cannot_forge_another(void **state)
{
	static char line[3000] = "STATUS=";

	(void)state;
	ROWS({ "web", .ready = READY_NOTIFY, .flags = CELL_NOTIFY });
	UNTIL(named("web")->flags & SVC_F_RAN);
	TELL("STATUS=a\x1b[2Jb\tc\x7f");
	UNTIL(named("web")->status[0]);
	assert_string_equal(named("web")->status, "a?[2Jb?c?");
	memset(line + 7, 'x', sizeof line - 7);
	tell(line, sizeof line, -1);
	UNTIL(named("web")->status[0] == 'x');
	assert_int_equal(strlen(named("web")->status), sizeof named("web")->status - 1);
}

static void a_message_of_a_megabyte_changes_nothing(void **state)
{
	static char big[1 << 20];

	(void)state;
	ROWS({ "web", .ready = READY_NOTIFY, .flags = CELL_NOTIFY });
	UNTIL(named("web")->flags & SVC_F_RAN);
	memset(big, '\n', sizeof big);
	memcpy(big, "READY=1", 7);
	tell(big, sizeof big, -1);		/* not even sent where the kernel's bound is lower */
	tell(big, 5000, -1);
	TELL("STATUS=after");
	UNTIL(!strcmp(named("web")->status, "after"));
	assert_true(is_in("web", SVC_STARTING));
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void descriptors_that_come_along_are_closed(void **state)
{
	(void)state;
	ROWS({ "web", .ready = READY_NOTIFY, .flags = CELL_NOTIFY });
	UNTIL(named("web")->flags & SVC_F_RAN);
	served_turn();
	int before = open_fds();

	tell("BARRIER=1", 9, 0);
	tell("FDSTORE=1\nSTATUS=sent", 21, 0);
	UNTIL(!strcmp(named("web")->status, "sent"));
	assert_int_equal(open_fds(), before);
}

/* A TCP connection, full, whose peer reads nothing, lingering for an hour: who closes it last waits that long. */
static int lingering(int *peer)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	struct linger hour = { 1, 3600 };
	static char much[1 << 16];
	owned_fd at = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(at, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(at, 1), 0);
	assert_int_equal(getsockname(at, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, len), 0);
	*peer = accept4(at, NULL, NULL, SOCK_CLOEXEC);
	while (send(fd, much, sizeof much, MSG_DONTWAIT) > 0)
		;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hour, sizeof hour), 0);
	return fd;
}

/* The test hangs for an hour when this is not so. */
static void a_descriptor_that_lingers_holds_nobody_up(void **state)
{
	owned_fd peer = FD_NONE, last = FD_NONE;

	(void)state;
	ROWS({ "web", .ready = READY_NOTIFY, .flags = CELL_NOTIFY });
	UNTIL(named("web")->flags & SVC_F_RAN);
	int fd = lingering(&peer);

	tell("READY=1\nSTATUS=sent", 19, fd);
	fd_drop(&fd);
	UNTIL(!strcmp(named("web")->status, "sent") && is_in("web", SVC_UP));
	assert_true(prior.run[0].discard > 0);	/* it waits, and so does this socket; a new start ends that */
	svc_post(&prior, 0, EV_RESTART);
	UNTIL(prior.run[0].discard == 0 && named("web")->starts == 2 && named("web")->flags & SVC_F_RAN);
	TELL("STATUS=again");
	UNTIL(!strcmp(named("web")->status, "again"));
	/* What nobody has read when all is over. */
	last = lingering(&peer);
	tell("STATUS=last", 11, last);
	fd_drop(&last);
	int64_t began = mono_now().ms;

	notify_close_all(&prior);
	assert_true(mono_now().ms - began < 30000);
}

static unsigned events_now(void)
{
	char bytes[65536];
	ssize_t n;
	unsigned lines = 0;

	fcntl(prior.ledger.head->event_rd, F_SETFL, O_NONBLOCK);
	while ((n = read(prior.ledger.head->event_rd, bytes, sizeof bytes)) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += bytes[i] == '\n';
	return lines;
}

static void a_service_cannot_fill_the_log_of_events(void **state)
{
	(void)state;
	ROWS({ "web", .ready = READY_NOTIFY, .flags = CELL_NOTIFY });
	UNTIL(named("web")->flags & SVC_F_RAN);
	events_now();
	for (int i = 0; i < 100; i++) {
		TELL("WATCHDOG=1\nSTOPPING=1\nMAINPID=1\nWATCHDOG=1");
		served_turn();
	}
	TELL("STATUS=sent");
	UNTIL(!strcmp(named("web")->status, "sent"));
	assert_int_equal(events_now(), 2);
}

static void bytes_of_any_kind_are_taken_or_ignored(void **state)
{
	char bytes[64];

	(void)state;
	ROWS({ "web", .ready = READY_NOTIFY, .flags = CELL_NOTIFY });
	UNTIL(named("web")->flags & SVC_F_RAN);
	srandom(3);
	for (int round = 0; round < 20000; round++) {
		size_t n = (size_t)random() % sizeof bytes;

		for (size_t i = 0; i < n; i++)
			bytes[i] = "READYSTATUS=1\n\0\xff"[random() % 17];
		notify_take(&prior, 0, 0, bytes, n);
	}
	assert_true(ledger_svc_is_whole(named("web")));
}

static void the_end_of_a_critical_service_is_the_end(void **state)
{
	(void)state;
	ROWS({ .name = "other" }, { "web", .sh = "exit 7", .flags = CELL_CRITICAL });
	UNTIL(prior.finished);
	assert_int_equal(prior.ledger.head->exit_code, 7);
	assert_int_equal(prior.ledger.head->shutdown, SHUTDOWN_EXIT);
	assert_true(is_in("other", SVC_DOWN));
}

static void a_stop_of_a_critical_service_is_not(void **state)
{
	(void)state;
	ROWS({ "web", .flags = CELL_CRITICAL }, { .name = "x" });
	UNTIL(is_in("web", SVC_UP));
	svc_post(&prior, 0, EV_STOP);
	UNTIL(is_in("web", SVC_DOWN));
	assert_int_equal(prior.ledger.head->shutdown, SHUTDOWN_NONE);
}

static void when_nothing_is_left_it_is_the_end(void **state)
{
	(void)state;
	ROWS({ "once", .sh = "exit 0" }, { "web", .sh = "exit 7" });
	UNTIL(prior.finished);
	assert_int_equal(prior.ledger.head->exit_code, 7);
	assert_int_equal(prior.ledger.head->shutdown, SHUTDOWN_EXIT);
}

static void what_somebody_has_stopped_is_not_the_end(void **state)
{
	(void)state;
	ROWS({ .name = "web" });
	UNTIL(is_in("web", SVC_UP));
	{
		LEDGER_WRITE(named("web"));
		named("web")->flags |= SVC_F_STOPPED_BY_USER;
	}
	svc_post(&prior, 0, EV_STOP);
	UNTIL(is_in("web", SVC_DOWN));
	served_turn();
	assert_int_equal(prior.ledger.head->shutdown, SHUTDOWN_NONE);
}

static void a_failure_may_stop_all(void **state)
{
	(void)state;
	ROWS({ .name = "other" }, { "web", .sh = "exit 7", .on_failure = ON_FAILURE_STOP_ALL });
	UNTIL(prior.finished);
	assert_true(is_in("web", SVC_FAILED));
}

static void shutdown_stops_in_order_and_ends(void **state)
{
	(void)state;
	ROWS({ "app", .deps = { { "db", DEP_REQUIRES, COND_STARTED } } }, { .name = "db" });
	UNTIL(is_in("app", SVC_UP));
	int db = named("db")->pid;

	serve_shutdown(&prior, SHUTDOWN_EXIT);
	assert_int_equal(kill(db, 0), 0);
	assert_true(is_in("app", SVC_STOPPING));
	UNTIL(prior.finished);
	assert_int_equal(prior.live, 0);
	assert_int_equal(prior.ledger.head->exit_code, 0);
}

static void a_forced_shutdown_waits_for_nobody(void **state)
{
	(void)state;
	ROWS({ "web", .sh = "trap '' TERM; while :; do sleep 0.01; done" });
	UNTIL(is_in("web", SVC_UP));
	UNTIL(traps("web", SIGTERM));
	serve_shutdown(&prior, SHUTDOWN_EXIT);
	ending_force(&prior);
	UNTIL(prior.finished);
	assert_true(is_in("web", SVC_DOWN));
}

static void orphans_are_reaped_and_counted(void **state)
{
	(void)state;
	ROWS({ "web", .sh = "for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.05 &); done; exec sleep 1000" });
	UNTIL(prior.ledger.head->orphans >= 10);
	assert_true(is_in("web", SVC_UP));
}

static void an_exit_in_the_moment_of_the_start_is_seen(void **state)
{
	(void)state;
	ROWS({ "web", .sh = ":", .restart = RESTART_ALWAYS, .backoff_ms = 1, .max_restarts = 7 });
	UNTIL(is_in("web", SVC_FAILED));
	assert_int_equal(named("web")->starts, 8);
	assert_int_equal(prior.ledger.head->impossible, 0);
}

/* The table from pid to service, against a plain array. */
static void the_pid_table_agrees_with_a_plain_array(void **state)
{
	enum { PIDS = 1000, FIRST = 1 << 22 };
	static uint8_t plain[PIDS];

	(void)state;
	ROWS({ "web", .type = TYPE_ONESHOT, .sh = "exit 0" });
	UNTIL(is_in("web", SVC_DONE));
	memset(plain, 0, sizeof plain);
	srandom(5);
	for (int round = 0, used = 0; round < 20000; round++) {
		uint32_t k = (uint32_t)random() % PIDS;

		if (plain[k])
			reap_forget(&prior, FIRST + (int32_t)k);
		else if (used < 20)
			reap_add(&prior, FIRST + (int32_t)k, k, PID_REAPER);
		else
			continue;
		used += plain[k] ? -1 : 1;
		plain[k] = !plain[k];
	}
	unsigned here = 0, there = 0;

	for (int i = 0; i < PIDS; i++)
		here += plain[i];
	for (uint32_t i = 0; i <= prior.pid_mask; i++)
		if (prior.pids[i].pid >= FIRST) {
			there++;
			assert_int_equal(prior.pids[i].pid - FIRST, prior.pids[i].service);
			assert_true(plain[prior.pids[i].service]);
		}
	assert_int_equal(here, there);
}

#define TEST(f) cmocka_unit_test_teardown(f, serve_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_simple_service_is_up_once_it_runs),
		TEST(a_failure_is_restarted_after_a_while),
		TEST(a_oneshot_that_succeeds_is_done),
		TEST(a_service_does_not_inherit_that_prior_steps_back),
		TEST(a_program_that_is_not_there_is_not_tried_again),
		TEST(a_stop_is_the_stop_signal),
		TEST(who_ignores_it_is_killed_after_the_timeout),
		TEST(a_stop_in_the_middle_of_a_start_ends_it),
		TEST(who_is_not_ready_in_time_has_failed),
		TEST(ready_is_what_the_service_says),
		TEST(its_socket_is_its_users_alone),
		TEST(a_status_line_cannot_forge_another),
		TEST(a_message_of_a_megabyte_changes_nothing),
		TEST(descriptors_that_come_along_are_closed),
		TEST(a_descriptor_that_lingers_holds_nobody_up),
		TEST(a_service_cannot_fill_the_log_of_events),
		TEST(bytes_of_any_kind_are_taken_or_ignored),
		TEST(the_end_of_a_critical_service_is_the_end),
		TEST(a_stop_of_a_critical_service_is_not),
		TEST(when_nothing_is_left_it_is_the_end),
		TEST(what_somebody_has_stopped_is_not_the_end),
		TEST(a_failure_may_stop_all),
		TEST(shutdown_stops_in_order_and_ends),
		TEST(a_forced_shutdown_waits_for_nobody),
		TEST(orphans_are_reaped_and_counted),
		TEST(an_exit_in_the_moment_of_the_start_is_seen),
		TEST(the_pid_table_agrees_with_a_plain_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
