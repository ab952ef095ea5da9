/* What builder and service tell each other, and what PID 1 is told. */
/* SPDX-License-Identifier: ISC */
#include "init/base/mono.h"
#include "init/base/sys.h"
#include "services/cell/inner.h"
#include <linux/capability.h>
#include <string.h>
#include <sys/socket.h>

/* Room for one descriptor beside a note. */
union with_fd {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int note_send(const struct cell *c, const struct note *n, int fd, struct err *e)
{
	union with_fd control = { 0 };
	struct iovec v = { .iov_base = (void *)(uintptr_t)n, .iov_len = sizeof *n };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (fd >= 0) {
		m.msg_control = control.room;
		m.msg_controllen = sizeof control.room;
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);

		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(h), &fd, sizeof fd);
	}
	if (sendmsg(c->sync, &m, MSG_NOSIGNAL) < 0)
		return err_sys(e, "the other process of the start is gone");
	return 0;
}

int note_receive(const struct cell *c, struct note *n, int *fd, struct err *e)
{
	union with_fd control;
	struct iovec v = { .iov_base = n, .iov_len = sizeof *n };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = fd ? control.room : NULL,
			    .msg_controllen = fd ? sizeof control.room : 0 };
	const ssize_t got = recvmsg(c->sync, &m, MSG_CMSG_CLOEXEC);

	if (got < 0)
		return err_sys(e, "wait for the other process of the start");
	if (got != sizeof *n)
		return err_set(e, EPIPE, "the other process of the start is gone");
	if (!fd)
		return 0;
	*fd = FD_NONE;
	const struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	if (h && h->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(h), sizeof *fd);
	return 0;
}

int note_ask(const struct cell *c, uint32_t kind, int *fd, struct err *e)
{
	struct note n = { .kind = kind };

	if (note_send(c, &n, FD_NONE, e) < 0 || note_receive(c, &n, fd, e) < 0)
		return -e->code;
	return n.kind == NOTE_GO ? 0 : err_set(e, EPROTO, "the builder answered %u", n.kind);
}

bool may_trace_anybody(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };

	return syscall(SYS_capget, &head, d) == 0 && (d[0].effective >> CAP_SYS_PTRACE & 1);
}

int report_send(const struct cell *c, const struct cell_report *r)
{
	return (int)send(c->report, r, sizeof *r, MSG_NOSIGNAL);
}

int report_born(const struct cell *c, struct err *e)
{
	struct cell_report r = { .kind = CELL_MSG_BORN, .service = getpid() };

	if (c->start->spawned && report_send(c, &r) < 0)
		return err_sys(e, "tell PID 1");
	return 0;
}

int cell_failed(const struct cell *c, uint32_t step, bool missing, const struct err *e)
{
	struct cell_report r = { .kind = CELL_MSG_FAILED, .service = c->service, .reaper = c->reaper, .step = step,
				 .missing = missing, .setup_us = mono_us() - c->began_us, .err = *e };
	struct note n = { .kind = NOTE_FAILED, .step = step, .missing = missing, .err = *e };
	struct err lost;

	if (c->sync >= 0 && c->service == 0)
		note_send(c, &n, FD_NONE, &lost);	/* the service tells its builder */
	else
		report_send(c, &r);
	return (int)step;
}
