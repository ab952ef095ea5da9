/* A cell's interface on top of one of the machine's: macvlan and ipvlan, made in the cell at once. */
/* SPDX-License-Identifier: ISC */
#include "netns/own.h"
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

static const struct {
	const char *kind;
	uint32_t mode;
} uppers[NET_UPPERS] = {
	[UPPER_MACVLAN_PRIVATE] = { "macvlan", MACVLAN_MODE_PRIVATE },
	[UPPER_MACVLAN_VEPA] = { "macvlan", MACVLAN_MODE_VEPA },
	[UPPER_MACVLAN_BRIDGE] = { "macvlan", MACVLAN_MODE_BRIDGE },
	[UPPER_IPVLAN_L2] = { "ipvlan", IPVLAN_MODE_L2 },
	[UPPER_IPVLAN_L3] = { "ipvlan", IPVLAN_MODE_L3 },
	[UPPER_IPVLAN_L3S] = { "ipvlan", IPVLAN_MODE_L3S },
};

const char *net_upper_kind(enum net_upper what)
{
	return uppers[what].kind;
}

/* An ipvlan has the MAC of its parent. */
static int put_upper(struct nl_msg *m, const char *end, const struct net_link *parent, enum net_upper what,
		     int netns_fd, const char *cell)
{
	const bool mac = !strcmp(uppers[what].kind, "macvlan");
	struct nlattr *info, *data;
	unsigned char own[6];

	net_mac(own, "cell", cell);
	for (unsigned i = 1; i < sizeof own; i++)	/* the same service on the next machine has another one */
		own[i] ^= parent->mac[i];
	if (nla_put_string(m, IFLA_IFNAME, end) < 0 || nla_put_u32(m, IFLA_LINK, (uint32_t)parent->index) < 0 ||
	    nla_put_u32(m, IFLA_NET_NS_FD, (uint32_t)netns_fd) < 0 ||
	    (mac && nla_put(m, IFLA_ADDRESS, sizeof own, own) < 0))
		return -ENOMEM;
	info = nla_nest_start(m, IFLA_LINKINFO);
	if (!info || nla_put_string(m, IFLA_INFO_KIND, uppers[what].kind) < 0)
		return -ENOMEM;
	data = nla_nest_start(m, IFLA_INFO_DATA);
	if (!data || (mac ? nla_put_u32(m, IFLA_MACVLAN_MODE, uppers[what].mode)
			  : nla_put_u16(m, IFLA_IPVLAN_MODE, (uint16_t)uppers[what].mode)) < 0)
		return -ENOMEM;
	nla_nest_end(m, data);
	nla_nest_end(m, info);
	return 0;
}

static int make_upper(struct net *machine, const char *end, const struct net_link *parent, enum net_upper what,
		      int netns_fd, const char *cell)
{
	struct ifinfomsg i = { .ifi_family = AF_UNSPEC };
	struct nl_msg *m = net_msg(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof i);

	if (m && put_upper(m, end, parent, what, netns_fd, cell) < 0) {
		nlmsg_free(m);
		m = NULL;
	}
	return net_ask(machine, m, NULL, NULL);
}

/* What the kernel made of it is what was asked for. */
static int check_upper(struct net *cell, const char *end, enum net_upper what, struct err *e)
{
	struct net_link l;

	if (link_get(cell, end, &l) < 0)
		return net_fail(cell, e, "%s: find it", end);
	if (strcmp(l.kind, uppers[what].kind) != 0 || l.mode != uppers[what].mode)
		return err_set(e, EPERM, "%s: asked for %s in mode %u; the kernel says %s in mode %u", end,
			       uppers[what].kind, uppers[what].mode, *l.kind ? l.kind : "hardware", l.mode);
	return 0;
}

int net_upper(struct net *machine, struct net *cell, const char *end, const char *parent, enum net_upper what,
	      int netns_fd, const char *name, struct err *e)
{
	const char *kind = uppers[what].kind;
	struct net_link p;
	int r = link_get(machine, parent, &p);

	if (r == -ENODEV)
		return err_set(e, ENODEV, "%s of %s: the machine has no interface of that name", kind, parent);
	if (r < 0)
		return net_fail(machine, e, "%s of %s: find it", kind, parent);
	if (!(p.flags & IFF_UP))
		return err_set(e, ENETDOWN, "%s of %s: that interface is down: network.interfaces sets up those that "
			       "it names", kind, parent);
	r = make_upper(machine, end, &p, what, netns_fd, name);
	/* Of the last start, in a network that is kept. */
	if (r == -EEXIST && link_delete_named(cell, end) == 0)
		r = make_upper(machine, end, &p, what, netns_fd, name);
	if (r < 0)
		return net_fail(machine, e, "%s of %s: make it in the cell of %s", kind, parent, name);
	if (check_upper(cell, end, what, e) == 0)
		return 0;
	link_delete_named(cell, end);
	return -e->code;
}

int net_upper_cell(struct net *cell, const char *end, const struct net_addr *a, unsigned na,
		   const struct net_addr *gw4, const struct net_addr *gw6, struct err *e)
{
	struct waiting w = waiting_begin();
	int r;

	do {
		r = net_cell(cell, end, a, na, gw4, gw6, e);
	} while ((r == -EBUSY || r == -EADDRINUSE) && waiting_pause(&w));
	return r;
}
