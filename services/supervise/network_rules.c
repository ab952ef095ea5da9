/* From the plan to the facts of netns/rules.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/network.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct net_addr) == sizeof(struct plan_addr), "addresses are handed on as they are");

static unsigned bridge_number(const struct plan *p, const char *name)
{
	const struct plan_bridge *b = PLAN_FIRST(p, p->head->bridges, struct plan_bridge);
	unsigned i = 0;

	while (i + 1 < p->head->bridges.n && strcmp(plan_str(p, b[i].name), name) != 0)
		i++;
	return i;
}

static bool fill_cell(const struct plan *p, const struct plan_service *s, struct rules_cell *c)
{
	const struct plan_port *pp = plan_array(p, s->ports);
	const struct plan_egress *pe = plan_array(p, s->egress);
	struct rules_port *ports = s->ports.n ? calloc(s->ports.n, sizeof *ports) : NULL;
	struct rules_egress *egress = s->egress.n ? calloc(s->egress.n, sizeof *egress) : NULL;

	*c = (struct rules_cell){ .name = plan_str(p, s->name), .ifname = plan_str(p, s->ifname),
				  .addrs = plan_array(p, s->addrs), .naddrs = s->addrs.n, .ports = ports,
				  .egress = egress, .bridge = bridge_number(p, plan_str(p, s->bridge)),
				  .limited = s->limited };
	if ((s->ports.n && !ports) || (s->egress.n && !egress))
		return false;
	for (uint32_t i = 0; i < s->ports.n; i++) {
		ports[i] = (struct rules_port){ .from = pp[i].from, .to = pp[i].to, .proto = (uint8_t)pp[i].proto };
		memcpy(&ports[i].on, &pp[i].on, sizeof ports[i].on);
	}
	for (uint32_t i = 0; i < s->egress.n; i++) {
		egress[i] = (struct rules_egress){ .first = pe[i].first, .last = pe[i].last,
						   .proto = (uint8_t)pe[i].proto };
		memcpy(&egress[i].to, &pe[i].to, sizeof egress[i].to);
	}
	c->nports = s->ports.n;
	c->negress = s->egress.n;
	return true;
}

void network_rules_free(struct rules *r)
{
	for (unsigned i = 0; i < r->ncells; i++) {
		free((void *)(uintptr_t)r->cells[i].ports);
		free((void *)(uintptr_t)r->cells[i].egress);
	}
	free((void *)(uintptr_t)r->cells);
	free((void *)(uintptr_t)r->bridges);
	*r = (struct rules){ 0 };
}

int network_rules(const struct plan *p, struct rules *r, struct err *e)
{
	struct rules_bridge *b = calloc(p->head->bridges.n + 1, sizeof *b);
	struct rules_cell *c = calloc(p->head->services.n + 1, sizeof *c);
	bool well = b && c;

	*r = (struct rules){ .bridges = b, .cells = c, .tag = p->head->network_tag };
	for (uint32_t i = 0; well && i < p->head->bridges.n; i++) {
		const struct plan_bridge *x = PLAN_FIRST(p, p->head->bridges, struct plan_bridge) + i;

		b[r->nbridges++] = (struct rules_bridge){ plan_str(p, x->name), plan_array(p, x->addrs), x->addrs.n,
							  x->flags & BRIDGE_NAT };
	}
	for (uint32_t i = 0; well && i < p->head->services.n; i++)
		if (plan_service(p, i)->bridge.n)
			well = fill_cell(p, plan_service(p, i), c + r->ncells++);
	if (well)
		return 0;
	network_rules_free(r);
	return err_set(e, ENOMEM, "rules of the bridges: %s", strerror(ENOMEM));
}
