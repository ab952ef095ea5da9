/* The observer of a measured boot: time until all services report, memory and wake-ups when idle, reaping. */
/* SPDX-License-Identifier: ISC */
#include "observe.h"
#include "orphans.h"
#include "supervisors.h"
#include <errno.h>
#include <linux/reboot.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PATIENCE_MS 120000	/* of guest time, for all services to report */
#define SETTLE_S 10	/* prior's spawner ends after 5 s (SPAWNER_REST_MS), PID 1 rests 2 s later (REST_WAIT_MS) */
#define IDLE_S 5
#define AFTER "/bench/after"

/* Opening a file tells whoever watches its directory, from whatever cell, without a word between the two. */
static int watch_marks(void)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0 || inotify_add_watch(fd, MARKS, IN_OPEN) < 0) {
		perror("observe: " MARKS);
		return -1;
	}
	return fd;
}

/* Counts the marks in what can be read now; each once. */
static int take_marks(int fd, bool *seen)
{
	static char buf[65536] __attribute__((aligned(8)));
	ssize_t n = read(fd, buf, sizeof buf);
	int fresh = 0;

	for (char *at = buf; at < buf + n;) {
		struct inotify_event *ev = (struct inotify_event *)at;
		int mark = ev->len && ev->name[0] ? atoi(ev->name) : -1;

		if (mark >= 0 && mark < MARKS_MAX && !seen[mark]) {
			seen[mark] = true;
			fresh++;
		}
		at += sizeof *ev + ev->len;
	}
	return fresh;
}

/* How many reported; *last is when the last one did. */
static int wait_for_marks(int fd, int services, int64_t *last)
{
	static bool seen[MARKS_MAX];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t end = now_ns() + PATIENCE_MS * 1000000LL;
	int reported = 0;

	while (reported < services && now_ns() < end) {
		if (poll(&p, 1, 1000) <= 0)
			continue;
		int fresh = take_marks(fd, seen);

		if (fresh)
			*last = now_ns();
		reported += fresh;
	}
	return reported;
}

static void nap(int seconds)
{
	struct timespec t = { .tv_sec = seconds };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* A program of the image that wants to see the machine before it is turned off: the profiler's. */
static void run_after(void)
{
	if (access(AFTER, X_OK) < 0)
		return;
	pid_t pid = fork();

	if (pid == 0) {
		execl(AFTER, AFTER, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

_Noreturn void observe(const struct observation *o)
{
	static struct supervisors before, after;
	int64_t last = 0;
	int fd = watch_marks(), proc = supervisors_proc();
	static char line[65536];

	/* In one piece: the init may write to the console too. */
	setvbuf(stdout, line, _IOFBF, sizeof line);
	if (fd >= 0 && proc >= 0 && write(o->ready_fd, "r", 1) == 1) {
		close(o->ready_fd);
		int reported = wait_for_marks(fd, o->services, &last);

		close(fd);
		nap(SETTLE_S);
		supervisors_read(proc, &before);
		nap(IDLE_S);
		supervisors_read(proc, &after);
		printf("@bench {\"services\": %d, \"reported\": %d, \"boot_us\": %.1f, ", o->services, reported,
		       reported ? (double)(last - *o->start_ns) / 1e3 : 0.0);
		printf("\"idle_s\": %d, \"wakeups\": %ld, ", IDLE_S,
		       supervisors_switches(&before, &after));
		supervisors_print(&after);
		if (o->orphans)
			orphans_measure(proc, o->orphans);
		printf("}\n");
		fflush(stdout);
		tcdrain(STDOUT_FILENO);	/* or the kernel says "Power down" in the middle of it */
		run_after();
	}
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, NULL);
	_exit(1);
}
