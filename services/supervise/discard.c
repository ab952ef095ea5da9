/* The child that takes messages with descriptors: see discard.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/discard.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/supervise/fdstore.h"
#include "services/supervise/notify.h"
#include "services/supervise/reap.h"
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGE_FDS 253		/* the kernel's bound */

union room {
	char at[CMSG_SPACE(MESSAGE_FDS * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/* The descriptors of a received message, in order; returns their number. */
static unsigned fds_of(struct msghdr *m, int *fds)
{
	unsigned n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			for (size_t k = 0; k < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) && n < MESSAGE_FDS; k++)
				memcpy(&fds[n++], CMSG_DATA(c) + k * sizeof(int), sizeof(int));
	return n;
}

static void read_offer(struct store_offer *o, const char *bytes, size_t n)
{
	size_t len;
	const char *name = notify_value(bytes, n, "FDNAME", &len);

	*o = (struct store_offer){ .name = "stored", .poll = 1 };
	if (name && store_name_is_fine(name, len)) {
		memcpy(o->name, name, len);
		o->name[len] = '\0';
	}
	name = notify_value(bytes, n, "FDPOLL", &len);
	o->poll = !(name && len == 1 && *name == '0');
}

/* In the child: what is good of the first message goes on to PID 1, the rest ends with us. */
static void pass_on(int from, int to)
{
	static union room control, out;
	static char bytes[NOTIFY_MAX];
	int fds[MESSAGE_FDS], *good = (int *)CMSG_DATA(&out.align);
	struct iovec v = { bytes, sizeof bytes };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.at,
			    .msg_controllen = sizeof control };
	ssize_t n = recvmsg(from, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	unsigned count = n < 0 ? 0 : fds_of(&m, fds), kept = 0;
	struct store_offer o;

	for (unsigned k = 0; k < count; k++)
		if (store_takes(fds[k]))
			good[kept++] = fds[k];
	if (n < 0 || kept == 0)
		return;
	read_offer(&o, bytes, (size_t)n);
	v = (struct iovec){ &o, sizeof o };
	out.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(kept * sizeof(int)), .cmsg_level = SOL_SOCKET,
				      .cmsg_type = SCM_RIGHTS };
	m = (struct msghdr){ .msg_iov = &v, .msg_iovlen = 1, .msg_control = out.at,
			     .msg_controllen = CMSG_SPACE(kept * sizeof(int)) };
	sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The child's whole life. Without room for descriptors the kernel closes them itself, on this process's time. */
static void take(int fd, int to, bool all)
{
	char byte;

	if (fd > 0 && to < 0)
		sys_close_range(0, (unsigned)fd - 1, 0);
	if (to < 0)
		sys_close_range((unsigned)fd + 1, ~0u, 0);
	else
		pass_on(fd, to);
	while (to < 0 && recv(fd, &byte, sizeof byte, MSG_DONTWAIT) >= 0 && all)
		;
	_exit(0);
}

static pid_t fork_to_take(int fd, int to, bool all)
{
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	const pid_t pid = sys_clone3(&a);

	if (pid == 0)
		take(fd, to, all);
	return pid;
}

static void forget_offer(struct prior *p, uint32_t i)
{
	loop_remove(&p->loop, &p->run[i].offer_src);
	fd_drop(&p->run[i].offer_fd);
}

/* From our own child: one message, whose descriptors are of a kind that can be closed. */
static void on_offer(void *ctx, uint32_t i, uint32_t events)
{
	struct prior *p = ctx;
	union room control;
	struct store_offer o;
	int fds[MESSAGE_FDS];
	struct iovec v = { &o, sizeof o };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.at,
			    .msg_controllen = sizeof control };
	ssize_t n = recvmsg(p->run[i].offer_fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	(void)events;
	if (n == (ssize_t)sizeof o) {
		o.name[STORED_NAME] = '\0';
		fdstore_add(p, i, &o, fds, fds_of(&m, fds));
	}
	forget_offer(p, i);
}

/* The socket over which the child sends what is to be kept; FD_NONE: it is to keep nothing. */
static int open_offer(struct prior *p, uint32_t i)
{
	struct svc_run *r = &p->run[i];
	int pair[2];
	struct err e;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return FD_NONE;
	owned_fd ours = pair[0], its = pair[1];
	int rc = loop_add(&p->loop, ours, EPOLLIN, on_offer, i, &e);

	if (rc < 0)
		return FD_NONE;
	r->offer_src = (uint32_t)rc;
	r->offer_fd = fd_take(&ours);
	return fd_take(&its);
}

void discard_carry(const struct svc_run *was, struct prior *q, uint32_t k)
{
	struct err e;

	if (!was->offer_src)
		return;
	int rc = loop_add(&q->loop, was->offer_fd, EPOLLIN, on_offer, k, &e);

	q->run[k].offer_src = rc < 0 ? 0 : (uint32_t)rc;
	q->run[k].offer_fd = was->offer_fd;
}

void discard_first(struct prior *p, uint32_t i, bool store)
{
	owned_fd to = store ? open_offer(p, i) : FD_NONE;
	pid_t pid = fork_to_take(svc_of(p, i)->notify_fd, to, false);

	loop_remove(&p->loop, &p->run[i].notify_src);
	if (pid < 0) {
		if (p->run[i].offer_src)
			forget_offer(p, i);
		prior_say(p, "warning", "notify-refused", svc_name(p, i),
			  "no process could be made to take its descriptors; not heard before its next start");
		return;
	}
	p->run[i].discard = pid;
	reap_add(p, pid, i, PID_DISCARD);
}

static void watch(struct prior *p, uint32_t i)
{
	struct err e;

	if (svc_of(p, i)->notify_fd >= 0 && !p->run[i].notify_src && notify_watch(p, i, &e) < 0)
		prior_say(p, "warning", "notify-refused", svc_name(p, i), e.text);
}

void discard_ended(struct prior *p, uint32_t i, pid_t pid)
{
	if (p->run[i].discard != pid)
		return;		/* of an earlier start: that socket is gone */
	p->run[i].discard = 0;
	if (p->run[i].offer_src)	/* it said all that it will */
		on_offer(p, i, 0);
	watch(p, i);
}

void discard_anew(struct prior *p, uint32_t i)
{
	pid_t pid = p->run[i].discard;

	if (!pid) {
		watch(p, i);
		return;
	}
	discard_rest(p, i);	/* it may not have come to take the message */
	kill(pid, SIGKILL);	/* ours and not reaped */
	p->run[i].discard = 0;
	if (p->run[i].offer_src)
		on_offer(p, i, 0);
	fd_drop(&svc_of(p, i)->notify_fd);
}

void discard_rest(struct prior *p, uint32_t i)
{
	char byte;

	if (recv(svc_of(p, i)->notify_fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) >= 0)
		fork_to_take(svc_of(p, i)->notify_fd, FD_NONE, true);
}
