/* What `prior graph` and `prior chart` print of a plan and a ledger. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/ctl/graph.h"
#include "services/spec/spec.h"
#include "tests/unit/made_plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct live live;
static char out[16384];

static int begin(void **state)
{
	static const struct made_svc rows[] = {
		{ .name = "db" },
		{ .name = "metrics" },
		{ .name = "old", .deps = { { "web", DEP_CONFLICTS, 0 } } },
		{ .name = "web", .deps = { { "db", DEP_REQUIRES, COND_STARTED }, { "metrics", DEP_WANTS, 0 },
					   { "metrics", DEP_AFTER, 0 } } },
	};
	owned_fd fd = made_plan(rows, 4);
	struct err e;

	(void)state;
	if (plan_map(&live.plan, fd, &e) < 0 || ledger_create(&live.ledger, &live.plan, &e) < 0)
		fail_msg("%s", e.text);
	return 0;
}

static int end(void **state)
{
	int fd = live.ledger.fd;

	(void)state;
	plan_unmap(&live.plan);
	ledger_unmap(&live.ledger);
	fd_drop(&fd);
	return 0;
}

static FILE *open_out(void)
{
	memset(out, 0, sizeof out);
	return fmemopen(out, sizeof out - 1, "w");
}

static void the_graph_as_dot(void **state)
{
	static const unsigned char states[] = { SVC_UP, SVC_UP, SVC_FAILED, SVC_WAITING };
	FILE *f = open_out();

	(void)state;
	graph_dot(&(struct graph){ &live.plan, states }, f);
	fclose(f);
	assert_string_equal(out, "digraph prior {\n\trankdir=LR;\n\tnode [shape=box, fontname=\"sans-serif\"];\n"
		"\t\"db\" [label=\"db\\nup\"];\n\t\"metrics\" [label=\"metrics\\nup\"];\n"
		"\t\"old\" [label=\"old\\nfailed\", color=red];\n\t\"web\" [label=\"web\\nwaiting\"];\n"
		"\t\"old\" -> \"web\" [color=red, dir=none, constraint=false];\n"
		"\t\"web\" -> \"db\";\n\t\"web\" -> \"metrics\" [style=dashed];\n"
		"\t\"web\" -> \"metrics\" [style=dotted, color=gray];\n}\n");
}

static void the_graph_as_a_picture_of_our_own(void **state)
{
	FILE *f = open_out();
	struct err e;

	(void)state;
	assert_int_equal(graph_svg(&(struct graph){ &live.plan, NULL }, f, &e), 0);
	fclose(f);
	assert_int_equal(strncmp(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 40), 0);
	assert_non_null(strstr(out, ">web</text>"));
	/* What needs something stands to the right of it. */
	assert_non_null(strstr(out, "<rect x=\"20\" y=\"20\""));
	assert_non_null(strstr(out, "<rect x=\"240\" y=\"20\""));
	assert_non_null(strstr(out, "stroke=\"#c00\""));
	assert_string_equal(out + strlen(out) - 7, "</svg>\n");
}

static void the_graph_as_json(void **state)
{
	FILE *f = open_out();

	(void)state;
	graph_json(&(struct graph){ &live.plan, NULL }, f);
	fclose(f);
	assert_non_null(strstr(out, "\"kind\": \"requires\",\n        \"condition\": \"service_started\""));
	assert_non_null(strstr(out, "\"kind\": \"conflicts\",\n        \"condition\": null"));
}

static void started(uint32_t i, int64_t from, int64_t setup, int64_t ready)
{
	LEDGER_WRITE(&live.ledger.svc[i]);
	live.ledger.svc[i].state = SVC_UP;
	live.ledger.svc[i].started_us = from;
	live.ledger.svc[i].setup_us = setup;
	live.ledger.svc[i].ready_us = ready;
}

static void the_chart_has_a_bar_for_each_start(void **state)
{
	FILE *f = open_out();

	(void)state;
	live.ledger.head->mode = MODE_UP;
	started(0, 1000000, 2000, 502000);
	started(3, 1502000, 1000, 1000);
	chart_svg(&live, f);
	fclose(f);
	assert_non_null(strstr(out, ">503.0 ms; blue"));
	/* The one that was ready after half a second, and the one that followed it. */
	assert_non_null(strstr(out, ">db</text><text x=\"1078\" y=\"42\" fill=\"#666\">502.0 ms</text>"));
	assert_non_null(strstr(out, ">web</text><text x=\"1078\" y=\"60\" fill=\"#666\">1.0 ms</text>"));
	assert_null(strstr(out, ">old</text>"));
	f = open_out();
	chart_json(&live, f);
	fclose(f);
	assert_non_null(strstr(out, "\"started_us\": 1000000,\n    \"ran_us\": 1002000,\n    \"ready_us\": 1502000"));
}

static void the_chart_of_a_machine_begins_with_the_kernel(void **state)
{
	FILE *f = open_out();

	(void)state;
	live.ledger.head->mode = MODE_MACHINE;
	live.ledger.head->boot_us[0] = 900000;
	live.ledger.head->boot_us[1] = 905000;
	started(0, 1000000, 2000, 502000);
	chart_svg(&live, f);
	fclose(f);
	assert_non_null(strstr(out, ">1502.0 ms; blue"));
	assert_non_null(strstr(out, ">kernel</text><text x=\"1078\" y=\"42\" fill=\"#666\">900.0 ms</text>"));
	assert_non_null(strstr(out, ">rootfs</text><text x=\"1078\" y=\"60\" fill=\"#666\">5.0 ms</text>"));
	assert_non_null(strstr(out, ">db</text><text x=\"1078\" y=\"78\" fill=\"#666\">502.0 ms</text>"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_graph_as_dot, begin, end),
		cmocka_unit_test_setup_teardown(the_graph_as_a_picture_of_our_own, begin, end),
		cmocka_unit_test_setup_teardown(the_graph_as_json, begin, end),
		cmocka_unit_test_setup_teardown(the_chart_has_a_bar_for_each_start, begin, end),
		cmocka_unit_test_setup_teardown(the_chart_of_a_machine_begins_with_the_kernel, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
