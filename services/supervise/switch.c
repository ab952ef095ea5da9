/* Carrying what runs over to another plan: see switch.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/switch.h"
#include "services/plan/changes.h"
#include "services/supervise/buttons.h"
#include "services/supervise/connections.h"
#include "services/supervise/control.h"
#include "services/supervise/devices.h"
#include "services/supervise/discard.h"
#include "services/supervise/endpoint.h"
#include "services/supervise/fdstore.h"
#include "services/supervise/notify.h"
#include "services/supervise/reap.h"
#include "services/supervise/reload.h"
#include "services/supervise/sockets.h"
#include "services/supervise/spawning.h"
#include "services/supervise/streams.h"
#include "services/supervise/watch.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

/* By index in the old and in the new plan; only this file's, and only while it is at it. */
static uint32_t to_new[PLAN_SERVICES_MAX], to_old[PLAN_SERVICES_MAX];

static bool is_changed(const struct prior *p, uint32_t i)
{
	return changes_service(&p->plan, i, reload_target(p), to_new[i]);
}

/* To a plan between: the reload goes on after it. */
static bool goes_on(const struct prior *p)
{
	return p->reload.between.at;
}

static void carry_head(const struct prior *p, struct prior *q)
{
	struct ledger_head *h = q->ledger.head, mine = *h;

	*h = *p->ledger.head;
	h->size = mine.size;
	h->nservices = mine.nservices;
	h->nlisten = mine.nlisten;
	h->ncares = mine.ncares;
	h->nstored = mine.nstored;
	h->nconns = mine.nconns;
	h->plan_fd = goes_on(p) ? p->reload.between_fd : h->next_plan_fd;
	h->next_plan_fd = goes_on(p) ? h->next_plan_fd : FD_NONE;
	h->ledger_ro_fd = FD_NONE;
	h->reloads += !goes_on(p);
	h->settled = 0;
	for (unsigned c = 0; c < LEDGER_CLIENTS; c++) {
		struct ledger_client *k = &h->clients[c];
		bool about_one = k->fd >= 0 && (k->verb == CTL_START || k->verb == CTL_STOP || k->verb == CTL_RESTART ||
					       k->verb == CTL_RELOAD);
		uint32_t at = about_one && !k->name[0] ? to_new[k->service] : 0;

		if (at == CHANGES_NONE)
			k->verb = CTL_RELOAD_CONFIG;	/* its service is gone: answered with the rest */
		if (about_one || !goes_on(p))
			k->service = at == CHANGES_NONE ? 0 : at;	/* of a reload: 0, it is in effect */
	}
}

/* It was stopped, or was at rest: its past is that of another service of the same name. */
static void begin_anew(struct ledger_svc *s)
{
	s->state = SVC_DOWN;
	s->flags &= SVC_F_BACK | SVC_F_STOPPED_BY_USER | SVC_F_BOUND;
	s->window_ms = s->deadline_ms = s->next_ms = s->next_wall_ms = 0;
	s->window_restarts = s->backoff_ms = s->waits_for = 0;
	s->why[0] = s->status[0] = '\0';
	s->notify_fd = FD_NONE;	/* its file belongs to the user of before; closed with the old record */
}

static void carry_service(const struct prior *p, struct prior *q, uint32_t i, uint32_t k)
{
	struct ledger_svc *to = &q->ledger.svc[k], was = *to;

	*to = p->ledger.svc[i];
	to->seq = was.seq | 1;
	to->first_listen = was.first_listen;
	if (to->waits_for)
		to->waits_for = to_new[to->waits_for - 1] == CHANGES_NONE ? 0 : to_new[to->waits_for - 1] + 1;
	if (to->flags & SVC_F_LEAVING && is_changed(p, i))
		begin_anew(to);
	else if (!goes_on(p))
		to->flags &= ~SVC_F_LEAVING;
	ledger_seal_svc(to);
}

static void carry_services(const struct prior *p, struct prior *q)
{
	for (uint32_t k = 0; k < q->plan.head->services.n; k++) {
		struct ledger_svc *s = &q->ledger.svc[k];

		if (to_old[k] != CHANGES_NONE) {
			carry_service(p, q, to_old[k], k);
			continue;
		}
		LEDGER_WRITE(s);
		s->flags |= SVC_F_BACK;
	}
}

/* Deadlines and stored descriptors; of these, what the new plan has no room for is closed with the rest. */
static void carry_cares(const struct prior *p, struct prior *q)
{
	for (uint32_t k = 0; k < q->ledger.head->ncares; k++) {
		struct ledger_care *to = &q->ledger.care[k], was = *to;
		const uint32_t i = to_old[to->service], care = i == CHANGES_NONE ? 0 : p->run[i].care;
		const struct ledger_care *from = care ? &p->ledger.care[care - 1] : NULL;

		if (!from)
			continue;
		*to = *from;
		to->service = was.service;
		to->first_stored = was.first_stored;
		to->nstored = was.nstored;
		for (uint32_t n = 0; n < was.nstored && n < from->nstored; n++)
			q->ledger.stored[was.first_stored + n] = p->ledger.stored[from->first_stored + n];
	}
}

static bool is_carried(const struct ledger_stored *s, const struct prior *now)
{
	for (uint32_t n = 0; n < now->ledger.head->nstored; n++)
		if (now->ledger.stored[n].fd == s->fd)
			return true;
	return false;
}

static void close_cares(struct prior *old, struct prior *now)
{
	for (uint32_t k = 0; k < old->ledger.head->ncares; k++) {
		struct ledger_care *c = &old->ledger.care[k];
		const uint32_t to = to_new[c->service];

		if (to == CHANGES_NONE || !now->run[to].care)
			fd_drop(&c->ready_fd);
		for (uint32_t n = 0; n < c->nstored; n++) {
			struct ledger_stored *s = &old->ledger.stored[c->first_stored + n];

			if (s->fd >= 0 && !is_carried(s, now))
				fdstore_close(old, c->service, &s->fd);
		}
	}
}

/* The rest of the life in memory: what the ledger does not hold. */
static void carry_run(const struct prior *p, struct prior *q)
{
	for (uint32_t k = 0; k < q->n; k++) {
		const struct svc_run *was = to_old[k] == CHANGES_NONE ? NULL : &p->run[to_old[k]];

		if (!was)
			continue;
		q->run[k].asked = was->asked;
		q->run[k].early = was->early;
		q->run[k].logged = was->logged;
		q->run[k].ended = was->ended;
		q->run[k].said = was->said;
		q->run[k].discard = was->discard;
		discard_carry(was, q, k);
		if (q->run[k].notify_src && !was->notify_src)	/* a child is to take a message first */
			loop_remove(&q->loop, &q->run[k].notify_src);
	}
	for (uint32_t at = 0; at <= p->pid_mask; at++) {
		const struct pid_slot *s = &p->pids[at];
		bool of_service = s->role == PID_MAIN || s->role == PID_BUILDER || s->role == PID_REAPER ||
				  s->role == PID_UNDO || s->role == PID_DISCARD || s->role == PID_HOOK ||
				  s->role == PID_CHECK || s->role == PID_IDLE;
		uint32_t service = of_service ? to_new[s->service] : 0;

		if (s->pid && service != CHANGES_NONE)
			reap_add(q, s->pid, service, (enum pid_role)s->role);
	}
	for (uint32_t t = 0; t < SERVE_TIMERS; t++)
		loop_timer_set(&q->loop, q->n + t, p->loop.due[p->n + t]);
}

/* All that is neither carried by name nor rebuilt. */
static void carry_rest(const struct prior *p, struct prior *q)
{
	const uint32_t room = q->n + UNCLAIMED_ORPHANS;

	q->nunclaimed = p->nunclaimed < room ? p->nunclaimed : room;
	memcpy(q->unclaimed, p->unclaimed, q->nunclaimed * sizeof *q->unclaimed);
	q->oom_kills = p->oom_kills;
	q->nasked = p->nasked;
	q->spawner_since_ms = p->spawner_since_ms;
	q->spawner_heard_ms = p->spawner_heard_ms;
	q->reap_more = p->reap_more;
	q->signal_fd = p->signal_fd;
	q->devices_life = p->devices_life;
	q->endpoint_life = p->endpoint_life;
	q->endpoint_told = p->endpoint_told;
	q->trial = p->trial;
	q->trial_pid = p->trial_pid;
	q->trial_exe = p->trial_exe;
	q->reload = p->reload;
	if (!goes_on(p))
		q->reload.next = (struct plan){ 0 };
	q->reload.between = (struct plan){ 0 };
	q->reload.between_fd = FD_NONE;
	q->reload.phase = goes_on(p) ? RELOAD_STOPS : RELOAD_NONE;
	q->instances_due = p->instances_due;
	q->good = p->good;
	q->good_tries = p->good_tries;
	q->good_ill = p->good_ill;
	q->steps = p->steps;
	q->losing = p->losing;
	q->loop.now = p->loop.now;
	q->loop.wakeups = p->loop.wakeups;
}

static int watch_all(struct prior *q, struct err *e)
{
	for (uint32_t k = 0; k < q->n; k++)
		if (watch_service(q, k, e) < 0)
			return -e->code;
	return 0;
}

int switch_make(struct prior *p, struct prior *q, struct err *e)
{
	*q = (struct prior){ .ledger.fd = FD_NONE, .loop.epoll_fd = FD_NONE, .signal_fd = FD_NONE,
			     .trial_exe = FD_NONE };
	changes_match(&p->plan, reload_target(p), to_new, to_old);
	q->plan = *reload_target(p);
	if (ledger_create(&q->ledger, &q->plan, e) < 0)
		return -e->code;
	carry_head(p, q);
	carry_services(p, q);
	sockets_carry(p, q, to_old);
	connections_carry(p, q, to_old);
	if (prior_memory(q, e) < 0)
		return -e->code;
	carry_rest(p, q);
	carry_cares(p, q);
	if (watch_all(q, e) < 0)
		return -e->code;
	carry_run(p, q);
	streams_carry(p, q, to_old);
	return 0;
}

void switch_drop(struct prior *q)
{
	int fd = q->ledger.fd;

	q->signal_fd = FD_NONE;	/* p's */
	prior_free(q);
	ledger_unmap(&q->ledger);
	fd_drop(&fd);
}

/* What the old plan alone had. Its files go before the new sockets are bound: the path may be the same. */
static void close_the_rest(struct prior *old, struct prior *now)
{
	struct ledger_head *h = old->ledger.head;
	char path[256];

	for (uint32_t i = 0; i < old->n; i++) {
		struct ledger_svc *s = svc_of(old, i);

		if (s->notify_fd >= 0 && (to_new[i] == CHANGES_NONE ||
					  now->ledger.svc[to_new[i]].notify_fd != s->notify_fd)) {
			unlink(notify_path(old, i, path, sizeof path));
			fd_drop(&s->notify_fd);
		}
		if (to_new[i] != CHANGES_NONE)
			continue;
		int32_t *const fds[] = { &s->report_fd, &s->pidfd, &s->log_rd, &s->log_wr, &s->cgroup_fd,
					 &s->events_fd, &s->net_fd };

		for (size_t k = 0; k < sizeof fds / sizeof *fds; k++)
			fd_drop(fds[k]);
	}
	close_cares(old, now);
	sockets_close_left(old, now, to_new);
	endpoint_commit(old, now);
	devices_commit(old, now);
	buttons_commit(old, now);
	fd_drop(&h->ledger_ro_fd);
	fd_drop(&h->plan_fd);
}

int switch_commit(struct prior *p, struct prior *q, struct err *e)
{
	struct prior old = *p;
	int temp = q->ledger.fd;

	q->ledger.head->ledger_fd = old.ledger.fd;
	ledger_seal_head(&q->ledger);
	/* From here on a fault comes back with the new one. */
	if (dup3(temp, old.ledger.fd, O_CLOEXEC) < 0)
		return err_sys(e, "reload: put the new ledger into place");
	*p = *q;
	p->ledger.fd = old.ledger.fd;
	p->loop.ctx = p;
	p->loop.again = true;
	fd_drop(&temp);
	spawning_renew(p);	/* the old one knows the old plan */
	close_the_rest(&old, p);
	old.signal_fd = FD_NONE;
	fd_drop(&old.clock_fd);
	prior_free(&old);
	ledger_unmap(&old.ledger);
	plan_unmap(&old.plan);
	return 0;
}
