/* The logger in trouble: killed in the middle, flooded, more than there is room for. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/logs_sample.h"
#include "init/base/fd.h"
#include "services/logs/journal.h"
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define NUMBERS 100000

static void each_number_is_there_once(const char *t, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char want[32], *end;
		int n = snprintf(want, sizeof want, "line %u\n", i);

		if (strncmp(t, want, (size_t)n) != 0) {
			end = strchr(t, '\n');
			fail_msg("wanted line %u, got '%.*s'", i, end ? (int)(end - t) : 20, t);
		}
		t += n;
	}
	assert_string_equal(t, "");
}

static void killed_again_and_again_it_loses_and_doubles_no_line(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	unsigned kills = 0, seed = (unsigned)time(NULL);
	int status;
	size_t n;

	(void)state;
	sample_make(&s);
	sample_pipe(&p, "web", SINK_FILE, 64 << 20, 20);
	pid_t writer = write_numbers(p.wr, NUMBERS);

	do {
		sample_start(&s, false, false);
		sample_send(&s, &p);
		usleep(1000 + (useconds_t)rand_r(&seed) % 6000);
		sample_kill(&s);
		kills++;
	} while (waitpid(writer, &status, WNOHANG) == 0);
	assert_int_equal(status, 0);
	sample_start(&s, false, false);
	sample_send(&s, &p);
	assert_int_equal(sample_end(&s), 0);
	char *t = lines_of(&s, "web", &n);

	print_message("             killed %u times, seed %u\n", kills, seed);
	each_number_is_there_once(t, NUMBERS);
	free(t);
	sample_close(&p);
	sample_remove(&s);
}

/* As if it had been killed between a batch that went to memory and the next one. */
static void was_killed_writing_to_memory(const struct logs_sample *s)
{
	char path[128];
	struct journal *j;
	struct err e;

	snprintf(path, sizeof path, "%s/logs", s->run);
	owned_fd dir = open(path, O_DIRECTORY | O_CLOEXEC);
	struct store ring = { .fd = FD_NONE, .dir = dir, .name = "web", .suffix = ".log" };

	store_limits(&ring, 0, 0);
	assert_true(store_room(&ring, 0, &e) == 0 && ring.size > 0);
	assert_int_equal(journal_open(&j, dir, &e), 0);
	journal_begin(j, "web", 'x', 0, 0, &ring);
	munmap(j, sizeof *j);
	store_close(&ring);
}

static void killed_while_lines_went_to_memory_they_go_to_files_again(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	char file[128];
	size_t n;

	(void)state;
	sample_make(&s);
	snprintf(file, sizeof file, "%s/web.log", s.log);
	assert_true(mkdir(s.log, 0755) == 0 && mkdir(file, 0755) == 0);	/* no file can be had */
	sample_pipe(&p, "web", SINK_FILE, 0, 0);
	sample_start(&s, false, false);
	sample_send(&s, &p);
	put(p.wr, "in memory\n");
	wait_until_empty(&p);
	sample_kill(&s);
	was_killed_writing_to_memory(&s);
	assert_int_equal(rmdir(file), 0);
	sample_start(&s, false, false);
	sample_send(&s, &p);
	put(p.wr, "in a file\n");
	wait_until_empty(&p);
	assert_int_equal(sample_end(&s), 0);
	char *t = file_text(s.log, "web.log", &n);

	assert_non_null(t);
	assert_non_null(strstr(t, "in a file"));
	free(t);
	sample_close(&p);
	sample_remove(&s);
}

static void a_flood_does_not_keep_others_waiting(void **state)
{
	struct logs_sample s;
	struct sample_pipe loud, p;
	size_t n;

	(void)state;
	sample_make(&s);
	sample_start(&s, false, false);
	sample_pipe(&loud, "loud", SINK_RING, 1 << 20, 2);
	sample_pipe(&p, "quiet", SINK_RING, 0, 0);
	sample_send(&s, &loud);
	sample_send(&s, &p);
	pid_t writer = fork();

	if (writer == 0)
		for (;;)
			put(loud.wr, "noise noise noise noise noise noise noise\n");
	poll(NULL, 0, 50);
	put(p.wr, "hear me\n");
	wait_until_empty(&p);	/* the flood has no end */
	char *t = lines_of(&s, "quiet", &n);

	assert_string_equal(t, "hear me\n");
	free(t);
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	assert_int_equal(sample_end(&s), 0);
	sample_close(&loud);
	sample_close(&p);
	sample_remove(&s);
}

static void the_total_of_a_service_is_bounded_and_the_newest_is_kept(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	size_t n, total = 0;
	char name[32];

	(void)state;
	sample_make(&s);
	sample_start(&s, false, false);
	sample_pipe(&p, "web", SINK_FILE, 50000, 4);
	sample_send(&s, &p);
	pid_t writer = write_numbers(p.wr, 40000);

	waitpid(writer, NULL, 0);
	assert_int_equal(sample_end(&s), 0);
	for (int age = 0; age < 6; age++) {
		snprintf(name, sizeof name, age ? "web.log.%d" : "web.log", age);
		char *t = file_text(s.log, name, &n);

		assert_true((t != NULL) == (age < 4));
		total += t ? n : 0;
		free(t);
	}
	assert_true(total <= 200000 && total > 130000);
	char *t = lines_of(&s, "web", &n);
	unsigned first;

	assert_int_equal(sscanf(t, "line %u\n", &first), 1);
	for (unsigned i = first; i < 40000; i++) {
		char want[32];
		int k = snprintf(want, sizeof want, "line %u\n", i);

		assert_true(strncmp(t + (n - strlen(strstr(t, want))), want, (size_t)k) == 0);
		if (i % 1000)
			i += 997; /* not each: strstr is slow */
	}
	free(t);
	sample_close(&p);
	sample_remove(&s);
}

static void writes_larger_than_the_pipe_are_not_slowed_down(void **state)
{
	static char block[256 << 10];
	struct logs_sample s;
	struct sample_pipe p;
	struct timespec a, b;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = i % 100 == 99 ? '\n' : 'x';
	sample_make(&s);
	sample_start(&s, false, false);
	sample_pipe(&p, "web", SINK_FILE, 64 << 20, 2);
	sample_send(&s, &p);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < 8; i++)
		put_all(p.wr, block, sizeof block);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_int_equal(sample_end(&s), 0);
	assert_true(b.tv_sec - a.tv_sec < 12);	/* 32 s when nobody looks behind half a line */
	char *t = lines_of(&s, "web", &n);

	assert_true(n >= 8 * sizeof block);
	free(t);
	sample_close(&p);
	sample_remove(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_again_and_again_it_loses_and_doubles_no_line),
		cmocka_unit_test(killed_while_lines_went_to_memory_they_go_to_files_again),
		cmocka_unit_test(a_flood_does_not_keep_others_waiting),
		cmocka_unit_test(writes_larger_than_the_pipe_are_not_slowed_down),
		cmocka_unit_test(the_total_of_a_service_is_bounded_and_the_newest_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
