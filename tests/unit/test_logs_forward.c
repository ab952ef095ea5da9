/* Forwarding to syslog and to the kernel's log, to servers that are slow, dead, and back again. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/logs_sample.h"
#include "init/base/fd.h"
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static int server(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* The next message; "" when none comes for this long. */
static const char *message(int fd, int ms)
{
	static char m[20000];
	struct pollfd p = { .fd = fd, .events = POLLIN };

	m[0] = '\0';
	if (poll(&p, 1, ms) == 1) {
		ssize_t n = recv(fd, m, sizeof m - 1, 0);

		m[n > 0 ? n : 0] = '\0';
	}
	return m;
}

/* A pipe that is forwarded to DIR/log.sock. */
static void forwarded(struct logs_sample *s, struct sample_pipe *p, const char *name, unsigned how)
{
	sample_pipe(p, name, SINK_FILE, 0, 0);
	p->add.forward = (uint16_t)how;
	p->add.facility = 3;
	snprintf(p->add.socket, sizeof p->add.socket, "%s/log.sock", s->dir);
	sample_send(s, p);
}

static unsigned events_of(const struct logs_sample *s, const char *what)
{
	unsigned k = 0;
	size_t n;
	char *t = printed(s, &(struct logs_query){ .events = true, .json = true, .n = -1 }, &n);

	for (const char *at = t; (at = strstr(at, what)); at++)
		k++;
	free(t);
	return k;
}

static void lines_go_to_syslog_with_their_level_and_name(void **state)
{
	struct logs_sample s;
	struct sample_pipe old, new;
	char path[108];
	int day, hour, minute, second, at;
	char month[4];

	(void)state;
	sample_make(&s);
	snprintf(path, sizeof path, "%s/log.sock", s.dir);
	owned_fd fd = server(path);

	sample_start(&s, false, false);
	forwarded(&s, &old, "web", LOG_TO_SYSLOG);
	put(old.wr, "hello\n<3>bad \x1b[31mred\n<9>no level\n");
	const char *m = message(fd, 30000);

	assert_int_equal(sscanf(m, "<30>%3s %d %d:%d:%d %n", month, &day, &hour, &minute, &second, &at), 5);
	assert_string_equal(m + at, "web: hello");
	assert_int_equal(at, strlen("<30>Nov 22 01:02:03 "));
	m = message(fd, 30000);
	assert_memory_equal(m, "<27>", 4);
	assert_string_equal(m + at, "web: bad \\x1b[31mred");	/* nothing that a reader's terminal would obey */
	assert_string_equal(message(fd, 30000) + at, "web: <9>no level");

	sample_pipe(&new, "db", SINK_FILE, 0, 0);
	new.add = (struct logger_add){ .name = "db", .forward = LOG_TO_SYSLOG | LOG_RFC5424 | LOG_NO_PREFIX,
				       .facility = 16, .level = 5, .identifier = "store" };
	memcpy(new.add.socket, path, sizeof path);
	sample_send(&s, &new);
	put(new.wr, "<3>x\n");
	m = message(fd, 30000);
	assert_memory_equal(m, "<133>1 20", 9);
	assert_non_null(strstr(m, "Z "));
	assert_non_null(strstr(m, " store - - - <3>x"));
	assert_int_equal(sample_end(&s), 0);
	assert_int_equal(events_of(&s, "forward-"), 0);
	sample_close(&old);
	sample_close(&new);
	sample_remove(&s);
}

static void a_dead_syslog_is_told_once_and_gets_its_lines_when_it_is_back(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	char path[108], want[32];
	size_t n;

	(void)state;
	sample_make(&s);
	snprintf(path, sizeof path, "%s/log.sock", s.dir);
	sample_start(&s, false, false);
	forwarded(&s, &p, "web", LOG_TO_SYSLOG);
	for (int i = 0; i < 5; i++) {
		snprintf(want, sizeof want, "line %d\n", i);
		put(p.wr, want);
		wait_until_empty(&p);
	}
	for (int i = 0; i < 3000 && !events_of(&s, "forward-failed"); i++)
		poll(NULL, 0, 10);
	owned_fd fd = server(path);

	for (int i = 0; i < 5; i++) {
		snprintf(want, sizeof want, "web: line %d", i);
		assert_non_null(strstr(message(fd, 30000), want));
	}
	/* Another server in its place, as after an update of it. */
	fd_drop(&fd);
	unlink(path);
	fd = server(path);
	put(p.wr, "again\n");
	assert_non_null(strstr(message(fd, 30000), "web: again"));
	assert_int_equal(sample_end(&s), 0);
	assert_int_equal(events_of(&s, "forward-failed"), 1);
	assert_int_equal(events_of(&s, "forward-resumed"), 1);
	assert_int_equal(events_of(&s, "left_out"), 0);
	char *t = lines_of(&s, "web", &n);

	assert_string_equal(t, "line 0\nline 1\nline 2\nline 3\nline 4\nagain\n");
	free(t);
	sample_close(&p);
	sample_remove(&s);
}

static void a_syslog_that_reads_nothing_slows_nobody_and_the_loss_is_counted(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	char path[108];
	size_t n, lines = 0;
	unsigned got = 0;

	(void)state;
	sample_make(&s);
	snprintf(path, sizeof path, "%s/log.sock", s.dir);
	owned_fd fd = server(path);

	sample_start(&s, false, false);
	forwarded(&s, &p, "web", LOG_TO_SYSLOG);
	int status;
	pid_t writer = write_numbers(p.wr, 40000);

	waitpid(writer, &status, 0);	/* with nobody reading the socket */
	wait_until_empty(&p);
	char *t = lines_of(&s, "web", &n);

	for (size_t i = 0; i < n; i++)
		lines += t[i] == '\n';
	assert_int_equal(lines, 40000);
	free(t);
	assert_int_equal(events_of(&s, "forward-failed"), 1);
	while (message(fd, 900)[0])
		got++;
	assert_true(got > 4000 && got < 40000);
	put(p.wr, "and on\n");
	assert_non_null(strstr(message(fd, 30000), "web: and on"));
	assert_int_equal(sample_end(&s), 0);
	assert_int_equal(events_of(&s, "forward-resumed"), 1);
	char want[40];

	snprintf(want, sizeof want, "\"left_out\":%u}", 40000 - got);
	assert_int_equal(events_of(&s, want), 1);
	sample_close(&p);
	sample_remove(&s);
}

static void the_kernels_log_gets_lines_in_pieces_that_it_takes(void **state)
{
	static char line[2002];
	struct logs_sample s;
	struct sample_pipe p;
	int pair[2];
	size_t n = 0;

	(void)state;
	memset(line, 'x', 2000);
	line[2000] = '\n';
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	owned_fd ours = pair[0], its = pair[1];

	sample_make(&s);
	s.kmsg = its;
	sample_start(&s, false, false);
	forwarded(&s, &p, "web", LOG_TO_KMSG);
	put(p.wr, "<4>short\n\n");
	put(p.wr, line);
	assert_string_equal(message(ours, 5000), "<28>web: short");
	assert_string_equal(message(ours, 5000), "<30>web: ");
	while (n < 2000) {
		const char *m = message(ours, 5000);

		assert_memory_equal(m, "<30>web: x", 10);
		assert_true(strlen(m) < 1000);
		n += strlen(m) - 9;
	}
	assert_int_equal(n, 2000);
	assert_int_equal(sample_end(&s), 0);
	sample_close(&p);
	sample_remove(&s);
}

static void a_line_keeps_its_level_and_loses_its_prefix(void **state)
{
	struct logs_sample s;
	struct sample_pipe p;
	static char line[5005];
	size_t n;

	(void)state;
	memset(line, 'x', 5003);
	memcpy(line, "<2>", 3);
	line[5003] = '\n';
	sample_make(&s);
	sample_start(&s, true, true);
	sample_pipe(&p, "web", SINK_FILE, 0, 0);
	sample_send(&s, &p);
	put(p.wr, "plain\n<7>low\n<3>\n<8>x\n<3\n");
	put(p.wr, line);
	wait_until_empty(&p);
	assert_int_equal(sample_end(&s), 0);
	char *t = printed(&s, &(struct logs_query){ .json = true, .n = -1 }, &n);

#define OF_WEB "\",\"service\":\"web\",\"stream\":\"output\""
	assert_non_null(strstr(t, "\"level\":\"info" OF_WEB ",\"msg\":\"plain\"}\n"));
	assert_non_null(strstr(t, "\"level\":\"debug" OF_WEB ",\"msg\":\"low\"}\n"));
	assert_non_null(strstr(t, "\"level\":\"error" OF_WEB ",\"msg\":\"\"}\n"));
	assert_non_null(strstr(t, "\"level\":\"info" OF_WEB ",\"msg\":\"<8>x\"}\n"));
	assert_non_null(strstr(t, "\"msg\":\"<3\"}\n"));
	assert_non_null(strstr(t, "\"level\":\"critical" OF_WEB ",\"msg\":\"xxx"));
	free(t);
	/* The console has it in two pieces, which says so. */
	owned_fd console = fd_take(&s.console[0]);
	static char seen[20000];

	fd_drop(&s.console[1]);
	for (size_t k = 0; k < sizeof seen - 1;) {
		ssize_t r = read(console, seen + k, sizeof seen - 1 - k);

		if (r <= 0)
			break;
		k += (size_t)r;
	}
	assert_non_null(strstr(seen, "\"level\":\"critical" OF_WEB ",\"partial\":true,\"msg\":\"xxx"));
	sample_close(&p);
	sample_remove(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_go_to_syslog_with_their_level_and_name),
		cmocka_unit_test(a_dead_syslog_is_told_once_and_gets_its_lines_when_it_is_back),
		cmocka_unit_test(a_syslog_that_reads_nothing_slows_nobody_and_the_loss_is_counted),
		cmocka_unit_test(the_kernels_log_gets_lines_in_pieces_that_it_takes),
		cmocka_unit_test(a_line_keeps_its_level_and_loses_its_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
