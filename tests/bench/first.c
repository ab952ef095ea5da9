/* First program of a measured boot: leaves an observer behind, notes the time, becomes the init under test. */
/* SPDX-License-Identifier: ISC */
#include "observe.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 *	first SERVICES ORPHANS INIT [ARG...]
 *
 * All inits are started the same way and in the same environment; what is measured begins with their execve.
 */
int main(int argc, char **argv)
{
	static char *const env[] = { "PATH=/usr/bin:/bin:/sbin:/usr/sbin", "HOME=/", "TERM=linux", NULL };
	int ready[2];
	char byte;
	int64_t *start = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (argc < 4 || start == MAP_FAILED || pipe(ready) < 0) {
		printf("first: usage: first SERVICES ORPHANS INIT [ARG...]\n");
		return 1;
	}
	if (fork() == 0) {
		struct observation o = { atoi(argv[1]), atoi(argv[2]), ready[1], start };

		close(ready[0]);
		observe(&o);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1) {
		printf("first: the observer is gone\n");
		return 1;
	}
	close(ready[0]);
	*start = now_ns();
	execve(argv[3], argv + 3, env);
	perror(argv[3]);
	return 1;
}
