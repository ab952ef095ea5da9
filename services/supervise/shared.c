/* Holding networks for those who share or keep them: see shared.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/shared.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/supervise/fsm.h"
#include <fcntl.h>
#include <sys/stat.h>

/* Whose network i shares; p->n: it has its own. */
static uint32_t shared_with(const struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);

	return d->share.n ? PLAN_FIRST(&p->plan, d->share, struct plan_dep)->service : p->n;
}

/* Of its main process. That may have gone elsewhere meanwhile, or be another one of the same number: compared. */
static int hold(struct prior *p, uint32_t i, struct err *e)
{
	struct ledger_svc *s = svc_of(p, i);
	char path[40];
	struct text t = TEXT_IN(path);
	struct stat st;

	if (s->net_fd >= 0)
		return 0;
	if (!s->pid)
		return err_set(e, ESRCH, "the network of %s: it does not run", svc_name(p, i));
	if (!s->net)
		return err_set(e, ESRCH, "the network of %s: after a fault of PID 1 it is not known which one it is: "
			       "restart it", svc_name(p, i));
	text_fmt(&t, "/proc/%d/ns/net", (int)s->pid);
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "the network of %s: %s", svc_name(p, i), path);
	if (st.st_ino != s->net)
		return err_set(e, ESTALE, "the network of %s: its main process has left it", svc_name(p, i));
	LEDGER_WRITE(s);
	s->net_fd = fd_take(&fd);
	return 0;
}

int shared_network(struct prior *p, uint32_t i, int *fd, struct err *e)
{
	const uint32_t of = shared_with(p, i);

	if (of != p->n && hold(p, of, e) < 0)
		return -e->code;
	*fd = svc_of(p, of == p->n ? i : of)->net_fd;
	return 0;
}

void shared_runs(struct prior *p, uint32_t i, uint64_t net)
{
	struct ledger_svc *s = svc_of(p, i);
	struct err e;

	s->net = net;
	if (plan_service(&p->plan, i)->flags & CELL_NET_KEEP && hold(p, i, &e) < 0)
		prior_say(p, "warning", "not-kept", svc_name(p, i), e.text);
}

bool shared_stays(const struct prior *p, uint32_t i)
{
	const struct ledger_svc *s = &p->ledger.svc[i];

	return s->net_fd >= 0 && !p->ledger.head->shutdown && s->flags & (SVC_F_WANTED | SVC_F_RESTART);
}

/* Whoever shares it goes with it, and comes back with it where it has failed. */
static void send_home(struct prior *p, uint32_t i)
{
	const struct svc_run *r = &p->run[i];

	for (uint32_t k = r->first_user; k < r[1].first_user; k++) {
		const struct edge *e = &p->edges[p->users[k]];
		struct ledger_svc *s = svc_of(p, e->user);

		if (!e->shares || !e->holds || s->state == SVC_STOPPING)
			continue;
		LEDGER_WRITE(s);
		s->flags |= SVC_F_STOPPED_WITH;
		svc_post(p, e->user, svc_of(p, i)->state == SVC_FAILED ? EV_RESTART : EV_STOP);
	}
}

static void let_go(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	if (s->net_fd < 0 || !state_is_at_rest(s->state) || p->run[i].sharers)
		return;
	LEDGER_WRITE(s);
	fd_drop(&s->net_fd);
}

void shared_moved(struct prior *p, uint32_t i)
{
	const uint32_t of = shared_with(p, i);

	if (p->run[i].sharers && state_is_at_rest(svc_of(p, i)->state))
		send_home(p, i);
	let_go(p, i);
	if (of != p->n)
		let_go(p, of);
}
