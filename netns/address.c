/* Addresses of an interface: add what is missing, take back what was added, remove what is no longer wanted. */
/* SPDX-License-Identifier: ISC */
#include "netns/own.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <stdio.h>
#include <string.h>

const char *addr_text(const struct net_addr *a, bool prefix, char text[ADDR_TEXT])
{
	if (!inet_ntop(a->family, a->ip, text, ADDR_TEXT))
		snprintf(text, ADDR_TEXT, "(address of family %u)", a->family);
	else if (prefix)
		snprintf(text + strlen(text), ADDR_TEXT - strlen(text), "/%u", a->prefix);
	return text;
}

static int change(struct net *n, int type, int flags, int index, const struct net_addr *a)
{
	struct ifaddrmsg i = { .ifa_family = a->family,
			       .ifa_prefixlen = a->prefix,
			       .ifa_index = (unsigned)index };
	size_t size = addr_size(a->family);

	/*
	 * The addresses are ours to give, so nobody is asked whether they are free; with duplicate address
	 * detection a service could not bind to its IPv6 address for a second, on a bridge without ports never.
	 */
	if (a->family == AF_INET6)
		i.ifa_flags = IFA_F_NODAD;
	struct nl_msg *m = net_msg(type, flags, &i, sizeof i);

	if (m &&
	    (nla_put(m, IFA_LOCAL, (int)size, a->ip) < 0 ||
	     nla_put(m, IFA_ADDRESS, (int)size, a->ip) < 0)) {
		nlmsg_free(m);
		m = NULL;
	}
	return net_ask(n, m, NULL, NULL);
}

void addr_undo(struct net *n, int index, const struct net_addr *a, unsigned na, uint32_t added)
{
	for (unsigned i = 0; i < na; i++)
		if (added & 1u << i)
			change(n, RTM_DELADDR, 0, index, a + i);
}

static int check(const char *who, const struct net_addr *a, struct err *e)
{
	if (a->family != AF_INET && a->family != AF_INET6)
		return err_set(e, EAFNOSUPPORT,
			       "%s: add an address: family %u is neither IPv4 nor IPv6", who,
			       a->family);
	if (a->prefix > 8 * addr_size(a->family))
		return err_set(e, EINVAL,
			       "%s: add an address: prefix length %u is longer than the address",
			       who, a->prefix);
	return 0;
}

int addr_add_all(struct net *n, const char *who, int index, const struct net_addr *a, unsigned na,
		 uint32_t *added, struct err *e)
{
	uint32_t new = 0;
	char text[ADDR_TEXT];

	if (na > NET_ADDRS_MAX)
		return err_set(e, E2BIG, "%s: %u addresses, at most %u", who, na, NET_ADDRS_MAX);
	for (unsigned i = 0; i < na; i++)
		if (check(who, a + i, e) < 0)
			return -e->code;
	for (unsigned i = 0; i < na; i++) {
		int r = change(n, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, a + i);

		if (r == 0) {
			new |= 1u << i;
		} else if (r != -EEXIST) {
			net_fail(n, e, "%s: add address %s", who, addr_text(a + i, true, text));
			addr_undo(n, index, a, na, new);
			return -e->code;
		}
	}
	*added = new;
	return 0;
}

struct unwanted {
	const struct net_addr *keep;
	unsigned nkeep, n;
	int index;
	struct net_addr at[NET_ADDRS_MAX];
};

static bool wanted(const struct unwanted *u, const struct net_addr *a)
{
	for (unsigned i = 0; i < u->nkeep; i++)
		if (u->keep[i].family == a->family && u->keep[i].prefix == a->prefix &&
		    memcmp(u->keep[i].ip, a->ip, addr_size(a->family)) == 0)
			return true;
	return false;
}

static void note_unwanted(struct nlmsghdr *h, void *arg)
{
	struct unwanted *u = arg;
	struct ifaddrmsg *i = nlmsg_data(h);
	struct nlattr *ip;

	/* The index is compared here too: kernels before 4.20 send every interface's addresses. */
	if (h->nlmsg_type != RTM_NEWADDR || (int)i->ifa_index != u->index ||
	    i->ifa_scope >= RT_SCOPE_LINK ||
	    (i->ifa_family != AF_INET && i->ifa_family != AF_INET6) || u->n == NET_ADDRS_MAX)
		return;
	ip = nlmsg_find_attr(h, sizeof *i, IFA_LOCAL);
	if (!ip)
		ip = nlmsg_find_attr(h, sizeof *i, IFA_ADDRESS);
	if (!ip || (size_t)nla_len(ip) != addr_size(i->ifa_family))
		return;
	struct net_addr a = { .family = i->ifa_family, .prefix = i->ifa_prefixlen };

	memcpy(a.ip, nla_data(ip), (size_t)nla_len(ip));
	if (!wanted(u, &a))
		u->at[u->n++] = a;
}

int addr_keep_only(struct net *n, const char *who, int index, const struct net_addr *a, unsigned na,
		   struct err *e)
{
	struct unwanted u = { .keep = a, .nkeep = na, .index = index };
	struct ifaddrmsg i = { .ifa_index = (unsigned)index };
	char text[ADDR_TEXT];

	if (net_dump(n, net_msg(RTM_GETADDR, NLM_F_DUMP, &i, sizeof i), note_unwanted, &u, sizeof u) < 0)
		return net_fail(n, e, "%s: list addresses", who);
	for (unsigned k = 0; k < u.n; k++) {
		int r = change(n, RTM_DELADDR, 0, index, u.at + k);

		if (r < 0 && r != -EADDRNOTAVAIL)
			return net_fail(n, e, "%s: remove address %s", who,
					addr_text(u.at + k, true, text));
	}
	return 0;
}
