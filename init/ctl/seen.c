/* Pids of a prior in a container, asked from outside: see seen.h. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/seen.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LEVELS 33	/* the kernel has 32 below the first */

static bool read_status(pid_t pid, char text[static 4096])
{
	char path[32];
	struct text t = TEXT_IN(path);

	text_fmt(&t, "/proc/%d/status", (int)pid);
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, 4095);

	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Its numbers, ours first; how many there are. parent: its parent's here. */
static unsigned numbers(pid_t pid, pid_t to[static LEVELS], pid_t *parent)
{
	char text[4096];
	unsigned n = 0;

	if (!read_status(pid, text))
		return 0;
	const char *up = strstr(text, "\nPPid:"), *at = strstr(text, "\nNSpid:");

	*parent = up ? (pid_t)atoi(up + 6) : 0;
	for (at = at ? at + 7 : ""; n < LEVELS && (*at == '\t' || *at == ' '); n++) {
		char *end;

		to[n] = (pid_t)strtol(at, &end, 10);
		at = end;
	}
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
