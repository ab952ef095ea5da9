/* The endpoint's helper, when somebody else has taken it over: PID 1 has other things to do. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */
#include "init/base/pass.h"
#include "services/http/http.h"
#include "services/supervise/endpoint.h"
#include "services/supervise/reap.h"
#include "tests/unit/served.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <cmocka.h>

#define EACH_MS 20	/* PID 1 looks so often, and no oftener */

/* As many words as fit; how many that were. */
static unsigned chatter(int sock, char word)
{
	unsigned n = 0;

	while (send(sock, &word, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
		n++;
	return n;
}

/* What is said in `ms`, or until something is, and how many turns PID 1 took meanwhile. */
static unsigned said_in(int64_t ms, int sock, char word, unsigned *turns, int64_t *took)
{
	const int64_t began = mono_now().ms;
	unsigned n = 0;

	chatter(sock, word);
	for (*turns = 0; mono_now().ms - began < (n ? ms : 30000); ++*turns) {
		char byte;

		served_turn();
		while (pass_receive(sock, &byte, 1, NULL, MSG_DONTWAIT) > 0)	/* answers */
			;
		n += chatter(sock, word);
	}
	*took = mono_now().ms - began;
	return n;
}

static void who_talks_without_end_is_heard_fifty_times_a_second(void **state)
{
	static const char words[] = { HTTP_ASK, HTTP_TELL, 'x' };
	const struct made_svc row = { .name = "one" };
	struct err e;
	int pair[2];

	(void)state;
	serve_rows(&row, 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	const pid_t helper = fork();

	if (helper == 0) {
		fd_drop(&pair[1]);	/* the test's end is the only one */
		for (;;)
			pause();
	}
	prior.ledger.head->http_fd = pair[0];
	prior.ledger.head->http_pid = helper;
	reap_add(&prior, helper, 0, PID_ENDPOINT);
	assert_int_equal(endpoint_watch(&prior, &e), 0);
	UNTIL(is_in("one", SVC_UP));
	for (unsigned i = 0; i < sizeof words; i++) {
		unsigned turns;
		int64_t took;
		const unsigned n = said_in(200, pair[1], words[i], &turns, &took);

		/* One more turn for the timer of each, and the test's own, each 50 ms. */
		if (n == 0 || n > took / EACH_MS + 2 || turns > 2 * (took / EACH_MS + 2) + took / 50 + 5)
			fail_msg("'%c': %u were heard in %d ms, in %u turns", words[i], n, (int)took, turns);
	}
	/* Its end of the socket is closed, and it goes on: that keeps nobody busy either. */
	fd_drop(&pair[1]);
	UNTIL(prior.endpoint_src == 0);
	assert_int_equal(kill(helper, SIGKILL), 0);
	UNTIL(prior.ledger.head->http_restarts == 1);
	assert_int_equal(prior.ledger.head->http_fd, FD_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(who_talks_without_end_is_heard_fifty_times_a_second, serve_stop),
	};

	return cmocka_run_group_tests_name("supervise_endpoint", tests, NULL, NULL);
}
