/* The logger as PID 1 starts it: the binary itself, locked down. Streams, rotation, signals, memory. Needs root. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/logs/logs.h"
#include "services/spec/spec.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define STREAMS 100

static char dir[] = "/tmp/prior-logger-XXXXXX";
static unsigned failures;
static int rd[STREAMS], wr[STREAMS], sock = FD_NONE, pid;

static void check(bool good, const char *what, const char *seen)
{
	printf("%s logger: %s\n", good ? "ok" : "not ok", what);
	if (!good)
		printf("    %s\n", seen);
	failures += !good;
	fflush(stdout);
}

static void give_up(const char *what)
{
	check(false, what, strerror(errno));
	exit(1);
}

/* A file of the logger's /proc folder. */
static const char *proc(const char *name)
{
	static char text[8192];
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static long number_after(const char *text, const char *key, int base)
{
	const char *p = strstr(text, key);

	return p ? strtol(p + strlen(key), NULL, base) : -1;
}

static void start(const char *exe)
{
	struct logger_setup s = { 0 };
	struct logger_add a = { .sink = SINK_FILE, .max_bytes = 66000, .max_files = 3 };
	struct err e;

	snprintf(s.run_dir, sizeof s.run_dir, "%s/run", dir);
	snprintf(s.log_dir, sizeof s.log_dir, "%s/var/log/prior", dir);
	owned_fd fd = open(exe, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || logger_start(fd, FD_NONE, &s, FD_NONE, &pid, &sock, &e) < 0)
		give_up("starts");
	for (int i = 0; i < STREAMS; i++) {
		snprintf(a.name, sizeof a.name, "service-%d", i);
		if (logger_send(sock, &a, &rd[i], 1, &e) < 0)
			give_up(e.text);
	}
}

static void wait_until_empty(int i)
{
	int n = 1;

	for (int ms = 0; ms < 60000 && ioctl(rd[i], FIONREAD, &n) == 0 && n; ms++)
		poll(NULL, 0, 1);
}

static void write_lines(unsigned from, unsigned to)
{
	char line[64];

	for (unsigned k = from; k < to; k++)
		for (int i = 0; i < STREAMS; i++) {
			int n = snprintf(line, sizeof line, "service %d says %u\n", i, k);

			if (write(wr[i], line, (size_t)n) != n)
				give_up("writing");
		}
	for (int i = 0; i < STREAMS; i++)
		wait_until_empty(i);
}

/* The guard's thread, which has fences of its own: a thread has a status too. */
static void guard_is_locked_down(void)
{
	const char *s = "";
	char path[64], *end;
	DIR *d;

	/* It confines itself while the logger is at work already. */
	for (int ms = 0; ms < 60000 && number_after(s, "Seccomp:", 10) != 2; ms++, poll(NULL, 0, 1)) {
		snprintf(path, sizeof path, "/proc/%d/task", pid);
		d = opendir(path);
		for (struct dirent *f; d && (f = readdir(d));)
			if (strtol(f->d_name, &end, 10) > 0 && *end == '\0' && atoi(f->d_name) != pid) {
				snprintf(path, sizeof path, "task/%.20s/status", f->d_name);
				s = proc(path);
			}
		if (d)
			closedir(d);
	}
	check(number_after(s, "Seccomp:", 10) == 2 && number_after(s, "CapEff:", 16) == 0 &&
		      number_after(s, "CapBnd:", 16) == 0 && number_after(s, "NoNewPrivs:", 10) == 1,
	      "its guard can do less", s);
}

static void is_locked_down(void)
{
	const char *s = proc("status");

	check(number_after(s, "CapEff:", 16) == 0 && number_after(s, "CapPrm:", 16) == 0 &&
		      number_after(s, "CapBnd:", 16) == 0,
	      "has no capability and can get none", s);
	check(number_after(s, "NoNewPrivs:", 10) == 1, "gains nothing by exec", s);
	check(number_after(s, "Seccomp:", 10) == 2, "runs under a filter", s);
	check(number_after(proc("limits"), "Max processes", 10) == 0, "cannot fork",
	      proc("limits"));
	guard_is_locked_down();
}

static void keeps_to_its_memory(void)
{
	const char *s = proc("smaps_rollup");

	printf("    with %d streams: PSS %ld KiB, private %ld KiB, anonymous %ld KiB\n", STREAMS,
	       number_after(s, "\nPss:", 10),
	       number_after(s, "Private_Dirty:", 10) + number_after(s, "Private_Clean:", 10),
	       number_after(s, "Anonymous:", 10));
	check(number_after(s, "Anonymous:", 10) < 300, "has no buffers of a stream's own", s);
}

static long count_lines(void)
{
	char log[96], run[96], *text = NULL;
	size_t n = 0;
	struct err e;
	FILE *to = open_memstream(&text, &n);
	long lines = 0;

	snprintf(run, sizeof run, "%s/run", dir);
	snprintf(log, sizeof log, "%s/var/log/prior", dir);
	const char *names[] = { "service-7", NULL };

	if (logs_print(run, log, &(struct logs_query){ .services = names, .n = -1 }, to, &e) < 0)
		give_up(e.text);
	fclose(to);
	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	free(text);
	return lines;
}

static void rotates_under_its_filter(void)
{
	char path[96], line[1000];
	struct stat st;

	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\n';
	for (int i = 0; i < 300; i++)
		if (write(wr[3], line, sizeof line) != sizeof line)
			give_up("writing");
	wait_until_empty(3);
	snprintf(path, sizeof path, "%s/var/log/prior/service-3.log.2", dir);
	check(stat(path, &st) == 0 && st.st_uid == 0 && (st.st_mode & 07137) == 0,
	      "rotates its files, which are root's and nobody else's to write", path);
}

int main(void)
{
	const char *exe = getenv("PRIOR");
	int status;

	if (!exe || geteuid() != 0 || !mkdtemp(dir)) {
		printf("skip logger: needs root, and the binary in PRIOR\n");
		return 0;
	}
	for (int i = 0; i < STREAMS; i++) {
		int p[2];

		if (pipe2(p, O_CLOEXEC) < 0)
			give_up("a pipe");
		rd[i] = p[0];
		wr[i] = p[1];
	}
	start(exe);
	write_lines(0, 20);
	is_locked_down();
	keeps_to_its_memory();
	rotates_under_its_filter();
	kill(pid, SIGTERM);
	kill(pid, SIGINT);
	write_lines(20, 30);
	check(waitpid(pid, &status, WNOHANG) == 0, "goes on at SIGTERM: it is ended last",
	      "it ended");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	fd_drop(&sock);
	start(exe);
	write_lines(30, 40);
	fd_drop(&sock);
	waitpid(pid, &status, 0);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	      "ends when its socket is closed, all read", "another status");
	check(count_lines() == 40, "a second one goes on where the first was killed",
	      "not 40 lines");
	return failures != 0;
}
