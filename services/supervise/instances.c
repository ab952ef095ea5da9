/* Asking the compiler for instances of templates: see instances.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/instances.h"
#include "init/base/text.h"
#include "services/plan/changes.h"
#include "services/supervise/client.h"
#include "services/supervise/fsm.h"
#include "services/supervise/reload.h"
#include <string.h>

static uint32_t to_new[PLAN_SERVICES_MAX], to_old[PLAN_SERVICES_MAX];

static void refuse(struct prior *p, uint32_t c, int number, const char *what, const char *name)
{
	struct err e;

	err_set(&e, number, "%s%s", name, what);
	client_answer(p, c, 1, &e);
}

/* Whether it stays in the next plan: it runs, is to run, or has failed and somebody may want to see why. */
static bool is_kept(struct prior *p, uint32_t i)
{
	const struct ledger_svc *s = svc_of(p, i);

	return (s->state != SVC_DOWN && s->state != SVC_DONE) || s->next_wall_ms || s->flags & SVC_F_BACK;
}

bool instances_take(struct prior *p, uint32_t c, const struct ctl_request *q)
{
	if (!memchr(q->service, '\0', sizeof q->service) || !plan_has_template(&p->plan, q->service))
		return false;
	if (q->verb == CTL_STOP) {
		client_answer(p, c, 0, NULL);	/* nothing of it is there */
	} else if (q->verb != CTL_START && q->verb != CTL_RESTART) {
		refuse(p, c, ESRCH, " does not run: nobody has started this instance", q->service);
	} else if (p->ledger.head->shutdown) {
		refuse(p, c, ESHUTDOWN, ": everything is being shut down", q->service);
	} else {
		client(p, c)->verb = q->verb;
		client(p, c)->service = 0;
		client(p, c)->flags = q->flags;
		client(p, c)->since_ms = p->loop.now.ms;
		text_copy(client(p, c)->name, sizeof client(p, c)->name, q->service);
		p->loop.again = true;
	}
	return true;
}

void instances_resume(struct prior *p)
{
	const struct plan_head *h = p->plan.head;

	for (uint32_t k = 0; k < h->asked.n; k++)
		p->instances_due |= !is_kept(p, PLAN_FIRST(&p->plan, h->asked, uint32_t)[k]);
}

static bool waits(struct prior *p, uint32_t c)
{
	return client(p, c)->fd >= 0 && client(p, c)->name[0];
}

const char *const *instances_names(struct prior *p)
{
	/* The compiler's parent forks, and a child cannot see the ledger: names of clients are copied. */
	static const char *names[PLAN_ASKED_MAX + 1];
	static char text[LEDGER_CLIENTS][sizeof p->ledger.head->clients[0].name];
	const struct plan_head *h = p->plan.head;
	unsigned n = 0;

	p->reload.asked = 0;
	for (uint32_t k = 0; k < h->asked.n && n < PLAN_ASKED_MAX; k++) {
		uint32_t i = PLAN_FIRST(&p->plan, h->asked, uint32_t)[k];

		if (is_kept(p, i))
			names[n++] = svc_name(p, i);
	}
	for (uint32_t c = 0; c < LEDGER_CLIENTS && n < PLAN_ASKED_MAX; c++)
		if (waits(p, c)) {
			text_copy(text[c], sizeof text[c], client(p, c)->name);
			names[n++] = text[c];
			p->reload.asked |= 1u << c;
		}
	names[n] = NULL;
	return names;
}

static void answer_all(struct prior *p, uint32_t mask, const struct err *e)
{
	for (uint32_t c = 0; c < LEDGER_CLIENTS; c++)
		if (mask >> c & 1 && waits(p, c))
			client_answer(p, c, 1, e);
}

void instances_check(struct prior *p)
{
	bool due = p->instances_due;
	struct err e;

	for (uint32_t c = 0; c < LEDGER_CLIENTS; c++)
		due |= waits(p, c);
	if (!due || p->reload.phase != RELOAD_NONE)
		return;
	p->instances_due = false;
	if (p->ledger.head->shutdown) {
		err_set(&e, ESHUTDOWN, "everything is being shut down");
		answer_all(p, UINT32_MAX, &e);
	} else if (reload_begin_instances(p, &e) < 0) {
		answer_all(p, UINT32_MAX, &e);
	} else if (!p->reload.asked) {
		return;
	} else {	/* more than there is room for */
		err_set(&e, E2BIG, "there are %d instances already that were asked for; stop some", PLAN_ASKED_MAX);
		answer_all(p, ~p->reload.asked, &e);
	}
}

void instances_rest(struct prior *p, uint32_t i)
{
	if (p->plan.head->asked.n && plan_is_asked(&p->plan, i))
		p->instances_due = p->loop.again = true;
}

static int differs(const struct plan *p, uint32_t i, const char *how, struct err *e)
{
	return err_set(e, ESTALE, "the configuration is not what it was when it was read: %s %s; `prior reload-config` "
		       "takes it over first", plan_str(p, plan_service(p, i)->name), how);
}

/* Both lists are in the order of names. One that is refused of old, or an instance that is asked for, is no news. */
static int judge_refused(const struct plan *was, const struct plan *next, struct err *e)
{
	const struct plan_refused *o = PLAN_FIRST(was, was->head->refused, struct plan_refused);
	const struct plan_refused *end = PLAN_END(was, was->head->refused, struct plan_refused);
	const struct plan_refused *r = PLAN_FIRST(next, next->head->refused, struct plan_refused);

	for (; r < PLAN_END(next, next->head->refused, struct plan_refused); r++) {
		const char *name = plan_str(next, r->name);

		while (o < end && strcmp(plan_str(was, o->name), name) < 0)
			o++;
		if ((o == end || strcmp(plan_str(was, o->name), name)) && !plan_has_template(next, name))
			return err_set(e, ESTALE, "the configuration is not what it was when it was read: %s would be "
				       "new, and refused; `prior reload-config` says why", name);
	}
	return 0;
}

int instances_judge(struct prior *p, struct err *e)
{
	const struct plan *next = &p->reload.next;

	for (uint32_t c = 0; c < LEDGER_CLIENTS; c++) {
		const char *name = client(p, c)->name;

		if (p->reload.asked >> c & 1 && waits(p, c) && plan_find(next, name) < 0 &&
		    plan_has_template(next, name) && !plan_find_refused(next, name))
			return err_set(e, ENOTSUP, "%s is a compiled plan, and has only the instances that were "
				       "compiled into it; %s is none of them", p->ledger.head->config, name);
	}
	p->reload.added = p->reload.removed = 0;
	changes_match(&p->plan, next, to_new, to_old);
	for (uint32_t i = 0; i < p->n; i++) {
		bool gone = to_new[i] == CHANGES_NONE;

		if (gone && !(plan_is_asked(&p->plan, i) && !is_kept(p, i)))
			return differs(&p->plan, i, "would be gone", e);
		if (!gone && changes_service(&p->plan, i, next, to_new[i]))
			return differs(&p->plan, i, "would be another", e);
		p->reload.removed += gone;
	}
	for (uint32_t k = 0; k < next->head->services.n; k++) {
		if (to_old[k] == CHANGES_NONE && !plan_is_asked(next, k))
			return differs(next, k, "would be new", e);
		p->reload.added += to_old[k] == CHANGES_NONE;
	}
	if (judge_refused(&p->plan, next, e) < 0)
		return -e->code;
	return changes_machine(&p->plan, next) ? err_set(e, ESTALE, "the configuration is not what it was when it was "
		"read: what is done at boot differs; `prior reload-config` takes it over first") : 0;
}

/* Why the plan that was made for it has it not. */
static void answer_missing(struct prior *p, uint32_t c, const struct plan *next)
{
	const char *name = client(p, c)->name;
	const struct plan_refused *r = plan_find_refused(next, name);
	struct err e;

	if (r)
		err_set(&e, EINVAL, "%s was refused: %s", name, plan_str(next, r->why));
	else
		err_set(&e, ENOENT, "there is no template of %s any more", name);
	client_answer(p, c, 1, &e);
}

void instances_failed(struct prior *p, const struct err *e)
{
	for (uint32_t c = 0; c < LEDGER_CLIENTS; c++) {
		if (!(p->reload.asked >> c & 1) || !waits(p, c))
			continue;
		if (e)
			client_answer(p, c, 1, e);
		else if (plan_find(&p->reload.next, client(p, c)->name) < 0)
			answer_missing(p, c, &p->reload.next);
	}
}

void instances_arrived(struct prior *p)
{
	for (uint32_t c = 0; c < LEDGER_CLIENTS; c++) {
		struct ledger_client *k = client(p, c);
		int i = waits(p, c) ? plan_find(&p->plan, k->name) : -1;

		if (i < 0) {
			if (waits(p, c) && p->reload.asked >> c & 1)
				answer_missing(p, c, &p->plan);
			continue;
		}
		k->name[0] = '\0';
		k->service = (uint32_t)i;
		{
			LEDGER_WRITE(svc_of(p, (uint32_t)i));
			svc_of(p, (uint32_t)i)->flags &= ~SVC_F_BACK;
		}
		svc_post(p, (uint32_t)i, k->verb == CTL_START ? EV_START : EV_RESTART);
		if (k->flags & CTL_F_NO_WAIT)
			client_answer(p, c, 0, NULL);
	}
	p->reload.asked = 0;
}

void instances_forget(struct prior *p, uint32_t c)
{
	p->reload.asked &= ~(1u << c);
}
