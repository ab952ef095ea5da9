/* Another configuration while services run: only what differs is touched, and a fault in the middle is followed on. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */
/* link: -Wl,--wrap=compiler_start,--wrap=compiler_answer */
#include "services/plan/compile.h"
#include "services/spec/spec.h"
#include "services/supervise/control.h"
#include "services/supervise/ending.h"
#include "services/supervise/fsm.h"
#include "services/supervise/reload.h"
#include "tests/unit/served.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <cmocka.h>

#define COUNT(...) (sizeof((struct made_svc[]){ __VA_ARGS__ }) / sizeof(struct made_svc))
#define ROWS(...) serve_rows((const struct made_svc[]){ __VA_ARGS__ }, COUNT(__VA_ARGS__))
#define NEXT(...) next_is((const struct made_svc[]){ __VA_ARGS__ }, COUNT(__VA_ARGS__))
#define SLOW "trap 'sleep 0.2; exit 0' TERM; while :; do sleep 0.01; done"

/* The compiler is a child that answers at once with what the test has prepared. */
static int answer_fd = FD_NONE;		/* the plan */
static struct compiler_report report;
static const char *complaint;
static bool dies;

int __wrap_compiler_start(struct compiler_child *child, int exe_fd, const char *path, bool container,
			  const char *const *instances, int problems_fd, struct err *e);
int __wrap_compiler_answer(int sock, int *plan_fd, struct compiler_report *r, struct err *e);

static char wanted[256];		/* the instances that the compiler was asked for, with blanks between */

int __wrap_compiler_start(struct compiler_child *child, int exe_fd, const char *path, bool container,
			  const char *const *instances, int problems_fd, struct err *e)
{
	int pair[2];

	(void)exe_fd, (void)e;
	assert_int_equal(container, prior.ledger.head->mode != MODE_MACHINE);	/* whatever the plan was made for */
	wanted[0] = '\0';
	for (unsigned i = 0; instances[i]; i++)
		snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "%s%s", i ? " " : "", instances[i]);
	assert_string_equal(path, "/the/configuration");
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	if (complaint)
		assert_true(write(problems_fd, complaint, strlen(complaint)) > 0);
	child->pid = fork();
	if (child->pid == 0) {
		if (dies)
			raise(SIGKILL);
		_exit(send(pair[1], "", 1, 0) != 1);
	}
	fd_drop(&pair[1]);
	child->socket = pair[0];
	return 0;
}

int __wrap_compiler_answer(int sock, int *plan_fd, struct compiler_report *r, struct err *e)
{
	char byte;

	(void)e;
	if (recv(sock, &byte, 1, MSG_DONTWAIT) != 1)
		return -EPIPE;
	*r = report;
	if (r->err.code)
		return err_set(e, r->err.code, "%s", r->err.text);
	*plan_fd = fd_take(&answer_fd);
	return 1;
}

static void next_is(const struct made_svc *rows, unsigned n)
{
	struct err e;

	fd_drop(&answer_fd);
	answer_fd = made_plan(rows, n);
	if (reload_begin(&prior, -1, false, &e) < 0)
		fail_msg("%s", e.text);
}

static int begin(void **state)
{
	(void)state;
	report = (struct compiler_report){ 0 };
	complaint = NULL;
	dies = false;
	return 0;
}

static void configured(void)
{
	snprintf(prior.ledger.head->config, sizeof prior.ledger.head->config, "/the/configuration");
}

static void only_what_differs_is_touched(void **state)
{
	(void)state;
	ROWS({ .name = "gone" }, { .name = "other" }, { .name = "same" });
	configured();
	UNTIL(prior.ledger.head->settled);
	int same = named("same")->pid, other = named("other")->pid, gone = named("gone")->pid;

	NEXT({ .name = "fresh" }, { .name = "other", .sh = "exec sleep 999" }, { .name = "same" });
	UNTIL(prior.ledger.head->reloads == 1 && prior.ledger.head->settled);
	assert_int_equal(named("same")->pid, same);
	assert_true(is_in("fresh", SVC_UP) && is_in("other", SVC_UP));
	assert_int_not_equal(named("other")->pid, other);
	assert_int_equal(plan_find(&prior.plan, "gone"), -1);
	assert_int_equal(kill(gone, 0), -1);
	assert_int_equal(prior.live, 3);
	assert_true(heard("\"event\":\"reloaded\",\"new\":1,\"changed\":1,\"gone\":1"));
	/* The process that stayed is still ours to hear of. */
	kill(same, SIGKILL);
	UNTIL(is_in("same", SVC_FAILED));
	svc_post(&prior, (uint32_t)plan_find(&prior.plan, "other"), EV_STOP);
	UNTIL(is_in("other", SVC_DOWN));
	assert_int_equal(prior.ledger.head->impossible, 0);
}

static void what_needs_a_changed_one_is_restarted_after_it(void **state)
{
	(void)state;
	ROWS({ .name = "db" }, { .name = "web", .deps = { { "db", DEP_REQUIRES, COND_STARTED } } },
	     { .name = "wish", .deps = { { "db", DEP_WANTS, COND_STARTED } } });
	configured();
	UNTIL(prior.ledger.head->settled);
	int web = named("web")->pid, wish = named("wish")->pid;

	NEXT({ .name = "db", .sh = SLOW }, { .name = "web", .deps = { { "db", DEP_REQUIRES, COND_STARTED } } },
	     { .name = "wish", .deps = { { "db", DEP_WANTS, COND_STARTED } } });
	UNTIL(prior.ledger.head->reloads == 1 && prior.ledger.head->settled);
	assert_true(is_in("web", SVC_UP));
	assert_int_not_equal(named("web")->pid, web);
	assert_int_equal(named("wish")->pid, wish);
	assert_true(named("web")->started_us >= named("db")->started_us);
}

static void who_was_stopped_by_somebody_stays_down(void **state)
{
	(void)state;
	ROWS({ .name = "web" }, { .name = "x" });
	configured();
	UNTIL(is_in("web", SVC_UP));
	svc_post(&prior, 0, EV_STOP);
	UNTIL(is_in("web", SVC_DOWN));
	NEXT({ .name = "web", .sh = "exec sleep 999" }, { .name = "x" });
	UNTIL(prior.ledger.head->reloads == 1);
	served_turn();
	assert_true(is_in("web", SVC_DOWN));
}

static void one_that_failed_is_tried_again_when_it_has_changed(void **state)
{
	(void)state;
	ROWS({ .name = "web", .sh = "exit 7" }, { .name = "x" });
	configured();
	UNTIL(is_in("web", SVC_FAILED));
	NEXT({ .name = "web" }, { .name = "x" });
	UNTIL(is_in("web", SVC_UP));
	assert_int_equal(named("web")->why[0], 0);
}

static ino_t inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : st.st_ino;
}

static void sockets_of_the_same_address_stay_open(void **state)
{
	char here[64], there[64];

	(void)state;
	snprintf(here, sizeof here, "/tmp/prior-here-%d", (int)getpid());
	snprintf(there, sizeof there, "/tmp/prior-there-%d", (int)getpid());
	ROWS({ .name = "lazy", .listen = { { there, 1 } } }, { .name = "web", .listen = { { here, 0 } } });
	configured();
	UNTIL(prior.ledger.head->settled);
	ino_t web = inode(prior.ledger.listen[named("web")->first_listen]);
	ino_t lazy = inode(prior.ledger.listen[named("lazy")->first_listen]);

	NEXT({ .name = "before", .listen = { { "tcp:0", 0 } } }, { .name = "lazy", .listen = { { there, 1 } } },
	     { .name = "web", .sh = "exec sleep 999", .listen = { { here, 0 } } });
	UNTIL(prior.reload.phase == RELOAD_NONE);
	/* A port of 0 is no address: the plan was refused, nothing has happened. */
	assert_int_equal(prior.ledger.head->reloads, 0);
	NEXT({ .name = "before" }, { .name = "lazy", .listen = { { there, 1 } } },
	     { .name = "web", .sh = "exec sleep 999", .listen = { { here, 0 } } });
	UNTIL(prior.ledger.head->reloads == 1 && prior.ledger.head->settled);
	assert_int_equal(inode(prior.ledger.listen[named("web")->first_listen]), web);
	assert_int_equal(inode(prior.ledger.listen[named("lazy")->first_listen]), lazy);
	assert_true(is_in("lazy", SVC_LISTENING));
	/* It is still watched, by the new loop. */
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	owned_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, there);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	UNTIL(is_in("lazy", SVC_UP));
	/* Gone with its service, file and all. */
	NEXT({ .name = "before" }, { .name = "lazy", .listen = { { there, 1 } } });
	UNTIL(prior.ledger.head->reloads == 2);
	assert_int_equal(access(here, F_OK), -1);
	assert_int_equal(access(there, F_OK), 0);
}

static void a_configuration_with_an_error_changes_nothing(void **state)
{
	(void)state;
	ROWS({ .name = "web" });
	configured();
	UNTIL(is_in("web", SVC_UP));
	int pid = named("web")->pid;

	report.errors = 2;
	complaint = "a.yaml:1:1: note: x\na.yaml:3:5: error: no such key\na.yaml:4:5: error: nor that\n";
	NEXT({ .name = "other" });
	UNTIL(prior.reload.phase == RELOAD_NONE);
	assert_true(heard("2 problems, nothing was changed: a.yaml:3:5: error: no such key"));
	assert_int_equal(named("web")->pid, pid);
	report = (struct compiler_report){ .err = { .code = ENOENT, .text = "there is no such file" } };
	NEXT({ .name = "other" });
	UNTIL(prior.reload.phase == RELOAD_NONE);
	assert_true(heard("there is no such file"));
	report = (struct compiler_report){ 0 };
	dies = true;
	NEXT({ .name = "other" });
	UNTIL(prior.reload.phase == RELOAD_NONE);
	assert_true(heard("the compiler ended without an answer: killed by SIGKILL"));
	assert_int_equal(named("web")->pid, pid);
	assert_int_equal(prior.ledger.head->reloads, 0);
}

static void a_fault_while_it_stops_is_followed_by_the_rest(void **state)
{
	(void)state;
	ROWS({ .name = "gone", .sh = SLOW }, { .name = "other", .sh = SLOW }, { .name = "same" });
	configured();
	UNTIL(prior.ledger.head->settled && traps("gone", SIGTERM) && traps("other", SIGTERM));
	int same = named("same")->pid;

	NEXT({ .name = "fresh" }, { .name = "other" }, { .name = "same" });
	UNTIL(prior.reload.phase == RELOAD_STOPS);
	come_back(SIGSEGV);
	assert_int_equal(prior.reload.phase, RELOAD_STOPS);
	UNTIL(prior.ledger.head->reloads == 1 && prior.ledger.head->settled);
	assert_true(is_in("fresh", SVC_UP) && is_in("other", SVC_UP));
	assert_int_equal(named("same")->pid, same);
	assert_int_equal(prior.ledger.head->next_plan_fd, FD_NONE);
}

/* The step itself is one system call; the starts after it may be cut off by a fault. */
static void a_fault_after_the_switch_is_followed_by_the_starts(void **state)
{
	(void)state;
	ROWS({ .name = "same" });
	configured();
	UNTIL(prior.ledger.head->settled);
	NEXT({ .name = "fresh" }, { .name = "same" });
	UNTIL(prior.ledger.head->reloads == 1);
	svc_post(&prior, 0, EV_STOP);
	UNTIL(is_in("fresh", SVC_DOWN));
	{
		LEDGER_WRITE(named("fresh"));
		named("fresh")->flags |= SVC_F_BACK;
	}
	come_back(SIGSEGV);
	UNTIL(is_in("fresh", SVC_UP));
	assert_false(named("fresh")->flags & SVC_F_BACK);
}

static void a_fault_while_it_compiles_leaves_everything(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct ctl_request q = { .version = CTL_VERSION, .verb = CTL_RELOAD_CONFIG };
	struct ctl_reply r;
	owned_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)state;
	ROWS({ .name = "web" });
	configured();
	UNTIL(is_in("web", SVC_UP));
	snprintf(a.sun_path, sizeof a.sun_path, "%s/control.sock", run_dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(send(fd, &q, sizeof q, 0), sizeof q);
	UNTIL(prior.reload.phase == RELOAD_COMPILES || prior.reload.phase == RELOAD_ANSWERED);
	fd_drop(&prior.reload.socket);
	fd_drop(&prior.reload.problems);
	come_back(SIGSEGV);
	UNTIL(recv(fd, &r, sizeof r, 0) == sizeof r);
	assert_int_equal(r.code, 1);
	assert_non_null(strstr(r.err.text, "nothing was changed"));
	assert_true(is_in("web", SVC_UP));
}

static void one_at_a_time_and_none_at_the_end(void **state)
{
	struct err e;

	(void)state;
	ROWS({ .name = "web" });
	assert_int_equal(reload_begin(&prior, -1, false, &e), -ENOENT);
	configured();
	NEXT({ .name = "web" });
	assert_int_equal(reload_begin(&prior, -1, false, &e), -EBUSY);
	UNTIL(prior.reload.phase == RELOAD_NONE);
	assert_int_equal(prior.ledger.head->reloads, 0);	/* the same plan: nothing to do */
	ending_begin(&prior, SHUTDOWN_EXIT);
	assert_int_equal(reload_begin(&prior, -1, false, &e), -ESHUTDOWN);
}

static void who_is_wanted_meanwhile_starts_with_the_new_one(void **state)
{
	(void)state;
	ROWS({ .name = "db", .sh = SLOW }, { .name = "web" });
	configured();
	UNTIL(prior.ledger.head->settled && traps("db", SIGTERM));
	NEXT({ .name = "db" }, { .name = "web" });
	UNTIL(prior.reload.phase == RELOAD_STOPS);
	svc_post(&prior, 0, EV_START);
	assert_true(is_in("db", SVC_STOPPING));
	UNTIL(prior.ledger.head->reloads == 1 && is_in("db", SVC_UP));
}

#define SLOWEST "trap 'while [ ! -e %s ]; do sleep 0.01; done; exit 0' TERM; : >%s.up; while :; do sleep 0.01; done"

static char slowest[256], told[64];

/* For a service that stops when it is told to by a file, and has another one when it listens to signals. */
static const char *until_told(void)
{
	snprintf(told, sizeof told, "/tmp/prior-stop-%d", (int)getpid());
	snprintf(slowest, sizeof slowest, SLOWEST, told, told);
	unlink(told);
	return slowest;
}

static bool hears_signals(void)
{
	char path[80];

	snprintf(path, sizeof path, "%s.up", told);
	return unlink(path) == 0;
}

static void tell_to_stop(void)
{
	owned_fd fd = open(told, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
}

static void what_is_new_or_has_changed_does_not_wait_for_the_slowest_stop(void **state)
{
	(void)state;
	ROWS({ .name = "quick" }, { .name = "same" }, { .name = "slow", .sh = until_told(), .stop_ms = 600000 },
	     { .name = "user", .deps = { { "quick", DEP_REQUIRES, COND_STARTED } } });
	configured();
	UNTIL(prior.ledger.head->settled && hears_signals());
	int same = named("same")->pid, quick = named("quick")->pid, slow = named("slow")->pid;

	NEXT({ .name = "after", .deps = { { "slow", DEP_AFTER, 0 } } }, { .name = "fresh" },
	     { .name = "quick", .sh = "exec sleep 999" }, { .name = "same" }, { .name = "slow" },
	     { .name = "user", .deps = { { "quick", DEP_REQUIRES, COND_STARTED } } });
	UNTIL(plan_find(&prior.plan, "fresh") >= 0 && is_in("fresh", SVC_UP) && is_in("quick", SVC_UP) &&
	      is_in("user", SVC_UP));
	assert_true(is_in("slow", SVC_STOPPING) && named("slow")->pid == slow);
	assert_int_not_equal(named("quick")->pid, quick);
	assert_int_equal(named("same")->pid, same);
	assert_int_equal(plan_find(&prior.plan, "after"), -1);
	assert_int_equal(prior.ledger.head->reloads, 0);
	assert_int_equal(prior.reload.leaving, 1);
	assert_true(heard("\"event\":\"reload-ahead\",\"stopping\":1"));
	tell_to_stop();
	UNTIL(prior.ledger.head->reloads == 1 && prior.ledger.head->settled);
	unlink(told);
	assert_true(is_in("slow", SVC_UP) && is_in("after", SVC_UP));
	assert_int_equal(named("same")->pid, same);
	assert_true(heard("\"event\":\"reloaded\",\"new\":2,\"changed\":2,\"gone\":0"));
	assert_int_equal(prior.ledger.head->impossible, 0);
}

static void a_fault_ahead_of_the_slowest_stop_is_followed_by_the_rest(void **state)
{
	(void)state;
	ROWS({ .name = "gone", .sh = until_told(), .stop_ms = 600000 },
	     { .name = "quick" }, { .name = "same" });
	configured();
	UNTIL(prior.ledger.head->settled && hears_signals());
	int same = named("same")->pid, gone = named("gone")->pid;

	NEXT({ .name = "fresh" }, { .name = "quick", .sh = "exec sleep 999" }, { .name = "same" });
	UNTIL(plan_find(&prior.plan, "fresh") >= 0 && is_in("fresh", SVC_UP) && is_in("quick", SVC_UP));
	int fresh = named("fresh")->pid, quick = named("quick")->pid;

	come_back(SIGSEGV);
	assert_int_equal(prior.reload.phase, RELOAD_STOPS);
	assert_true(is_in("gone", SVC_STOPPING) && named("gone")->pid == gone);
	tell_to_stop();
	UNTIL(prior.ledger.head->reloads == 1 && prior.ledger.head->settled);
	unlink(told);
	assert_int_equal(named("same")->pid, same);
	assert_int_equal(named("fresh")->pid, fresh);
	assert_int_equal(named("quick")->pid, quick);
	assert_int_equal(plan_find(&prior.plan, "gone"), -1);
	assert_int_equal(prior.ledger.head->next_plan_fd, FD_NONE);
}

static void a_failure_after_a_part_is_in_effect_says_so(void **state)
{
	(void)state;
	ROWS({ .name = "gone", .sh = until_told(), .stop_ms = 600000 });
	configured();
	UNTIL(prior.ledger.head->settled && hears_signals());
	NEXT({ .name = "fresh" });
	UNTIL(plan_find(&prior.plan, "fresh") >= 0 && is_in("fresh", SVC_UP));
	reload_fail(&prior, &(struct err){ EIO, "network: x" });
	assert_true(heard("a part of the new configuration is in effect: mend this, and reload again for the rest: "));
	tell_to_stop();
	UNTIL(is_in("fresh", SVC_UP) && !is_in("gone", SVC_STOPPING) && unlink(told) == 0);
}

static void the_address_of_one_that_stops_is_not_taken_before_it_has(void **state)
{
	char here[64];

	(void)state;
	snprintf(here, sizeof here, "/tmp/prior-here-%d", (int)getpid());
	ROWS({ .name = "was", .sh = until_told(), .stop_ms = 600000,
	       .listen = { { here, 0 } } });
	configured();
	UNTIL(prior.ledger.head->settled && hears_signals());
	NEXT({ .name = "is", .listen = { { here, 0 } } }, { .name = "other" },
	     { .name = "user", .deps = { { "is", DEP_REQUIRES, COND_STARTED } } });
	UNTIL(plan_find(&prior.plan, "other") >= 0 && is_in("other", SVC_UP));
	assert_int_equal(plan_find(&prior.plan, "is"), -1);
	assert_int_equal(plan_find(&prior.plan, "user"), -1);
	tell_to_stop();
	UNTIL(prior.ledger.head->reloads == 1 && prior.ledger.head->settled);
	unlink(told);
	assert_true(is_in("is", SVC_UP) && is_in("user", SVC_UP));
}

static void an_end_of_all_in_the_middle_ends_what_is_new_too(void **state)
{
	(void)state;
	ROWS({ .name = "gone", .sh = until_told(), .stop_ms = 600000 });
	configured();
	UNTIL(prior.ledger.head->settled && hears_signals());
	NEXT({ .name = "fresh" });
	UNTIL(plan_find(&prior.plan, "fresh") >= 0 && is_in("fresh", SVC_UP));
	int fresh = named("fresh")->pid;

	ending_begin(&prior, SHUTDOWN_EXIT);
	UNTIL(is_in("fresh", SVC_DOWN));
	assert_int_equal(kill(fresh, 0), -1);
	tell_to_stop();
	UNTIL(prior.live == 0);
	unlink(told);
	assert_int_equal(prior.ledger.head->reloads, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, serve_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_what_differs_is_touched),
		TEST(what_needs_a_changed_one_is_restarted_after_it),
		TEST(who_was_stopped_by_somebody_stays_down),
		TEST(one_that_failed_is_tried_again_when_it_has_changed),
		TEST(sockets_of_the_same_address_stay_open),
		TEST(a_configuration_with_an_error_changes_nothing),
		TEST(a_fault_while_it_stops_is_followed_by_the_rest),
		TEST(a_fault_after_the_switch_is_followed_by_the_starts),
		TEST(a_fault_while_it_compiles_leaves_everything),
		TEST(one_at_a_time_and_none_at_the_end),
		TEST(who_is_wanted_meanwhile_starts_with_the_new_one),
		TEST(what_is_new_or_has_changed_does_not_wait_for_the_slowest_stop),
		TEST(a_fault_ahead_of_the_slowest_stop_is_followed_by_the_rest),
		TEST(a_failure_after_a_part_is_in_effect_says_so),
		TEST(the_address_of_one_that_stops_is_not_taken_before_it_has),
		TEST(an_end_of_all_in_the_middle_ends_what_is_new_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
