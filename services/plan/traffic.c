/* What must be true of published ports, of interfaces, of egress rules and of bounds on connections in a plan. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/types.h"
#include <netinet/in.h>

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
