/* Reading logs back: the last lines, since a time, merged, over rotations, and followed. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/logs/store.h"
#include "tests/unit/logs_sample.h"
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static const char *const web[] = { "web", NULL }, *const both[] = { "web", "db", NULL };

struct folder {
	struct logs_sample s;
	int log, ring, run;
};

static void make(struct folder *f)
{
	char ring[100];

	sample_make(&f->s);
	mkdir(f->s.run, 0700);
	mkdir(f->s.log, 0700);
	snprintf(ring, sizeof ring, "%s/logs", f->s.run);
	mkdir(ring, 0700);
	f->log = open(f->s.log, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->ring = open(ring, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->run = open(f->s.run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void unmake(struct folder *f)
{
	fd_drop(&f->log);
	fd_drop(&f->ring);
	fd_drop(&f->run);
	sample_remove(&f->s);
}

static void write_file(int dir, const char *name, const char *text)
{
	owned_fd fd = openat(dir, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	put(fd, text);
}

static void expect(const struct folder *f, const struct logs_query *q, const char *want)
{
	size_t n;
	char *t = printed(&f->s, q, &n);

	assert_string_equal(t, want);
	free(t);
}

static void the_last_lines_come_from_as_many_files_as_it_takes(void **state)
{
	struct folder f;

	(void)state;
	make(&f);
	write_file(f.log, "web.log.2", "100 o one\n200 o two\n");
	write_file(f.log, "web.log.1", "300 o three\n");
	write_file(f.log, "web.log", "400 o four\n500 o five\n");
	expect(&f, &(struct logs_query){ .services = web, .n = -1 },
	       "one\ntwo\nthree\nfour\nfive\n");
	expect(&f, &(struct logs_query){ .services = web, .n = 5 },
	       "one\ntwo\nthree\nfour\nfive\n");
	expect(&f, &(struct logs_query){ .services = web, .n = 4 }, "two\nthree\nfour\nfive\n");
	expect(&f, &(struct logs_query){ .services = web, .n = 3 }, "three\nfour\nfive\n");
	expect(&f, &(struct logs_query){ .services = web, .n = 1 }, "five\n");
	expect(&f, &(struct logs_query){ .services = web, .n = 0 }, "");
	expect(&f, &(struct logs_query){ .services = web, .n = -1, .since_ms = 300 },
	       "three\nfour\nfive\n");
	expect(&f, &(struct logs_query){ .services = web, .n = -1, .since_ms = 201 },
	       "three\nfour\nfive\n");
	expect(&f, &(struct logs_query){ .services = web, .n = 2, .since_ms = 450 }, "five\n");
	expect(&f, &(struct logs_query){ .services = web, .n = -1, .since_ms = 501 }, "");
	expect(&f,
	       &(struct logs_query){ .services = (const char *const[]){ "none", NULL }, .n = 9 },
	       "");
	unmake(&f);
}

static void parts_are_joined_also_over_a_rotation(void **state)
{
	struct folder f;

	(void)state;
	make(&f);
	write_file(f.log, "web.log.1", "100 o zero\n150 p on\n");
	write_file(f.log, "web.log", "200 p e li\n250 o ne\n300 o last\n");
	expect(&f, &(struct logs_query){ .services = web, .n = -1 }, "zero\none line\nlast\n");
	expect(&f, &(struct logs_query){ .services = web, .n = 2 }, "one line\nlast\n");
	expect(&f, &(struct logs_query){ .services = web, .n = 1 }, "last\n");
	unmake(&f);
}

static void damage_and_gaps_are_passed_over(void **state)
{
	struct folder f;

	(void)state;
	make(&f);
	write_file(f.log, "web.log.2", "100 o one\n20");
	write_file(
		f.log, "web.log",
		"garbage\n\n300 o two\n400 o unfinished"); /* no web.log.1: a crash between renames */
	expect(&f, &(struct logs_query){ .services = web, .n = -1 }, "one\ntwo\n");
	expect(&f, &(struct logs_query){ .services = web, .n = 2 }, "one\ntwo\n");
	expect(&f, &(struct logs_query){ .services = web, .n = 1 }, "two\n");
	unmake(&f);
}

static void services_and_places_are_merged_by_time(void **state)
{
	struct folder f;

	(void)state;
	make(&f);
	write_file(f.log, "web.log", "100 o a\n300 o c\n500 o e\n");
	write_file(f.ring, "web.log", "400 o d, in memory\n");
	write_file(f.ring, "db.log", "200 o b\n600 o f\n");
	expect(&f, &(struct logs_query){ .n = -1, .names = true },
	       "web | a\ndb  | b\nweb | c\nweb | d, in memory\nweb | e\ndb  | f\n");
	expect(&f, &(struct logs_query){ .n = 3, .names = true, .services = both },
	       "web | d, in memory\nweb | e\ndb  | f\n");
	expect(&f, &(struct logs_query){ .n = 2, .services = web, .times = true },
	       "1970-01-01T00:00:00.400Z d, in memory\n1970-01-01T00:00:00.500Z e\n");
	unmake(&f);
}

static void json_has_the_bytes_and_the_time(void **state)
{
	struct folder f;

	(void)state;
	make(&f);
	write_file(f.log, "web.log", "1767323045678 o tab\\x01 \"q\" \\xff end\n");
	expect(&f, &(struct logs_query){ .services = web, .n = -1, .json = true },
	       "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\",\"service\":\"web\",\"stream\":\"output\","
	       "\"msg\":\"tab\\u0001 \\\"q\\\" \\ufffd end\"}\n");
	unmake(&f);
}

static void lines_are_chosen_by_time_words_and_level(void **state)
{
	struct folder f;
	regex_t re;

	(void)state;
	make(&f);
	write_file(f.log, "web.log", "100 o one\n200 3 two bad\n300 4 three\n400 p four \n410 3 and bad\n500 7 five\n");
	write_file(f.log, "db.log", "250 o bad too\n");
	expect(&f, &(struct logs_query){ .n = -1, .since_ms = 200, .until_ms = 300 }, "two bad\nbad too\nthree\n");
	expect(&f, &(struct logs_query){ .n = 1, .until_ms = 300 }, "three\n");
	expect(&f, &(struct logs_query){ .n = -1, .level = LEVEL_ERROR + 1 }, "two bad\nfour and bad\n");
	expect(&f, &(struct logs_query){ .n = -1, .level = LEVEL_WARNING + 1, .services = web },
	       "two bad\nthree\nfour and bad\n");
	assert_int_equal(regcomp(&re, "b(ad|c)$", REG_EXTENDED | REG_NOSUB), 0);
	expect(&f, &(struct logs_query){ .n = -1, .grep = &re }, "two bad\nfour and bad\n");
	expect(&f, &(struct logs_query){ .n = 1, .grep = &re }, "four and bad\n");
	regfree(&re);
	unmake(&f);
}

static void the_log_of_a_service_is_there_as_long_as_its_files(void **state)
{
	struct folder f;

	(void)state;
	make(&f);
	write_file(f.log, "web.log", "100 o one\n");
	write_file(f.ring, "db.log", "100 o one\n");
	assert_true(logs_exist(f.s.run, f.s.log, "web"));
	assert_true(logs_exist(f.s.run, f.s.log, "db"));
	assert_true(logs_exist(f.s.run, "", "db"));
	assert_false(logs_exist(f.s.run, f.s.log, "app"));
	assert_false(logs_exist(f.s.run, f.s.log, "../run/logs/db"));
	assert_false(logs_exist(f.s.run, f.s.log, ""));
	unmake(&f);
}

static void many_lines_are_counted_right_at_every_block(void **state)
{
	struct folder f;
	char *text = malloc(1 << 20), line[64];
	size_t n = 0, size;

	(void)state;
	make(&f);
	for (unsigned i = 0; i < 20000; i++)
		n += (size_t)snprintf(text + n, (1 << 20) - n, "%u o line %u\n", 1000 + i, i);
	write_file(f.log, "web.log", text);
	for (long want = 1; want <= 20000; want += want / 3 + 1) {
		char *t = printed(&f.s, &(struct logs_query){ .services = web, .n = want }, &size);

		snprintf(line, sizeof line, "line %ld\n", 20000 - want);
		assert_memory_equal(t, line, strlen(line));
		free(t);
	}
	free(text);
	unmake(&f);
}

#define E1 \
	"{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\"," \
	"\"event\":\"started\",\"service\":\"web\",\"pid\":81}\n"
#define E2 \
	"{\"time\":\"2026-01-02T03:04:06.000Z\",\"level\":\"error\"," \
	"\"event\":\"failed\",\"service\":\"db\",\"why\":\"no\"}\n"
#define E3 "{\"time\":\"2026-01-02T03:04:07.000Z\",\"level\":\"info\",\"event\":\"boot\"}\n"

static void events_are_filtered_by_service_and_time(void **state)
{
	struct folder f;

	(void)state;
	make(&f);
	write_file(f.run, "events.1", E1);
	write_file(f.run, "events", E2 E3);
	expect(&f, &(struct logs_query){ .events = true, .n = -1, .json = true }, E1 E2 E3);
	expect(&f, &(struct logs_query){ .events = true, .n = 1, .json = true, .services = web },
	       E1);
	expect(&f, &(struct logs_query){ .events = true, .n = 2 },
	       "2026-01-02T03:04:06.000Z error: db: failed: no\n2026-01-02T03:04:07.000Z boot\n");
	expect(&f,
	       &(struct logs_query){
		       .events = true, .n = -1, .json = true, .since_ms = 1767323046001 },
	       E3);
	unmake(&f);
}

/* ---- following ---- */

struct follower {
	pid_t pid;
	int out;
	char text[400000];
	size_t n;
};

static void follow(struct follower *w, const struct folder *f, const struct logs_query *q)
{
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	w->n = 0;
	w->out = p[0];
	w->pid = fork();
	if (w->pid == 0) {
		FILE *to = fdopen(p[1], "w");
		struct err e;

		fd_drop(&p[0]);
		_exit(logs_print(f->s.run, f->s.log, q, to, &e) < 0);
	}
	fd_drop(&p[1]);
}

/* Wait until it has printed this. */
static void hears(struct follower *w, const char *last)
{
	struct pollfd p = { .fd = w->out, .events = POLLIN };

	w->text[w->n] = '\0';
	while (!strstr(w->text, last)) {
		if (poll(&p, 1, 30000) != 1)
			fail_msg("waited for '%s', after '%.200s'", last, w->text);
		ssize_t r = read(w->out, w->text + w->n, sizeof w->text - 1 - w->n);

		assert_true(r > 0);
		w->n += (size_t)r;
		w->text[w->n] = '\0';
	}
}

/* It ends when nobody reads any more. */
static void leave(struct follower *w)
{
	int status;

	fd_drop(&w->out);
	assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
	assert_int_equal(status, 0);
}

static void a_follower_sees_every_line_over_rotations(void **state)
{
	static struct follower w;
	struct folder f;
	struct store s = { .name = "web", .suffix = ".log", .fd = -1 };
	struct err e;
	char line[64], *t = w.text;

	(void)state;
	make(&f);
	s.dir = f.log;
	store_limits(&s, 40000, 6);
	write_file(f.log, "web.log", "1 o line 0\n");
	follow(&w, &f, &(struct logs_query){ .services = web, .n = 0, .follow = true });
	/* It shows what comes once it has begun: until then, a line after the other. */
	for (struct pollfd p = { .fd = w.out, .events = POLLIN }; poll(&p, 1, 10) == 0;) {
		assert_int_equal(store_room(&s, 11, &e), 0);
		assert_int_equal(store_append(&s, "1 o line 0\n", 11, &e), 0);
	}
	hears(&w, "line 0\n");
	for (unsigned i = 0; i < 10000; i++) {
		size_t n = (size_t)snprintf(line, sizeof line, "1 o line %u\n", i + 1);

		assert_int_equal(store_room(&s, n, &e), 0);
		assert_int_equal(store_append(&s, line, n, &e), 0);
		if (i % 2500 == 0)
			poll(NULL, 0, 2);
	}
	hears(&w, "line 10000\n");
	while (!strncmp(t, "line 0\n", 7))
		t += 7;
	for (unsigned i = 1; i <= 10000; i++) {
		size_t n = (size_t)snprintf(line, sizeof line, "line %u\n", i);

		assert_memory_equal(t, line, n);
		t += n;
	}
	store_close(&s);
	leave(&w);
	unmake(&f);
}

static void a_follower_meets_new_services_and_a_cut_file(void **state)
{
	static struct follower w;
	struct folder f;

	(void)state;
	make(&f);
	follow(&w, &f, &(struct logs_query){ .n = -1, .follow = true, .names = true });
	poll(NULL, 0, 50);
	write_file(f.ring, "new.log", "1 o hello\n");
	hears(&w, "new | hello\n");
	write_file(f.log, "old.log", "1 p in ");
	write_file(f.log, "old.log", "parts\n2 o of a line\n3 o then");
	hears(&w, "old | in partsof a line\n");
	/* What a killed logger had written in part is taken back by its successor. */
	owned_fd old = openat(f.log, "old.log", O_RDWR | O_CLOEXEC);

	poll(NULL, 0, 50);
	assert_int_equal(ftruncate(old, 27), 0);
	write_file(f.log, "old.log", "3 o then whole\n");
	hears(&w, "old | then whole\n");
	leave(&w);
	unmake(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_lines_come_from_as_many_files_as_it_takes),
		cmocka_unit_test(parts_are_joined_also_over_a_rotation),
		cmocka_unit_test(damage_and_gaps_are_passed_over),
		cmocka_unit_test(services_and_places_are_merged_by_time),
		cmocka_unit_test(json_has_the_bytes_and_the_time),
		cmocka_unit_test(lines_are_chosen_by_time_words_and_level),
		cmocka_unit_test(the_log_of_a_service_is_there_as_long_as_its_files),
		cmocka_unit_test(many_lines_are_counted_right_at_every_block),
		cmocka_unit_test(events_are_filtered_by_service_and_time),
		cmocka_unit_test(a_follower_sees_every_line_over_rotations),
		cmocka_unit_test(a_follower_meets_new_services_and_a_cut_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
