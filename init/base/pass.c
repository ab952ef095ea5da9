/* Messages with a descriptor: see pass.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/pass.h"
#include "init/base/fd.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>

union room {
	struct cmsghdr head;
	char room[CMSG_SPACE(PASS_MAX * sizeof(int))];
};

ssize_t pass_send_many(int sock, const void *data, size_t size, const int *fds, unsigned n, int flags)
{
	const size_t bytes = n * sizeof *fds;
	union room control = { .head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };

	if (n > PASS_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (n) {
		control.head.cmsg_len = CMSG_LEN(bytes);
		memcpy(CMSG_DATA(&control.head), fds, bytes);
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(bytes);
	}
	return sendmsg(sock, &m, flags | MSG_NOSIGNAL);
}

ssize_t pass_send(int sock, const void *data, size_t size, int fd, int flags)
{
	return pass_send_many(sock, data, size, &fd, fd >= 0, flags);
}

ssize_t pass_receive_many(int sock, void *data, size_t size, int *fds, unsigned max, unsigned *n, bool *lost,
			  int flags)
{
	union room control;
	struct iovec part = { .iov_base = data, .iov_len = size };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = CMSG_SPACE((max < PASS_MAX ? max : PASS_MAX) * sizeof *fds) };
	const ssize_t got = recvmsg(sock, &m, flags | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *h = got < 0 ? NULL : CMSG_FIRSTHDR(&m);

	*n = 0;
	*lost = got >= 0 && m.msg_flags & MSG_CTRUNC;
	if (!h || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
		return got;
	*n = (unsigned)((h->cmsg_len - CMSG_LEN(0)) / sizeof *fds);
	memcpy(fds, CMSG_DATA(h), *n * sizeof *fds);
	return got;
}

ssize_t pass_receive(int sock, void *data, size_t size, int *fd, int flags)
{
	union room control;
	struct iovec part = { .iov_base = data, .iov_len = size };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = fd ? &control : NULL,
			    .msg_controllen = fd ? CMSG_SPACE(sizeof *fd) : 0 };
	const ssize_t n = recvmsg(sock, &m, flags | MSG_CMSG_CLOEXEC);

	if (!fd)
		return n;
	const struct cmsghdr *h = n < 0 ? NULL : CMSG_FIRSTHDR(&m);

	*fd = n >= 0 && m.msg_flags & MSG_CTRUNC ? PASS_LOST : FD_NONE;
	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && h->cmsg_len == CMSG_LEN(sizeof *fd))
		memcpy(fd, CMSG_DATA(h), sizeof *fd);
	return n;
}
