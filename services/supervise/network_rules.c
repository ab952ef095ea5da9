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

/* One interface of a cell is a cell to the rules: nothing is common to several. */
static bool fill_cell(const struct plan *p, const struct plan_service *s, const struct plan_link *l,
		      struct rules_cell *c)
{
	const struct plan_port *pp = plan_array(p, l->ports);
	const struct plan_egress *pe = plan_array(p, l->egress);
	struct rules_port *ports = l->ports.n ? calloc(l->ports.n, sizeof *ports) : NULL;
	struct rules_egress *egress = l->egress.n ? calloc(l->egress.n, sizeof *egress) : NULL;

	*c = (struct rules_cell){ .name = plan_str(p, s->name), .ifname = plan_str(p, l->ifname),
				  .addrs = plan_array(p, l->addrs), .naddrs = l->addrs.n, .ports = ports,
				  .egress = egress, .bridge = bridge_number(p, plan_str(p, l->bridge)),
				  .limited = l->limited, .several = s->links.n > 1 };
	if ((l->ports.n && !ports) || (l->egress.n && !egress))
		return false;
	for (uint32_t i = 0; i < l->ports.n; i++) {
		ports[i] = (struct rules_port){ .from = pp[i].from, .to = pp[i].to, .proto = (uint8_t)pp[i].proto };
		memcpy(&ports[i].on, &pp[i].on, sizeof ports[i].on);
	}
	for (uint32_t i = 0; i < l->egress.n; i++) {
		egress[i] = (struct rules_egress){ .first = pe[i].first, .last = pe[i].last,
						   .proto = (uint8_t)pe[i].proto };
		memcpy(&egress[i].to, &pe[i].to, sizeof egress[i].to);
	}
	c->nports = l->ports.n;
	c->negress = l->egress.n;
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
	struct rules_cell *c;
	uint32_t links = 0;

	PLAN_EACH(struct plan_service, s, p, p->head->services)
		links += s->links.n;
	c = calloc(links + 1, sizeof *c);
	bool well = b && c;

	*r = (struct rules){ .bridges = b, .cells = c, .tag = p->head->network_tag };
	for (uint32_t i = 0; well && i < p->head->bridges.n; i++) {
		const struct plan_bridge *x = PLAN_FIRST(p, p->head->bridges, struct plan_bridge) + i;

		b[r->nbridges++] = (struct rules_bridge){ plan_str(p, x->name), plan_array(p, x->addrs), x->addrs.n,
							  x->flags & BRIDGE_NAT };
	}
	for (uint32_t i = 0; well && i < p->head->services.n; i++)
		PLAN_EACH(struct plan_link, l, p, plan_service(p, i)->links)
			if (l->bridge.n && well)
				well = fill_cell(p, plan_service(p, i), l, c + r->ncells++);
	if (well)
		return 0;
	network_rules_free(r);
	return err_set(e, ENOMEM, "rules of the bridges: %s", strerror(ENOMEM));
}
