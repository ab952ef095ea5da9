/* prior itself, with every netlink message counted: one of them is refused, or prior is killed at it. For net.py. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum { REFUSED, LOST, KILLED, HELD };

/* A file that all processes of this prior have mapped, and who tests it. */
static struct order {
	_Atomic uint32_t seen;	/* messages so far */
	uint32_t at;		/* which one it is about; 0: none */
	uint32_t what, whom;	/* KILLED: the pid */
	uint32_t signal;
} *order;

__attribute__((constructor)) static void map_order(void)
{
	const char *path = getenv("NET_FAULT");
	const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	order = at == MAP_FAILED ? NULL : at;
}

/* rtnetlink's first two messages have the numbers of a batch's edges. */
static int is_edge(int fd, const struct nlmsghdr *h)
{
	int protocol = 0;
	socklen_t n = sizeof protocol;

	return (h->nlmsg_type == NFNL_MSG_BATCH_BEGIN || h->nlmsg_type == NFNL_MSG_BATCH_END) &&
	       getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n) == 0 && protocol == NETLINK_NETFILTER;
}

/* Its turn. The kernel knows no message of the number that a refused one gets. 0: it may be sent. */
static int judge(struct nlmsghdr *h)
{
	if (atomic_fetch_add(&order->seen, 1) + 1 != order->at)
		return 0;
	if (order->what == REFUSED)
		h->nlmsg_type |= 0xff;
	if (order->what == KILLED)
		kill((pid_t)order->whom, (int)order->signal);
	if (order->what == HELD)
		raise(SIGSTOP);
	return order->what == LOST ? -1 : 0;
}

/* Each message of a batch can be refused; it is lost as a whole. */
static int judge_all(int fd, const struct iovec *v)
{
	int lost = 0;

	for (size_t at = 0; at + sizeof(struct nlmsghdr) <= v->iov_len && !(at && order->what != REFUSED);) {
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)((char *)v->iov_base + at);

		if (h->nlmsg_len < sizeof *h)
			break;
		lost |= is_edge(fd, h) ? 0 : judge(h);
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
	return lost;
}

ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	const struct sockaddr_nl *to = m->msg_name;
	int lost = 0;

	for (size_t i = 0; order && to && to->nl_family == AF_NETLINK && i < (size_t)m->msg_iovlen; i++)
		lost |= judge_all(fd, m->msg_iov + i);
	if (lost) {
		errno = ENOBUFS;
		return -1;
	}
	return __real_sendmsg(fd, m, flags);
}
