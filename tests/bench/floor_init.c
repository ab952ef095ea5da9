/* The least an init can do: four mounts, fork and exec of N services, reaping. Also the peers' early mounts. */
/* SPDX-License-Identifier: ISC */
#include "observe.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *fs, *target;
} mounts[] = { { "proc", "/proc" }, { "sysfs", "/sys" }, { "devtmpfs", "/dev" }, { "cgroup2", "/sys/fs/cgroup" } };

static void mount_all(void)
{
	for (unsigned i = 0; i < sizeof mounts / sizeof *mounts; i++) {
		mkdir(mounts[i].target, 0755);
		mount(mounts[i].fs, mounts[i].target, mounts[i].fs, 0, NULL);
	}
}

static void start(int i, const sigset_t *mask, int share)
{
	static char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	char mark[64];

	snprintf(mark, sizeof mark, MARKS "/%d", i);
	if (share ? vfork() : fork())
		return;
	sigprocmask(SIG_SETMASK, mask, NULL);
	execve(SERVICE, (char *[]){ SERVICE, mark, NULL }, env);
	_exit(127);
}

/*
 *	floor_init N		PID 1 of a machine with N services
 *	floor_init N vfork	the same; its memory is not copied for the moment until exec
 *	floor_init mounts	does the mounts and ends
 */
int main(int argc, char **argv)
{
	sigset_t chld, before;
	siginfo_t si;

	mount_all();
	if (argc < 2 || !strcmp(argv[1], "mounts"))
		return 0;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &before);
	for (int i = 0; i < atoi(argv[1]); i++)
		start(i, &before, argc > 2);
	for (;;) {
		sigwaitinfo(&chld, &si);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}
