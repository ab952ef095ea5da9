/* Orphans that all end at once, and how long the machine's PID 1 takes to reap them: see orphans.h. */
/* SPDX-License-Identifier: ISC */
#include "orphans.h"
#include "observe.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LITTER 100
#define PATIENCE_NS 60000000000LL

/* Processes on this machine, the kernel's included: the last number of loadavg's fourth field. */
static long processes(int proc)
{
	char text[128] = "";
	int fd = openat(proc, "loadavg", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, text, sizeof text - 1) < 0)
			text[0] = '\0';
		close(fd);
	}
	const char *slash = strchr(text, '/');

	return slash ? atol(slash + 1) : -1;
}

/* Nanoseconds that PID 1 has run. */
static long long cpu_of_init(int proc)
{
	char text[128] = "";
	int fd = openat(proc, "1/schedstat", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, text, sizeof text - 1) < 0)
			text[0] = '\0';
		close(fd);
	}
	return atoll(text);
}

static int wait_for_end(void *hold)
{
	char byte;

	syscall(SYS_read, *(const int *)hold, &byte, 1);
	return 0;
}

/* A child whose own children wait for `hold` to be closed; it ends before them. They share its memory, so that what
 * is measured is their reaping and not the copying and freeing of pages. */
static void litter(int *hold, int n)
{
	static char stacks[LITTER + 1][4096] __attribute__((aligned(16)));

	close(hold[1]);
	for (int i = 0; i < n; i++)
		if (clone(wait_for_end, stacks[i + 1], CLONE_VM | SIGCHLD, hold) < 0)
			_exit(1);
	_exit(0);
}

/* How many were made. */
static int make(int *hold, int n)
{
	int made = 0;

	while (made < n) {
		int batch = n - made < LITTER ? n - made : LITTER, status;
		pid_t middle = fork();

		if (middle == 0)
			litter(hold, batch);
		if (middle < 0 || waitpid(middle, &status, 0) < 0 || status)
			break;
		made += batch;
	}
	return made;
}

void orphans_measure(int proc, int n)
{
	struct timespec tick = { .tv_nsec = 1000000 };
	struct sched_param none = { 0 };
	long before = processes(proc);
	int hold[2];

	if (pipe(hold) < 0)
		return;
	int made = make(hold, n);

	close(hold[0]);
	nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	long alive = processes(proc) - before;
	long long cpu = cpu_of_init(proc);
	/* Of all that want to run, we come last: when we look, the others have done what they can. */
	sched_setscheduler(0, SCHED_IDLE, &none);
	int64_t start = now_ns();

	close(hold[1]);
	while (processes(proc) > before && now_ns() - start < PATIENCE_NS)
		nanosleep(&tick, NULL);
	int64_t end = now_ns();

	printf(", \"orphans_made\": %d, \"orphans\": %ld, \"left\": %ld", made, alive, processes(proc) - before);
	printf(", \"reap_us\": %.1f, \"reap_cpu_us\": %.1f", (double)(end - start) / 1e3,
	       (double)(cpu_of_init(proc) - cpu) / 1e3);
}
