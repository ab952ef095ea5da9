/* A service for each connection: slots, limits and sources; what a slot's end and what a fault leave behind. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */
#include "init/base/text.h"
#include "services/spec/spec.h"
#include "services/supervise/connections.h"
#include "tests/unit/served.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#define SLOTS 3
static char tcp[16];
static uint16_t port;

static int setup(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	owned_fd fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return -1;
	port = ntohs(a.sin_port);
	snprintf(tcp, sizeof tcp, "tcp:%u", port);
	return 0;
}

static void serve_slots(const char *sh, uint32_t per_source, uint32_t stdio)
{
	struct made_svc rows[1 + SLOTS] = {
		{ .name = "web", .sh = sh, .listen = { { tcp, ACTIVATE_CONNECTION } }, .connections = SLOTS,
		  .per_source = per_source },
		{ .name = "web@1" }, { .name = "web@2" }, { .name = "web@3" },
	};

	for (unsigned i = 1; i <= SLOTS; i++) {
		rows[i].sh = sh;
		rows[i].base = "web";
		rows[i].stdio = stdio;
	}
	serve_rows(rows, 1 + SLOTS);
}

/* From 127.0.0.FROM. */
static int call_from(unsigned from)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + from) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons(port);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* All that comes until the other end closes, or until it is `enough`. */
static const char *hear(int fd, const char *enough)
{
	static char text[512];
	size_t n = 0;
	const int64_t end = mono_now().ms + 30000;

	text[0] = '\0';
	while (mono_now().ms < end && n < sizeof text - 1 && (!enough || strcmp(text, enough))) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		served_turn();
		if (poll(&p, 1, 0) < 1)
			continue;
		ssize_t got = read(fd, text + n, sizeof text - 1 - n);

		if (got <= 0)
			break;
		n += (size_t)got;
		text[n] = '\0';
	}
	return text;
}

static bool is_closed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&p, 1, 0) == 1 && read(fd, &byte, 1) <= 0;
}

static uint32_t served(void)
{
	return prior.run[0].nserved;
}

static void a_connection_is_a_service_and_gone_when_it_ends(void **state)
{
	(void)state;
	serve_slots("echo \"$REMOTE_ADDR $LISTEN_FDS\"; read x; exit 3", SLOTS, 1);
	assert_true(is_in("web", SVC_LISTENING));
	UNTIL(prior.ledger.head->settled);
	owned_fd fd = call_from(9);

	assert_string_equal(hear(fd, "127.0.0.9 \n"), "127.0.0.9 \n");
	UNTIL(is_in("web@1", SVC_UP));
	assert_int_equal(served(), 1);
	assert_int_equal(prior.ledger.listen[svc_of(&prior, 1)->first_listen], FD_NONE);	/* not kept */
	assert_int_equal(write(fd, "\n", 1), 1);
	assert_string_equal(hear(fd, NULL), "");
	UNTIL(is_in("web@1", SVC_DOWN));	/* whatever its code: it is served once */
	assert_true(served() == 0 && is_in("web", SVC_LISTENING));
}

static void as_a_descriptor_it_is_the_third(void **state)
{
	(void)state;
	serve_slots("echo \"$LISTEN_FDS $LISTEN_FDNAMES $REMOTE_PORT\" >&3; read x <&3", SLOTS, 0);
	owned_fd fd = call_from(1);
	struct sockaddr_in a;
	socklen_t len = sizeof a;
	char want[64];

	getsockname(fd, (struct sockaddr *)&a, &len);
	snprintf(want, sizeof want, "1 connection %u\n", ntohs(a.sin_port));
	assert_string_equal(hear(fd, want), want);
}

static void those_beyond_the_most_wait_until_one_has_ended(void **state)
{
	int fds[SLOTS + 1];

	(void)state;
	serve_slots("echo in; read x", SLOTS, 1);
	for (unsigned i = 0; i <= SLOTS; i++)
		fds[i] = call_from(1);
	for (unsigned i = 0; i < SLOTS; i++)
		assert_string_equal(hear(fds[i], "in\n"), "in\n");
	UNTIL(prior.run[0].is_full);
	uint64_t before = prior.loop.wakeups;

	served_turn();	/* nobody looks at the socket, so that nothing spins */
	served_turn();
	assert_true(prior.loop.wakeups - before <= 2 && !is_closed(fds[SLOTS]));
	fd_drop(&fds[1]);
	assert_string_equal(hear(fds[SLOTS], "in\n"), "in\n");
	assert_int_equal(served(), SLOTS);
	for (unsigned i = 0; i <= SLOTS; i++)
		fd_drop(&fds[i]);
	UNTIL(served() == 0);
}

static void one_source_has_its_share_and_no_more(void **state)
{
	(void)state;
	serve_slots("echo in; read x", 1, 1);
	owned_fd one = call_from(1);

	assert_string_equal(hear(one, "in\n"), "in\n");
	owned_fd again = call_from(1), other = call_from(2);

	assert_string_equal(hear(other, "in\n"), "in\n");
	UNTIL(is_closed(again));
	assert_int_equal(served(), 2);
	fd_drop(&one);
	UNTIL(served() == 1);
	owned_fd later = call_from(1);

	assert_string_equal(hear(later, "in\n"), "in\n");
}

static void refusals_are_told_once_and_then_counted(void **state)
{
	int again[8];

	(void)state;
	serve_slots("echo in; read x", 1, 1);
	owned_fd one = call_from(1);

	assert_string_equal(hear(one, "in\n"), "in\n");
	for (unsigned k = 0; k < 8; k++)
		again[k] = call_from(1);
	for (unsigned k = 0; k < 8; k++) {
		UNTIL(is_closed(again[k]));
		fd_drop(&again[k]);
	}
	UNTIL(heard("\"event\":\"connection-refused\",\"service\":\"web\",\"from\":\"127.0.0.1\""));
	UNTIL(heard("\"event\":\"connections-refused\",\"service\":\"web\",\"count\":"));
	/* And then there is nothing to wake up for. */
	UNTIL(prior.run[0].refused == 0 && named("web")->deadline_ms == 0);
}

static void a_stop_of_the_base_ends_all(void **state)
{
	(void)state;
	serve_slots("echo in; read x", SLOTS, 1);
	owned_fd a = call_from(1), b = call_from(2);

	assert_string_equal(hear(a, "in\n"), "in\n");
	assert_string_equal(hear(b, "in\n"), "in\n");
	svc_post(&prior, 0, EV_STOP);
	UNTIL(served() == 0 && is_closed(a) && is_closed(b));
	assert_true(is_in("web", SVC_DOWN));
	svc_post(&prior, 0, EV_START);
	assert_true(is_in("web", SVC_LISTENING));	/* a start is never a process of its own */
	owned_fd c = call_from(1);

	assert_string_equal(hear(c, "in\n"), "in\n");
	assert_int_equal(prior.ledger.head->impossible, 0);
}

static void a_slot_that_cannot_start_closes_its_connection(void **state)
{
	(void)state;
	struct made_svc rows[] = {
		{ .name = "web", .listen = { { tcp, ACTIVATE_CONNECTION } }, .connections = 1, .per_source = 1 },
		{ .name = "web@1", .exe = "/nowhere", .base = "web", .stdio = 1 },
	};

	serve_rows(rows, 2);
	owned_fd fd = call_from(1);

	UNTIL(is_closed(fd) && is_in("web@1", SVC_DOWN) && served() == 0);
	owned_fd next = call_from(1);

	UNTIL(is_closed(next) && named("web@1")->starts == 2);
	assert_true(is_in("web", SVC_LISTENING));
}

static void connections_are_kept_over_an_exec(void **state)
{
	(void)state;
	serve_slots("echo in; read x; echo $x", 1, 1);
	owned_fd a = call_from(1), b = call_from(2);

	assert_string_equal(hear(a, "in\n"), "in\n");
	assert_string_equal(hear(b, "in\n"), "in\n");
	come_back(0);
	assert_true(served() == 2 && is_in("web", SVC_LISTENING));
	owned_fd again = call_from(2), other = call_from(3);

	UNTIL(is_closed(again));	/* its share is still taken */
	assert_string_equal(hear(other, "in\n"), "in\n");
	assert_int_equal(write(a, "still\n", 6), 6);
	assert_string_equal(hear(a, NULL), "still\n");
	UNTIL(served() == 2);
}

static void what_was_accepted_and_no_more_is_served_after_a_fault(void **state)
{
	(void)state;
	serve_slots("echo in; read x", SLOTS, 1);
	UNTIL(prior.ledger.head->settled);
	owned_fd fd = call_from(4);
	const int at = accept(prior.ledger.listen[0], NULL, NULL);
	struct ledger_conn *k = &prior.ledger.conn[0];

	assert_true(at >= 0);
	fcntl(at, F_SETFD, FD_CLOEXEC);
	*k = (struct ledger_conn){ .service = 1, .family = AF_INET, .ip = { 127, 0, 0, 4 }, .port = 1 };
	prior.ledger.listen[svc_of(&prior, 1)->first_listen] = at;
	come_back(11);
	assert_string_equal(hear(fd, "in\n"), "in\n");
	assert_int_equal(served(), 1);
}

/* A service may have said that who closes waits until all is read, which its peer never does. */
static void closing_a_connection_waits_for_nobody(void **state)
{
	(void)state;
	serve_slots("echo in; read x", SLOTS, 1);
	UNTIL(prior.ledger.head->settled);
	owned_fd fd = call_from(5);
	const int at = accept4(prior.ledger.listen[0], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	const struct linger minute = { .l_onoff = 1, .l_linger = 60 };
	static char much[1 << 16];

	assert_int_equal(setsockopt(at, SOL_SOCKET, SO_LINGER, &minute, sizeof minute), 0);
	while (write(at, much, sizeof much) > 0);
	prior.ledger.listen[svc_of(&prior, 1)->first_listen] = at;
	const int64_t before = mono_now().ms;

	connections_given(&prior, 1);
	assert_true(mono_now().ms - before < 30000);
}

static void sources_are_addresses_and_networks(void **state)
{
	static const struct { struct ledger_conn k; const char *says; } cases[] = {
		{ { .family = AF_INET, .ip = { 192, 0, 2, 7 } }, "192.0.2.7" },
		{ { .family = AF_INET6, .ip = { 0xfd, [15] = 1 } }, "fd00::1" },
		{ { .family = AF_UNIX, .id = 1000 }, "uid 1000" },
		{ { .family = AF_VSOCK, .id = 3 }, "cid 3" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[64] = "";
		struct text t = TEXT_IN(text);

		connection_source(&cases[i].k, &t);
		assert_string_equal(text, cases[i].says);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, serve_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_is_a_service_and_gone_when_it_ends),
		TEST(as_a_descriptor_it_is_the_third),
		TEST(those_beyond_the_most_wait_until_one_has_ended),
		TEST(one_source_has_its_share_and_no_more),
		TEST(refusals_are_told_once_and_then_counted),
		TEST(a_stop_of_the_base_ends_all),
		TEST(a_slot_that_cannot_start_closes_its_connection),
		TEST(connections_are_kept_over_an_exec),
		TEST(what_was_accepted_and_no_more_is_served_after_a_fault),
		TEST(closing_a_connection_waits_for_nobody),
		cmocka_unit_test(sources_are_addresses_and_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
