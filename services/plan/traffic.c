/* What must be true of published ports, of interfaces, of egress rules and of bounds on connections in a plan. */
/* SPDX-License-Identifier: ISC */
#include "netns/net.h"
#include "services/plan/types.h"
#include <netinet/in.h>
#include <string.h>

_Static_assert(PLAN_LINKS_MAX == NET_ENDS, "every interface of a cell has a name");

const char *plan_port_wrong(const struct plan *p, const void *record)
{
	const struct plan_port *x = record;

	(void)p;
	return (x->proto != IPPROTO_TCP && x->proto != IPPROTO_UDP) || !x->from || !x->to ||
	       (x->on.family && !plan_addr_is_one(&x->on))
		       ? "no port, protocol or address" : NULL;
}

const char *plan_egress_wrong(const struct plan *p, const void *record)
{
	const struct plan_egress *x = record;

	(void)p;
	return (x->proto && x->proto != IPPROTO_TCP && x->proto != IPPROTO_UDP) || x->first > x->last ||
	       (!x->first && (x->last || x->proto)) || !plan_addr_is_one(&x->to)
		       ? "no network, ports or protocol" : NULL;
}

bool plan_mtu_is_one(uint32_t mtu)
{
	return mtu == 0 || (mtu >= 1280 && mtu <= 65535);	/* IPv6 needs 1280 */
}

static bool gateway_is_one(const struct plan_addr *a)
{
	return a->family == 0 || plan_addr_is_one(a);
}

const char *plan_link_wrong(const struct plan *p, const void *record)
{
	const struct plan_link *l = record;

	if (!l->bridge.n == !l->parent.n || !l->bridge.n != !l->ifname.n || !l->parent.n != !l->upper)
		return "on neither a bridge nor an interface, or on both";
	if (l->upper >= NET_UPPERS || l->limited > 1 || !plan_mtu_is_one(l->mtu) || !gateway_is_one(&l->gw4) ||
	    !gateway_is_one(&l->gw6) || (!l->limited && l->egress.n))
		return "its kind, MTU, gateway or egress is wrong";
	if (l->parent.n)
		return !l->addrs.n || l->limited || l->ports.n || l->send_max || l->receive_max
			       ? "more than a bridge can give, or no address" : NULL;
	PLAN_EACH(struct plan_bridge, b, p, p->head->bridges)
		if (!strcmp(plan_str(p, b->name), plan_str(p, l->bridge)))
			return NULL;
	return "there is no bridge of that name";
}

const char *plan_interface_wrong(const struct plan *p, const void *record)
{
	const struct plan_interface *i = record;

	(void)p;
	return (i->gateway.family && !plan_addr_is_one(&i->gateway)) || i->vlan > 4094 || i->accept_ra > 1 ||
	       !i->vlan != !i->parent.n
		       ? "no gateway, or no VLAN" : NULL;
}

const char *plan_connections_wrong(const struct plan *p, const void *record)
{
	const struct plan_connections *c = record;

	(void)p;
	return !c->max || c->max > CONNECTIONS_MOST || !c->per_source || c->per_source > c->max
		       ? "its connections are none, or too many" : NULL;
}
