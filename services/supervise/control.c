/* The control tool's side of the control socket: see control.h. The server is in server.c. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/control.h"
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/base/text.h"
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int ctl_connect(const char *run_dir, int *out, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct text t = TEXT_IN(a.sun_path);
	owned_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, "control socket");
	text_add(&t, run_dir);
	text_add(&t, "/control.sock");
	if (t.cut)
		return err_set(e, ENAMETOOLONG, "%s/control.sock: the path is too long for a socket", run_dir);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) {
		*out = fd_take(&fd);
		return 0;
	}
	if (errno == ENOENT || errno == ECONNREFUSED)
		return err_set(e, errno, "no prior runs at %s (start one with `prior up`, or name it with --run-dir)",
			       run_dir);
	if (errno == EACCES)
		return err_set(e, EACCES, "%s: only root and the group `prior` may ask", a.sun_path);
	return err_sys(e, "connect to %s", a.sun_path);
}

static int wait_for(int fd, int timeout_ms, struct err *e)
{
	int64_t end = mono_now().ms + timeout_ms;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = timeout_ms < 0 ? -1 : end - mono_now().ms;
		int rc = poll(&p, 1, timeout_ms < 0 ? -1 : left < 0 ? 0 : (int)left);

		if (rc > 0)
			return 0;
		if (rc == 0)
			return err_set(e, ETIMEDOUT, "no answer within %d ms; prior goes on with it", timeout_ms);
		if (errno != EINTR)
			return err_sys(e, "wait for the answer");
	}
}

/* The descriptors of a message: two are kept, in order, when they are wanted; all others are closed. */
static void take_fds(struct msghdr *m, int *fds)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return;
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < n; i++) {
		owned_fd fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
		if (fds && i < 2)
			fd_put(&fds[i], fd_take(&fd));
	}
}

static int read_reply(int fd, struct ctl_reply *r, int *fds, struct err *e)
{
	union {
		char at[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec v = { r, sizeof *r };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.at,
			    .msg_controllen = sizeof control.at };
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);

	/* Closed with our request unread: that is said first, and then there may be a refusal to read. */
	if (n < 0 && errno == ECONNRESET)
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return err_sys(e, "read the answer");
	take_fds(&m, fds);
	if (n == 0)
		return err_set(e, ECONNRESET, "prior closed the connection without an answer");
	if (n != (ssize_t)sizeof *r || r->version != CTL_VERSION)
		return err_set(e, EPROTO, "prior answered in another version (%zd bytes); is it an older one?", n);
	r->err.text[sizeof r->err.text - 1] = '\0';
	return 0;
}

int ctl_send(int fd, const struct ctl_request *q, struct err *e)
{
	struct ctl_request ask = *q;

	ask.version = CTL_VERSION;
	/* A refusal (all connections in use) may have been sent, and the connection closed, before we asked: read it.
	 * */
	if (send(fd, &ask, sizeof ask, MSG_NOSIGNAL) != (ssize_t)sizeof ask && errno != EPIPE)
		return err_sys(e, "send the request");
	return 0;
}

int ctl_hear(int fd, struct ctl_reply *r, int *fds, int timeout_ms, struct err *e)
{
	if (fds)
		fds[0] = fds[1] = FD_NONE;
	return wait_for(fd, timeout_ms, e) < 0 ? -e->code : read_reply(fd, r, fds, e);
}

int ctl_ask_on(int fd, const struct ctl_request *q, struct ctl_reply *r, int *fds, int timeout_ms, struct err *e)
{
	if (fds)
		fds[0] = fds[1] = FD_NONE;
	if (ctl_send(fd, q, e) < 0)
		return -e->code;
	int rc = ctl_hear(fd, r, fds, timeout_ms, e);

	if (rc == 0 && fds && fds[1] < 0 && r->code == 0 && q->verb == CTL_STATE)
		rc = err_set(e, EPROTO, "prior answered without its ledger");
	if (rc < 0 && fds) {
		fd_drop(&fds[0]);
		fd_drop(&fds[1]);
	}
	return rc;
}

int ctl_ask(const char *run_dir, const struct ctl_request *q, struct ctl_reply *r, int *fds, int timeout_ms,
	    struct err *e)
{
	owned_fd fd = FD_NONE;

	if (fds)
		fds[0] = fds[1] = FD_NONE;
	return ctl_connect(run_dir, &fd, e) < 0 ? -e->code : ctl_ask_on(fd, q, r, fds, timeout_ms, e);
}
