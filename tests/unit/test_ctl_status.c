/* status, why and their JSON, from a plan and a ledger made by hand. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=ctl_ask,--wrap=ctl_ask_on,--wrap=ctl_connect */
#include "init/ctl/status.h"
#include "init/ctl/verbs.h"
#include "init/ctl/why.h"
#include "tests/unit/ctl_sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* after the four that it needs */
#include <cmocka.h>

static struct sample sample;
static struct views all;
static char out[65536];

static int make(void **state)
{
	struct err e;

	(void)state;
	ctl_sample_make(&sample);
	asked = (struct asked){ .sample = &sample };
	return views_take(&all, &sample.live, NULL, SAMPLE_NOW, &e);
}

static int unmake(void **state)
{
	(void)state;
	views_free(&all);
	ctl_sample_free(&sample);
	return 0;
}

static const struct view *view(const char *name)
{
	for (unsigned i = 0; i < all.n; i++)
		if (strcmp(all.v[i].name, name) == 0)
			return &all.v[i];
	fail_msg("no view of %s", name);
	return NULL;
}

/* What a function prints into .to, in out. */
static struct status begin(void)
{
	memset(out, 0, sizeof out);
	return (struct status){ .live = &sample.live, .views = &all, .to = fmemopen(out, sizeof out, "w") };
}

static const char *why(const char *name)
{
	struct status s = begin();

	why_print(s.live, s.views, view(name), s.to);
	fclose(s.to);
	return out;
}

static void the_table_has_every_service_and_every_complaint(void **state)
{
	struct status s = begin();

	(void)state;
	status_table(&s);
	fclose(s.to);
	assert_string_equal(out,
		"SERVICE  STATE      PID  SINCE   RESTARTS  MEMORY  CPU  SANDBOX\n"
		"db       up         81   1m 23s  0         -       -    server, attested 61 facts\n"
		"job      done       -    1m 24s  0         -       -    none\n"
		"loop     backoff    -    0.3s    2         -       -    server\n"
		"mail     refused    -    -       0         -       -    -\n"
		"proxy    waiting    -    1m 24s  0         -       -    server\n"
		"slow     starting   90   2.0s    0         -       -    server, attested 58 facts\n"
		"web      listening  -    1m 24s  0         -       -    server\n"
		"zed      failed     -    40s     5         -       -    server\n"
		"loop: killed by SIGSEGV\n"
		"mail: mail.yaml:3:5: user: there is no user 'postfix'\n"
		"zed: ended 6 times within 60 s\n"
		"8 services: 1 waiting, 1 listening, 1 starting, 1 up, 1 backoff, 1 done, 1 failed, 1 refused; "
		"settled 0.84 s after the kernel's start\n");
}

static void one_service_is_shown_fact_by_fact(void **state)
{
	struct view db = *view("db");
	struct status s = begin();

	(void)state;
	db.has_memory = db.has_cpu = true;
	db.memory = 13002343;
	db.cpu_us = 310500;
	status_one(&s, &db);
	fclose(s.to);
	assert_string_equal(out,
		"db: up for 1m 23s (since 2026-01-02T03:02:42.678Z)\n"
		"   process  81, /usr/bin/thing\n"
		"   sandbox  preset server; 61 facts read back from the kernel and equal to the plan\n"
		"      says  accepting connections\n"
		"    memory  12.4M of at most 64.0M\n"
		"       cpu  0.310 s\n"
		"   started  ready after 2.5 ms, of which its cell took 1.2 ms and its attestation 0.4 ms\n"
		"    starts  1, of which 0 were restarts; 0 failures\n"
		"   address  10.88.0.2/24 on prior0\n");
}

static void sockets_are_shown_as_people_write_them(void **state)
{
	struct status s = begin();

	(void)state;
	status_one(&s, view("web"));
	fclose(s.to);
	assert_non_null(strstr(out, "   listens  tcp [::]:80 (http, lazy)\n   listens  unix /run/web.sock (admin)\n"));
}

static void what_a_service_says_cannot_drive_the_terminal(void **state)
{
	struct view db = *view("db");
	struct status s = begin();

	(void)state;
	strcpy(db.now.status, "\x1b[2J");
	strcpy(db.now.why, "\x1b]0;x\x07");
	status_one(&s, &db);
	why_print(s.live, s.views, &db, s.to);
	fclose(s.to);
	assert_null(strchr(out, '\x1b'));
}

static void a_lost_attestation_is_seen(void **state)
{
	struct view db = *view("db");
	char buf[LINE_TEXT];

	(void)state;
	assert_false(sandbox_is_bad(&db));
	db.now.flags &= ~SVC_F_ATTESTED;
	assert_true(sandbox_is_bad(&db));
	assert_string_equal(sandbox_text(&db, buf), "server, not attested");
}

static void why_tells_a_stop_from_an_end(void **state)
{
	struct view v = *view("db");

	(void)state;
	v.now.state = SVC_DOWN;
	v.now.starts = 1;
	for (int k = 0; k < 3; k++) {
		struct status s = begin();

		v.now.flags = k == 0 ? 0 : k == 1 ? SVC_F_STOPPED_BY_USER : SVC_F_STOPPED_WITH;
		why_print(s.live, s.views, &v, s.to);
		fclose(s.to);
		assert_non_null(strstr(out, k == 0 ? "its restart policy is to leave it so" :
					     k == 1 ? "Somebody stopped it" :
					     "It was stopped with what it needs; `prior start db` starts both."));
	}
}

static void why_is_said_in_sentences(void **state)
{
	(void)state;
	assert_string_equal(why("proxy"), "proxy is waiting, for 1m 24s.\n"
					  "proxy waits until slow is healthy; slow is starting.\n");
	assert_string_equal(why("loop"), "loop has ended and will be started again, 0.3s ago.\nkilled by SIGSEGV\n"
					 "It is started again in 1.5s; this was end 2, and more than 5 within 1m 0s "
					 "are too many.\n");
	assert_string_equal(why("slow"), "slow is starting, for 2.0s.\n"
					 "It runs, and prior waits for READY=1 from it.\n"
					 "If that takes another 28s, the start has failed.\nproxy waits for it.\n");
	assert_string_equal(why("mail"), "mail is refused.\nmail.yaml:3:5: user: there is no user 'postfix'\n"
					 "Its configuration cannot be carried out as it is written, so it is never "
					 "started.\n");
	assert_string_equal(why("web"), "web is listening, for 1m 24s.\n"
					"It does not run yet: prior holds its sockets and starts it at the first "
					"connection.\n  tcp [::]:80 (http, lazy)\n  unix /run/web.sock (admin)\n");
}

static void every_state_has_a_sentence(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SVC_STATES; i++) {
		struct view v = *view("db");
		struct status s = begin();

		v.now.state = (uint8_t)i;
		why_print(s.live, s.views, &v, s.to);
		fclose(s.to);
		assert_true(strlen(strchr(out, '\n')) > 10);
	}
}

/* The bridges are made, or what is left of a try to make them is removed: either way that is what it waits for. */
static void why_names_the_bridges_as_long_as_they_are_worked_on(void **state)
{
	static const struct {
		uint32_t network;
		bool waits;
	} rows[] = { { NETWORK_BEGINS, true }, { NETWORK_MENDS, true }, { NETWORK_CHANGES, false },
		     { NETWORK_NONE, false } };
	struct view v = *view("db");

	(void)state;
	v.now.state = SVC_WAITING;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct status s = begin();

		sample.live.ledger.head->network = rows[i].network;
		why_print(s.live, s.views, &v, s.to);
		fclose(s.to);
		assert_int_equal(!!strstr(out, "It waits for the bridges and their rules, which are being made.\n"),
				 rows[i].waits);
	}
}

static void exit_codes_are_systemctls(void **state)
{
	static const struct {
		const char *name;
		int code;
	} rows[] = { { "db", 0 }, { "slow", 0 }, { "web", 0 }, { "job", INACTIVE }, { "loop", INACTIVE },
		     { "zed", INACTIVE }, { "proxy", INACTIVE }, { "mail", INACTIVE }, { "postgres", UNKNOWN } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(CTL(out, "prior", "status", rows[i].name, "--json"), rows[i].code);
	assert_int_equal(CTL(out, "prior", "status"), 0);
	assert_int_equal(CTL(out, "prior", "status", "db", "zed", "--json"), INACTIVE);
}

static void json_has_the_keys_that_programs_hold_on_to(void **state)
{
	static const char *const keys[] = { "service", "state", "pid", "since", "restarts", "ready", "health",
					    "attested", "exit" };

	(void)state;
	assert_int_equal(CTL(out, "prior", "status", "--json"), 0);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char key[32];
		unsigned n = 0;

		snprintf(key, sizeof key, "\n    \"%s\": ", keys[i]);
		for (const char *at = out; (at = strstr(at, key)); at++)
			n++;
		assert_int_equal(n, SAMPLE_SERVICES + 1);
	}
	assert_int_equal(CTL(out, "prior", "status", "--json", "loop"), INACTIVE);
	assert_non_null(strstr(out, "\"exit\": {\n      \"kind\": \"signal\",\n      \"status\": 11,\n"));
	assert_int_equal(CTL(out, "prior", "status", "--prior", "--json"), 0);
	assert_non_null(strstr(out, "\"mode\": \"machine\""));
	assert_non_null(strstr(out, "\"fd_count\": 2"));
}

static void nothing_runs_so_there_is_nothing_to_audit(void **state)
{
	(void)state;
	assert_int_equal(CTL(out, "prior", "audit", "job", "web", "mail"), 0);
	assert_string_equal(out, "job: does not run\nweb: does not run\nmail: refused, does not run\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_every_service_and_every_complaint),
		cmocka_unit_test(one_service_is_shown_fact_by_fact),
		cmocka_unit_test(sockets_are_shown_as_people_write_them),
		cmocka_unit_test(what_a_service_says_cannot_drive_the_terminal),
		cmocka_unit_test(a_lost_attestation_is_seen),
		cmocka_unit_test(why_is_said_in_sentences),
		cmocka_unit_test(why_tells_a_stop_from_an_end),
		cmocka_unit_test(why_names_the_bridges_as_long_as_they_are_worked_on),
		cmocka_unit_test(every_state_has_a_sentence),
		cmocka_unit_test(exit_codes_are_systemctls),
		cmocka_unit_test(json_has_the_keys_that_programs_hold_on_to),
		cmocka_unit_test(nothing_runs_so_there_is_nothing_to_audit),
	};

	return cmocka_run_group_tests_name("ctl_status", tests, make, unmake);
}
