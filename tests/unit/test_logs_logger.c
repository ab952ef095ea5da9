/* The logger at work: lines through pipes into files, the ring, the console. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/logs_sample.h"
#include "services/logs/record.h"
#include "init/base/mono.h"
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static const char *const web[] = { "web", NULL };

static void lines_arrive_as_they_were_written(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	size_t n;

	(void)state;
	sample_make(&s);
	sample_start(&s, false, false);
	sample_pipe(&p, "web", SINK_AUTO, 0, 0);
	sample_send(&s, &p);
	put(p.wr, "one\ntw");
	poll(NULL, 0, 20);
	put(p.wr, "o\n\nfour\x01\n");
	put_all(p.wr, "NUL\0byte\n", 9);
	put(p.wr, "no newline at the end");
	assert_int_equal(sample_end(&s), 0);
	char *t = lines_of(&s, "web", &n);

	assert_string_equal(t, "one\ntwo\n\nfour\\x01\nNUL\\x00byte\nno newline at the end\n");
	free(t);
	t = file_text(s.log, "web.log", &n);
	assert_non_null(t); /* in the files' folder, since it can be made */
	free(t);
	sample_close(&p);
	sample_remove(&s);
}

static void a_line_of_a_megabyte_is_one_line(void **state)
{
	const size_t size = 1 << 20;
	char *line = malloc(size + 1), *t;
	struct logs_sample s;
	struct sample_pipe p;
	size_t n;

	(void)state;
	for (size_t i = 0; i < size; i++)
		line[i] = "abc\xc3\xa4"[i % 5];
	line[size - 1] = 'x';
	line[size] = '\n';
	sample_make(&s);
	sample_start(&s, false, false);
	sample_pipe(&p, "web", SINK_FILE, 8 << 20, 2);
	sample_send(&s, &p);
	put_all(p.wr, line, size + 1);
	put(p.wr, "next\n");
	assert_int_equal(sample_end(&s), 0);
	t = lines_of(&s, "web", &n);
	assert_int_equal(n, size + 1 + 5);
	assert_memory_equal(t, line, size + 1);
	assert_memory_equal(t + size + 1, "next\n", 5);
	free(t);
	free(line);
	sample_close(&p);
	sample_remove(&s);
}

static void a_prompt_is_shown_after_a_second_and_goes_on_in_the_same_line(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	size_t n;
	char *t;

	(void)state;
	sample_make(&s);
	sample_start(&s, false, false);
	sample_pipe(&p, "web", SINK_RING, 0, 0);
	sample_send(&s, &p);
	const int64_t before = mono_now().ms;
	int left;

	put(p.wr, "login: ");
	poll(NULL, 0, 200);
	ioctl(p.rd, FIONREAD, &left);
	if (mono_now().ms - before < 1000)	/* else the test was kept waiting */
		assert_int_equal(left, 7); /* still in the pipe: a crash now would cost nothing */
	wait_until_empty(&p);
	put(p.wr, "root\n");
	assert_int_equal(sample_end(&s), 0);
	t = lines_of(&s, "web", &n);
	assert_string_equal(t, "login: root\n");
	free(t);
	char ring[100];

	snprintf(ring, sizeof ring, "%s/logs", s.run);
	t = file_text(ring, "web.log", &n);
	assert_non_null(strstr(t, " p login: \n"));
	free(t);
	sample_close(&p);
	sample_remove(&s);
}

static void a_service_that_ends_ends_its_line(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	struct err e;
	size_t n;

	(void)state;
	sample_make(&s);
	sample_start(&s, false, false);
	sample_pipe(&p, "web", SINK_AUTO, 0, 0);
	sample_send(&s, &p);
	put(p.wr, "first life");
	assert_int_equal(logger_flush(s.sock, "web", &e), 0);
	assert_int_equal(logger_flush(s.sock, "nobody", &e), 0);
	wait_until_empty(&p);
	put(p.wr, "second life\n");
	assert_int_equal(sample_end(&s), 0);
	char *t = lines_of(&s, "web", &n);

	assert_string_equal(t, "first life\nsecond life\n");
	free(t);
	sample_close(&p);
	sample_remove(&s);
}

static void a_pipe_without_writers_is_read_to_its_end_and_dropped(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	size_t n;

	(void)state;
	sample_make(&s);
	sample_start(&s, false, false);
	sample_pipe(&p, "web", SINK_AUTO, 0, 0);
	sample_send(&s, &p);
	put(p.wr, "a\nlast words");
	close(p.wr);
	p.wr = -1;
	wait_until_empty(&p);
	sample_close(&p);
	sample_pipe(&p, "web", SINK_AUTO, 0, 0); /* the same name again, another pipe */
	sample_send(&s, &p);
	put(p.wr, "again\n");
	assert_int_equal(sample_end(&s), 0);
	char *t = lines_of(&s, "web", &n);

	assert_string_equal(t, "a\nlast words\nagain\n");
	free(t);
	sample_close(&p);
	sample_remove(&s);
}

/* ---- where things go ---- */

/* As by reloads that change the service: PID 1 keeps this end, and sends it again. */
static void a_pipe_that_is_sent_again_is_read_on(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	size_t n;

	(void)state;
	sample_make(&s);
	sample_start(&s, false, false);
	sample_pipe(&p, "web", SINK_AUTO, 0, 0);
	for (int i = 0; i < 5; i++) {
		sample_send(&s, &p);
		put(p.wr, "one\n");
		wait_until_empty(&p);
		put(p.wr, "more\n");
		wait_until_empty(&p);
	}
	assert_int_equal(sample_end(&s), 0);
	char *t = lines_of(&s, "web", &n);

	assert_string_equal(t, "one\nmore\none\nmore\none\nmore\none\nmore\none\nmore\n");
	free(t);
	sample_close(&p);
	sample_remove(&s);
}

static void without_a_place_for_files_lines_are_kept_in_the_ring(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	size_t n;

	(void)state;
	sample_make(&s);
	close(open(s.log, O_WRONLY | O_CREAT | O_CLOEXEC,
		   0600)); /* a file is in the way of the folder */
	sample_start(&s, false, false);
	sample_pipe(&p, "web", SINK_AUTO, 0, 0);
	sample_send(&s, &p);
	put(p.wr, "kept\n");
	assert_int_equal(sample_end(&s), 0);
	char *t = printed(&s, &(struct logs_query){ .services = web, .n = -1, .names = true }, &n);

	assert_string_equal(t, "web | kept\n");
	free(t);
	t = printed(&s, &(struct logs_query){ .events = true, .n = -1 }, &n);
	assert_string_equal(t, ""); /* nobody asked for files, so nothing is wrong */
	free(t);
	sample_close(&p);
	sample_remove(&s);
}

static void what_cannot_be_written_goes_to_the_ring_and_is_told_once(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	size_t n;
	char path[120];

	(void)state;
	sample_make(&s);
	mkdir(s.log, 0700);
	snprintf(path, sizeof path, "%s/web.log", s.log);
	mkdir(path, 0700); /* in the way of the file */
	sample_start(&s, false, false);
	sample_pipe(&p, "web", SINK_FILE, 0, 0);
	sample_send(&s, &p);
	put(p.wr, "one\n");
	wait_until_empty(&p);
	put(p.wr, "two\n");
	assert_int_equal(sample_end(&s), 0);
	char *t = lines_of(&s, "web", &n);

	assert_string_equal(t, "one\ntwo\n");
	free(t);
	t = printed(&s, &(struct logs_query){ .events = true, .n = -1 }, &n);
	assert_non_null(strstr(t, "error: web: logs in memory: web.log: "));
	assert_ptr_equal(strchr(t, '\n'), t + n - 1); /* one line */
	free(t);
	sample_close(&p);
	sample_remove(&s);
}

static void names_that_would_leave_the_folder_are_refused(void **state)
{
	static const char *const bad[] = { "../web", ".hidden", "a/b", "" };
	struct logs_sample s;
	struct sample_pipe p;
	size_t n;

	(void)state;
	sample_make(&s);
	sample_start(&s, false, false);
	for (int i = 0; i < 4; i++) {
		sample_pipe(&p, bad[i], SINK_AUTO, 0, 0);
		sample_send(&s, &p);
		sample_close(&p);
	}
	assert_int_equal(sample_end(&s), 0);
	char *t = printed(&s, &(struct logs_query){ .events = true, .n = -1, .json = true }, &n);
	int lines = 0;

	for (char *c = t; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 4);
	free(t);
	sample_remove(&s);
}

static void events_are_kept_rotated_and_shown_on_the_console(void **state)
{
	struct logs_sample s;
	struct sample_pipe p, w;
	struct event ev;
	size_t n;
	char out[4096];

	(void)state;
	sample_make(&s);
	sample_start(&s, true, false);
	sample_pipe(&p, "prior", SINK_AUTO, 4 << 20, 4);
	sample_pipe(&w, "web", SINK_NONE, 0, 0);
	sample_send(&s, &p);
	sample_send(&s, &w);
	event_begin(&ev, "info", "started", "web");
	event_num(&ev, "pid", 7);
	event_end(&ev);
	put_all(p.wr, ev.line, ev.n);
	put(p.wr, "some library says this\n");
	put(w.wr, "not shown, not kept\n");
	wait_until_empty(&p);
	wait_until_empty(&w);
	poll(NULL, 0, 20);
	ssize_t r = read(s.console[0], out, sizeof out - 1);

	assert_true(r > 0);
	out[r] = '\0';
	assert_non_null(strstr(out, " web: started, pid 7\n"));
	assert_non_null(strstr(out, " message: some library says this\n"));
	assert_null(strstr(out, "not shown"));
	sample_end(&s);
	sample_start(&s, false, false);
	sample_send(&s, &p);
	for (unsigned i = 0; i < 14000; i++) {
		event_begin(&ev, "info", "tick", "web");
		event_num(&ev, "i", i);
		event_end(&ev);
		put_all(p.wr, ev.line, ev.n);
	}
	assert_int_equal(sample_end(&s), 0);
	char *t = file_text(s.run, "events", &n), *old;

	assert_true(n <= 1 << 20);
	free(t);
	old = file_text(s.run, "events.1", &n);
	assert_true(n <= 1 << 20 && n > 1000000);
	free(old);
	t = printed(&s, &(struct logs_query){ .events = true, .n = 2, .json = true }, &n);
	assert_non_null(strstr(t, "\"i\":13998}"));
	assert_non_null(strstr(t, "\"i\":13999}"));
	assert_null(strstr(t, "\"i\":13997}"));
	free(t);
	sample_close(&p);
	sample_close(&w);
	sample_remove(&s);
}

static void the_console_shows_names_or_json(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	char out[1024];
	ssize_t r;

	(void)state;
	for (int json = 0; json < 2; json++) {
		sample_make(&s);
		sample_start(&s, true, json);
		sample_pipe(&p, "web", SINK_AUTO, 0, 0);
		sample_send(&s, &p);
		put(p.wr, "a \"b\"\x07\n");
		assert_int_equal(sample_end(&s), 0);
		r = read(s.console[0], out, sizeof out - 1);
		assert_true(r > 0);
		out[r] = '\0';
		if (json)
			assert_non_null(strstr(
				out,
				"Z\",\"level\":\"info\","
			       "\"service\":\"web\",\"stream\":\"output\",\"msg\":\"a \\\"b\\\"\\u0007\"}\n"));
		else
			assert_string_equal(out, "web | a \"b\"\\x07\n");
		sample_close(&p);
		sample_remove(&s);
	}
}

static void a_stuck_console_costs_lines_on_the_console_only(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	char filler[4096], out[70000];
	size_t n;

	(void)state;
	sample_make(&s);
	sample_start(&s, true, false);
	memset(filler, 'x', sizeof filler);
	fcntl(s.console[1], F_SETFL, O_NONBLOCK);
	while (write(s.console[1], filler, sizeof filler) > 0)
		;
	fcntl(s.console[1], F_SETFL, 0);
	sample_pipe(&p, "web", SINK_AUTO, 0, 0);
	sample_send(&s, &p);
	pid_t writer = write_numbers(p.wr, 5000);

	waitpid(writer, NULL, 0);
	wait_until_empty(&p);
	assert_true(read(s.console[0], out, sizeof out) > 0);
	put(p.wr, "afterwards\n");
	assert_int_equal(sample_end(&s), 0);
	ssize_t r = read(s.console[0], out, sizeof out - 1);

	assert_true(r > 0);
	out[r] = '\0';
	assert_non_null(
		strstr(out, "the console was stuck; left out: 5000 lines\nweb | afterwards\n"));
	char *t = lines_of(&s, "web", &n);

	assert_non_null(strstr(t, "line 4999\nafterwards\n"));
	free(t);
	sample_close(&p);
	sample_remove(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_arrive_as_they_were_written),
		cmocka_unit_test(a_line_of_a_megabyte_is_one_line),
		cmocka_unit_test(a_prompt_is_shown_after_a_second_and_goes_on_in_the_same_line),
		cmocka_unit_test(a_service_that_ends_ends_its_line),
		cmocka_unit_test(a_pipe_without_writers_is_read_to_its_end_and_dropped),
		cmocka_unit_test(a_pipe_that_is_sent_again_is_read_on),
		cmocka_unit_test(without_a_place_for_files_lines_are_kept_in_the_ring),
		cmocka_unit_test(what_cannot_be_written_goes_to_the_ring_and_is_told_once),
		cmocka_unit_test(names_that_would_leave_the_folder_are_refused),
		cmocka_unit_test(events_are_kept_rotated_and_shown_on_the_console),
		cmocka_unit_test(the_console_shows_names_or_json),
		cmocka_unit_test(a_stuck_console_costs_lines_on_the_console_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
