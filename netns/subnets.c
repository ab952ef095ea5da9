/* IPv6 subnets of bridges, which are asked for before anything that a router says: see own.h. */
/* SPDX-License-Identifier: ISC */
#include "netns/own.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <string.h>

#define TABLE	 0x7072696fu	/* "prio": nobody else's */
#define PRIORITY 32765		/* just before the main table; rules that others add without a number come before it */

static bool is_six(const struct net_addr *a)
{
	return a->family == AF_INET6;
}

static struct net_addr subnet_of(const struct net_addr *a)
{
	struct net_addr s = *a;

	for (unsigned bit = s.prefix; bit < 128; bit++)
		s.ip[bit / 8] &= (uint8_t)~(0x80u >> bit % 8);
	return s;
}

static int change_route(struct net *n, int type, int flags, int index, const struct net_addr *a)
{
	struct rtmsg r = { .rtm_family = AF_INET6, .rtm_dst_len = a->prefix, .rtm_protocol = RTPROT_STATIC,
			   .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST };
	const struct net_addr subnet = subnet_of(a);
	struct nl_msg *m = net_msg(type, flags, &r, sizeof r);

	if (m && (nla_put(m, RTA_DST, 16, subnet.ip) < 0 || nla_put_u32(m, RTA_TABLE, TABLE) < 0 ||
		  nla_put_u32(m, RTA_OIF, (uint32_t)index) < 0)) {
		nlmsg_free(m);
		m = NULL;
	}
	return net_ask(n, m, NULL, NULL);
}

static int change_rule(struct net *n, int type, int flags)
{
	struct fib_rule_hdr r = { .family = AF_INET6, .action = FR_ACT_TO_TBL };
	struct nl_msg *m = net_msg(type, flags, &r, sizeof r);

	if (m && (nla_put_u32(m, FRA_TABLE, TABLE) < 0 || nla_put_u32(m, FRA_PRIORITY, PRIORITY) < 0)) {
		nlmsg_free(m);
		m = NULL;
	}
	return net_ask(n, m, NULL, NULL);
}

struct found {
	int index;
	const struct net_addr *keep;
	unsigned nkeep, n, stay;	/* stay: of this bridge and of others */
	struct net_addr at[NET_ADDRS_MAX];
};

static bool is_kept(const struct found *f, const struct net_addr *a)
{
	for (unsigned i = 0; i < f->nkeep; i++) {
		const struct net_addr s = subnet_of(f->keep + i);

		if (is_six(&s) && s.prefix == a->prefix && !memcmp(s.ip, a->ip, 16))
			return true;
	}
	return false;
}

/* Kernels before 4.20 send the routes of every table. */
static void note_route(struct nlmsghdr *h, void *arg)
{
	struct found *f = arg;
	const struct rtmsg *r = nlmsg_data(h);
	const struct nlattr *table = nlmsg_find_attr(h, sizeof *r, RTA_TABLE);
	const struct nlattr *to = nlmsg_find_attr(h, sizeof *r, RTA_DST), *oif = nlmsg_find_attr(h, sizeof *r, RTA_OIF);
	struct net_addr a = { .family = AF_INET6, .prefix = r->rtm_dst_len };

	if (h->nlmsg_type != RTM_NEWROUTE || !table || nla_get_u32(table) != TABLE || !to || nla_len(to) != 16 || !oif)
		return;
	memcpy(a.ip, nla_data(to), 16);
	if ((int)nla_get_u32(oif) != f->index || is_kept(f, &a) || f->n == NET_ADDRS_MAX)
		f->stay++;
	else
		f->at[f->n++] = a;
}

int subnets_keep_only(struct net *n, const char *who, int index, const struct net_addr *a, unsigned na, struct err *e)
{
	struct found f = { .index = index, .keep = a, .nkeep = na };
	struct rtmsg r = { .rtm_family = AF_INET6 };
	struct nl_msg *m = net_msg(RTM_GETROUTE, NLM_F_DUMP, &r, sizeof r);
	char text[ADDR_TEXT];

	if (m && nla_put_u32(m, RTA_TABLE, TABLE) < 0) {
		nlmsg_free(m);
		m = NULL;
	}
	/* ENOENT: no such table, so nothing is in it. */
	if (net_dump(n, m, note_route, &f, sizeof f) < 0 && n->code != ENOENT)
		return net_fail(n, e, "%s: list the routes of subnets", who);
	for (unsigned i = 0; i < f.n; i++)
		if (change_route(n, RTM_DELROUTE, 0, index, f.at + i) < 0 && n->code != ESRCH)
			return net_fail(n, e, "%s: remove the route of subnet %s", who,
					addr_text(f.at + i, true, text));
	/* It asks an empty table. None is well, and so is a kernel that has no rules, or no IPv6. */
	if (!f.stay && change_rule(n, RTM_DELRULE, 0) < 0 && n->code != ENOENT && n->code != EAFNOSUPPORT &&
	    n->code != EOPNOTSUPP)
		return net_fail(n, e, "%s: remove the rule that IPv6 subnets come first", who);
	return 0;
}

void subnets_undo(struct net *n, int index, const struct net_addr *a, unsigned na, const struct subnets_added *x)
{
	if (x->rule)
		change_rule(n, RTM_DELRULE, 0);
	for (unsigned i = 0; i < na; i++)
		if (x->routes & 1u << i)
			change_route(n, RTM_DELROUTE, 0, index, a + i);
}

int subnets_add_all(struct net *n, const char *who, int index, const struct net_addr *a, unsigned na,
		    struct subnets_added *x, struct err *e)
{
	bool any = false;
	char text[ADDR_TEXT];

	for (unsigned i = 0; i < na; i++) {
		if (!is_six(a + i))
			continue;
		const int r = change_route(n, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, index, a + i);

		any = true;
		/* It is this bridge's, or of one that the subnet moves away from, and would go with that one. */
		if (r < 0 && (r != -EEXIST || change_route(n, RTM_NEWROUTE, NLM_F_REPLACE, index, a + i) < 0))
			return net_fail(n, e, "%s: route of subnet %s", who, addr_text(a + i, true, text));
		x->routes |= (uint32_t)(r == 0) << i;
	}
	const int r = any ? change_rule(n, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL) : -EEXIST;

	x->rule = r == 0;
	return r == 0 || r == -EEXIST ? 0 : net_fail(n, e, "%s: rule that its IPv6 subnets come first "
						     "(CONFIG_IPV6_MULTIPLE_TABLES)", who);
}
