/* The endpoint's requests and pages: what is understood, what is refused with which status, what is answered. */
/* SPDX-License-Identifier: ISC */
#define FUZZER
#include "tests/fuzz/fuzz_http.c"
#include "tests/unit/mutate.h"
#include "services/http/serve.c"
#include "services/supervise/prior.h"

static unsigned status(const char *text, enum http_page *page)
{
	struct http_request r;

	if (!http_parse(text, strlen(text), &r))
		return 0;
	if (page)
		*page = r.page;
	return r.status;
}

#define HOST "Host: x\r\n\r\n"

static void each_page_has_a_name_and_what_follows_it_does_not_matter(void **state)
{
	static const struct { const char *text; enum http_page page; } good[] = {
		{ "GET /livez HTTP/1.1\r\n" HOST, HTTP_LIVEZ },
		{ "GET /readyz?verbose=1 HTTP/1.1\r\n" HOST, HTTP_READYZ },
		{ "GET /healthz HTTP/1.0\r\n\r\n", HTTP_HEALTHZ },
		{ "GET /metrics HTTP/1.1\r\nAccept: */*\r\nhOST: [::1]:9100\r\nX: \r\n\r\n", HTTP_METRICS },
		{ "GET http://127.0.0.1:9100/metrics HTTP/1.1\r\n" HOST, HTTP_METRICS },
		{ "\r\nGET /livez HTTP/1.1\nHost: x\n\n", HTTP_LIVEZ },
		{ "GET /livez HTTP/1.1\r\nContent-Length: 0\r\n" HOST "and more", HTTP_LIVEZ },
	};
	enum http_page page;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(status(good[i].text, &page), 200);
		assert_int_equal(page, good[i].page);
	}
}

static void a_head_without_a_body_is_asked_for_by_HEAD(void **state)
{
	static const char text[] = "HEAD /livez HTTP/1.1\r\n" HOST;
	struct http_request r;

	(void)state;
	assert_true(http_parse(text, sizeof text - 1, &r));
	assert_true(r.head && r.status == 200);
}

static void what_is_wrong_with_a_request_is_said_by_its_status(void **state)
{
	static const struct { const char *text; unsigned status; } bad[] = {
		{ "GET / HTTP/1.1\r\n" HOST, 404 }, { "GET /livezz HTTP/1.1\r\n" HOST, 404 },
		{ "GET /../metrics HTTP/1.1\r\n" HOST, 404 }, { "GET http://x HTTP/1.1\r\n" HOST, 404 },
		{ "POST /livez HTTP/1.1\r\n" HOST, 405 }, { "get /livez HTTP/1.1\r\n" HOST, 405 },
		{ "POST /livez HTTP/1.1\r\nContent-Length: 5\r\n" HOST, 405 },
		{ "GET /livez HTTP/2.0\r\n" HOST, 505 },
		{ "GET /livez\r\n\r\n", 400 }, { "GET  /livez HTTP/1.1\r\n" HOST, 400 },
		{ "GET /livez HTTP/1.1 \r\n" HOST, 400 }, { "GET /livez HTTQ/1.1\r\n" HOST, 400 },
		{ "GET /livez HTTP/1.1\r\n\r\n", 400 },				/* 1.1 has a Host */
		{ "GET /livez HTTP/1.1\r\nHost: a\r\n" HOST, 400 },		/* and one only */
		{ "GET /livez HTTP/1.1\r\nHost : a\r\n\r\n", 400 }, { "GET /livez HTTP/1.1\r\nHost\r\n\r\n", 400 },
		{ "GET /livez HTTP/1.1\r\nX: a\r\n b\r\n" HOST, 400 },		/* no line goes on */
		{ "GET /livez HTTP/1.1\r\nContent-Length: 5\r\n" HOST, 400 },	/* no body */
		{ "GET /livez HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST, 400 },
		{ "\x16\x03\x01\x02", 400 },					/* TLS, told before it waits */
		{ "G\x1b[2J", 400 }, { "@@@ /livez HTTP/1.1\r\n" HOST, 400 },
		{ "GET /livez HTTP/1.1\r\nHost: x\r\n", 0 }, { "GET /live", 0 }, { "", 0 }, { "\r\n\r\n\r\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (status(bad[i].text, NULL) != bad[i].status)
			fail_msg("%s: %u, not %u", bad[i].text, status(bad[i].text, NULL), bad[i].status);
}

static void a_request_has_an_end(void **state)
{
	char text[HTTP_HEAD_MAX];
	struct http_request r;

	(void)state;
	memset(text, 'a', sizeof text);
	assert_false(http_parse(text, sizeof text - 1, &r));
	assert_true(http_parse(text, sizeof text, &r));
	assert_int_equal(r.status, 414);
	memcpy(text, "GET /livez HTTP/1.1\r\n", 21);
	assert_true(http_parse(text, sizeof text, &r));
	assert_int_equal(r.status, 431);
	text[100] = '\0';
	assert_true(http_parse(text, 101, &r));
	assert_int_equal(r.status, 400);
}

static void whatever_the_bytes_are_there_is_one_verdict(void **state)
{
	static const char *const seeds[] = {
		"GET /livez HTTP/1.1\r\n" HOST, "GET /metrics?x=1 HTTP/1.0\r\n\r\n",
		"GET http://a/healthz HTTP/1.1\r\nContent-Length: 0\r\n" HOST,
		"HEAD /readyz HTTP/1.1\r\n" HOST "more\n\n",
		"POST / HTTP/2.0\r\nTransfer-Encoding: x\r\n\r\n",
	};

	(void)state;
	for (inputs = 0; inputs < sizeof seeds / sizeof *seeds; inputs++) {
		corpus[inputs].n = strlen(seeds[inputs]);
		memcpy(corpus[inputs].at, seeds[inputs], corpus[inputs].n);
	}
	try_all(4000, LLVMFuzzerTestOneInput);
}

/* --- pages --- */

static struct ledger_head head;
static struct ledger_svc svc[2];
static const struct http_row rows[] = { { "web", 0, 1 }, { "db", 1, 0 }, { "gone", UINT32_MAX, 1 } };

static struct http_view view_of(uint32_t n)
{
	struct http_view v = { .ledger = { .head = &head, .svc = svc }, .rows = rows, .nrows = n,
			       .cgroup_fd = FD_NONE };

	head = (struct ledger_head){ .nservices = 2, .settled = 1, .generation = 1, .mode = MODE_CONTAINER };
	for (unsigned i = 0; i < 2; i++) {
		ledger_open_svc(&svc[i]);
		svc[i].state = SVC_UP;
		svc[i].flags = SVC_F_WANTED | SVC_F_READY | (i ? 0 : SVC_F_ATTESTED);
		svc[i].health = i ? HEALTH_GOOD : HEALTH_NONE;
		svc[i].pid = 7;
		svc[i].restarts = 2;
		svc[i].since_wall_ms = 1700000000123;
		ledger_seal_svc(&svc[i]);
	}
	return v;
}

static void expect(enum http_page page, const struct http_view *v, unsigned code, const char *part)
{
	struct http_body b;

	http_page(page, v, &b);
	assert_non_null(b.at);
	assert_int_equal(b.n, strlen(b.at));
	if (b.status != code || !strstr(b.at, part))
		fail_msg("%u, not %u with '%s': %s", b.status, code, part, b.at);
	free(b.at);
}

static void readiness_names_what_is_not_well(void **state)
{
	struct http_view v = view_of(2);

	(void)state;
	expect(HTTP_READYZ, &v, 200, "ok\n");
	expect(HTTP_LIVEZ, &v, 200, "ok\n");
	expect(HTTP_LIVEZ, NULL, 503, "prior does not answer\n");
	ledger_open_svc(&svc[1]);
	svc[1].health = HEALTH_BAD;
	ledger_seal_svc(&svc[1]);
	expect(HTTP_READYZ, &v, 503, "db is unhealthy\n");
	v = view_of(3);
	expect(HTTP_READYZ, &v, 503, "gone is refused\n");
	v = view_of(2);
	head.shutdown = SHUTDOWN_EXIT;
	expect(HTTP_READYZ, &v, 503, "prior is shutting down\n");
	head.shutdown = head.settled = 0;
	expect(HTTP_READYZ, &v, 503, "prior is still starting\n");
}

static void health_says_of_each_service_whether_its_sandbox_was_verified(void **state)
{
	struct http_view v = view_of(2);

	(void)state;
	expect(HTTP_HEALTHZ, &v, 200, "\n{\"service\":\"web\",\"state\":\"up\",\"ready\":true,\"health\":null,"
	       "\"attested\":true,\"restarts\":2,\"well\":true},");
	expect(HTTP_HEALTHZ, &v, 200, "\n{\"service\":\"db\",\"state\":\"up\",\"ready\":true,\"health\":\"healthy\","
	       "\"attested\":null,");
	v = view_of(3);
	expect(HTTP_HEALTHZ, &v, 503, "{\"service\":\"gone\",\"state\":\"refused\",");
	expect(HTTP_HEALTHZ, &v, 503, "\n],\"status\":\"failing\"}\n");
}

static void metrics_are_families_in_order_and_end_with_EOF(void **state)
{
	struct http_view v = view_of(3);
	struct http_body b;

	(void)state;
	expect(HTTP_METRICS, &v, 200, "\nprior_service_attested{service=\"web\"} 1\n# TYPE");
	expect(HTTP_METRICS, &v, 200, "\nprior_service_healthy{service=\"db\"} 1\n# TYPE");
	expect(HTTP_METRICS, &v, 200, "\nprior_service_restarts_total{service=\"db\"} 2\n# TYPE");
	expect(HTTP_METRICS, &v, 200, "\nprior_service_since_timestamp_seconds{service=\"web\"} 1700000000.123000\n");
	expect(HTTP_METRICS, &v, 200, "{service=\"gone\",prior_service_state=\"refused\"} 1\n");
	http_page(HTTP_METRICS, &v, &b);
	assert_string_equal(b.type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
	assert_string_equal(b.at + b.n - 7, "\n# EOF\n");
	free(b.at);
}

static bool same_page(enum http_page page, const char *part)
{
	struct http_body b;

	page_of(page, &b);
	assert_non_null(b.at);
	b.at[b.n] = '\0';	/* there is room for it */
	const bool found = strstr(b.at, part);

	free(b.at);
	return found;
}

static void a_page_is_made_once_from_what_PID_1_said(void **state)
{
	(void)state;
	here.view = view_of(2);
	here.alive = true;
	here.now_ms = here.asked_ms = 1000;
	assert_true(same_page(HTTP_METRICS, "prior_service_restarts_total{service=\"db\"} 2\n"));
	ledger_open_svc(&svc[1]);
	svc[1].restarts = 3;
	ledger_seal_svc(&svc[1]);
	here.now_ms += HTTP_FRESH_MS - 1;
	assert_true(same_page(HTTP_METRICS, "prior_service_restarts_total{service=\"db\"} 2\n"));
	assert_true(same_page(HTTP_HEALTHZ, "\"service\":\"db\",\"state\":\"up\",\"ready\":true,\"health\":\"healthy\","
			      "\"attested\":null,\"restarts\":3"));	/* another page, made now */
	here.view.rows = NULL;		/* not mapped: it cannot be unmapped */
	here.view.ledger = (struct ledger){ 0 };
	forget_view();
	for (unsigned i = 0; i < HTTP_PAGES; i++)
		assert_null(here.kept[i].at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_page_has_a_name_and_what_follows_it_does_not_matter),
		cmocka_unit_test(a_head_without_a_body_is_asked_for_by_HEAD),
		cmocka_unit_test(what_is_wrong_with_a_request_is_said_by_its_status),
		cmocka_unit_test(a_request_has_an_end),
		cmocka_unit_test(whatever_the_bytes_are_there_is_one_verdict),
		cmocka_unit_test(readiness_names_what_is_not_well),
		cmocka_unit_test(health_says_of_each_service_whether_its_sandbox_was_verified),
		cmocka_unit_test(metrics_are_families_in_order_and_end_with_EOF),
		cmocka_unit_test(a_page_is_made_once_from_what_PID_1_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
