/* Listening sockets: bound before anything starts, handed over, kept; and what is said when that fails. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */
#include "services/spec/spec.h"
#include "services/supervise/fsm.h"
#include "tests/unit/served.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <cmocka.h>

static char path[64], out[64], say_env[400];

static int setup(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "/tmp/prior-sock-%d", (int)getpid());
	snprintf(out, sizeof out, "/tmp/prior-out-%d", (int)getpid());
	snprintf(say_env, sizeof say_env, "echo \"$LISTEN_FDS $LISTEN_FDNAMES $([ $LISTEN_PID = $$ ] && echo mine)\" "
		 ">%s.new; mv %s.new %s; exec sleep 1000", out, out, out);
	return 0;
}

static int teardown(void **state)
{
	unlink(out);
	return serve_stop(state);
}

static int call(const char *where)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, where);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		int code = errno;

		fd_drop(&fd);
		return -code;
	}
	return fd;
}

static void serve_one(const struct made_svc *row)
{
	serve_rows(row, 1);
}

static void a_socket_is_there_before_its_service(void **state)
{
	struct made_svc web = { .name = "web", .sh = say_env, .listen = { { path, 0 } } };
	struct stat st;

	(void)state;
	serve_one(&web);
	owned_fd fd = call(path);	/* nothing has turned yet */

	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	UNTIL(*read_file(out));
	assert_string_equal(read_file(out), "1 web mine\n");
}

static void a_lazy_service_starts_at_the_first_connection(void **state)
{
	struct made_svc web = { .name = "web", .sh = say_env, .listen = { { path, 1 } } };

	(void)state;
	serve_one(&web);
	assert_true(is_in("web", SVC_LISTENING));
	UNTIL(prior.ledger.head->settled);
	assert_int_equal(named("web")->starts, 0);
	owned_fd fd = call(path);

	assert_true(fd >= 0);
	UNTIL(*read_file(out));
	assert_true(is_in("web", SVC_UP));
	/* Nobody has accepted it, and that must not wake PID 1 over and over. */
	uint64_t before = prior.loop.wakeups;

	served_turn();
	served_turn();
	assert_true(prior.loop.wakeups - before <= 2 && prior.listen_src[0] == 0);
}

static void a_lazy_service_that_ends_well_listens_again(void **state)
{
	static const char accept_one[] = "sleep 0.05; exit 0";
	struct made_svc web = { .name = "web", .sh = accept_one, .listen = { { path, 1 } },
				.restart = RESTART_ON_FAILURE };

	(void)state;
	serve_one(&web);
	owned_fd fd = call(path);

	UNTIL(named("web")->starts == 1);
	/* It did not accept; the connection is still there, so it starts once more: nothing is lost. */
	UNTIL(named("web")->starts == 2);
}

/* What a service does to its listening socket to wake PID 1 for ever: nothing waits there, but it hangs up. */
static void a_lazy_service_that_ends_the_listening_is_not_started_over_and_over(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr nothing = { .sa_family = AF_UNSPEC };
	socklen_t len = sizeof a;
	char port[16];
	int free_port = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(bind(free_port, (struct sockaddr *)&a, sizeof a), 0);
	getsockname(free_port, (struct sockaddr *)&a, &len);
	fd_drop(&free_port);
	snprintf(port, sizeof port, "tcp:%u", ntohs(a.sin_port));
	struct made_svc web = { .name = "web", .sh = "exit 0", .listen = { { port, 1 } },
				.restart = RESTART_ON_FAILURE, .backoff_ms = 60000, .max_restarts = 5 };

	serve_one(&web);
	assert_true(is_in("web", SVC_LISTENING));
	assert_int_equal(connect(prior.ledger.listen[0], &nothing, sizeof nothing), 0);
	UNTIL(is_in("web", SVC_BACKOFF));
	assert_int_equal(named("web")->starts, 1);
}

static void a_socket_stays_open_across_restarts(void **state)
{
	struct made_svc web = { .name = "web", .listen = { { path, 0 } } };

	(void)state;
	serve_one(&web);
	UNTIL(is_in("web", SVC_UP));
	int first = prior.ledger.listen[0];

	svc_post(&prior, 0, EV_STOP);
	UNTIL(is_in("web", SVC_DOWN));
	owned_fd fd = call(path);	/* refused by nobody, though nothing runs */

	assert_true(fd >= 0);
	svc_post(&prior, 0, EV_START);
	UNTIL(is_in("web", SVC_UP));
	assert_int_equal(prior.ledger.listen[0], first);
}

/* The other service's exec closes its copy of our socket a moment after it has told us of the exec. */
static bool is_up_after_asking(uint32_t i, const char *name)
{
	if (is_in(name, SVC_REFUSED))
		svc_post(&prior, i, EV_START);
	return is_in(name, SVC_UP);
}

static void an_address_in_use_condemns_that_service_only(void **state)
{
	owned_fd taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	char port[16], want[160];

	(void)state;
	assert_int_equal(bind(taken, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(taken, 1), 0);
	getsockname(taken, (struct sockaddr *)&a, &len);
	snprintf(port, sizeof port, "tcp:%u", ntohs(a.sin_port));
	struct made_svc rows[] = { { .name = "other" }, { .name = "web", .listen = { { port, 0 } } } };

	serve_rows(rows, 2);
	UNTIL(is_in("other", SVC_UP));
	assert_true(is_in("web", SVC_REFUSED));
	snprintf(want, sizeof want, "service web: listen on tcp 127.0.0.1:%u: Address already in use",
		 ntohs(a.sin_port));
	assert_string_equal(named("web")->why, want);
	/* The place is free now: a person's start tries again. */
	fd_drop(&taken);
	UNTIL(is_up_after_asking(1, "web"));
}

static void what_an_earlier_run_left_is_replaced(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct made_svc web = { .name = "web", .listen = { { path, 0 } } };

	(void)state;
	strcpy(a.sun_path, path);
	{
		owned_fd old = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		assert_int_equal(bind(old, (struct sockaddr *)&a, sizeof a), 0);
	}
	serve_one(&web);
	UNTIL(is_in("web", SVC_UP));
}

static void what_others_listen_at_is_left_alone(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct made_svc web = { .name = "web", .listen = { { path, 0 } } };
	owned_fd theirs = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	strcpy(a.sun_path, path);
	assert_int_equal(bind(theirs, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(theirs, 1), 0);
	serve_one(&web);
	assert_true(is_in("web", SVC_REFUSED));
	assert_non_null(strstr(named("web")->why, "another process listens there"));
	owned_fd fd = call(path);

	assert_true(fd >= 0);
	unlink(path);
}

static void what_is_no_socket_is_left_alone(void **state)
{
	struct made_svc web = { .name = "web", .listen = { { path, 0 } } };
	FILE *f = fopen(path, "w");
	struct stat st;

	(void)state;
	fclose(f);
	serve_one(&web);
	assert_true(is_in("web", SVC_REFUSED));
	assert_non_null(strstr(named("web")->why, "something that is no socket is there"));
	assert_int_equal(stat(path, &st), 0);
	unlink(path);
}

static void the_files_of_sockets_go_at_the_end(void **state)
{
	struct made_svc web = { .name = "web", .listen = { { path, 0 } } };
	struct stat st;

	(void)state;
	serve_one(&web);
	assert_int_equal(stat(path, &st), 0);
	serve_shutdown(&prior, SHUTDOWN_EXIT);
	serve(&prior);
	assert_int_equal(stat(path, &st), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_socket_is_there_before_its_service),
		TEST(a_lazy_service_starts_at_the_first_connection),
		TEST(a_lazy_service_that_ends_well_listens_again),
		TEST(a_lazy_service_that_ends_the_listening_is_not_started_over_and_over),
		TEST(a_socket_stays_open_across_restarts),
		TEST(an_address_in_use_condemns_that_service_only),
		TEST(what_an_earlier_run_left_is_replaced),
		TEST(what_others_listen_at_is_left_alone),
		TEST(what_is_no_socket_is_left_alone),
		TEST(the_files_of_sockets_go_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
