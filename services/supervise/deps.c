/* Edges and their counts: see deps.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/deps.h"
#include "services/spec/spec.h"
#include "services/supervise/fsm.h"
#include "services/supervise/network.h"

uint32_t deps_count(const struct plan *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->head->services.n; i++)
		n += plan_service(p, i)->deps.n;
	return n;
}

static enum svc_state state_of(const struct prior *p, uint32_t i)
{
	return p->ledger.svc ? (enum svc_state)p->ledger.svc[i].state : SVC_DOWN;
}

/* One without a health check is as healthy as it is ready. */
static bool is_healthy(const struct prior *p, uint32_t need)
{
	const struct plan_care *c = plan_care(&p->plan, plan_service(&p->plan, need));

	return !c || c->check_kind == HEALTH_BY_NONE || (p->ledger.svc && p->ledger.svc[need].health == HEALTH_GOOD);
}

static bool is_met(const struct prior *p, const struct edge *e, enum svc_state need)
{
	if (e->kind == DEP_WANTS)
		return true;
	if (e->kind == DEP_CONFLICTS)
		return state_is_at_rest(need);
	if (e->kind == DEP_AFTER)
		return need != SVC_WAITING && need != SVC_STARTING;
	if (e->condition == COND_COMPLETED)
		return need == SVC_DONE;
	if (e->condition == COND_HEALTHY && need == SVC_UP)
		return is_healthy(p, e->need);
	return need == SVC_UP || need == SVC_DONE || (need == SVC_LISTENING && e->condition == COND_STARTED);
}

/* need has come to rest where user cannot use it. */
static bool is_lost(const struct edge *e, enum svc_state need)
{
	return e->kind == DEP_REQUIRES && (need == SVC_FAILED || need == SVC_REFUSED || need == SVC_DOWN ||
					   need == SVC_SKIPPED);
}

/* What only orders (after) holds while user stops; what requires holds as long as user lives. */
static bool is_holding(const struct edge *e, enum svc_state user)
{
	if (e->kind == DEP_REQUIRES)
		return e->condition != COND_COMPLETED && state_is_live(user);
	return e->kind == DEP_AFTER && user == SVC_STOPPING;
}

/* Edges in the plan's order; users[] is a counting sort of them by need. */
void deps_build(struct prior *p)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < p->n; i++) {
		const struct plan_service *d = plan_service(&p->plan, i);

		p->run[i].first_edge = at;
		PLAN_EACH(struct plan_dep, x, &p->plan, d->deps) {
			p->edges[at] = (struct edge){ .user = i, .need = x->service, .kind = x->kind,
						      .condition = x->condition,
						      /* The first one: see compile_graph.c. */
						      .shares = d->share.n && at == p->run[i].first_edge };
			at++;
			p->run[x->service + 1].first_user++;
		}
	}
	p->run[p->n].first_edge = at;
	for (uint32_t i = 0; i < p->n; i++)
		p->run[i + 1].first_user += p->run[i].first_user;
	/* Fill each group from its end: wait_edge serves as the counter. */
	for (uint32_t k = 0; k < at; k++) {
		uint32_t need = p->edges[k].need;

		p->users[p->run[need].first_user + p->run[need].wait_edge++] = k;
	}
	deps_refresh(p);
}

void deps_refresh(struct prior *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		/* As if they were edges; see network_ended(), devices.c. */
		p->run[i].unmet = (uint32_t)network_is_awaited(p, i) + (p->run[i].absent > 0);
		p->run[i].holders = p->run[i].sharers = 0;
		p->run[i].wait_edge = p->run[i].first_edge;
	}
	for (struct edge *e = p->edges; e < p->edges + p->nedges; e++) {
		e->met = is_met(p, e, state_of(p, e->need));
		e->holds = is_holding(e, state_of(p, e->user));
		p->run[e->user].unmet += !e->met;
		p->run[e->need].holders += e->holds;
		p->run[e->need].sharers += e->holds & e->shares;
	}
}

/* The named edge is met now: find the next one that is not, going on from there. */
static void name_next(struct prior *p, uint32_t i)
{
	struct svc_run *r = &p->run[i];
	uint32_t first = r->first_edge, n = r[1].first_edge - first, at = r->wait_edge - first;
	struct ledger_svc *s = svc_of(p, i);

	for (uint32_t k = 0; k < n && p->edges[first + at].met; k++, at = (at + 1) % n)
		p->steps++;
	r->wait_edge = first + at;
	LEDGER_WRITE(s);
	s->waits_for = n && !p->edges[first + at].met ? p->edges[first + at].need + 1 : 0;
}

bool deps_name_wait(struct prior *p, uint32_t i, bool asked)
{
	struct svc_run *r = &p->run[i];

	r->wait_edge = r->first_edge;
	for (struct edge *e = p->edges + r->first_edge; !asked && e < p->edges + r[1].first_edge; e++) {
		enum svc_state need = state_of(p, e->need);

		p->steps++;
		if (is_lost(e, need) && need != SVC_DOWN) {
			svc_of(p, i)->waits_for = e->need + 1;
			return false;
		}
	}
	name_next(p, i);
	return true;
}

/* An edge to a service that user waits for has changed. */
static void tell_user(struct prior *p, const struct edge *e, enum svc_state need)
{
	struct ledger_svc *s = svc_of(p, e->user);
	struct svc_run *r = &p->run[e->user];

	if (s->state == SVC_WAITING && is_lost(e, need)) {
		LEDGER_WRITE(s);
		s->waits_for = e->need + 1;
		svc_post(p, e->user, EV_DEP_FAILED);
	} else if (r->unmet == 0 && (s->state == SVC_WAITING ||
				     (s->state == SVC_FAILED && s->flags & SVC_F_DEP_FAILED))) {
		svc_post(p, e->user, EV_DEPS_READY);
	} else if (s->state == SVC_WAITING && e->met && &p->edges[r->wait_edge] == e) {
		name_next(p, e->user);
	}
}

void deps_changed(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct svc_run *r = &p->run[i];

	for (uint32_t k = r->first_user; k < r[1].first_user; k++) {
		struct edge *e = &p->edges[p->users[k]];
		bool met = is_met(p, e, s->state);

		p->steps++;
		p->run[e->user].unmet += (uint32_t)e->met - met;
		e->met = met;
		tell_user(p, e, s->state);
	}
	for (struct edge *e = p->edges + r->first_edge; e < p->edges + r[1].first_edge; e++) {
		bool holds = is_holding(e, s->state);
		struct ledger_svc *need = svc_of(p, e->need);

		p->steps++;
		p->run[e->need].holders += (uint32_t)holds - e->holds;
		if (e->shares)
			p->run[e->need].sharers += (uint32_t)holds - e->holds;
		e->holds = holds;
		if (need->state == SVC_STOPPING && !(need->flags & SVC_F_SIGNALLED) && p->run[e->need].holders == 0)
			svc_post(p, e->need, EV_FREE);
	}
}

void deps_pull(struct prior *p, uint32_t i, bool asked)
{
	struct svc_run *r = &p->run[i];

	for (struct edge *e = p->edges + r->first_edge; e < p->edges + r[1].first_edge; e++) {
		enum svc_state need = state_of(p, e->need);

		p->steps++;
		if (e->kind == DEP_CONFLICTS && !state_is_at_rest(need)) {
			prior_say(p, "info", "conflict", svc_name(p, e->need),
				  "another one starts that conflicts with it");
			svc_post(p, e->need, EV_STOP);
		}
		if (e->kind == DEP_AFTER || e->kind == DEP_CONFLICTS)
			continue;
		bool again = need == SVC_FAILED || need == SVC_REFUSED || need == SVC_BACKOFF || need == SVC_SKIPPED;
		bool lazy = svc_is_lazy(p, plan_service(&p->plan, e->need));

		if (asked && (again || (need == SVC_DOWN && !lazy)))
			svc_post(p, e->need, EV_START);
		else
			svc_post(p, e->need, lazy ? EV_LISTEN : EV_PULL);
	}
}

void deps_push(struct prior *p, uint32_t i, unsigned ev)
{
	struct svc_run *r = &p->run[i];

	for (uint32_t k = r->first_user; k < r[1].first_user; k++) {
		const struct edge *e = &p->edges[p->users[k]];
		enum svc_state user = state_of(p, e->user);

		p->steps++;
		if (e->kind != DEP_REQUIRES || e->condition == COND_COMPLETED)
			continue;
		if (!state_is_live(user) && (ev != EV_STOP || (user != SVC_WAITING && user != SVC_BACKOFF)))
			continue;
		if (ev == EV_STOP) {
			LEDGER_WRITE(svc_of(p, e->user));
			svc_of(p, e->user)->flags |= SVC_F_STOPPED_WITH;
		}
		svc_post(p, e->user, ev);
	}
}

int deps_rival(const struct prior *p, uint32_t i)
{
	const struct svc_run *r = &p->run[i];

	for (const struct edge *e = p->edges + r->first_edge; e < p->edges + r[1].first_edge; e++)
		if (e->kind == DEP_CONFLICTS && p->ledger.svc[e->need].flags & SVC_F_WANTED)
			return (int)e->need;
	return -1;
}

int deps_holder(const struct prior *p, uint32_t i)
{
	const struct svc_run *r = &p->run[i];

	for (uint32_t k = r->first_user; k < r[1].first_user; k++)
		if (p->edges[p->users[k]].holds)
			return (int)p->edges[p->users[k]].user;
	return -1;
}
