/* Bridges of the machine, on which the cells' networks meet. */
/* SPDX-License-Identifier: ISC */
#include "netns/own.h"
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static struct nl_msg *new_bridge(const char *name)
{
	struct ifinfomsg i = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct nl_msg *m = net_msg(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof i);
	struct nlattr *info;
	unsigned char mac[6];

	/* Otherwise it takes the lowest of its ports' addresses, and changes it as cells come and go. */
	net_mac(mac, "bridge", name);
	if (!m)
		return NULL;
	if (nla_put_string(m, IFLA_IFNAME, name) < 0 ||
	    nla_put(m, IFLA_ADDRESS, sizeof mac, mac) < 0 ||
	    !(info = nla_nest_start(m, IFLA_LINKINFO)) ||
	    nla_put_string(m, IFLA_INFO_KIND, "bridge") < 0) {
		nlmsg_free(m);
		return NULL;
	}
	nla_nest_end(m, info);
	return m;
}

/* Find it or make it. */
static int have_bridge(struct net *n, const char *name, struct net_link *l, bool *made,
		       struct err *e)
{
	int r = link_get(n, name, l);

	*made = false;
	if (r == -ENODEV) {
		if (net_ask(n, new_bridge(name), NULL, NULL) < 0)
			return net_fail(n, e, "bridge %s: make it", name);
		*made = true;
		r = link_get(n, name, l);
	}
	if (r < 0) {
		net_fail(n, e, "bridge %s: find it", name);
		if (*made)
			link_delete_named(n, name);
		return -e->code;
	}
	if (strcmp(l->kind, "bridge") != 0)
		return err_set(
			e, EEXIST,
			"bridge %s: the name is taken by an interface of kind '%s'; rename one of the two",
			name, l->kind[0] ? l->kind : "hardware");
	return 0;
}

int net_bridge(struct net *n, const char *name, const struct net_addr *a, unsigned na,
	       unsigned mtu, struct err *e)
{
	struct net_link l = { 0 };
	struct subnets_added subnets = { 0 };
	uint32_t added = 0;
	bool made;
	char who[32];

	if (net_name_ok(name, e) < 0 || have_bridge(n, name, &l, &made, e) < 0)
		return -e->code;
	snprintf(who, sizeof who, "bridge %s", name);
	if (addr_add_all(n, who, l.index, a, na, &added, e) < 0)
		goto undo;
	if (mtu && mtu != l.mtu && link_set_mtu(n, l.index, mtu) < 0) {
		net_fail(n, e, "%s: set its MTU to %u", who, mtu);
		goto undo;
	}
	if (!(l.flags & IFF_UP) && link_set_up(n, l.index, true) < 0) {
		net_fail(n, e, "%s: set up", who);
		goto undo;
	}
	if (subnets_add_all(n, who, l.index, a, na, &subnets, e) < 0)
		goto undo;
	/* Last, since it cannot be undone; and only on a bridge of our making: another's addresses are not ours. */
	if ((!link_is_ours(&l, "bridge", "bridge", name) || addr_keep_only(n, who, l.index, a, na, e) == 0) &&
	    subnets_keep_only(n, who, l.index, a, na, e) == 0)
		return 0;
undo:
	subnets_undo(n, l.index, a, na, &subnets);
	if (made)
		link_delete(n, l.index);
	else
		addr_undo(n, l.index, a, na, added);
	if (!made && mtu && mtu != l.mtu)
		link_set_mtu(n, l.index, l.mtu);
	return -e->code;
}

int net_bridge_remove(struct net *n, const char *name, struct err *e)
{
	struct net_link l = { 0 };
	char who[32];
	const int r = link_get(n, name, &l);

	if (r < 0 && r != -ENODEV)
		return net_fail(n, e, "bridge %s: find it", name);
	snprintf(who, sizeof who, "bridge %s", name);
	if (subnets_keep_only(n, who, l.index, NULL, 0, e) < 0)
		return -e->code;
	if (r == -ENODEV)
		return 0;
	if (!link_is_ours(&l, "bridge", "bridge", name))
		return err_set(e, EPERM, "bridge %s: remove it: prior did not make it, so it stays",
			       name);
	if (link_delete(n, l.index) < 0 && n->code != ENODEV)
		return net_fail(n, e, "bridge %s: remove it", name);
	return 0;
}

#define LEFTOVERS 32

struct leftovers {
	bool (*is_kept)(const void *arg, const char *name);
	const void *arg;
	unsigned n;
	struct {
		int index;
		char name[IFNAMSIZ];
		bool has_port;
	} at[LEFTOVERS];
};

static void note_leftover(struct nlmsghdr *h, void *arg)
{
	struct leftovers *x = arg;
	const struct nlattr *name = nlmsg_find_attr(h, sizeof(struct ifinfomsg), IFLA_IFNAME);
	struct net_link l = { 0 };

	link_read(h, &l);
	if (h->nlmsg_type != RTM_NEWLINK || !name || x->n == LEFTOVERS ||
	    !link_is_ours(&l, "bridge", "bridge", nla_get_string(name)) || x->is_kept(x->arg, nla_get_string(name)))
		return;
	x->at[x->n].index = l.index;
	nla_strlcpy(x->at[x->n++].name, name, IFNAMSIZ);
}

static void note_port(struct nlmsghdr *h, void *arg)
{
	struct leftovers *x = arg;
	const struct nlattr *bridge = nlmsg_find_attr(h, sizeof(struct ifinfomsg), IFLA_MASTER);

	for (unsigned i = 0; bridge && i < x->n; i++)
		x->at[i].has_port |= (int)nla_get_u32(bridge) == x->at[i].index;
}

int net_bridge_leftovers(struct net *n, bool (*is_kept)(const void *arg, const char *name), const void *arg,
			 struct err *e)
{
	const struct ifinfomsg i = { .ifi_family = AF_UNSPEC };
	struct leftovers x;
	bool went;

	do {	/* as long as there may be more, and some went */
		x = (struct leftovers){ .is_kept = is_kept, .arg = arg };
		went = false;
		if (net_dump(n, net_msg(RTM_GETLINK, NLM_F_DUMP, &i, sizeof i), note_leftover, &x, sizeof x) < 0 ||
		    (x.n && net_dump(n, net_msg(RTM_GETLINK, NLM_F_DUMP, &i, sizeof i), note_port, &x, sizeof x) < 0))
			return net_fail(n, e, "list the bridges of a run before");
		for (unsigned k = 0; k < x.n; k++) {
			if (x.at[k].has_port)
				continue;
			if (net_bridge_remove(n, x.at[k].name, e) < 0)
				return -e->code;
			went = true;
		}
	} while (x.n == LEFTOVERS && went);
	return 0;
}
