/* Readiness and status by datagram: see notify.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/notify.h"
#include "services/supervise/start.h"
#include "init/base/text.h"
#include "services/spec/spec.h"
#include "services/supervise/discard.h"
#include "services/supervise/member.h"
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define MESSAGES_A_TURN 16
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76		/* since 6.5: a message brings its sender's pidfd */
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

static const char *notify_dir(const struct prior *p, char *buf, size_t size)
{
	struct text t = { .at = buf, .size = size };

	text_fmt(&t, "%s/notify", p->ledger.head->run_dir);
	return buf;
}

const char *notify_path(const struct prior *p, uint32_t i, char *buf, size_t size)
{
	struct text t = { .at = buf, .size = size };

	text_fmt(&t, "%s/notify/%s", p->ledger.head->run_dir, svc_name(p, i));
	return buf;
}

void notify_say_once(struct prior *p, uint32_t i, enum notify_said what, const char *level, const char *name,
		     const char *why)
{
	if (!(p->run[i].said & what))
		prior_say(p, level, name, svc_name(p, i), why);
	p->run[i].said |= what;
}

static int bind_to(int fd, const char *path, const struct plan_service *d, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (strncmp(path, "/notify/", 8) == 0)
		return err_set(e, EROFS, "notify socket: no place for it can be written; give a --run-dir, or a tmpfs "
			       "at /run");
	if (!text_copy(a.sun_path, sizeof a.sun_path, path))
		return err_set(e, ENAMETOOLONG, "notify socket %s: more than %zu bytes", path, sizeof a.sun_path - 1);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(e, "notify socket %s: remove what is left of an earlier run", path);
	mode_t old = umask(0177);	/* from its first moment it is 0600 */
	int rc = bind(fd, (struct sockaddr *)&a, sizeof a);

	umask(old);
	if (rc < 0)
		return err_sys(e, "notify socket %s", path);
	if ((d->uid != geteuid() || d->gid != getegid()) && lchown(path, d->uid, d->gid) < 0)
		return err_sys(e, "notify socket %s: give it to uid %u", path, d->uid);
	return 0;
}

int notify_open(struct prior *p, uint32_t i, struct err *e)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	char path[256], dir[128];
	int on = 1;

	p->run[i].said = p->run[i].searches = 0;
	if (!(d->flags & CELL_NOTIFY))
		return 0;
	if (s->notify_fd >= 0)
		discard_anew(p, i);
	if (s->notify_fd >= 0)
		return 0;
	if (mkdir(notify_dir(p, dir, sizeof dir), 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", dir);
	owned_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0)
		return err_sys(e, "notify socket");
	setsockopt(fd, SOL_SOCKET, SO_PASSPIDFD, &on, sizeof on);	/* older kernels do without */
	if (bind_to(fd, notify_path(p, i, path, sizeof path), d, e) < 0)
		return -e->code;
	fd_put(&s->notify_fd, fd_take(&fd));
	return notify_watch(p, i, e);
}

/* Who sent it, as the kernel says; *fds: it brought descriptors. What was looked at is let go at once: the message
 * still holds its own, so that nothing ends here. */
static pid_t sender(struct msghdr *m, int *pidfd, bool *fds)
{
	struct ucred who = { 0 };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&who, CMSG_DATA(c), sizeof who);
		if (c->cmsg_type == SCM_PIDFD)
			memcpy(pidfd, CMSG_DATA(c), sizeof *pidfd);
		for (size_t k = 0; c->cmsg_type == SCM_RIGHTS && k < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); k++) {
			owned_fd fd = FD_NONE;

			memcpy(&fd, CMSG_DATA(c) + k * sizeof fd, sizeof fd);
			*fds = true;
		}
	}
	*fds |= m->msg_flags & MSG_CTRUNC;
	return who.pid;
}

static bool is_heard(struct prior *p, uint32_t i, pid_t pid, int pidfd)
{
	const bool main_only = plan_service(&p->plan, i)->flags & CELL_NOTIFY_MAIN;
	const bool of_it = state_is_live(svc_of(p, i)->state) && member_is(p, i, pid, pidfd);

	if (!of_it)
		notify_say_once(p, i, SAID_STRANGER, "warning", "notify-refused",
				"from a process that is not of the service, or has ended");
	else if (main_only && pid != svc_of(p, i)->pid)
		notify_say_once(p, i, SAID_STRANGER, "warning", "notify-refused",
				"from another process than its main one (notify_access: all hears each of them)");
	return of_it && (!main_only || pid == svc_of(p, i)->pid);
}

/* 1: read one, 0: none. It is looked at first: what has descriptors is not ours to take, see discard.h. */
static int take_one(struct prior *p, uint32_t i)
{
	char bytes[NOTIFY_MAX], byte;
	union {
		char at[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec v = { bytes, sizeof bytes };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.at,
			    .msg_controllen = sizeof control.at };
	owned_fd pidfd = FD_NONE;
	bool fds = false, store = false;

	/* Which process is its main one was said before that one's first instruction, elsewhere: it comes first. */
	if (svc_of(p, i)->report_fd >= 0)
		start_drain(p, i);
	ssize_t n = recvmsg(svc_of(p, i)->notify_fd, &m, MSG_PEEK | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return 0;
	pid_t pid = sender(&m, &pidfd, &fds);

	if (m.msg_flags & MSG_TRUNC)
		notify_say_once(p, i, SAID_TOO_LONG, "warning", "notify-refused", "a message of more than 4096 bytes");
	else if (is_heard(p, i, pid, pidfd))
		store = notify_take(p, i, pid, bytes, (size_t)n);
	if (fds)
		discard_first(p, i, store);
	else
		recv(svc_of(p, i)->notify_fd, &byte, sizeof byte, MSG_DONTWAIT);
	return 1;
}

static void on_message(void *ctx, uint32_t i, uint32_t events)
{
	struct prior *p = ctx;

	(void)events;
	for (int n = 0; n < MESSAGES_A_TURN && p->run[i].notify_src && take_one(p, i); n++)
		;
}

int notify_watch(struct prior *p, uint32_t i, struct err *e)
{
	int rc = loop_add(&p->loop, svc_of(p, i)->notify_fd, EPOLLIN, on_message, i, e);

	p->run[i].notify_src = rc < 0 ? 0 : (uint32_t)rc;
	return rc < 0 ? rc : 0;
}

void notify_close_all(struct prior *p)
{
	char path[256];

	for (uint32_t i = 0; i < p->n; i++) {
		struct ledger_svc *s = svc_of(p, i);

		if (s->notify_fd < 0)
			continue;
		loop_remove(&p->loop, &p->run[i].notify_src);
		discard_rest(p, i);
		fd_drop(&s->notify_fd);
		unlink(notify_path(p, i, path, sizeof path));
	}
	rmdir(notify_dir(p, path, sizeof path));
}
