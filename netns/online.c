/* Whether an interface has what it is to have, and when to look again: see net.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "netns/own.h"
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <sys/socket.h>

struct have {
	int index;
	bool v4, v6;
};

static void note_address(struct nlmsghdr *h, void *arg)
{
	struct have *x = arg;
	const struct ifaddrmsg *i = nlmsg_data(h);

	if (h->nlmsg_type != RTM_NEWADDR || (int)i->ifa_index != x->index || i->ifa_scope >= RT_SCOPE_LINK ||
	    i->ifa_flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
		return;
	x->v4 |= i->ifa_family == AF_INET;
	x->v6 |= i->ifa_family == AF_INET6;
}

int net_is_online(struct net *n, const char *name, bool v4, bool v6, const char **why, struct err *e)
{
	struct net_link l;
	const int r = link_get(n, name, &l);

	if (r < 0 && r != -ENODEV)
		return net_fail(n, e, "interface %s: find it", name);
	struct have x = { .index = l.index };
	struct ifaddrmsg i = { .ifa_index = r == 0 ? (unsigned)l.index : 0 };

	if (r == 0 && net_dump(n, net_msg(RTM_GETADDR, NLM_F_DUMP, &i, sizeof i), note_address, &x, sizeof x) < 0 &&
	    n->code != ENODEV)
		return net_fail(n, e, "interface %s: list addresses", name);
	*why = r < 0			 ? "it is not there"
	       : !(l.flags & IFF_UP)	 ? "it is down"
	       : !(l.flags & IFF_RUNNING) ? "no carrier"
	       : v4 && !x.v4		 ? "no IPv4 address"
	       : v6 && !x.v6		 ? "no IPv6 address"
					 : NULL;
	return !*why;
}

int net_changes(struct err *e)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK,
				 .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	owned_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
		return err_sys(e, "watch interfaces and addresses");
	return fd_take(&fd);
}
