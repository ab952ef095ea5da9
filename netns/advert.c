/* Name servers that a router advertises (RDNSS, RFC 8106), as the kernel passes them on: see net.h. */
/* SPDX-License-Identifier: ISC */
#include "netns/net.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/icmp6.h>
#include <string.h>

#define RDNSS 25
#define RDNSS_HEAD 8	/* bytes: type, length in units of eight, two reserved, the lifetime; then addresses */

/* A host that can be asked: no group, and nothing that means IPv4 or this machine. */
static bool is_host(const uint8_t ip[16])
{
	static const uint8_t none[12], mapped[12] = { [10] = 0xff, 0xff };

	return ip[0] != 0xff && memcmp(ip, none, sizeof none) != 0 && memcmp(ip, mapped, sizeof mapped) != 0;
}

static bool read_option(const uint8_t *o, size_t n, struct net_advert *a)
{
	const size_t length = n < RDNSS_HEAD ? 0 : 8u * o[1];

	if (length > n || length < RDNSS_HEAD + 16 || (length - RDNSS_HEAD) % 16 || o[0] != RDNSS)
		return false;
	memcpy(&a->seconds, o + 4, sizeof a->seconds);
	a->seconds = ntohl(a->seconds);
	for (size_t at = RDNSS_HEAD; at < length && a->n < NET_ADVERT_MAX; at += 16)
		if (is_host(o + at))
			memcpy(a->servers[a->n++], o + at, 16);
	return a->n > 0;
}

bool net_advert_read(const void *message, size_t n, struct net_advert *a)
{
	struct nlmsghdr h;
	struct nduseroptmsg o;
	const size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof o);

	if (n < head)
		return false;
	memcpy(&h, message, sizeof h);
	memcpy(&o, (const char *)message + NLMSG_HDRLEN, sizeof o);
	if (h.nlmsg_type != RTM_NEWNDUSEROPT || h.nlmsg_len < head || h.nlmsg_len > n ||
	    o.nduseropt_family != AF_INET6 || o.nduseropt_icmp_type != ND_ROUTER_ADVERT || o.nduseropt_icmp_code ||
	    o.nduseropt_ifindex <= 0 || o.nduseropt_opts_len > h.nlmsg_len - head)
		return false;
	*a = (struct net_advert){ .index = (unsigned)o.nduseropt_ifindex };
	return read_option((const uint8_t *)message + head, o.nduseropt_opts_len, a);
}
