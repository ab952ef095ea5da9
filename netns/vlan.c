/* VLANs: interfaces whose frames go through another one with a number on them. */
/* SPDX-License-Identifier: ISC */
#include "netns/own.h"
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

static struct nl_msg *new_vlan(const char *name, int parent, uint16_t id)
{
	struct ifinfomsg i = { .ifi_family = AF_UNSPEC };
	struct nl_msg *m = net_msg(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof i);
	struct nlattr *info, *data;

	if (!m)
		return NULL;
	if (nla_put_string(m, IFLA_IFNAME, name) < 0 || nla_put_u32(m, IFLA_LINK, (uint32_t)parent) < 0 ||
	    !(info = nla_nest_start(m, IFLA_LINKINFO)) || nla_put_string(m, IFLA_INFO_KIND, "vlan") < 0 ||
	    !(data = nla_nest_start(m, IFLA_INFO_DATA)) || nla_put_u16(m, IFLA_VLAN_ID, id) < 0) {
		nlmsg_free(m);
		return NULL;
	}
	nla_nest_end(m, data);
	nla_nest_end(m, info);
	return m;
}

int net_vlan(struct net *n, const char *name, const char *parent, uint16_t id, struct err *e)
{
	struct net_link p, l;

	if (net_name_ok(name, e) < 0)
		return -e->code;
	if (link_get(n, parent, &p) < 0)
		return net_fail(n, e, "interface %s: find its parent %s", name, parent);
	const int r = link_get(n, name, &l);

	if (r < 0 && r != -ENODEV)
		return net_fail(n, e, "interface %s: find it", name);
	if (r == 0 && (strcmp(l.kind, "vlan") != 0 || l.parent != p.index || l.vlan != id))
		return err_set(e, EEXIST, "interface %s: it is there already, and not VLAN %u of %s", name, id, parent);
	if (r < 0 && net_ask(n, new_vlan(name, p.index, id), NULL, NULL) < 0)
		return net_fail(n, e, "interface %s: make it as VLAN %u of %s%s", name, id, parent,
				n->code == EOPNOTSUPP ? " (the kernel's module 8021q is missing)" : "");
	/* Without a parent that is up it has no carrier. */
	if (p.flags & IFF_UP || link_set_up(n, p.index, true) == 0)
		return r < 0;
	net_fail(n, e, "interface %s: set its parent %s up", name, parent);
	if (r < 0)
		link_delete_named(n, name);
	return -e->code;
}

void net_vlan_undo(struct net *n, const char *name)
{
	link_delete_named(n, name);
}

int net_mtu(struct net *n, const char *name, unsigned mtu, struct err *e)
{
	struct net_link l;

	if (link_get(n, name, &l) < 0)
		return net_fail(n, e, "interface %s: find it", name);
	if (l.mtu != mtu && link_set_mtu(n, l.index, mtu) < 0)
		return net_fail(n, e, "interface %s: set its MTU to %u", name, mtu);
	return 0;
}
