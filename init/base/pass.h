/* A message on a UNIX socket that takes descriptors along, or none: unix(7), SCM_RIGHTS. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define PASS_MAX 16	/* descriptors in one message */
#define PASS_LOST (-2)	/* one was sent, and this process has no room for it */

/*
 * sendmsg(2) of size bytes with fd (< 0: none), which stays the caller's. flags as there, MSG_NOSIGNAL is added.
 * Returns size, or -1 with errno.
 */
ssize_t pass_send(int sock, const void *data, size_t size, int fd, int flags);

/*
 * recvmsg(2) of at most size bytes. *fd becomes the caller's, closed on exec; FD_NONE when none came, PASS_LOST when
 * the kernel dropped it. More than one are never taken: the kernel closes the others. fd NULL: none is. Returns as
 * recvmsg does.
 */
ssize_t pass_receive(int sock, void *data, size_t size, int *fd, int flags);

/*
 * The same with n descriptors, at most PASS_MAX. The kernel takes a page for a message with any: many in one cost
 * little more than one. *n of them, in their order, become the receiver's; lost: it had no room for the rest.
 */
ssize_t pass_send_many(int sock, const void *data, size_t size, const int *fds, unsigned n, int flags);
ssize_t pass_receive_many(int sock, void *data, size_t size, int *fds, unsigned max, unsigned *n, bool *lost,
			  int flags);
