/* Starts a program again and again and says how long until its child's first instruction, and until all is over. */
/* SPDX-License-Identifier: ISC */
#include "measure.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 *	start COUNT COMMAND...		from before the fork; COMMAND becomes or starts `hello`, which writes its time
 *					on standard output. `@` in an argument is replaced by the number of the start;
 *					descriptor 9 is START_FILE (environment), opened anew: a filter to be read.
 *	start -1 COUNT COMMAND...	COMMAND is PID 1 of a namespace, with a /proc of its own; from its execve
 *	start -m COMMAND...		its own memory while it runs, from smaps_rollup: "PSS RSS" in KiB
 *
 * Prints a line per start: microseconds to the first instruction, and to the moment when the command has been reaped.
 */
static int64_t *executed;	/* shared with the child: when it called execve */

static char **numbered(char **command, int n)
{
	static char text[64][4096];
	static char *out[65];
	int i = 0;

	for (; command[i] && i < 64; i++) {
		char *at = strchr(command[i], '@');

		if (at)
			snprintf(text[i], sizeof *text, "%.*s%d-%d%s", (int)(at - command[i]), command[i], getpid(), n,
				 at + 1);
		out[i] = at ? text[i] : command[i];
	}
	out[i] = NULL;
	return out;
}

static _Noreturn void become(char **command, const int *out, int as_init)
{
	if (as_init && (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
			sys_mount("proc", "/proc", "proc", 0, NULL) < 0)) {
		perror("start: /proc of its own");
		_exit(126);
	}
	dup2(out[1], 1);
	if (getenv("START_FILE"))
		dup2(open(getenv("START_FILE"), O_RDONLY | O_CLOEXEC), 9);
	if (as_init)
		*executed = now_ns();
	execv(command[0], command);
	perror(command[0]);
	_exit(127);
}

static pid_t launch(char **command, const int *out, int as_init)
{
	struct clone_args a = { .flags = CLONE_NEWPID | CLONE_NEWNS, .exit_signal = SIGCHLD };
	pid_t pid;

	if (as_init)
		pid = (pid_t)syscall(SYS_clone3, &a, sizeof a);
	else
		pid = vfork();
	if (pid == 0)
		become(command, out, as_init);
	if (pid < 0) {
		perror("start: fork");
		exit(1);
	}
	return pid;
}

static int once(char **command, int as_init)
{
	struct timespec first;
	int out[2], status;

	if (pipe2(out, O_CLOEXEC) < 0)
		return perror("start: pipe"), 1;
	*executed = now_ns();
	pid_t pid = launch(command, out, as_init);

	close(out[1]);
	if (waitpid(pid, &status, 0) < 0)
		return perror("start: wait"), 1;
	int64_t end = now_ns();

	if (read(out[0], &first, sizeof first) != sizeof first || status) {
		fprintf(stderr, "start: %s: status %d, and no time from its child\n", command[0], status);
		return 1;
	}
	close(out[0]);
	measured(*executed, &first, end);
	return 0;
}

static int memory(char **command)
{
	char path[64], line[256];
	long pss = 0, rss = 0;
	int out[2], one = 0;

	if (pipe2(out, O_CLOEXEC) < 0)
		return perror("start: pipe"), 1;
	pid_t pid = launch(command, out, 1);

	close(out[1]);
	if (read(out[0], line, sizeof(struct timespec)) != sizeof(struct timespec))
		return fprintf(stderr, "start: %s: its child does not run\n", command[0]), 1;
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof line, f)) {
		one += sscanf(line, "Pss: %ld", &pss) == 1;
		one += sscanf(line, "Rss: %ld", &rss) == 1;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (one != 2)
		return fprintf(stderr, "start: %s is not readable\n", path), 1;
	printf("%ld %ld\n", pss, rss);
	return 0;
}

int main(int argc, char **argv)
{
	int as_init = argc > 1 && !strcmp(argv[1], "-1");

	executed = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc < 3 + as_init || executed == MAP_FAILED) {
		fprintf(stderr, "usage: start [-1] COUNT COMMAND... | start -m COMMAND...\n");
		return 2;
	}
	if (!strcmp(argv[1], "-m"))
		return memory(argv + 2);
	for (int i = 0; i < atoi(argv[1 + as_init]); i++)
		if (once(numbered(argv + 2 + as_init, i), as_init))
			return 1;
	return 0;
}
