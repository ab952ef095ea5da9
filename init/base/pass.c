/* Messages with a descriptor: see pass.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/pass.h"
#include "init/base/fd.h"
#include <stdint.h>
#include <string.h>

/* Room for one, aligned as the header wants it. */
union one {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

ssize_t pass_send(int sock, const void *data, size_t size, int fd, int flags)
{
	union one control = { .head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
					.cmsg_len = CMSG_LEN(sizeof fd) } };
	struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
		m.msg_control = &control;
		m.msg_controllen = sizeof control.room;
	}
	return sendmsg(sock, &m, flags | MSG_NOSIGNAL);
}

ssize_t pass_receive(int sock, void *data, size_t size, int *fd, int flags)
{
	union one control;
	struct iovec part = { .iov_base = data, .iov_len = size };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = fd ? &control : NULL,
			    .msg_controllen = fd ? sizeof control.room : 0 };
	const ssize_t n = recvmsg(sock, &m, flags | MSG_CMSG_CLOEXEC);

	if (!fd)
		return n;
	const struct cmsghdr *h = n < 0 ? NULL : CMSG_FIRSTHDR(&m);

	*fd = n >= 0 && m.msg_flags & MSG_CTRUNC ? PASS_LOST : FD_NONE;
	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && h->cmsg_len == CMSG_LEN(sizeof *fd))
		memcpy(fd, CMSG_DATA(h), sizeof *fd);
	return n;
}
