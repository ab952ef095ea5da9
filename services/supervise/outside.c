/* The interfaces of podman, systemd and their like to us: see outside.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/outside.h"
#include "init/base/fd.h"
#include "init/base/pidfd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define FIRST 3

static struct handed {
	int fd;
	char name[64];
} handed[OUTSIDE_FDS];
static unsigned nhanded;

/* Something that somebody can be given: a socket, or a FIFO. Who takes it knows which kind it must be. */
static int check_one(int fd, const char *name, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "LISTEN_FDS: descriptor %d (%s)", fd, name);
	if (!S_ISSOCK(st.st_mode) && !S_ISFIFO(st.st_mode))
		return err_set(e, EINVAL, "LISTEN_FDS: descriptor %d (%s) is neither a socket nor a FIFO", fd, name);
	return 0;
}

/* LISTEN_PID names us; so does LISTEN_PIDFDID, if it is there and this kernel has such numbers. */
static bool is_for_us(void)
{
	const char *pid = getenv("LISTEN_PID"), *id = getenv("LISTEN_PIDFDID");
	const uint64_t own = id ? pidfd_number(getpid()) : 0;

	return pid && atoi(pid) == getpid() && (own == 0 || strtoull(id, NULL, 10) == own);
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
	const char *fds = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
	int n = fds && is_for_us() ? atoi(fds) : 0;

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
