/* idle_timeout: who has nothing to do is stopped and listens; what counts as something to do. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */
#include "services/plan/listen.h"
#include "services/spec/spec.h"
#include "services/supervise/fsm.h"
#include "services/supervise/idle.h"
#include "tests/unit/served.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <cmocka.h>

static char path[64], dgram[80];

static int setup(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "/tmp/prior-idle-%d", (int)getpid());
	snprintf(dgram, sizeof dgram, "dgram:%s", path);
	return 0;
}

static int call(int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* In a shell: takes one datagram away, or nothing; and does not end by itself. */
static void serve_idle(const char *listen, uint32_t ms, uint8_t restart)
{
	struct made_svc svc = { .name = "svc", .listen = { { listen, ACTIVATE_LAZY } }, .care = { .idle_ms = ms },
				.restart = restart };

	serve_rows(&svc, 1);
	assert_true(is_in("svc", SVC_LISTENING));
}

static void who_has_nothing_to_do_is_stopped_and_listens(void **state)
{
	char byte;

	(void)state;
	serve_idle(dgram, 60, RESTART_ALWAYS);	/* whatever the policy for other ends */
	owned_fd fd = call(SOCK_DGRAM);

	assert_int_equal(send(fd, "x", 1, 0), 1);
	UNTIL(is_in("svc", SVC_UP));
	assert_int_equal(recv(prior.ledger.listen[0], &byte, 1, MSG_DONTWAIT), 1);	/* in its place */
	UNTIL(is_in("svc", SVC_LISTENING));
	assert_true(named("svc")->starts == 1 && named("svc")->restarts == 0);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	UNTIL(named("svc")->starts == 2);
	assert_int_equal(prior.ledger.head->impossible, 0);
}

static void what_comes_in_a_period_keeps_it(void **state)
{
	char byte;

	(void)state;
	serve_idle(dgram, 800, RESTART_NO);
	owned_fd fd = call(SOCK_DGRAM);

	assert_int_equal(send(fd, "x", 1, 0), 1);
	UNTIL(is_in("svc", SVC_UP));
	UNTIL(prior.run[0].traffic);	/* it is still there: nobody has taken it away */
	assert_int_equal(recv(prior.ledger.listen[0], &byte, 1, MSG_DONTWAIT), 1);
	uint64_t wakeups = prior.loop.wakeups;

	for (unsigned i = 0; i < 20; i++) {	/* after the first of a period nobody is woken by more */
		assert_int_equal(send(fd, "x", 1, 0), 1);
		assert_int_equal(recv(prior.ledger.listen[0], &byte, 1, MSG_DONTWAIT), 1);
	}
	served_turn();
	assert_true(prior.loop.wakeups - wakeups <= 2 && prior.listen_src[0] == 0);
	UNTIL(!prior.run[0].traffic);
	assert_true(is_in("svc", SVC_UP));
	UNTIL(is_in("svc", SVC_LISTENING));
}

static void an_open_connection_keeps_it(void **state)
{
	(void)state;
	serve_idle(path, 50, RESTART_NO);
	int fd = call(SOCK_STREAM);

	UNTIL(is_in("svc", SVC_UP));
	int its = accept(prior.ledger.listen[0], NULL, NULL);
	const int64_t until = mono_now().ms + 300;

	assert_true(its >= 0);
	while (mono_now().ms < until)
		served_turn();
	assert_true(is_in("svc", SVC_UP));
	fd_drop(&its);
	fd_drop(&fd);
	UNTIL(is_in("svc", SVC_LISTENING));
}

static void a_fault_begins_the_time_anew(void **state)
{
	char byte;

	(void)state;
	serve_idle(dgram, 100, RESTART_NO);
	owned_fd fd = call(SOCK_DGRAM);

	assert_int_equal(send(fd, "x", 1, 0), 1);
	UNTIL(is_in("svc", SVC_UP));
	assert_int_equal(recv(prior.ledger.listen[0], &byte, 1, MSG_DONTWAIT), 1);
	come_back(11);
	assert_true(is_in("svc", SVC_UP) && prior.listen_src[0] != 0);
	UNTIL(is_in("svc", SVC_LISTENING));
}

/* --- the tables --- */

static char tables[64];

static void put(const char *name, const char *text)
{
	char at[100];
	FILE *f;

	snprintf(at, sizeof at, "%s/%s", tables, name);
	f = fopen(at, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* One service with one socket; its strings lie in a block of their own. */
static int open_in_tables(uint32_t kind)
{
	struct plan_service d = { .listen = { 8, 1 } };
	static struct { uint64_t pad; struct plan_listen l; char path[16]; } at;
	const struct plan q = { .at = (const unsigned char *)&at };

	at.l = (struct plan_listen){ .kind = kind, .port = kind == LISTEN_TCP ? 8080 : 0 };
	strcpy(at.path, "/run/x");
	if (kind != LISTEN_TCP)
		at.l.path = (struct plan_ref){ (uint32_t)((char *)at.path - (char *)&at), 6 };
	return idle_connections(&q, &d, tables);
}

static void open_connections_are_read_from_the_kernels_tables(void **state)
{
	char cmd[100];

	(void)state;
	snprintf(tables, sizeof tables, "/tmp/prior-tables-%d", (int)getpid());
	mkdir(tables, 0700);
	assert_int_equal(open_in_tables(LISTEN_TCP), -1);
	put("tcp", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 771 1 0 100\n"
	    "   1: 0100007F:1F90 0200007F:D431 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100\n"
	    "   2: 0100007F:1F90 0200007F:D433 01 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100\n"
	    "   3: 0100007F:1F91 0200007F:D435 01 00000000:00000000 00:00000000 00000000     0        0 772 1 0 100\n");
	assert_int_equal(open_in_tables(LISTEN_TCP), 0);
	put("tcp6", "  sl  local_address rem_address\n"
	    "   0: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:D431 01 00000000:00000000 "
	    "00:00000000 00000000     0        0 773 1 0 100\n");
	assert_int_equal(open_in_tables(LISTEN_TCP), 1);
	assert_int_equal(open_in_tables(LISTEN_UNIX_STREAM), -1);
	put("unix", "Num       RefCount Protocol Flags    Type St Inode Path\n"
	    "0000000000000000: 00000002 00000000 00010000 0001 01 18440 /run/x\n"
	    "0000000000000000: 00000003 00000000 00000000 0001 03 18441 /run/xy\n"
	    "0000000000000000: 00000003 00000000 00000000 0001 03 18442\n");
	assert_int_equal(open_in_tables(LISTEN_UNIX_STREAM), 0);
	put("unix", "Num       RefCount Protocol Flags    Type St Inode Path\n"
	    "0000000000000000: 00000003 00000000 00000000 0001 03 18441 /run/x\n");
	assert_int_equal(open_in_tables(LISTEN_UNIX_STREAM), 1);
	snprintf(cmd, sizeof cmd, "rm -rf %s", tables);
	assert_int_equal(system(cmd), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, serve_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_has_nothing_to_do_is_stopped_and_listens),
		TEST(what_comes_in_a_period_keeps_it),
		TEST(an_open_connection_keeps_it),
		TEST(a_fault_begins_the_time_anew),
		cmocka_unit_test(open_connections_are_read_from_the_kernels_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
