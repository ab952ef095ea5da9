/* prior itself, with every netlink message and call about networks counted: one is refused, or kills. For net.py. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REFUSED, LOST, KILLED, HELD };
enum { OWN, FIRST };

/* A file that all processes of this prior have mapped, and who tests it. */
static struct order {
	_Atomic uint32_t seen;	/* messages and calls so far */
	uint32_t at;		/* which one it is about; 0: none */
	uint32_t what, signal;	/* KILLED: with this one */
	uint32_t whom;		/* a pid; OWN: who sends it, unless that is the first; FIRST */
	uint32_t first;		/* the supervisor's, which says it itself */
	char about[16];		/* only messages with this in them count; "": all, and calls */
	uint8_t sent[2][256], refused[2][256];	/* kinds of messages: rtnetlink's, nf_tables' */
} *order;

__attribute__((constructor)) static void map_order(void)
{
	const char *path = getenv("NET_FAULT");
	const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	order = at == MAP_FAILED ? NULL : at;
	if (order && !order->first)
		order->first = (uint32_t)getpid();
}

static pid_t victim(void)
{
	return order->whom == OWN ? getpid() : (pid_t)(order->whom == FIRST ? order->first : order->whom);
}

/* The first of a pid namespace cannot kill itself. */
static void die(void)
{
	kill(victim(), (int)order->signal);
	if (order->whom == OWN)
		_exit(128 + (int)order->signal);
}

/* Between two changes it is all the same when somebody dies; and in a pid namespace of its own nobody else is seen. */
static bool is_spared(bool changes)
{
	return order->what == KILLED && (!changes || kill(victim(), 0) < 0 ||
					 (order->whom == OWN && order->first == (uint32_t)getpid()));
}

/* Its turn: who dies or stands still does so here. */
static bool is_its_turn(bool changes)
{
	if (!order || is_spared(changes) || atomic_fetch_add(&order->seen, 1) + 1 != order->at)
		return false;
	if (order->what == KILLED)
		die();
	if (order->what == HELD)
		raise(SIGSTOP);
	return true;
}

/* --- messages --- */

/* rtnetlink's first two messages have the numbers of a batch's edges. */
static bool is_edge(bool nft, const struct nlmsghdr *h)
{
	return nft && (h->nlmsg_type == NFNL_MSG_BATCH_BEGIN || h->nlmsg_type == NFNL_MSG_BATCH_END);
}

/* In both, kinds come in groups with questions at the same place: NEW, DEL, GET, SET and NEW, GET, DEL. */
static bool is_change(bool nft, uint8_t kind)
{
	return nft ? kind % 3 != NFT_MSG_GETTABLE % 3 : kind % 4 != RTM_GETLINK % 4;
}

/* The kernel knows no message of the number that a refused one gets. 0: it may be sent. */
static int judge(bool nft, struct nlmsghdr *h)
{
	const uint8_t kind = (uint8_t)h->nlmsg_type;

	order->sent[nft][kind] = 1;
	if (order->about[0] && !memmem(h, h->nlmsg_len, order->about, strlen(order->about)))
		return 0;
	if (!is_its_turn(is_change(nft, kind)))
		return 0;
	if (order->what == REFUSED) {
		order->refused[nft][kind] = 1;
		h->nlmsg_type |= 0xff;
	}
	return order->what == LOST ? -1 : 0;
}

/* Each message of a batch can be refused; it is lost as a whole. */
static int judge_all(bool nft, const struct iovec *v)
{
	int lost = 0;

	for (size_t at = 0; at + sizeof(struct nlmsghdr) <= v->iov_len && !(at && order->what != REFUSED);) {
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)((char *)v->iov_base + at);

		if (h->nlmsg_len < sizeof *h)
			break;
		lost |= is_edge(nft, h) ? 0 : judge(nft, h);
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
	return lost;
}

ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	const struct sockaddr_nl *to = m->msg_name;
	int lost = 0, protocol = 0;
	socklen_t n = sizeof protocol;

	if (order && to && to->nl_family == AF_NETLINK &&
	    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n) == 0)
		for (size_t i = 0; i < (size_t)m->msg_iovlen; i++)
			lost |= judge_all(protocol == NETLINK_NETFILTER, m->msg_iov + i);
	if (lost) {
		errno = ENOBUFS;
		return -1;
	}
	return __real_sendmsg(fd, m, flags);
}

/* --- calls: they have one way to fail --- */

static bool is_refused(int code, bool changes)
{
	if (!order || order->what == LOST || order->about[0] || !is_its_turn(changes) || order->what != REFUSED)
		return false;
	errno = code;
	return true;
}

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol)
{
	return family == AF_NETLINK && is_refused(EMFILE, false) ? -1 : __real_socket(family, type, protocol);
}

int __real_setns(int fd, int flags);
int __wrap_setns(int fd, int flags);
int __wrap_setns(int fd, int flags)
{
	return flags & CLONE_NEWNET && is_refused(EPERM, true) ? -1 : __real_setns(fd, flags);
}

int __real_unshare(int flags);
int __wrap_unshare(int flags);
int __wrap_unshare(int flags)
{
	/* With others it is tried, to find out what this machine allows. */
	return flags == CLONE_NEWNET && is_refused(ENOSPC, true) ? -1 : __real_unshare(flags);
}

int __real_ioctl(int fd, int request, void *arg);
int __wrap_ioctl(int fd, int request, void *arg);
int __wrap_ioctl(int fd, int request, void *arg)
{
	const bool up = request == SIOCSIFFLAGS;

	return (up || request == SIOCGIFINDEX) && is_refused(EPERM, up) ? -1 : __real_ioctl(fd, request, arg);
}

/* A network's namespace, its settings, its names. */
static bool is_about_networks(const char *path)
{
	return strstr(path, "/ns/net") || strstr(path, "sys/net/") || strstr(path, "/hosts/");
}

static mode_t mode_of(int flags, va_list more)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? (mode_t)va_arg(more, int) : 0;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	va_list more;

	va_start(more, flags);
	const mode_t mode = mode_of(flags, more);

	va_end(more);
	return is_about_networks(path) && is_refused(ENFILE, flags & O_ACCMODE) ? -1 : __real_open(path, flags, mode);
}

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...)
{
	va_list more;

	va_start(more, flags);
	const mode_t mode = mode_of(flags, more);

	va_end(more);
	if (is_about_networks(path) && is_refused(ENFILE, flags & O_ACCMODE))
		return -1;
	return __real_openat(dir, path, flags, mode);
}
