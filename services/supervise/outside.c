/* The interfaces of podman, systemd and their like to us: see outside.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/outside.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define FIRST 3

static struct handed {
	int fd;
	char name[64];
} handed[OUTSIDE_FDS];
static unsigned nhanded;

/* A socket that somebody can be given: it listens. */
static int check_one(int fd, const char *name, struct err *e)
{
	int type = 0, listens = 0;
	socklen_t n = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) < 0)
		return err_sys(e, "LISTEN_FDS: descriptor %d (%s)", fd, name);
	n = sizeof listens;
	if (type != SOCK_STREAM || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) < 0 || !listens)
		return err_set(e, EINVAL, "LISTEN_FDS: descriptor %d (%s) is no stream socket that listens", fd, name);
	return 0;
}

/* The next of the names, which stand between colons. */
static const char *next_name(const char *names, char *to, size_t size)
{
	size_t n = strcspn(names, ":");
	struct text t = { .at = to, .size = size };

	text_add_n(&t, names, n);
	return names + n + (names[n] == ':');
}

int outside_begin(struct err *e)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
	int n = fds && pid && atoi(pid) == getpid() ? atoi(fds) : 0;

	nhanded = 0;
	if (n > OUTSIDE_FDS)
		return err_set(e, E2BIG, "LISTEN_FDS: %d sockets, and %d can be taken", n, OUTSIDE_FDS);
	for (int i = 0; i < n; i++) {
		struct handed *h = &handed[nhanded];

		*h = (struct handed){ .fd = FIRST + i };
		names = next_name(names ? names : "", h->name, sizeof h->name);
		if (!*h->name)
			text_copy(h->name, sizeof h->name, "unknown");
		if (check_one(h->fd, h->name, e) < 0)
			return -e->code;
		fcntl(h->fd, F_SETFD, FD_CLOEXEC);
		nhanded++;
	}
	if (n > 0) {	/* they were ours; our children have variables of their own */
		unsetenv("LISTEN_PID");
		unsetenv("LISTEN_FDS");
		unsetenv("LISTEN_FDNAMES");
		unsetenv("LISTEN_PIDFDID");
	}
	return 0;
}

void outside_close_others(const int *keep, unsigned n)
{
	for (int at = FIRST;;) {
		int next = INT32_MAX;

		for (unsigned i = 0; i < n; i++)
			if (keep[i] >= at && keep[i] < next)
				next = keep[i];
		for (unsigned i = 0; i < nhanded; i++)
			if (handed[i].fd >= at && handed[i].fd < next)
				next = handed[i].fd;
		if (next > at)
			sys_close_range((unsigned)at, next == INT32_MAX ? ~0u : (unsigned)next - 1, 0);
		if (next == INT32_MAX)
			return;
		at = next + 1;
	}
}

int outside_take(const char *name)
{
	for (struct handed *h = handed; h < handed + nhanded; h++)
		if (h->fd >= 0 && !strcmp(h->name, name))
			return fd_take(&h->fd);
	return FD_NONE;
}

const char *outside_left_over(void)
{
	for (struct handed *h = handed; h < handed + nhanded; h++)
		if (h->fd >= 0) {
			fd_drop(&h->fd);
			return h->name;
		}
	return NULL;
}

void outside_say(const char *text)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;

	if (n < 2 || n >= sizeof a.sun_path || (*path != '/' && *path != '@'))
		return;
	memcpy(a.sun_path, path, n);
	if (*path == '@')
		a.sun_path[0] = '\0';
	owned_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0)
		sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&a,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*path == '/')));
}
