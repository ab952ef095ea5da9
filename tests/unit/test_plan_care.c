/* Hooks, checks, the watchdog and readiness by a descriptor in the plan: what they become, what is refused and how. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/spec.h"
#include "tests/unit/plan_compiled.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#define TOOL "    command: [/bin/tool]\n"
#define IMAGE "    isolation: {rootfs: \"@/image\"}\n"

static struct compiled c;

static const struct plan_care *care(const char *lines)
{
	const struct plan_service *s = compiled_web(&c, lines);

	return plan_care(&c.plan, s);
}

static int teardown(void **state)
{
	(void)state;
	compiled_free(&c);
	return 0;
}

static void refused(const char *lines, const char *says)
{
	compiled_refuses(&c, lines, says);
}

static void who_asks_for_nothing_has_no_record(void **state)
{
	(void)state;
	assert_null(care(TOOL IMAGE));
	assert_int_equal(compiled_web(&c, TOOL IMAGE)->reload_signal, 1);
}

static void hooks_are_programs_of_the_services_own_root(void **state)
{
	(void)state;
	const struct plan_care *k = care(TOOL IMAGE "    hooks: {pre_start: [tool, -x], post_stop: /bin/tool}\n");

	assert_non_null(k);
	assert_int_equal(k->command[CARE_PRE_START].argv.n, 2);
	assert_string_equal(plan_str(&c.plan, k->command[CARE_PRE_START].exe), "/bin/tool");
	assert_string_equal(plan_str(&c.plan, k->command[CARE_POST_STOP].exe), "/bin/tool");
	assert_int_equal(k->command[CARE_POST_START].argv.n, 0);
	refused(TOOL IMAGE "    hooks: {pre_start: [/bin/nope]}\n", "hooks.pre_start: /bin/nope: No such file");
	refused(TOOL IMAGE "    hooks: {pre_stop: [nope]}\n", "hooks.pre_stop: 'nope' is in none of the directories");
	refused(TOOL IMAGE "    healthcheck: {test: [CMD, /bin/plain]}\n", "healthcheck.test: /bin/plain is not exec");
}

static void a_check_asks_an_address(void **state)
{
	(void)state;
	const struct plan_care *k = care(TOOL IMAGE "    healthcheck: {http: \"http://localhost:8080/x?y\"}\n");

	assert_int_equal(k->check_kind, HEALTH_BY_HTTP);
	assert_int_equal(k->check_port, 8080);
	assert_int_equal(k->check_addr.family, AF_INET);
	assert_string_equal(plan_str(&c.plan, k->http_path), "/x?y");
	assert_string_equal(plan_str(&c.plan, k->http_host), "localhost:8080");
	k = care(TOOL IMAGE "    healthcheck: {http: \"http://[::1]\"}\n");
	assert_int_equal(k->check_port, 80);
	assert_int_equal(k->check_addr.family, AF_INET6);
	assert_string_equal(plan_str(&c.plan, k->http_path), "/");
	k = care(TOOL IMAGE "    healthcheck: {tcp: \"127.0.0.1:5432\"}\n");
	assert_int_equal(k->check_kind, HEALTH_BY_TCP);
	assert_int_equal(k->check_port, 5432);
	assert_int_equal(k->retries, 3);
	refused(TOOL IMAGE "    healthcheck: {http: \"https://127.0.0.1/\"}\n", "is https, which prior cannot speak");
	refused(TOOL IMAGE "    healthcheck: {http: \"ftp://127.0.0.1/\"}\n", "is not http://HOST:PORT/PATH");
	refused(TOOL IMAGE "    healthcheck: {http: \"http://127.0.0.1/a b\"}\n", "a byte in it that does not belong");
	refused(TOOL IMAGE "    healthcheck: {http: \"http://example.org/\"}\n", "names are not looked up");
	refused(TOOL IMAGE "    healthcheck: {tcp: \"127.0.0.1\"}\n", "has no port from 1 to 65535");
	refused(TOOL IMAGE "    healthcheck: {tcp: \"127.0.0.1:70000\"}\n", "has no port from 1 to 65535");
}

static void a_readiness_descriptor_is_none_of_its_sockets(void **state)
{
	(void)state;
	assert_int_equal(care(TOOL IMAGE "    ready: {fd: 5}\n")->ready_fd, 5);
	assert_int_equal(care(TOOL IMAGE "    ready: fd\n")->ready_fd, 0);
	refused(TOOL IMAGE "    ready: {fd: 3}\n    listen: [{tcp: \"127.0.0.1:80\"}]\n", "the first free one is 4");
	refused(TOOL IMAGE "    ready: {fd: 5}\n    fd_store_max: 1\n", "contradicts fd_store_max");
}

static void a_watchdog_or_a_store_brings_the_socket(void **state)
{
	(void)state;
	assert_true(compiled_web(&c, TOOL IMAGE "    watchdog: 5s\n")->flags & CELL_NOTIFY);
	assert_true(compiled_web(&c, TOOL IMAGE "    fd_store_max: 2\n")->flags & CELL_NOTIFY);
	assert_int_equal(care(TOOL IMAGE "    watchdog: 5s\n")->watchdog_ms, 5000);
	assert_false(compiled_web(&c, TOOL IMAGE)->flags & CELL_NOTIFY);
}

static void health_of_who_has_no_check_is_told_to_be_readiness(void **state)
{
	(void)state;
	compiled_make(&c, NULL, "services:\n  a:\n" TOOL IMAGE "    depends_on: {b: {condition: service_healthy}}\n"
		      "  b:\n" TOOL IMAGE "  c:\n" TOOL IMAGE "    depends_on: [b]\n");
	assert_non_null(compiled_problem(&c, SEV_NOTE, "b has no healthcheck: service_healthy means that it is ready"));
	assert_non_null(compiled_service(&c, "a"));
	assert_true(compiled_service(&c, "a")->note.n > 0 && compiled_service(&c, "c")->note.n == 0);
}

static void a_program_that_the_cell_covers_is_not_said_to_be_missing(void **state)
{
	(void)state;
	compiled_make(&c, NULL, "services:\n  a: {command: [/tmp/nobody/program]}\n"
		      "  b: {command: [/nobody/program]}\n");
	assert_non_null(strstr(compiled_refused(&c, "a"), "not in the cell, where /tmp is covered (`prior show a "
			       "--isolation` says by what); a volume brings it in"));
	assert_non_null(strstr(compiled_refused(&c, "b"), "No such file or directory in the machine's root"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(health_of_who_has_no_check_is_told_to_be_readiness, teardown),
		cmocka_unit_test_teardown(a_program_that_the_cell_covers_is_not_said_to_be_missing, teardown),
		cmocka_unit_test_teardown(who_asks_for_nothing_has_no_record, teardown),
		cmocka_unit_test_teardown(hooks_are_programs_of_the_services_own_root, teardown),
		cmocka_unit_test_teardown(a_check_asks_an_address, teardown),
		cmocka_unit_test_teardown(a_readiness_descriptor_is_none_of_its_sockets, teardown),
		cmocka_unit_test_teardown(a_watchdog_or_a_store_brings_the_socket, teardown),
	};

	return cmocka_run_group_tests(tests, compiled_setup, compiled_teardown);
}
