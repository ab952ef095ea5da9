/* Networks that are shared, or kept across restarts: which cannot be, and why. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compiling.h"

static bool is_lazy(const struct spec_service *s)
{
	for (unsigned i = 0; i < s->listen.n; i++)
		if (s->listen.v[i].activate == ACTIVATE_LAZY)
			return true;
	return false;
}

/* Why nobody can share the network of o; NULL: it can be shared. */
static const char *not_to_share(struct compiling *c, const struct work *o)
{
	const struct spec_service *e = &o->eff;

	if (e->network.service)
		return compiling_fmt(c, "it has that of '%s' itself: name that one", e->network.service);
	if (!(o->out.flags & CELL_NET))
		return "it has none of its own: it is in the machine's; give it `network: true` or a bridge, or say "
		       "`network: false` here, too";
	if (o->out.flags & CELL_USER_FIRST)
		return "it belongs to its own user namespace (user: first), whose capabilities would be over this "
		       "service's network, too";
	if (e->runtime)
		return "an OCI runtime makes it";
	if (e->type == TYPE_ONESHOT)
		return "it is a oneshot, whose network ends with it";
	if (o->out.connections.n)
		return "it has one for each connection";
	return is_lazy(e) ? "it is not there before the first connection (activate: lazy)" : NULL;
}

/* What service w cannot be when its network is another's, or outlives it. */
static const char *not_by(const struct work *w)
{
	if (w->out.flags & CELL_USER_FIRST)
		return "with isolation.user: first, the network would have to belong to this start's user namespace";
	return w->eff.runtime ? "an OCI runtime makes its own network" : NULL;
}

static void judge_share(struct compiling *c, struct work *w)
{
	const struct work *o = work_find(c, w->eff.network.service);
	const char *why;

	if (!o || o == w || o->refused)	/* the graph's business */
		return;
	if ((why = not_by(w)))
		refuse(c, w, network.service, "isolation.network.service: %s", why);
	else if ((why = not_to_share(c, o)))
		refuse(c, w, network.service, "isolation.network.service: the network of '%s' cannot be shared: %s",
		       o->svc->name, why);
	else if (w->out.flags & CELL_UNPRIV_PORTS && !(o->out.flags & CELL_UNPRIV_PORTS))
		refuse(c, w, cap_add, "security.cap_add: CAP_NET_BIND_SERVICE would let '%s', whose network it shares, "
		       "bind every port, too: add it there as well", o->svc->name);
}

void compile_shares(struct compiling *c)
{
	const char *why;

	for (unsigned i = 0; i < c->n; i++) {
		struct work *w = c->work + i;

		if (w->refused || !(w->out.flags & CELL_NET))
			continue;
		if (w->eff.network.service)
			judge_share(c, w);
		else if (w->out.flags & CELL_NET_KEEP && (why = not_by(w)))
			refuse(c, w, network.keep, "isolation.network.keep: %s", why);
	}
}
