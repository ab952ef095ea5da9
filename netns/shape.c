/* What an interface sends in a second, bounded: the kernel's token bucket. */
/* SPDX-License-Identifier: ISC */
#include "netns/own.h"
#include <errno.h>
#include <linux/pkt_sched.h>
#include <string.h>

#define BURST_MIN (64u << 10)	/* bytes: the largest packet that a sender may leave to be cut by the interface */
#define BURST_PER 50		/* what it may send at once: as much as in a fiftieth of a second */
#define QUEUE_PER 20		/* what may wait: as much as in a twentieth; the rest is dropped, as senders expect */

static uint32_t amount(uint64_t rate, uint64_t per)
{
	const uint64_t n = rate / per;

	return n < BURST_MIN ? BURST_MIN : n > INT32_MAX ? INT32_MAX : (uint32_t)n;
}

static int put_bucket(struct nl_msg *m, uint64_t rate)
{
	const uint32_t burst = amount(rate, BURST_PER);
	/* Times are given as bytes in TCA_TBF_BURST; a known link layer spares the kernel a table of them. */
	struct tc_tbf_qopt q = { .rate = { .linklayer = TC_LINKLAYER_ETHERNET,
					   .rate = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate },
				 .limit = burst + amount(rate, QUEUE_PER) };
	struct nlattr *options;

	if (nla_put_string(m, TCA_KIND, "tbf") < 0 || !(options = nla_nest_start(m, TCA_OPTIONS)) ||
	    nla_put(m, TCA_TBF_PARMS, sizeof q, &q) < 0 || nla_put_u32(m, TCA_TBF_BURST, burst) < 0 ||
	    (rate > UINT32_MAX && nla_put(m, TCA_TBF_RATE64, sizeof rate, &rate) < 0))
		return -ENOMEM;
	return nla_nest_end(m, options);
}

int net_shape(struct net *n, const char *ifname, uint64_t rate, struct err *e)
{
	struct net_link l;

	if (link_get(n, ifname, &l) < 0)
		return net_fail(n, e, "interface %s: find it", ifname);
	struct tcmsg t = { .tcm_ifindex = l.index, .tcm_parent = TC_H_ROOT };
	struct nl_msg *m = net_msg(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &t, sizeof t);

	if (m && put_bucket(m, rate) < 0) {
		nlmsg_free(m);
		m = NULL;
	}
	if (net_ask(n, m, NULL, NULL) == 0)
		return 0;
	return net_fail(n, e, "interface %s: let it send at most %llu bytes a second%s", ifname,
			(unsigned long long)rate, n->code == ENOENT ?
			": the kernel's module sch_tbf is missing" : "");
}
