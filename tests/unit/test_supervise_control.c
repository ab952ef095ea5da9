/* The control socket, from both sides. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */
#include "services/spec/spec.h"
#include "services/supervise/control.h"
#include "services/supervise/fsm.h"
#include "tests/unit/served.h"
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <cmocka.h>

static int connect_here(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s/control.sock", run_dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static bool has_answer(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static struct ctl_reply answer_of(int fd)
{
	struct ctl_reply r = { 0 };

	UNTIL(has_answer(fd));
	assert_int_equal(recv(fd, &r, sizeof r, 0), sizeof r);
	assert_int_equal(r.version, CTL_VERSION);
	return r;
}

static void send_to(int fd, enum ctl_verb verb, const char *service, unsigned flags, int arg)
{
	struct ctl_request q = { .version = CTL_VERSION, .verb = verb, .flags = flags, .arg = arg };

	strncpy(q.service, service, sizeof q.service - 1);
	assert_int_equal(send(fd, &q, sizeof q, MSG_NOSIGNAL), sizeof q);
}

static struct ctl_reply ask(enum ctl_verb verb, const char *service, unsigned flags, int arg)
{
	owned_fd fd = connect_here();

	send_to(fd, verb, service, flags, arg);
	return answer_of(fd);
}

static const struct made_svc rows[] = {
	{ .name = "bad", .sh = "exit 4" },
	{ .name = "db" },
	{ .name = "web", .deps = { { "db", DEP_REQUIRES, COND_STARTED } } },
};

static int setup(void **state)
{
	(void)state;
	serve_rows(rows, 3);
	UNTIL(is_in("web", SVC_UP) && is_in("bad", SVC_FAILED));
	return 0;
}

static void a_stop_is_answered_when_it_is_done(void **state)
{
	(void)state;
	assert_int_equal(ask(CTL_STOP, "db", 0, 0).code, 0);
	assert_true(is_in("db", SVC_DOWN) && is_in("web", SVC_DOWN));
	assert_true(named("db")->flags & SVC_F_STOPPED_BY_USER);
	assert_true(named("web")->flags & SVC_F_STOPPED_WITH);
	assert_int_equal(ask(CTL_START, "web", 0, 0).code, 0);
	assert_false(named("web")->flags & SVC_F_STOPPED_WITH);
	assert_true(is_in("db", SVC_UP) && is_in("web", SVC_UP));
}

static void a_restart_gives_a_new_process(void **state)
{
	int before = named("db")->pid;

	(void)state;
	assert_int_equal(ask(CTL_RESTART, "db", 0, 0).code, 0);
	assert_true(is_in("db", SVC_UP));
	assert_int_not_equal(named("db")->pid, before);
}

static void without_waiting_the_answer_comes_at_once(void **state)
{
	(void)state;
	assert_int_equal(ask(CTL_STOP, "db", CTL_F_NO_WAIT, 0).code, 0);
	assert_true(is_in("db", SVC_STOPPING));
}

static void a_start_that_fails_says_why(void **state)
{
	struct ctl_reply r = ask(CTL_START, "bad", CTL_F_NO_WAIT, 0);

	(void)state;
	assert_int_equal(r.code, 0);
	UNTIL(is_in("bad", SVC_FAILED));
	owned_fd fd = connect_here();

	send_to(fd, CTL_RESTART, "bad", 0, 0);
	r = answer_of(fd);
	if (r.code)	/* it may have been up for a moment, as any simple service */
		assert_non_null(strstr(r.err.text, "bad is failed: exited with code 4"));
}

static void a_signal_reaches_the_main_process(void **state)
{
	(void)state;
	assert_int_equal(ask(CTL_SIGNAL, "web", 0, 9).code, 0);
	UNTIL(!is_in("web", SVC_UP));
	assert_int_equal(named("web")->exit_status, 9);
	struct ctl_reply r = ask(CTL_SIGNAL, "web", 0, 9);

	assert_int_equal(r.code, 1);
	assert_non_null(strstr(r.err.text, "no main process"));
	assert_int_equal(ask(CTL_SIGNAL, "db", 0, 99).code, 1);
}

static void an_unknown_service_is_code_4(void **state)
{
	(void)state;
	assert_int_equal(ask(CTL_START, "nobody", 0, 0).code, 4);
	assert_int_equal(ask(CTL_START, "", 0, 0).code, 4);
}

static void the_state_is_two_descriptors_open_for_reading(void **state)
{
	struct ctl_request q = { .verb = CTL_STATE };
	struct ctl_reply r;
	struct ledger l;
	struct plan p;
	struct err e;
	int fds[2], status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		bool good = ctl_ask(run_dir, &q, &r, fds, 2000, &e) == 0 && ledger_map(&l, fds[0], false, &e) == 0 &&
			    plan_map(&p, fds[1], &e) == 0 && l.head->nservices == 3 && plan_find(&p, "web") == 2 &&
			    write(fds[0], "x", 1) < 0;

		_exit(good ? 0 : 1);
	}
	UNTIL(prior.ledger.head->orphans);	/* our loop reaps it */
	assert_int_equal(waitpid(pid, &status, 0), -1);
	q.version = CTL_VERSION;
	owned_fd fd = connect_here();
	send_to(fd, CTL_STATE, "", 0, 0);
	union {
		char at[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} c;
	struct iovec v = { &r, sizeof r };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = c.at, .msg_controllen = sizeof c.at };

	UNTIL(has_answer(fd));
	assert_int_equal(recvmsg(fd, &m, MSG_CMSG_CLOEXEC), sizeof r);
	assert_int_equal(c.align.cmsg_len, CMSG_LEN(2 * sizeof(int)));
	memcpy(fds, CMSG_DATA(&c.align), sizeof fds);
	owned_fd ledger_fd = fds[0], plan_fd = fds[1];

	assert_int_equal(write(ledger_fd, "x", 1), -1);
	assert_int_equal(ledger_map(&l, ledger_fd, false, &e), 0);
	assert_int_equal(l.svc[2].pid, named("web")->pid);
	ledger_unmap(&l);
	(void)plan_fd;
}

static void a_packet_of_another_size_is_refused(void **state)
{
	owned_fd fd = connect_here();

	(void)state;
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	assert_int_equal(answer_of(fd).err.code, EPROTO);
	static char big[4096];

	assert_int_equal(send(fd, big, sizeof big, 0), sizeof big);
	assert_int_equal(answer_of(fd).err.code, EPROTO);
}

static void bytes_of_any_kind_are_answered(void **state)
{
	(void)state;
	srandom(11);
	for (int round = 0; round < 300; round++) {
		struct ctl_request q;
		owned_fd fd = connect_here();

		for (size_t i = 0; i < sizeof q; i++)
			((unsigned char *)&q)[i] = (unsigned char)random();
		q.version = round % 3 ? CTL_VERSION : q.version;
		q.verb = round % 2 ? (uint32_t)(random() % CTL_VERBS) : q.verb;
		if (q.verb >= CTL_POWEROFF && q.verb < CTL_VERBS)
			q.verb = CTL_SIGNAL;
		assert_int_equal(send(fd, &q, sizeof q, 0), sizeof q);
		assert_true(answer_of(fd).code >= 0);
	}
}

static void one_too_many_is_told_to_come_back(void **state)
{
	int fds[CTL_CLIENTS];
	struct ctl_reply r;

	(void)state;
	/* All wait for a service that never becomes ready; a silent one would make room. */
	{
		LEDGER_WRITE(named("bad"));
		named("bad")->state = SVC_STARTING;
	}
	for (int i = 0; i < CTL_CLIENTS; i++) {
		fds[i] = connect_here();
		send_to(fds[i], CTL_START, "bad", 0, 0);
		served_turn();
		served_turn();
	}
	owned_fd one_more = connect_here();

	r = answer_of(one_more);
	assert_int_equal(r.err.code, EAGAIN);
	fd_drop(&fds[7]);	/* one gives up: there is room again */
	served_turn();
	assert_int_equal(ask(CTL_STATE, "", 0, 0).code, 0);
	{
		LEDGER_WRITE(named("bad"));
		named("bad")->state = SVC_FAILED;
	}
	for (int i = 0; i < CTL_CLIENTS; i++)
		fd_drop(&fds[i]);
}

static void who_connects_and_says_nothing_makes_room(void **state)
{
	int fds[CTL_CLIENTS];

	(void)state;
	for (int i = 0; i < CTL_CLIENTS; i++) {
		fds[i] = connect_here();
		served_turn();
	}
	assert_int_equal(ask(CTL_STOP, "web", 0, 0).code, 0);
	for (int i = 0; i < CTL_CLIENTS; i++)
		fd_drop(&fds[i]);
}

static void settled_is_answered_when_all_are_where_they_should_be(void **state)
{
	(void)state;
	assert_int_equal(ask(CTL_SETTLED, "", 0, 0).code, 0);
}

static void in_a_container_poweroff_is_stop_all(void **state)
{
	(void)state;
	assert_int_equal(ask(CTL_POWEROFF, "", 0, 0).code, 0);
	assert_int_equal(prior.ledger.head->shutdown, SHUTDOWN_EXIT);
	struct ctl_reply r = ask(CTL_START, "web", 0, 0);

	assert_int_equal(r.err.code, ESHUTDOWN);
}

static void what_is_to_end_later_can_be_cancelled(void **state)
{
	(void)state;
	ask(CTL_POWEROFF, "", 0, 300);
	assert_int_equal(prior.ledger.head->shutdown, SHUTDOWN_NONE);
	assert_int_equal(prior.ledger.head->planned, SHUTDOWN_EXIT);
	assert_int_equal(ask(CTL_CANCEL, "", 0, 0).code, 0);
	assert_int_equal(prior.ledger.head->planned, SHUTDOWN_NONE);
	struct ctl_reply r = ask(CTL_CANCEL, "", 0, 0);

	assert_int_equal(r.code, 1);
	assert_string_equal(r.err.text, "nothing was planned");
	ask(CTL_POWEROFF, "", 0, 1);
	UNTIL(prior.finished);
}

static void an_end_in_the_past_is_refused(void **state)
{
	(void)state;
	struct ctl_reply r = ask(CTL_REBOOT, "", 0, -1);

	assert_int_equal(r.err.code, EINVAL);
	assert_int_equal(prior.ledger.head->shutdown, SHUTDOWN_NONE);
}

static void where_no_prior_runs_the_client_says_what_to_do(void **state)
{
	struct ctl_request q = { .verb = CTL_STATE };
	struct ctl_reply r;
	struct err e;

	(void)state;
	assert_int_equal(ctl_ask("/tmp/nothing-here", &q, &r, NULL, 100, &e), -ENOENT);
	assert_non_null(strstr(e.text, "no prior runs at /tmp/nothing-here"));
}

static void a_second_prior_is_refused_the_same_place(void **state)
{
	static struct prior other;
	struct err e;
	struct serve_setup s = { .mode = MODE_UP, .plan_fd = made_plan(rows, 3), .exe_fd = FD_NONE,
				 .cgroup_fd = FD_NONE, .console_fd = FD_NONE, .run_dir = run_dir,
				 .ctl_gid = UINT32_MAX };

	(void)state;
	assert_int_equal(serve_begin(&other, &s, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, "another prior answers there"));
	fd_drop(&s.plan_fd);
	fd_drop(&other.ledger.head->logger_fd);
	fd_drop(&other.ledger.head->event_rd);
	fd_drop(&other.ledger.head->event_wr);
	fd_drop(&other.ledger.head->ledger_ro_fd);
	fd_drop(&other.ledger.fd);
	fd_drop(&other.signal_fd);
	prior_free(&other);
	ledger_unmap(&other.ledger);
	plan_unmap(&other.plan);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, serve_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stop_is_answered_when_it_is_done),
		TEST(a_restart_gives_a_new_process),
		TEST(without_waiting_the_answer_comes_at_once),
		TEST(a_start_that_fails_says_why),
		TEST(a_signal_reaches_the_main_process),
		TEST(an_unknown_service_is_code_4),
		TEST(the_state_is_two_descriptors_open_for_reading),
		TEST(a_packet_of_another_size_is_refused),
		TEST(bytes_of_any_kind_are_answered),
		TEST(one_too_many_is_told_to_come_back),
		TEST(who_connects_and_says_nothing_makes_room),
		TEST(settled_is_answered_when_all_are_where_they_should_be),
		TEST(in_a_container_poweroff_is_stop_all),
		TEST(what_is_to_end_later_can_be_cancelled),
		TEST(an_end_in_the_past_is_refused),
		TEST(where_no_prior_runs_the_client_says_what_to_do),
		TEST(a_second_prior_is_refused_the_same_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
