/* Binding, watching and handing over listening sockets: see sockets.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/sockets.h"
#include "init/base/text.h"
#include "services/cell/bind.h"
#include "services/plan/listen.h"
#include "services/supervise/connections.h"
#include "services/supervise/fsm.h"
#include "services/supervise/outside.h"
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* Handed in by that name, and what it should be; else made. */
static int obtain(struct prior *p, const struct plan_listen *l, int *out, struct err *e)
{
	owned_fd fd = outside_take(plan_str(&p->plan, l->name));

	if (fd < 0)
		return bind_socket(&p->plan, l, out, e);
	if (bind_check(l, fd, e) < 0)
		return err_in(e, "listen: %s", plan_str(&p->plan, l->name));
	*out = fd_take(&fd);
	return 0;
}

/* Its file is gone or another one: nobody can come to it any more, so that it is made anew. */
static void close_if_lost(struct prior *p, uint32_t i, const struct plan_listen *l, uint32_t at)
{
	int32_t *slot = p->ledger.listen + at;

	if (*slot < 0 || bind_is_there(&p->plan, l, *slot))
		return;
	prior_say(p, "warning", "socket-lost", svc_name(p, i), plan_str(&p->plan, l->path));
	loop_remove(&p->loop, &p->listen_src[at]);
	fd_drop(slot);
}

int sockets_open(struct prior *p, uint32_t i, struct err *e)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	const struct plan_listen *l = PLAN_FIRST(&p->plan, d->listen, struct plan_listen);
	struct ledger_svc *s = svc_of(p, i);
	const uint32_t first = s->first_listen;

	if (d->base.n)		/* its connection is there, or nothing starts it */
		return 0;
	for (uint32_t k = 0; k < d->listen.n; k++) {
		if (l[k].in_cell)
			continue;
		close_if_lost(p, i, l + k, first + k);
		if (p->ledger.listen[first + k] < 0 && obtain(p, l + k, &p->ledger.listen[first + k], e) < 0)
			return err_in(e, "service %s", svc_name(p, i));
	}
	LEDGER_WRITE(s);
	s->flags |= SVC_F_BOUND;
	return 0;
}

static void on_connection(void *ctx, uint32_t i, uint32_t events)
{
	(void)events;
	if (svc_accepts(ctx, i))
		connections_accept(ctx, i);
	else
		svc_post(ctx, i, EV_CONNECTION);
}

void sockets_bind_all(struct prior *p, uint32_t flag)
{
	for (uint32_t i = 0; i < p->n; i++) {
		struct ledger_svc *s = svc_of(p, i);
		struct err e;

		if ((flag && (!(s->flags & flag) || s->flags & SVC_F_LEAVING)) || plan_is_disabled(&p->plan, i) ||
		    sockets_open(p, i, &e) == 0)
			continue;
		{
			LEDGER_WRITE(s);
			s->flags &= ~SVC_F_BACK;
			text_copy(s->why, sizeof s->why, e.text);
		}
		svc_post(p, i, EV_REFUSED);
	}
}

int sockets_watch(struct prior *p, uint32_t i, struct err *e)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	uint32_t first = svc_of(p, i)->first_listen;

	if (sockets_open(p, i, e) < 0)
		return -e->code;
	for (uint32_t k = first; k < first + d->listen.n; k++) {
		if (p->ledger.listen[k] < 0)	/* in the cell's network */
			continue;
		if (svc_accepts(p, i))	/* it is ours alone, and we wait for nobody */
			fcntl(p->ledger.listen[k], F_SETFL, O_NONBLOCK);
		int rc = p->listen_src[k] ? 0 :
			 loop_add(&p->loop, p->ledger.listen[k], EPOLLIN, on_connection, i, e);

		if (rc < 0)
			return err_in(e, "service %s: watch its sockets", svc_name(p, i));
		if (rc > 0)
			p->listen_src[k] = (uint32_t)rc;
	}
	return 0;
}

bool sockets_have_connection(const struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	uint32_t first = p->ledger.svc[i].first_listen;

	for (uint32_t k = first; k < first + d->listen.n; k++) {
		struct pollfd f = { .fd = p->ledger.listen[k], .events = POLLIN };

		/* Or POLLHUP: the service has ended the listening, and epoll would wake us for it as well. */
		if (poll(&f, 1, 0) == 1)
			return true;
	}
	return false;
}

void sockets_unwatch(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	uint32_t first = svc_of(p, i)->first_listen;

	for (uint32_t k = first; k < first + d->listen.n; k++)
		loop_remove(&p->loop, &p->listen_src[k]);
}

unsigned sockets_pass(struct prior *p, uint32_t i, int *pass, unsigned max, char *names, size_t size)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	const struct plan_listen *l = PLAN_FIRST(&p->plan, d->listen, struct plan_listen);
	struct text t = { .at = names, .size = size };
	unsigned n = 0;

	names[0] = '\0';
	if (d->base.n && l->number)	/* as its input and output instead */
		return 0;
	for (; n < d->listen.n && n < max; n++) {
		/* What is yet to be made in the cell (step_cell_sockets) has its place kept. */
		pass[n] = l[n].in_cell ? p->ledger.head->plan_fd : p->ledger.listen[svc_of(p, i)->first_listen + n];
		text_add(&t, n ? ":" : "");
		text_add(&t, plan_str(&p->plan, l[n].name));
	}
	return n;
}

static bool same_text(const struct prior *p, struct plan_ref a, const struct prior *q, struct plan_ref b)
{
	return a.n == b.n && !strcmp(plan_str(&p->plan, a), plan_str(&q->plan, b));
}

/* A mode or an owner is the file's, which nobody but its maker should change under others; a backlog can change. */
static bool is_same(const struct prior *p, const struct plan_listen *a, const struct prior *q,
		    const struct plan_listen *b)
{
	struct plan_listen x = *a, y = *b;

	if ((x.activate == ACTIVATE_CONNECTION) != (y.activate == ACTIVATE_CONNECTION))
		return false;		/* whether it blocks is another matter then */
	x.name = x.path = x.device = y.name = y.path = y.device = (struct plan_ref){ 0 };
	x.backlog = y.backlog = x.activate = y.activate = 0;
	return !memcmp(&x, &y, sizeof x) && same_text(p, a->path, q, b->path) &&
	       same_text(p, a->device, q, b->device);
}

/* Few sockets each: at most 16 on either side. */
static void carry_of(struct prior *p, uint32_t i, struct prior *q, uint32_t k)
{
	const struct plan_service *from = plan_service(&p->plan, i), *to = plan_service(&q->plan, k);
	const struct plan_listen *a = PLAN_FIRST(&p->plan, from->listen, struct plan_listen);
	const struct plan_listen *b = PLAN_FIRST(&q->plan, to->listen, struct plan_listen);
	const int32_t *have = p->ledger.listen + svc_of(p, i)->first_listen;
	int32_t *slot = q->ledger.listen + svc_of(q, k)->first_listen;

	for (uint32_t y = 0; y < to->listen.n; y++)
		for (uint32_t x = 0; x < from->listen.n && slot[y] < 0; x++)
			if (have[x] >= 0 && is_same(p, a + x, q, b + y))
				slot[y] = have[x];
}

void sockets_carry(struct prior *p, struct prior *q, const uint32_t *to_old)
{
	for (uint32_t k = 0; k < q->plan.head->services.n; k++)
		if (to_old[k] < p->n)
			carry_of(p, to_old[k], q, k);
}

static void close_one(const struct prior *p, const struct plan_listen *l, int32_t *slot)
{
	struct linger none = { 0 };

	if (*slot < 0)
		return;
	/* A service may have made a connection of it that lingers; that would hold up our end. */
	setsockopt(*slot, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	bind_remove_file(&p->plan, l, *slot);
	fd_drop(slot);
}

/* Whether service k of q has taken this descriptor over; then its backlog is q's, too. */
static bool is_carried(const struct prior *q, uint32_t k, int fd)
{
	const struct plan_service *d = k < q->n ? plan_service(&q->plan, k) : NULL;
	const struct plan_listen *l = d ? PLAN_FIRST(&q->plan, d->listen, struct plan_listen) : NULL;

	for (uint32_t y = 0; d && y < d->listen.n; y++)
		if (q->ledger.listen[q->ledger.svc[k].first_listen + y] == fd) {
			if (listen_rows[l[y].kind].connects)
				listen(fd, (int)l[y].backlog);
			return true;
		}
	return false;
}

void sockets_close_left(struct prior *p, const struct prior *q, const uint32_t *to_new)
{
	for (uint32_t i = 0; i < p->n; i++) {
		const struct plan_service *d = plan_service(&p->plan, i);
		const struct plan_listen *l = PLAN_FIRST(&p->plan, d->listen, struct plan_listen);
		int32_t *slot = p->ledger.listen + svc_of(p, i)->first_listen;

		for (uint32_t x = 0; x < d->listen.n; x++)
			if (slot[x] >= 0 && !is_carried(q, to_new[i], slot[x]))
				close_one(p, l + x, &slot[x]);
	}
}

void sockets_drop(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	const struct plan_listen *l = PLAN_FIRST(&p->plan, d->listen, struct plan_listen);
	int32_t *slot = p->ledger.listen + svc_of(p, i)->first_listen;

	sockets_unwatch(p, i);
	for (uint32_t k = 0; k < d->listen.n; k++)
		close_one(p, l + k, &slot[k]);
}

void sockets_close_all(struct prior *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		sockets_drop(p, i);
}
