/* Who is left of all processes: see left.h. */
/* SPDX-License-Identifier: ISC */
#include "init/left.h"
#include "init/base/dir.h"
#include "init/base/fd.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define NAMED 8				/* what fits a line of the console */
#define FLAGS_BEHIND 6			/* words of /proc/PID/stat, from the state on */
#define OF_THE_KERNEL 0x00200000	/* PF_KTHREAD */

bool left_parse(char *line, const char **name)
{
	char *from = strchr(line, '('), *to = strrchr(line, ')');	/* of parentheses in the name the outer ones */

	if (!from || !to || to < from || to[1] != ' ')
		return false;
	const char *word = to + 2, state = *word;

	for (unsigned i = 0; i < FLAGS_BEHIND; i++) {
		word += strcspn(word, " ");
		word += *word == ' ';
	}
	*to = '\0';
	text_tame(from + 1);
	*name = from + 1;
	return *word && state != 'Z' && state != 'X' && !(strtoul(word, NULL, 10) & OF_THE_KERNEL);
}

static bool look_at(int proc, const char *pid, char *line, size_t size, const char **name)
{
	char path[32];
	struct text t = TEXT_IN(path);

	text_fmt(&t, "%s/stat", pid);
	owned_fd fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, size - 1);

	line[n > 0 ? n : 0] = '\0';
	return left_parse(line, name);
}

unsigned left_name(struct text *t)
{
	char room[1024] __attribute__((aligned(8))), line[512];
	owned_fd proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dir_scan scan = { .fd = proc, .room = room, .size = sizeof room };
	const struct dir_entry *d;
	const char *name;
	unsigned n = 0;

	while ((d = dir_next(&scan))) {
		if (d->name[0] < '1' || d->name[0] > '9' || !strcmp(d->name, "1") ||
		    !look_at(proc, d->name, line, sizeof line, &name))
			continue;
		if (n++ < NAMED)
			text_fmt(t, "%s%s (%s)", n > 1 ? ", " : "", name, d->name);
	}
	if (n > NAMED)
		text_fmt(t, ", and %u more", n - NAMED);
	return n;
}
