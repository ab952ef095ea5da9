/* A logger for tests: see logs_sample.h. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/logs_sample.h"
#include "init/base/fd.h"
#include "services/logs/logger.h"
#include <fcntl.h>
#include <setjmp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

void sample_make(struct logs_sample *s)
{
	*s = (struct logs_sample){ .sock = -1, .console = { -1, -1 }, .kmsg = -1 };
	snprintf(s->dir, sizeof s->dir, "/tmp/prior-logs-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->run, sizeof s->run, "%s/run", s->dir);
	snprintf(s->log, sizeof s->log, "%s/log", s->dir);
	signal(SIGPIPE, SIG_IGN);
}

void sample_start(struct logs_sample *s, bool echo, bool json)
{
	struct logger_setup setup = { .console = echo, .json = json };
	int pair[2];

	snprintf(setup.run_dir, sizeof setup.run_dir, "%s", s->run);
	snprintf(setup.log_dir, sizeof setup.log_dir, "%s", s->log);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	if (echo && s->console[0] < 0)
		assert_int_equal(pipe2(s->console, O_CLOEXEC), 0);
	s->pid = fork();
	if (s->pid == 0) {
		static struct logger l;

		fd_drop(&pair[0]);
		l.sock = pair[1];
		l.kmsg = s->kmsg;
		console_open(&l.console, echo ? s->console[1] : FD_NONE, json, true);
		_exit(logger_run(&l, &setup, false, NULL));
	}
	fd_drop(&pair[1]);
	fd_put(&s->sock, pair[0]);
}

int sample_end(struct logs_sample *s)
{
	int status;

	fd_drop(&s->sock);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	return status;
}

void sample_kill(struct logs_sample *s)
{
	kill(s->pid, SIGKILL);
	sample_end(s);
}

void sample_remove(struct logs_sample *s)
{
	fd_drop(&s->console[0]);
	fd_drop(&s->console[1]);
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", s->dir, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

void sample_pipe(struct sample_pipe *p, const char *name, unsigned sink, uint64_t max_bytes,
		 unsigned max_files)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	*p = (struct sample_pipe){
		.rd = fds[0],
		.wr = fds[1],
		.add = { .level = LEVEL_INFO, .sink = sink, .max_bytes = max_bytes, .max_files = max_files }
	};
	snprintf(p->add.name, sizeof p->add.name, "%s", name);
}

void sample_send(struct logs_sample *s, const struct sample_pipe *p)
{
	struct err e;

	if (logger_send(s->sock, &p->add, &p->rd, 1, &e) < 0)
		fail_msg("%s", e.text);
}

void sample_close(struct sample_pipe *p)
{
	fd_drop(&p->rd);
	fd_drop(&p->wr);
}

void put_all(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t r = write(fd, text, n);

		assert_true(r > 0);
		text += r;
		n -= (size_t)r;
	}
}

void put(int fd, const char *text)
{
	put_all(fd, text, strlen(text));
}

char *printed(const struct logs_sample *s, const struct logs_query *q, size_t *n)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, n);
	struct err e;

	assert_non_null(f);
	if (logs_print(s->run, s->log, q, f, &e) < 0)
		fail_msg("%s", e.text);
	fclose(f);
	return text;
}

char *file_text(const char *dir, const char *name, size_t *n)
{
	char path[160];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	char *text = calloc(1, (size_t)st.st_size + 1);

	assert_non_null(text);
	*n = (size_t)st.st_size;
	assert_int_equal(read(fd, text, *n), (ssize_t)*n);
	return text;
}

char *lines_of(const struct logs_sample *s, const char *name, size_t *n)
{
	const char *const names[] = { name, NULL };

	return printed(s, &(struct logs_query){ .services = names, .n = -1 }, n);
}

void wait_until_empty(const struct sample_pipe *p)
{
	int n = 1;

	for (int i = 0; i < 30000 && ioctl(p->rd, FIONREAD, &n) == 0 && n; i++)
		poll(NULL, 0, 1);
	assert_int_equal(n, 0);
}

pid_t write_numbers(int fd, unsigned count)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	char block[8192];
	size_t n = 0;

	for (unsigned i = 0; i < count; i++) {
		n += (size_t)snprintf(block + n, sizeof block - n, "line %u\n", i);
		/* Odd lengths, so that pipes and looks end in the middle of lines. */
		if (n > 1000 + i * 7919 % 6000 || i + 1 == count) {
			put_all(fd, block, n);
			n = 0;
		}
	}
	_exit(0);
}
