/* A DHCP lease becomes an address and a route, for as long as it lasts: see net.h. */
/* SPDX-License-Identifier: ISC */
#include "netns/own.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define LENT 16	/* RTPROT_DHCP, which older headers lack */
#define METRIC 1024	/* and the interface's number: no lease takes the place of a route of somebody else's */
#define FOREVER 0x7fffffffu	/* seconds; of an address without an end the kernel does not know that it is lent */

static bool is_host(const uint8_t ip[4])
{
	return ip[0] && ip[0] != 127 && ip[0] < 224;
}

static bool has_gateway(const struct net_lease *l)
{
	static const uint8_t none[4];

	return l->is_there && memcmp(l->gateway, none, 4) != 0;
}

int net_lease_check(const struct net_lease *l, struct err *e)
{
	static const uint8_t none[4];

	if (memcmp(l->magic, NET_LEASE, sizeof l->magic) != 0 || l->is_there > 1)
		return err_set(e, EINVAL, "no lease of this version");
	if (!l->is_there)
		return 0;
	if (!is_host(l->ip) || l->prefix < 8 || l->prefix > 32 || !l->seconds)
		return err_set(e, EINVAL, "address %u.%u.%u.%u/%u for %u s is none to be had", l->ip[0], l->ip[1],
			       l->ip[2], l->ip[3], l->prefix, l->seconds);
	if (has_gateway(l) && !is_host(l->gateway))
		return err_set(e, EINVAL, "gateway %u.%u.%u.%u is none", l->gateway[0], l->gateway[1], l->gateway[2],
			       l->gateway[3]);
	for (unsigned i = 0; i < 4 && memcmp(l->names[i], none, 4) != 0; i++)
		if (!is_host(l->names[i]) && l->names[i][0] != 127)
			return err_set(e, EINVAL, "name server %u.%u.%u.%u is none", l->names[i][0], l->names[i][1],
				       l->names[i][2], l->names[i][3]);
	return 0;
}

static int change_addr(struct net *n, int type, int flags, int index, const uint8_t ip[4], uint32_t prefix,
		       uint32_t seconds)
{
	struct ifaddrmsg i = { .ifa_family = AF_INET, .ifa_prefixlen = (uint8_t)prefix, .ifa_index = (unsigned)index };
	const uint32_t most = seconds < FOREVER ? seconds : FOREVER;
	const struct ifa_cacheinfo life = { .ifa_valid = most, .ifa_prefered = most };
	struct nl_msg *m = net_msg(type, flags, &i, sizeof i);

	if (m && (nla_put(m, IFA_LOCAL, 4, ip) < 0 || nla_put(m, IFA_ADDRESS, 4, ip) < 0 ||
		  (seconds && nla_put(m, IFA_CACHEINFO, sizeof life, &life) < 0))) {
		nlmsg_free(m);
		m = NULL;
	}
	return net_ask(n, m, NULL, NULL);
}

struct lent {
	int index;
	const struct net_lease *keep;
	bool is_fixed;		/* the interface has what is lent for good already */
	unsigned n, nothers;
	struct { uint8_t ip[4], prefix; } at[16];
	struct { unsigned index; bool wider; } others[64];	/* with addresses whose subnet has what is lent in it */
};

static bool has_in_it(const uint8_t net[4], unsigned prefix, const uint8_t ip[4])
{
	uint32_t x, y;

	memcpy(&x, net, 4);
	memcpy(&y, ip, 4);
	return !prefix || ntohl(x) >> (32 - prefix) == ntohl(y) >> (32 - prefix);
}

static void note_lent(struct nlmsghdr *h, void *arg)
{
	struct lent *l = arg;
	const struct ifaddrmsg *i = nlmsg_data(h);
	const struct nlattr *ip = nlmsg_find_attr(h, sizeof *i, IFA_LOCAL);

	if (h->nlmsg_type != RTM_NEWADDR || i->ifa_family != AF_INET || !ip || nla_len(ip) != 4)
		return;
	if ((int)i->ifa_index != l->index) {
		if (l->keep->is_there && l->nothers < sizeof l->others / sizeof *l->others &&
		    i->ifa_prefixlen <= l->keep->prefix && has_in_it(nla_data(ip), i->ifa_prefixlen, l->keep->ip)) {
			l->others[l->nothers].wider = i->ifa_prefixlen < l->keep->prefix &&
						      i->ifa_flags & IFA_F_PERMANENT;
			l->others[l->nothers++].index = i->ifa_index;
		}
		return;
	}
	const bool same = l->keep->is_there && i->ifa_prefixlen == l->keep->prefix &&
			  !memcmp(nla_data(ip), l->keep->ip, 4);

	l->is_fixed |= same && i->ifa_flags & IFA_F_PERMANENT;
	if (same || i->ifa_flags & IFA_F_PERMANENT || l->n == sizeof l->at / sizeof *l->at)
		return;
	memcpy(l->at[l->n].ip, nla_data(ip), 4);
	l->at[l->n++].prefix = i->ifa_prefixlen;
}

/*
 * With the subnet of a bridge's cells, or a part of it or of another interface's fixed one, whoever lends would get
 * what is meant for those: the kernel sends by the narrowest. The same one twice is two cards in one network.
 */
static int keep_off_others(struct net *n, const char *who, const struct lent *l, struct err *e)
{
	const struct net_lease *k = l->keep;
	char name[IF_NAMESIZE];
	struct net_link link;

	for (unsigned i = 0; i < l->nothers; i++)
		if (if_indextoname(l->others[i].index, name) && link_get(n, name, &link) == 0 &&
		    (l->others[i].wider || !strcmp(link.kind, "bridge")))
			return err_set(e, EADDRINUSE, "%s: address %u.%u.%u.%u/%u lies in the subnet of %s: not "
				       "taken; give that one another subnet", who, k->ip[0], k->ip[1], k->ip[2],
				       k->ip[3], k->prefix, name);
	return 0;
}

static int look_around(struct net *n, const char *who, struct lent *l, struct err *e)
{
	struct ifaddrmsg i = { .ifa_family = AF_INET };

	if (net_dump(n, net_msg(RTM_GETADDR, NLM_F_DUMP, &i, sizeof i), note_lent, l, sizeof *l) < 0)
		return net_fail(n, e, "%s: list addresses", who);
	return keep_off_others(n, who, l, e);
}

/* Their routes go with them. */
static int remove_others(struct net *n, const char *who, const struct lent *l, struct err *e)
{
	for (unsigned k = 0; k < l->n; k++)
		if (change_addr(n, RTM_DELADDR, 0, l->index, l->at[k].ip, l->at[k].prefix, 0) < 0 &&
		    n->code != EADDRNOTAVAIL)
			return net_fail(n, e, "%s: remove address %u.%u.%u.%u", who, l->at[k].ip[0], l->at[k].ip[1],
					l->at[k].ip[2], l->at[k].ip[3]);
	return 0;
}

/* With the address as its source: when that lapses, the kernel takes the route away, too. */
static int set_route(struct net *n, int index, const struct net_lease *l)
{
	struct rtmsg r = { .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = LENT,
			   .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST, .rtm_flags = RTNH_F_ONLINK };
	struct nl_msg *m = net_msg(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &r, sizeof r);

	if (m && (nla_put(m, RTA_GATEWAY, 4, l->gateway) < 0 || nla_put_u32(m, RTA_OIF, (uint32_t)index) < 0 ||
		  nla_put(m, RTA_PREFSRC, 4, l->ip) < 0 ||
		  nla_put_u32(m, RTA_PRIORITY, METRIC + (uint32_t)index) < 0)) {
		nlmsg_free(m);
		m = NULL;
	}
	return net_ask(n, m, NULL, NULL);
}

/* Of this interface's lease, whatever its gateway and source; none is well. */
static int remove_route(struct net *n, int index)
{
	struct rtmsg r = { .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = LENT,
			   .rtm_scope = RT_SCOPE_NOWHERE, .rtm_type = RTN_UNICAST };
	struct nl_msg *m = net_msg(RTM_DELROUTE, 0, &r, sizeof r);

	if (m && (nla_put_u32(m, RTA_OIF, (uint32_t)index) < 0 ||
		  nla_put_u32(m, RTA_PRIORITY, METRIC + (uint32_t)index) < 0)) {
		nlmsg_free(m);
		m = NULL;
	}
	const int ret = net_ask(n, m, NULL, NULL);

	return ret == -ESRCH ? 0 : ret;
}

/* *added: it was not there before. One that the configuration gives stays as that. */
static int set_address(struct net *n, int index, const struct net_lease *l, bool is_fixed, bool *added)
{
	*added = false;
	if (is_fixed)
		return 0;
	const int r = change_addr(n, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, l->ip, l->prefix, l->seconds);

	*added = r == 0;
	return r != -EEXIST ? r : change_addr(n, RTM_NEWADDR, NLM_F_REPLACE, index, l->ip, l->prefix, l->seconds);
}

static int carry_out(struct net *n, const char *who, const struct lent *lent, struct err *e)
{
	const struct net_lease *l = lent->keep;
	const int index = lent->index;
	bool added;

	if (set_address(n, index, l, lent->is_fixed, &added) < 0)
		return net_fail(n, e, "%s: add address %u.%u.%u.%u/%u", who, l->ip[0], l->ip[1], l->ip[2], l->ip[3],
				l->prefix);
	if (!has_gateway(l) || set_route(n, index, l) == 0)
		return 0;
	net_fail(n, e, "%s: default route by %u.%u.%u.%u", who, l->gateway[0], l->gateway[1], l->gateway[2],
		 l->gateway[3]);
	if (added)
		change_addr(n, RTM_DELADDR, 0, index, l->ip, l->prefix, 0);
	return -e->code;
}

int net_lease(struct net *n, const char *name, const struct net_lease *l, struct err *e)
{
	struct net_link link;
	char who[32];

	snprintf(who, sizeof who, "interface %s", name);
	if (net_name_ok(name, e) < 0 || net_lease_check(l, e) < 0)
		return -e->code;
	if (link_get(n, name, &link) < 0)
		return net_fail(n, e, "%s: find it", who);
	struct lent lent = { .index = link.index, .keep = l };

	if (look_around(n, who, &lent, e) < 0)
		return -e->code;
	/* With a fixed address, or one renewed without a gateway, the kernel keeps the route of the last lease. */
	if (!has_gateway(l) && remove_route(n, link.index) < 0)
		return net_fail(n, e, "%s: remove the default route of its lease", who);
	/* First: with the older of two addresses of one subnet the kernel removes the newer one, too. */
	if (remove_others(n, who, &lent, e) < 0)
		return -e->code;
	return l->is_there ? carry_out(n, who, &lent, e) : 0;
}
