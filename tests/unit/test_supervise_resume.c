/* Coming back from the ledger, with the processes of before: what was, goes on. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */
#include "init/panic.h"
#include "init/reexec.h"
#include "services/spec/spec.h"
#include "services/supervise/control.h"
#include "services/supervise/fsm.h"
#include "tests/unit/served.h"
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>

#define ROWS(...) serve_rows((const struct made_svc[]){ __VA_ARGS__ }, \
	sizeof((struct made_svc[]){ __VA_ARGS__ }) / sizeof(struct made_svc))

static void what_runs_goes_on(void **state)
{
	(void)state;
	ROWS({ .name = "db" }, { .name = "web", .deps = { { "db", DEP_REQUIRES, COND_STARTED } } });
	UNTIL(is_in("web", SVC_UP));
	int db = named("db")->pid, web = named("web")->pid;

	come_back(SIGSEGV);
	assert_int_equal(prior.ledger.head->generation, 2);
	assert_int_equal(prior.ledger.head->crashes, 1);
	assert_int_equal(prior.ledger.head->last_fault, SIGSEGV);
	served_turn();
	assert_int_equal(named("db")->pid, db);
	assert_int_equal(named("web")->pid, web);
	assert_int_equal(prior.live, 2);
	kill(web, SIGKILL);
	UNTIL(is_in("web", SVC_FAILED));	/* restart: no */
	svc_post(&prior, 0, EV_STOP);
	UNTIL(is_in("db", SVC_DOWN));
	assert_int_equal(prior.ledger.head->impossible, 0);
}

static void an_end_while_we_were_away_is_seen(void **state)
{
	(void)state;
	ROWS({ .name = "web", .sh = "sleep 0.05; exit 9" });
	UNTIL(is_in("web", SVC_UP));
	poll(NULL, 0, 100);
	come_back(0);
	UNTIL(is_in("web", SVC_FAILED));
	assert_int_equal(named("web")->exit_status, 9);
	assert_int_equal(prior.ledger.head->crashes, 0);
}

static void a_backoff_ends_when_it_should(void **state)
{
	(void)state;
	ROWS({ .name = "web", .sh = "exit 9", .restart = RESTART_ON_FAILURE, .backoff_ms = 100, .max_restarts = 1 });
	UNTIL(is_in("web", SVC_BACKOFF));
	int64_t at = named("web")->deadline_ms;

	come_back(0);
	assert_int_equal(named("web")->deadline_ms, at);
	UNTIL(is_in("web", SVC_FAILED));
	assert_true(mono_now().ms >= at);
}

static void a_stop_on_its_way_goes_on(void **state)
{
	(void)state;
	ROWS({ .name = "web", .sh = "trap '' TERM; while :; do sleep 0.01; done", .stop_ms = 100 });
	UNTIL(is_in("web", SVC_UP));
	UNTIL(traps("web", SIGTERM));
	svc_post(&prior, 0, EV_STOP);
	come_back(SIGBUS);
	assert_true(is_in("web", SVC_STOPPING));
	UNTIL(is_in("web", SVC_DOWN));
	assert_int_equal(named("web")->exit_status, SIGKILL);
}

static void a_lazy_service_still_listens(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)state;
	snprintf(a.sun_path, sizeof a.sun_path, "/tmp/prior-lazy-%d", (int)getpid());
	ROWS({ .name = "web", .listen = { { a.sun_path, 1 } } });
	UNTIL(prior.ledger.head->settled);
	come_back(SIGSEGV);
	assert_true(is_in("web", SVC_LISTENING));
	owned_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	UNTIL(is_in("web", SVC_UP));
}

static void a_start_on_its_way_goes_on(void **state)
{
	(void)state;
	ROWS({ .name = "web", .ready = READY_NOTIFY, .flags = CELL_NOTIFY });
	assert_true(is_in("web", SVC_STARTING));	/* its report has not been read */
	come_back(SIGSEGV);
	UNTIL(named("web")->flags & SVC_F_RAN);
	assert_true(is_in("web", SVC_STARTING));
	assert_true(prior.run[0].notify_src > 0);
	svc_post(&prior, 0, EV_READY);
	assert_true(is_in("web", SVC_UP));
}

static void who_waits_for_an_answer_gets_it(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct ctl_request q = { .version = CTL_VERSION, .verb = CTL_STOP, .service = "web" };
	struct ctl_reply r;
	owned_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)state;
	ROWS({ .name = "web", .sh = "trap 'sleep 0.1; exit 0' TERM; while :; do sleep 0.01; done" });
	UNTIL(is_in("web", SVC_UP) && traps("web", SIGTERM));
	snprintf(a.sun_path, sizeof a.sun_path, "%s/control.sock", run_dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(send(fd, &q, sizeof q, 0), sizeof q);
	UNTIL(is_in("web", SVC_STOPPING));
	come_back(SIGSEGV);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	UNTIL(poll(&p, 1, 0) == 1);
	assert_int_equal(recv(fd, &r, sizeof r, 0), sizeof r);
	assert_int_equal(r.code, 0);
	assert_true(is_in("web", SVC_DOWN));
}

static void a_torn_record_is_mended_from_the_kernel(void **state)
{
	(void)state;
	ROWS({ .name = "db" }, { .name = "web" });
	UNTIL(is_in("web", SVC_UP));
	int pid = named("web")->pid;

	ledger_open_svc(named("web"));		/* the fault came here */
	memset(named("web")->why, 'x', sizeof named("web")->why);
	named("web")->notify_fd = 999;
	come_back(SIGSEGV);
	assert_true(ledger_svc_is_whole(named("web")));
	assert_int_equal(named("web")->pid, pid);
	assert_int_equal(named("web")->notify_fd, FD_NONE);
	assert_int_equal(named("web")->why[sizeof named("web")->why - 1], 0);
	served_turn();
	assert_true(is_in("web", SVC_UP));
	/* Between the change of state and the clone: there is no process, so the start has failed and policy decides.
	 * */
	svc_post(&prior, 1, EV_STOP);
	UNTIL(is_in("web", SVC_DOWN));
	{
		LEDGER_WRITE(named("web"));
		named("web")->state = SVC_STARTING;
		named("web")->flags |= SVC_F_WANTED;
	}
	come_back(SIGSEGV);
	UNTIL(is_in("web", SVC_FAILED));
}

/* Whatever single byte of a record a fault left wrong: we come back and turn. */
static void any_byte_of_a_record_may_be_wrong(void **state)
{
	(void)state;
	ROWS({ .name = "db" }, { .name = "web", .deps = { { "db", DEP_REQUIRES, COND_STARTED } } });
	UNTIL(is_in("web", SVC_UP));
	struct ledger_svc good = *named("web");
	unsigned char *at = (unsigned char *)named("web") + offsetof(struct ledger_svc, flags);

	for (size_t i = 0; i < offsetof(struct ledger_svc, hash) - offsetof(struct ledger_svc, flags); i += 3) {
		at = (unsigned char *)named("web") + offsetof(struct ledger_svc, flags);
		if (at + i >= (unsigned char *)&named("web")->pid &&
		    at + i < (unsigned char *)&named("web")->first_listen)
			continue;	/* a pid or descriptor that is another's cannot be told apart */
		at[i] ^= 0x41;
		come_back(SIGSEGV);
		memset(prior.ledger.head->fault_ms, 0, sizeof prior.ledger.head->fault_ms);
		served_turn();
		assert_true(ledger_svc_is_whole(named("web")));
		if (named("web")->pid != good.pid)
			break;		/* it was stopped or replaced: enough was shown */
		ledger_open_svc(named("web"));
		uint32_t seq = named("web")->seq;

		*named("web") = good;
		named("web")->seq = seq;
		ledger_seal_svc(named("web"));
		come_back(0);
	}
}

static void more_faults_than_five_in_a_minute_are_the_end(void **state)
{
	(void)state;
	ROWS({ .name = "web" });
	for (int i = 0; i < FAULTS_MAX; i++)
		assert_true(panic_survived(&prior.ledger, SIGSEGV));
	assert_false(panic_survived(&prior.ledger, SIGSEGV));
	for (int i = 0; i < FAULTS_MAX; i++)
		prior.ledger.head->fault_ms[i] -= FAULT_WINDOW_MS;
	assert_true(panic_survived(&prior.ledger, SIGSEGV));
}

static void a_ledger_of_another_plan_is_refused(void **state)
{
	static struct prior other;
	struct err e;

	(void)state;
	ROWS({ .name = "web" });
	prior.ledger.head->nservices = 2;
	prior.ledger.head->size = (uint32_t)ledger_size(&(struct ledger_counts){ .services = 2 });
	assert_int_equal(serve_resume(&other, prior.ledger.fd, 0, &e), -EBADMSG);
	prior.ledger.head->nservices = 1;
	prior.ledger.head->size = (uint32_t)ledger_size(&(struct ledger_counts){ .services = 1 });
	assert_int_equal(serve_resume(&other, prior.ledger.head->plan_fd, 0, &e), -EBADMSG);
}

static void the_command_lines_are_told_apart(void **state)
{
	char *fault[] = { "prior", "--resume-after-fault=11", "--ledger=7", NULL };
	char *check[] = { "prior", "--resume-check", "--ledger=8", NULL };
	char *bad[] = { "prior", "--resume", "--ledger=x", NULL };
	struct resume r;
	struct err e;

	(void)state;
	assert_true(reexec_is_resume("--resume") && reexec_is_resume(fault[1]) && reexec_is_resume(check[1]));
	assert_false(reexec_is_resume("--resumes") || reexec_is_resume("run"));
	assert_int_equal(reexec_parse(&r, 3, fault, &e), 0);
	assert_true(r.fault == 11 && r.ledger_fd == 7 && !r.check);
	assert_int_equal(reexec_parse(&r, 3, check, &e), 0);
	assert_true(r.fault == 0 && r.ledger_fd == 8 && r.check);
	assert_int_equal(reexec_parse(&r, 3, bad, &e), -EINVAL);
	assert_int_equal(reexec_parse(&r, 2, fault, &e), -EINVAL);
}

#define TEST(f) cmocka_unit_test_teardown(f, serve_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_runs_goes_on),
		TEST(an_end_while_we_were_away_is_seen),
		TEST(a_backoff_ends_when_it_should),
		TEST(a_stop_on_its_way_goes_on),
		TEST(a_lazy_service_still_listens),
		TEST(a_start_on_its_way_goes_on),
		TEST(who_waits_for_an_answer_gets_it),
		TEST(a_torn_record_is_mended_from_the_kernel),
		TEST(any_byte_of_a_record_may_be_wrong),
		TEST(more_faults_than_five_in_a_minute_are_the_end),
		TEST(a_ledger_of_another_plan_is_refused),
		cmocka_unit_test(the_command_lines_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
