/* Pids of a prior in a container, asked from outside: see seen.h. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/seen.h"
#include "init/base/text.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LEVELS 33	/* the kernel has 32 below the first */

static unsigned read_numbers(const char *at, pid_t to[static LEVELS])
{
	unsigned n = 0;

	for (; n < LEVELS && (*at == '\t' || *at == ' '); n++) {
		char *end;

		to[n] = (pid_t)strtol(at, &end, 10);
		at = end;
	}
	return n;
}

/*
 * Its numbers, ours first; how many there are. parent: its parent's here. All lines are read, for a process can have so
 * many groups as to push the last ones far away.
 */
static unsigned numbers(pid_t pid, pid_t to[static LEVELS], pid_t *parent)
{
	char path[32], *line = NULL;
	struct text t = TEXT_IN(path);
	size_t room = 0;
	unsigned n = 0;

	text_fmt(&t, "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");

	*parent = 0;
	while (f && n == 0 && getline(&line, &room, f) > 0) {
		if (!strncmp(line, "PPid:", 5))
			*parent = (pid_t)atoi(line + 5);
		else if (!strncmp(line, "NSpid:", 6))
			n = read_numbers(line + 6, to);
	}
	free(line);
	if (f)
		fclose(f);
	return n;
}

void seen_look(struct seen_from *s, int control)
{
	struct ucred who = { 0 };
	socklen_t len = sizeof who;
	pid_t all[LEVELS], parent;

	*s = (struct seen_from){ 0 };
	if (getsockopt(control, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 || who.pid <= 0)
		return;
	const unsigned n = numbers(who.pid, all, &parent);

	if (n > 1)
		*s = (struct seen_from){ .prior = who.pid, .level = n - 1 };
}

static bool is_below(pid_t pid, pid_t prior)
{
	pid_t all[LEVELS];

	for (unsigned k = 0; k < 1024 && pid > 0; k++) {
		if (pid == prior)
			return true;
		if (!numbers(pid, all, &pid))
			return false;
	}
	return false;
}

pid_t seen_pid(const struct seen_from *s, pid_t pid)
{
	DIR *proc = s->prior ? opendir("/proc") : NULL;
	pid_t found = 0, all[LEVELS], parent;

	if (!s->prior || pid <= 0)
		return pid;
	for (struct dirent *d; !found && proc && (d = readdir(proc));) {
		const pid_t here = (pid_t)atoi(d->d_name);

		if (here > 0 && numbers(here, all, &parent) > s->level && all[s->level] == pid &&
		    is_below(parent, s->prior))
			found = here;
	}
	if (proc)
		closedir(proc);
	return found;
}
