/* A cell's link: a veth pair from a bridge of the machine into the cell, and what the cell's end gets. */
/* SPDX-License-Identifier: ISC */
#include "netns/own.h"
#include <errno.h>
#include <net/if.h>
#include <linux/if_bridge.h>
#include <linux/veth.h>
#include <string.h>

const char *const net_ends[NET_ENDS] = { "host0", "host1", "host2", "host3" };

/* The peer, named and placed in the cell before anybody in the machine's namespace could see it. */
static int put_peer(struct nl_msg *m, int netns_fd, const char *end, const char *cell, unsigned mtu)
{
	struct ifinfomsg i = { .ifi_family = AF_UNSPEC };
	struct nlattr *peer = nla_nest_start(m, VETH_INFO_PEER);
	unsigned char mac[6];

	net_mac(mac, "cell", cell);
	if (!peer || nlmsg_append(m, &i, sizeof i, NLMSG_ALIGNTO) < 0 ||
	    nla_put_string(m, IFLA_IFNAME, end) < 0 ||
	    nla_put(m, IFLA_ADDRESS, sizeof mac, mac) < 0 ||
	    (mtu && nla_put_u32(m, IFLA_MTU, mtu) < 0) ||
	    nla_put_u32(m, IFLA_NET_NS_FD, (uint32_t)netns_fd) < 0)
		return -ENOMEM;
	return nla_nest_end(m, peer);
}

static int put_pair(struct nl_msg *m, const char *ifname, int bridge, int netns_fd, const char *end,
		    const char *cell, unsigned mtu)
{
	unsigned char mac[6];
	struct nlattr *info, *data;

	net_mac(mac, "machine", ifname);
	if (nla_put_string(m, IFLA_IFNAME, ifname) < 0 ||
	    nla_put(m, IFLA_ADDRESS, sizeof mac, mac) < 0 ||
	    (mtu && nla_put_u32(m, IFLA_MTU, mtu) < 0) ||
	    nla_put_u32(m, IFLA_MASTER, (uint32_t)bridge) < 0)
		return -ENOMEM;
	info = nla_nest_start(m, IFLA_LINKINFO);
	if (!info || nla_put_string(m, IFLA_INFO_KIND, "veth") < 0)
		return -ENOMEM;
	data = nla_nest_start(m, IFLA_INFO_DATA);
	if (!data || put_peer(m, netns_fd, end, cell, mtu) < 0)
		return -ENOMEM;
	nla_nest_end(m, data);
	nla_nest_end(m, info);
	return 0;
}

/* Both ends, their addresses, the bridge and "up" in one request: what fails half-way, the kernel takes back. */
static int make_pair(struct net *n, const char *ifname, int bridge, int netns_fd, const char *end,
		     const char *cell, unsigned mtu)
{
	struct ifinfomsg i = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct nl_msg *m = net_msg(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof i);

	if (m && put_pair(m, ifname, bridge, netns_fd, end, cell, mtu) < 0) {
		nlmsg_free(m);
		m = NULL;
	}
	return net_ask(n, m, NULL, NULL);
}

/*
 * Frames to 01:80:c2:00:00:0X never pass a bridge's rules: the kernel hands them to the machine's own stack at the
 * port, and learns who sent them. With this mask they take the way of all others (but for :01, which is dropped).
 */
#define GROUP_FORWARD 0xfffd

static int guard_port(struct net *n, const char *ifname)
{
	struct ifinfomsg i = { .ifi_family = AF_BRIDGE, .ifi_index = link_index(n, ifname) };

	if (i.ifi_index < 0)
		return i.ifi_index;
	struct nl_msg *m = net_msg(RTM_SETLINK, 0, &i, sizeof i);
	struct nlattr *port = m ? nla_nest_start(m, IFLA_PROTINFO | NLA_F_NESTED) : NULL;

	if (m && (!port || nla_put_u16(m, IFLA_BRPORT_GROUP_FWD_MASK, GROUP_FORWARD) < 0)) {
		nlmsg_free(m);
		m = NULL;
	}
	if (m)
		nla_nest_end(m, port);
	return net_ask(n, m, NULL, NULL);
}

int net_veth_remove(struct net *machine, const char *ifname, struct err *e)
{
	struct net_link l;
	int r = link_get(machine, ifname, &l);

	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return net_fail(machine, e, "interface %s: find it", ifname);
	if (!link_is_ours(&l, "veth", "machine", ifname))
		return err_set(
			e, EEXIST,
			"interface %s: the name is taken by an interface (%s) that prior did not make",
			ifname, l.kind[0] ? l.kind : "hardware");
	if (link_delete(machine, l.index) < 0 && machine->code != ENODEV)
		return net_fail(machine, e, "interface %s: remove it", ifname);
	return 0;
}

int net_veth(struct net *machine, const char *ifname, const char *bridge, int netns_fd, const char *end,
	     const char *cell, unsigned mtu, struct err *e)
{
	struct net_link b;

	if (net_name_ok(ifname, e) < 0)
		return -e->code;
	if (link_get(machine, bridge, &b) < 0)
		return net_fail(machine, e, "interface %s: find its bridge %s", ifname, bridge);
	if (strcmp(b.kind, "bridge") != 0)
		return err_set(e, EINVAL, "interface %s: %s is not a bridge", ifname, bridge);
	int r = make_pair(machine, ifname, b.index, netns_fd, end, cell, mtu);

	/* Looked for only when it is in the way: a start without left-overs asks the kernel two questions. */
	if (r == -EEXIST) {
		if (net_veth_remove(machine, ifname, e) < 0)
			return -e->code;
		r = make_pair(machine, ifname, b.index, netns_fd, end, cell, mtu);
	}
	if (r == -EEXIST)
		return net_fail(machine, e, "interface %s: make it with its peer %s in the cell of %s", ifname, end,
				cell);
	if (r < 0)
		return net_fail(machine, e, "interface %s: make it on bridge %s for %s", ifname,
				bridge, cell);
	if (guard_port(machine, ifname) < 0) {
		struct err ignored;

		net_fail(machine, e, "interface %s: put frames to group addresses under the rules", ifname);
		net_veth_remove(machine, ifname, &ignored);
		return -e->code;
	}
	return 0;
}

int net_cell(struct net *cell, const char *end, const struct net_addr *a, unsigned na, const struct net_addr *gw4,
	     const struct net_addr *gw6, struct err *e)
{
	struct net_link l;
	uint32_t added;

	if (link_get(cell, end, &l) < 0)
		return net_fail(cell, e, "%s: find it", end);
	if (addr_add_all(cell, end, l.index, a, na, &added, e) < 0)
		return -e->code;
	/* Taking the link down removes the routes. */
	if (link_set_up(cell, l.index, true) < 0)
		net_fail(cell, e, "%s: set up", end);
	else if (route_default(cell, end, l.index, gw4, e) == 0 &&
		 route_default(cell, end, l.index, gw6, e) == 0)
		return 0;
	link_set_up(cell, l.index, false);
	addr_undo(cell, l.index, a, na, added);
	if (l.flags & IFF_UP)
		link_set_up(cell, l.index, true);
	return -e->code;
}
