/* Whether a connection is open, as the kernel's tables in /proc/net have it: see idle.h. A child's work. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/plan/listen.h"
#include "services/supervise/idle.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fields of a line, in place: between blanks, at most `most`; the last one is the rest. */
static unsigned split(char *line, char *field[], unsigned most)
{
	unsigned n = 0;

	for (line += strspn(line, " "); *line && n < most; line += strspn(line, " ")) {
		field[n++] = line;
		if (n == most)
			break;
		line += strcspn(line, " ");
		if (*line)
			*line++ = '\0';
	}
	return n;
}

/* "0: 0100007F:1F90 0200007F:D431 01 tx:rx tr:when retrnsmt uid timeout inode ...": held by somebody (it has an inode),
 * and not just one side of what is over. */
static bool is_open_tcp(char *line, const struct plan *p, const struct plan_listen *l)
{
	char *f[10], *colon;

	(void)p;
	if (l->kind != LISTEN_TCP || split(line, f, 10) < 10 || !(colon = strchr(f[1], ':')))
		return false;
	const unsigned long state = strtoul(f[3], NULL, 16), port = strtoul(colon + 1, NULL, 16);
	const bool connected = state == 1 || state == 4 || state == 5 || state == 8;

	return port == l->port && connected && strtoul(f[9], NULL, 10) != 0;
}

/* "0000000000000000: 00000003 00000000 00000000 0001 03 18446 /run/x": accepted ones have their listener's name. */
static bool is_open_unix(char *line, const struct plan *p, const struct plan_listen *l)
{
	char *f[8];

	return listen_rows[l->kind].has_path && listen_rows[l->kind].connects && split(line, f, 8) == 8 &&
	       strtoul(f[5], NULL, 16) == 3 && strtoul(f[6], NULL, 10) != 0 && !strcmp(f[7], plan_str(p, l->path));
}

typedef bool open_test(char *line, const struct plan *p, const struct plan_listen *l);

static bool any_in(char *line, const struct plan *p, const struct plan_service *d, open_test *is_open)
{
	char copy[512];

	PLAN_EACH(struct plan_listen, l, p, d->listen) {
		strncpy(copy, line, sizeof copy - 1);
		copy[sizeof copy - 1] = '\0';
		if (is_open(copy, p, l))
			return true;
	}
	return false;
}

/* 1: one is open, 0: none, -1: the table cannot be read. */
static int search(int dir, const char *file, const struct plan *p, const struct plan_service *d, open_test *is_open)
{
	owned_fd fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	static char buf[16384];
	size_t have = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = read(fd, buf + have, sizeof buf - 1 - have)) > 0) {
		char *line = buf, *end;

		have += (size_t)n;
		buf[have] = '\0';
		for (; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			if (any_in(line, p, d, is_open))
				return 1;
		}
		have -= (size_t)(line - buf);
		if (have >= sizeof buf - 1)
			return -1;
		memmove(buf, line, have);
	}
	return n < 0 ? -1 : 0;
}

static bool has_kind(const struct plan *p, const struct plan_service *d, bool tcp)
{
	PLAN_EACH(struct plan_listen, l, p, d->listen)
		if (listen_rows[l->kind].connects && (l->kind == LISTEN_TCP) == tcp)
			return true;
	return false;
}

int idle_connections(const struct plan *p, const struct plan_service *d, const char *proc_net)
{
	owned_fd dir = open(proc_net, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int open4 = 0, open6 = 0, local = 0;

	if (dir < 0)
		return -1;
	if (has_kind(p, d, true)) {
		open4 = search(dir, "tcp", p, d, is_open_tcp);
		open6 = faccessat(dir, "tcp6", F_OK, 0) < 0 ? 0 : search(dir, "tcp6", p, d, is_open_tcp);
	}
	if (has_kind(p, d, false))
		local = search(dir, "unix", p, d, is_open_unix);
	return open4 > 0 || open6 > 0 || local > 0 ? 1 : open4 < 0 || open6 < 0 || local < 0 ? -1 : 0;
}
