/* When a cell's link passes packets: the kernel finishes two things behind our back. */
/* SPDX-License-Identifier: ISC */
#include "init/base/mono.h"
#include "netns/own.h"
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <string.h>
#include <time.h>

#define FIRST_US 100
#define LAST_US	 10000
#define WITHIN_MS 20000	/* many cells at once, on a machine that is busy: the kernel's workers come last */

struct waiting waiting_begin(void)
{
	return (struct waiting){ mono_now().ms + WITHIN_MS, FIRST_US };
}

/* Longer each time: those who only look are not to keep the kernel from what they wait for. */
bool waiting_pause(struct waiting *w)
{
	nanosleep(&(struct timespec){ .tv_nsec = w->us * 1000 }, NULL);
	w->us = w->us * 2 < LAST_US ? w->us * 2 : LAST_US;
	return mono_now().ms < w->until_ms;
}

static int has_carrier(struct net *n, const char *ifname, struct net_link *l, struct err *e)
{
	struct waiting w = waiting_begin();

	/* Kernels from 6.8 on run the link watch for this interface when they are asked about it. */
	do {
		if (link_get(n, ifname, l) < 0)
			return net_fail(n, e, "interface %s: find it", ifname);
		if (l->operstate == IF_OPER_UP)
			return 0;
	} while (waiting_pause(&w));
	return err_set(e, ETIMEDOUT, "interface %s: no carrier: the other end is down", ifname);
}

struct joined {
	unsigned char group[16];
	bool yes;
};

static void compare_group(struct nlmsghdr *h, void *arg)
{
	struct joined *j = arg;
	const struct nlattr *a = nlmsg_find_attr(h, sizeof(struct ifaddrmsg), IFA_MULTICAST);

	if (a && nla_len(a) == sizeof j->group &&
	    memcmp(nla_data(a), j->group, sizeof j->group) == 0)
		j->yes = true;
}

/*
 * An address without DAD is never tentative, yet nobody finds it before it has joined its solicited-node group,
 * which the kernel does in a work item.
 */
static int can_be_found(struct net *cell, const char *end, int index, const struct net_addr *a, struct err *e)
{
	struct ifaddrmsg i = { .ifa_family = AF_INET6, .ifa_index = (unsigned)index };
	struct joined j = { .group = { 0xff, 0x02, [11] = 0x01, [12] = 0xff } };
	struct waiting w = waiting_begin();
	char text[ADDR_TEXT];

	memcpy(j.group + 13, a->ip + 13, 3);
	do {
		if (net_dump(cell, net_msg(RTM_GETMULTICAST, NLM_F_DUMP, &i, sizeof i),
			     compare_group, &j, sizeof j) < 0)
			return net_fail(cell, e, "list the groups of %s", end);
		if (j.yes)
			return 0;
	} while (waiting_pause(&w));
	return err_set(e, ETIMEDOUT, "%s: address %s has not joined its solicited-node group", end,
		       addr_text(a, true, text));
}

int net_ready(struct net *machine, const char *ifname, struct net *cell, const char *end, const struct net_addr *a,
	      unsigned na, struct err *e)
{
	struct net_link l;

	if (!ifname && link_get(cell, end, &l) < 0)
		return net_fail(cell, e, "%s: find it", end);
	if (ifname && has_carrier(cell, end, &l, e) < 0)
		return -e->code;
	for (unsigned i = 0; i < na; i++)
		if (a[i].family == AF_INET6 && can_be_found(cell, end, l.index, a + i, e) < 0)
			return -e->code;
	return ifname ? has_carrier(machine, ifname, &l, e) : 0;
}
