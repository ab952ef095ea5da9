/* Default routes. */
/* SPDX-License-Identifier: ISC */
#include "netns/own.h"

int route_default(struct net *n, const char *who, int index, const struct net_addr *gw,
		  struct err *e)
{
	char text[ADDR_TEXT];

	if (!gw || gw->family == 0)
		return 0;
	struct rtmsg r = { .rtm_family = gw->family,
			   .rtm_table = RT_TABLE_MAIN,
			   .rtm_protocol = RTPROT_STATIC,
			   .rtm_scope = RT_SCOPE_UNIVERSE,
			   .rtm_type = RTN_UNICAST };
	struct nl_msg *m = net_msg(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &r, sizeof r);

	if (m &&
	    (nla_put(m, RTA_GATEWAY, (int)addr_size(gw->family), gw->ip) < 0 ||
	     nla_put_u32(m, RTA_OIF, (uint32_t)index) < 0)) {
		nlmsg_free(m);
		m = NULL;
	}
	if (net_ask(n, m, NULL, NULL) < 0)
		return net_fail(n, e, "%s: default route by %s", who, addr_text(gw, false, text));
	return 0;
}
