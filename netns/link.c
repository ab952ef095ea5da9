/* Interfaces: find one by name, switch it, remove it; loopback and the machine's own. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sum.h"
#include "netns/own.h"
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#ifndef RTEXT_FILTER_SKIP_STATS
#define RTEXT_FILTER_SKIP_STATS (1 << 3)
#endif

void net_mac(unsigned char mac[6], const char *role, const char *name)
{
	uint64_t h = sum_more(sum_more(SUM_START, role, strlen(role) + 1), name, strlen(name));

	for (unsigned i = 0; i < 6; i++)
		mac[i] = (unsigned char)(h >> 8 * (i + 2));	/* the low bytes differ little between like names */
	mac[0] = (unsigned char)((mac[0] & 0xfc) | 0x02); /* unicast, locally administered */
}

int net_name_ok(const char *name, struct err *e)
{
	size_t n = strlen(name);

	if (n == 0 || n >= IFNAMSIZ || strpbrk(name, "/: \t\n") || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return err_set(
			e, EINVAL,
			"interface '%.32s': a name has 1 to %d bytes, without '/', ':' and blanks",
			name, IFNAMSIZ - 1);
	return 0;
}

void link_read(struct nlmsghdr *h, void *arg)
{
	struct net_link *l = arg;
	struct ifinfomsg *i = nlmsg_data(h);
	struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWLINK)
		return;
	l->index = i->ifi_index;
	l->flags = i->ifi_flags;
	a = nlmsg_find_attr(h, sizeof *i, IFLA_ADDRESS);
	if (a && nla_len(a) == sizeof l->mac)
		memcpy(l->mac, nla_data(a), sizeof l->mac);
	a = nlmsg_find_attr(h, sizeof *i, IFLA_OPERSTATE);
	l->operstate = a ? nla_get_u8(a) : 0;
	a = nlmsg_find_attr(h, sizeof *i, IFLA_MTU);
	l->mtu = a ? nla_get_u32(a) : 0;
	a = nlmsg_find_attr(h, sizeof *i, IFLA_LINKINFO);
	const struct nlattr *kind = a ? nla_find(nla_data(a), nla_len(a), IFLA_INFO_KIND) : NULL;
	const struct nlattr *data = a ? nla_find(nla_data(a), nla_len(a), IFLA_INFO_DATA) : NULL;

	if (kind)
		nla_strlcpy(l->kind, kind, sizeof l->kind);
	if (!strcmp(l->kind, "vlan") && data && (a = nla_find(nla_data(data), nla_len(data), IFLA_VLAN_ID)))
		l->vlan = nla_get_u16(a);
	if (!strcmp(l->kind, "macvlan") && data && (a = nla_find(nla_data(data), nla_len(data), IFLA_MACVLAN_MODE)))
		l->mode = nla_get_u32(a);
	if (!strcmp(l->kind, "ipvlan") && data && (a = nla_find(nla_data(data), nla_len(data), IFLA_IPVLAN_MODE)))
		l->mode = nla_get_u16(a);
	a = nlmsg_find_attr(h, sizeof *i, IFLA_LINK);
	l->parent = a ? (int)nla_get_u32(a) : 0;
}

/* One request for one name: the cost does not grow with the number of interfaces. */
int link_get(struct net *n, const char *name, struct net_link *l)
{
	struct ifinfomsg i = { .ifi_family = AF_UNSPEC };
	struct nl_msg *m = net_msg(RTM_GETLINK, 0, &i, sizeof i);
	struct net_link got = { 0 };

	if (m &&
	    (nla_put_string(m, IFLA_IFNAME, name) < 0 ||
	     nla_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0)) {
		nlmsg_free(m);
		m = NULL;
	}
	int r = net_ask(n, m, link_read, &got);

	if (r == 0)
		*l = got;
	return r;
}

int link_index(struct net *n, const char *name)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	n->why[0] = '\0';
	n->code = ioctl(nl_socket_get_fd(n->sk), SIOCGIFINDEX, &r) < 0 ? errno : 0;
	return n->code ? -n->code : r.ifr_ifindex;
}

int link_set_up(struct net *n, int index, bool up)
{
	struct ifinfomsg i = { .ifi_index = index,
			       .ifi_flags = up ? IFF_UP : 0,
			       .ifi_change = IFF_UP };

	return net_ask(n, net_msg(RTM_NEWLINK, 0, &i, sizeof i), NULL, NULL);
}

/* A request about one interface, by number or (0) by the name that the attribute is; attribute 0: there is none. */
static int change(struct net *n, int type, int index, int attribute, const void *value, size_t size)
{
	struct ifinfomsg i = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct nl_msg *m = net_msg(type, 0, &i, sizeof i);

	if (m && attribute && nla_put(m, attribute, (int)size, value) < 0) {
		nlmsg_free(m);
		m = NULL;
	}
	return net_ask(n, m, NULL, NULL);
}

int link_set_name(struct net *n, int index, const char *name)
{
	return change(n, RTM_NEWLINK, index, IFLA_IFNAME, name, strlen(name) + 1);
}

int link_set_mtu(struct net *n, int index, unsigned mtu)
{
	return change(n, RTM_NEWLINK, index, IFLA_MTU, &mtu, sizeof mtu);
}

int link_delete(struct net *n, int index)
{
	return change(n, RTM_DELLINK, index, 0, NULL, 0);
}

int link_delete_named(struct net *n, const char *name)
{
	return change(n, RTM_DELLINK, 0, IFLA_IFNAME, name, strlen(name) + 1);
}

bool link_is_ours(const struct net_link *l, const char *kind, const char *role, const char *name)
{
	unsigned char mac[6];

	net_mac(mac, role, name);
	return strcmp(l->kind, kind) == 0 && memcmp(l->mac, mac, sizeof mac) == 0;
}

int net_loopback_up(struct err *e)
{
	/* The kernel makes lo first in every network namespace, so it is always number 1. */
	struct ifreq r = { .ifr_ifindex = 1 };
	owned_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);	/* any one will do */

	if (fd < 0 || ioctl(fd, SIOCGIFNAME, &r) < 0 || ioctl(fd, SIOCGIFFLAGS, &r) < 0)
		return err_sys(e, "loopback: find lo");
	r.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &r) < 0 ? err_sys(e, "loopback: set lo up") : 0;
}

int net_interface(struct net *n, const char *name, const struct net_addr *a, unsigned na,
		  const struct net_addr *gateway, struct err *e)
{
	struct net_link l;
	uint32_t added;
	char who[32];

	if (net_name_ok(name, e) < 0)
		return -e->code;
	snprintf(who, sizeof who, "interface %s", name);
	if (link_get(n, name, &l) < 0)
		return net_fail(n, e, "%s: find it", who);
	if (addr_add_all(n, who, l.index, a, na, &added, e) < 0)
		return -e->code;
	if (link_set_up(n, l.index, true) < 0)
		net_fail(n, e, "%s: set up", who);
	else if (route_default(n, who, l.index, gateway, e) == 0)
		return 0;
	if (!(l.flags & IFF_UP))
		link_set_up(n, l.index, false);
	addr_undo(n, l.index, a, na, added);
	return -e->code;
}
