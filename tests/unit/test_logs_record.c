/* Records, times, rotated files and events, each on its own. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/events.h"
#include "services/logs/logs.h"
#include "services/logs/record.h"
#include "services/logs/stamp.h"
#include "services/logs/store.h"
#include "tests/unit/logs_sample.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static void check_record(const char *line, size_t n, const char *want)
{
	char out[RECORD_MAX + 1], back[RECORD_LINE];
	size_t k = record_put(out, 1234, RECORD_WHOLE, line, n);
	struct record r;

	out[k] = '\0';
	assert_int_equal(out[k - 1], '\n');
	assert_true(record_read(out, k - 1, &r));
	assert_int_equal(r.ms, 1234);
	out[k - 1] = '\0';
	assert_string_equal(r.text, want);
	assert_int_equal(record_unescape(back, r.text, r.n), n);
	assert_memory_equal(back, line, n);
}

static void what_a_terminal_obeys_or_is_not_text_is_escaped_and_comes_back(void **st)
{
	(void)st;
	check_record("", 0, "");
	check_record("plain\ttext", 10, "plain\ttext");
	check_record("a\0b", 3, "a\\x00b");
	check_record("\033[31mred\033[0m\r", 13, "\\x1b[31mred\\x1b[0m\\x0d");
	check_record("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", 15,
		     "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
	check_record("\xff\xc3(\x7f", 4, "\\xff\\xc3(\\x7f");
	check_record("\xc2\x9b"
		     "31m",
		     5, "\\xc2\\x9b31m"); /* CSI in one character */
	check_record("a \xe2\x80\xae b \xe2\x81\xa6 \xe2\x80\xa6", 15,
		     "a \\xe2\\x80\\xae b \\xe2\\x81\\xa6 \xe2\x80\xa6"); /* turns the direction */
	check_record("C:\\new \\x41 \\", 13, "C:\\new \\x5cx41 \\");
}

static void every_byte_survives(void **st)
{
	char line[RECORD_LINE], out[RECORD_MAX], back[RECORD_LINE];
	unsigned seed = 1;
	struct record r;

	(void)st;
	for (unsigned round = 0; round < 200; round++) {
		size_t n = round == 0 ? sizeof line : (size_t)rand_r(&seed) % sizeof line;

		for (size_t i = 0; i < n; i++)
			line[i] = round == 0 ? '\0'
					     : "\\x41\n"[rand_r(&seed) % 5] ^
					(rand_r(&seed) % 4 ? 0 : rand_r(&seed));
		size_t k = record_put(out, 1, RECORD_PART, line, n);

		assert_true(k <= sizeof out);
		assert_ptr_equal(memchr(out, '\n', k), out + k - 1);
		assert_true(record_read(out, k - 1, &r));
		assert_int_equal(record_unescape(back, r.text, r.n), n);
		assert_memory_equal(back, line, n);
	}
}

static void a_long_line_is_not_cut_inside_a_character(void **st)
{
	(void)st;
	assert_int_equal(record_cut("abcdef", 6, 4), 4);
	assert_int_equal(record_cut("abc", 3, 4), 3);
	assert_int_equal(record_cut("abc\xe2\x82\xac"
				    "d",
				    7, 4),
			 3);
	assert_int_equal(record_cut("abc\xe2\x82\xac"
				    "d",
				    7, 5),
			 3);
	assert_int_equal(record_cut("abc\xe2\x82\xac"
				    "d",
				    7, 6),
			 6);
	assert_int_equal(record_cut("\x80\x80\x80\x80\x80\x80", 6, 4), 4); /* no character at all */
	assert_int_equal(record_cut("\xe2\x82\xac", 3, 2), 2);		   /* never nothing */
	assert_int_equal(record_cut("abc\xe2\x82", 5, 5), 3); /* the rest may still come */
	assert_int_equal(record_cut("abc\xe2\x82\xac", 6, 6), 6);
}

static void what_is_no_record_is_refused(void **st)
{
	static const char *const bad[] = { "",		"12",
					   "12 o",	"12 oX",
					   "x o text",	" 1 o text",
					   "12 q text", "12345678901234567890 o t" };
	struct record r;

	(void)st;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(record_read(bad[i], strlen(bad[i]), &r));
	assert_true(record_read("12 o ", 5, &r));
}

static void times_are_the_ones_of_the_calendar(void **st)
{
	static const struct {
		int64_t ms;
		const char *text;
	} t[] = { { 0, "1970-01-01T00:00:00.000Z" },
		  { 951827696789, "2000-02-29T12:34:56.789Z" },
		  { 1767323045678, "2026-01-02T03:04:05.678Z" },
		  { 4107542399999, "2100-02-28T23:59:59.999Z" },
		  { 4107542400000, "2100-03-01T00:00:00.000Z" },
		  { 253402300799999, "9999-12-31T23:59:59.999Z" } };

	(void)st;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		char out[32];
		struct text s = TEXT_IN(out);

		stamp_put(&s, t[i].ms);
		assert_string_equal(out, t[i].text);
		assert_int_equal(stamp_read(out, s.n), t[i].ms);
	}
	assert_int_equal(stamp_read("2026-13-02T03:04:05.678Z", 24), -1);
	assert_int_equal(stamp_read("2026-01-02 03:04:05.678Z", 24), -1);
	assert_int_equal(stamp_read("2026", 4), -1);
}

static void a_store_keeps_what_it_was_promised_and_no_more(void **st)
{
	struct logs_sample s;
	struct store f = { .fd = -1, .name = "web", .suffix = ".log" };
	struct err e;
	char block[1000];
	size_t n;

	(void)st;
	sample_make(&s);
	f.dir = open(s.dir, O_RDONLY | O_DIRECTORY);
	store_limits(&f, 0, 0);
	assert_int_equal(f.limit, 2 << 20);
	assert_int_equal(f.files, 4);
	store_limits(&f, 1, 1000);
	assert_int_equal(f.limit, STORE_LEAST);
	assert_int_equal(f.files, STORE_FILES);
	store_limits(&f, 40000, 3);
	for (int i = 0; i < 400; i++) {
		memset(block, 'a' + i / 40, sizeof block);
		assert_int_equal(store_room(&f, sizeof block, &e), 0);
		assert_int_equal(store_append(&f, block, sizeof block, &e), 0);
	}
	for (unsigned age = 0; age < 3; age++) {
		char name[STORE_NAME];

		store_name(name, "web", ".log", age);
		char *t = file_text(s.dir, name, &n);

		assert_int_equal(n, 40000);
		assert_int_equal(t[0], 'j' - (char)age);
		assert_int_equal(t[n - 1], 'j' - (char)age);
		free(t);
	}
	assert_null(file_text(s.dir, "web.log.3", &n));
	/* Fewer files from now on: the surplus goes at the next rotation. */
	store_limits(&f, 40000, 1);
	assert_int_equal(store_room(&f, 1, &e), 0);
	assert_null(file_text(s.dir, "web.log.1", &n));
	assert_null(file_text(s.dir, "web.log.2", &n));
	store_close(&f);
	/* Something in the way, even a link to a file, is not written to. */
	assert_int_equal(symlinkat("web.log", f.dir, "db.log"), 0);
	f.name = "db";
	assert_true(store_room(&f, 1, &e) < 0);
	assert_non_null(strstr(e.text, "db.log"));
	close(f.dir);
	sample_remove(&s);
}

static void an_event_is_one_json_object(void **st)
{
	struct event ev;
	const char *v;
	size_t n;

	(void)st;
	event_begin(&ev, "info", "started", "web");
	event_num(&ev, "pid", 81);
	event_str(&ev, "why", "a \"quoted\" word\n");
	event_end(&ev);
	assert_int_equal(ev.line[ev.n - 1], '\n');
	assert_memory_equal(ev.line, "{\"time\":\"", 9);
	assert_memory_equal(
		ev.line + 9 + STAMP_LEN,
		"\",\"level\":\"info\",\"event\":\"started\",\"service\":\"web\","
		"\"pid\":81,\"why\":\"a \\\"quoted\\\" word\\u000a\"}\n",
		ev.n - 9 - STAMP_LEN);
	assert_true(event_find(ev.line, ev.n, "pid", &v, &n));
	assert_int_equal(n, 2);
	assert_memory_equal(v, "81", 2);
	assert_false(event_find(ev.line, ev.n, "started", &v, &n)); /* a value, not a name */
}

static void an_event_that_is_too_long_loses_whole_fields(void **st)
{
	char big[500];
	struct event ev;
	const char *v;
	size_t n;

	(void)st;
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	event_begin(&ev, "info", "started", "web");
	event_str(&ev, "one", big);
	event_str(&ev, "two", big);
	event_num(&ev, "three", 3);
	event_end(&ev);
	assert_true(ev.n <= EVENT_MAX);
	assert_memory_equal(ev.line + ev.n - 13, ",\"cut\":true}\n", 13);
	assert_true(event_find(ev.line, ev.n, "one", &v, &n));
	assert_int_equal(n, sizeof big - 1);
	assert_false(event_find(ev.line, ev.n, "two", &v, &n));
	assert_true(event_find(ev.line, ev.n, "three", &v, &n));
	/* However long the fields, the end fits. */
	for (size_t k = 0; k < sizeof big; k++) {
		event_begin(&ev, "info", "started", "web");
		event_str(&ev, "one", big);
		event_str(&ev, "two", big + k);
		event_end(&ev);
		assert_true(ev.n <= EVENT_MAX && ev.line[ev.n - 1] == '\n' &&
			    ev.line[ev.n - 2] == '}');
	}
}

static void an_event_reads_as_a_sentence(void **st)
{
	struct event ev;
	char out[EVENT_MAX];

	(void)st;
	event_begin(&ev, "info", "started", "web");
	event_num(&ev, "pid", 81);
	event_end(&ev);
	event_human(ev.line, ev.n, out, sizeof out);
	char *s = strchr(out, ' ');

	assert_non_null(s);
	assert_string_equal(s, " web: started, pid 81");
	assert_true(strspn(out, "0123456789.") == (size_t)(s - out)); /* seconds since boot */
	static const char old[] =
		"{\"time\":\"1999-01-02T03:04:05.678Z\",\"level\":\"error\",\"event\":\"failed\","
		"\"why\":\"no such file\",\"tries\":3}\n";

	event_human(old, sizeof old - 1, out, sizeof out);
	assert_string_equal(out, "1999-01-02T03:04:05.678Z failed: no such file, tries 3");
	/* As JSON, with ' for ". */
	static const struct { const char *json, *words; } said[] = {
		{ "'event':'started','service':'web','pid':81,'us':118263,'attested':63,'attest_us':843",
		  "web: started, pid 81, after 118 ms, attested 63 facts in 0.8 ms" },
		{ "'event':'ready','service':'web','us':8027",
		  "web: ready after 8.0 ms" },
		{ "'event':'stopping','service':'web','pid':81,'signal':15",
		  "web: stopping, pid 81, SIGTERM" },
		{ "'event':'backoff','service':'web','ms':30000,'restarts':2,'why':'exited with code 3'",
		  "web: backoff 30 s, restarts 2: exited with code 3" },
		{ "'event':'waiting','service':'web','for':'db'",
		  "web: waiting for db" },
		{ "'event':'settled','boot_us':12340000,'services':13",
		  "settled 12.34 s after the kernel's start, 13 services" },
		{ "'event':'settled','boot_us':1000000,'services':1",
		  "settled 1000 ms after the kernel's start, 1 service" },
		{ "'event':'start-failed','service':'web','step':3,'why':'no'",
		  "web: start failed step 3: no" },
		{ "'event':'ready','us':'soon'",
		  "ready after soon" },
		{ "'event':'ready','us':99999999999999999999",
		  "ready after 99999999999999999999" },
	};

	for (size_t k = 0; k < sizeof said / sizeof *said; k++) {
		char line[300];

		snprintf(line, sizeof line, "{%s}\n", said[k].json);
		for (char *c = line; (c = strchr(c, '\''));)
			*c = '"';
		event_human(line, strlen(line), out, sizeof out);
		assert_string_equal(out, said[k].words);
	}
	event_human("garbage", 7, out, sizeof out);
	event_human("{\"a", 3, out, sizeof out);
	event_human("{\"a\":\"\\", 7, out, sizeof out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_terminal_obeys_or_is_not_text_is_escaped_and_comes_back),
		cmocka_unit_test(every_byte_survives),
		cmocka_unit_test(a_long_line_is_not_cut_inside_a_character),
		cmocka_unit_test(what_is_no_record_is_refused),
		cmocka_unit_test(times_are_the_ones_of_the_calendar),
		cmocka_unit_test(a_store_keeps_what_it_was_promised_and_no_more),
		cmocka_unit_test(an_event_is_one_json_object),
		cmocka_unit_test(an_event_that_is_too_long_loses_whole_fields),
		cmocka_unit_test(an_event_reads_as_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
