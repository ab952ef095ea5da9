/* Accepting, choosing a slot, and what follows from a slot's end: see connections.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/connections.h"
#include "init/base/text.h"
#include "services/supervise/sockets.h"
#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ACCEPTS_A_TURN 16	/* of one socket: others have their turn, too */
#define AGAIN_MS 500		/* after an accept that failed for want of something */
#define SAY_AGAIN_MS 1000	/* who floods a base does not flood the events */

static struct ledger_conn *conn_of(struct prior *p, uint32_t slot)
{
	return &p->ledger.conn[p->run[slot].conn - 1];
}

/* --- sources: an IPv4 address, an IPv6 network of 64 bits, a user, a machine --- */

static bool same_source(const struct ledger_conn *a, const struct ledger_conn *b)
{
	const size_t n = a->family == AF_INET6 ? 8 : a->family == AF_INET ? 4 : 0;

	return a->family == b->family && a->id == b->id && !memcmp(a->ip, b->ip, n);
}

static uint32_t *chain_of(struct prior *p, const struct ledger_conn *k)
{
	uint64_t h = p->source_seed ^ ((uint64_t)k->family << 32 | k->id), ip = 0;

	memcpy(&ip, k->ip, k->family == AF_INET6 ? 8 : 4);
	h = (h ^ ip) * 0x9e3779b97f4a7c15ull;
	h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9ull;
	return &p->sources[(h >> 32) & p->source_mask];
}

/* How many of base i come from there; no more than `most` are counted. */
static uint32_t count_source(struct prior *p, uint32_t i, const struct ledger_conn *k, uint32_t most)
{
	uint32_t n = 0;

	for (uint32_t at = *chain_of(p, k); at && n < most; at = p->run[at - 1].next) {
		p->steps++;
		n += p->run[at - 1].base == i + 1 && same_source(k, conn_of(p, at - 1));
	}
	return n;
}

static void join_chain(struct prior *p, uint32_t slot)
{
	uint32_t *head = chain_of(p, conn_of(p, slot));

	p->run[slot].next = *head;
	*head = slot + 1;
}

static void leave_chain(struct prior *p, uint32_t slot)
{
	uint32_t *at = chain_of(p, conn_of(p, slot));

	while (*at && *at != slot + 1)
		at = &p->run[*at - 1].next;
	if (*at)
		*at = p->run[slot].next;
}

/* --- free slots --- */

static void give_back(struct prior *p, uint32_t slot)
{
	struct svc_run *base = &p->run[p->run[slot].base - 1];

	p->run[slot].next = base->free;
	p->run[slot].is_free = true;
	base->free = slot + 1;
}

/* NAME@1 is taken first. */
static void give_back_all(struct prior *p, uint32_t base)
{
	char name[PLAN_NAME_MAX + 1];

	for (uint32_t k = p->run[base].nconns; k > 0; k--) {
		struct text t = TEXT_IN(name);

		text_fmt(&t, "%s@%u", svc_name(p, base), k);
		const int slot = plan_find(&p->plan, name);

		if (slot >= 0 && p->run[slot].conn && conn_of(p, (uint32_t)slot)->family == 0)
			give_back(p, (uint32_t)slot);
	}
}

void connections_build(struct prior *p)
{
	if (getrandom(&p->source_seed, sizeof p->source_seed, GRND_NONBLOCK) < 0)
		p->source_seed = (uint64_t)mono_us() * 0x9e3779b97f4a7c15ull;
	for (uint32_t k = p->ledger.head->nconns; k-- > 0;) {
		const uint32_t slot = p->ledger.conn[k].service;
		struct svc_run *r = &p->run[slot], *base;

		r->conn = k + 1;
		r->base = PLAN_FIRST(&p->plan, plan_service(&p->plan, slot)->base, struct plan_dep)->service + 1;
		base = &p->run[r->base - 1];
		base->first_conn = k;	/* they are neighbours, as their names are */
		base->nconns++;
		if (p->ledger.conn[k].family) {
			base->nserved++;
			join_chain(p, slot);
		}
	}
	for (uint32_t i = 0; p->ledger.head->nconns && i < p->n; i++)
		if (svc_accepts(p, i))
			give_back_all(p, i);
}

/* --- accepting --- */

static void fill(struct ledger_conn *k, int fd, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	const struct sockaddr_vm *vm = (const struct sockaddr_vm *)from;
	const bool mapped = from->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
	struct ucred who = { 0 };
	socklen_t len = sizeof who;

	k->family = mapped ? AF_INET : from->ss_family;
	if (mapped)
		memcpy(k->ip, v6->sin6_addr.s6_addr + 12, 4);
	else if (k->family == AF_INET)
		memcpy(k->ip, &v4->sin_addr, 4);
	else if (k->family == AF_INET6)
		memcpy(k->ip, &v6->sin6_addr, 16);
	if (k->family == AF_INET || k->family == AF_INET6)
		k->port = ntohs(mapped || k->family == AF_INET6 ? v6->sin6_port : v4->sin_port);
	if (k->family == AF_VSOCK)
		k->id = vm->svm_cid;
	if (k->family == AF_UNIX && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0) {
		k->id = who.uid;
		k->pid = (uint32_t)who.pid;
	}
}

void connection_source(const struct ledger_conn *k, struct text *t)
{
	char ip[INET6_ADDRSTRLEN] = "?";

	if (k->family == AF_UNIX) {
		text_fmt(t, "uid %u", k->id);
	} else if (k->family == AF_VSOCK) {
		text_fmt(t, "cid %u", k->id);
	} else if (k->family) {
		inet_ntop(k->family, k->ip, ip, sizeof ip);
		text_add(t, ip);
	}
}

static void say_from(struct prior *p, const char *level, const char *name, uint32_t i, const struct ledger_conn *k,
		     const char *why)
{
	char from[64] = "";
	struct text t = TEXT_IN(from);
	struct event ev;

	connection_source(k, &t);
	event_begin(&ev, level, name, svc_name(p, i));
	event_str(&ev, "from", from);
	if (k->port)
		event_num(&ev, "port", k->port);
	if (why)
		event_str(&ev, "why", why);
	prior_event(p, &ev);
}

/* The first is told at once, from where it was; of further ones their number, once a second: svc_accept(). */
static void refuse(struct prior *p, uint32_t i, const struct ledger_conn *from)
{
	if (p->run[i].refused++)
		return;
	p->run[i].refused_ms = p->loop.now.ms;
	say_from(p, "warning", "connection-refused", i, from, "as many as one source may have are served");
	LEDGER_WRITE(svc_of(p, i));
	svc_timer(p, i, SAY_AGAIN_MS);
}

static void say_refused(struct prior *p, uint32_t i)
{
	struct svc_run *r = &p->run[i];
	const int64_t left = r->refused_ms + SAY_AGAIN_MS - p->loop.now.ms;
	struct event ev;

	if (!r->refused || left > 0) {
		svc_timer(p, i, r->refused ? left : 0);
		return;
	}
	if (r->refused > 1) {
		event_begin(&ev, "warning", "connections-refused", svc_name(p, i));
		event_num(&ev, "count", r->refused - 1);
		event_str(&ev, "why", "as many as one source may have are served");
		prior_event(p, &ev);
	}
	r->refused = r->refused > 1;	/* after a quiet second the next one is told at once again */
	r->refused_ms = p->loop.now.ms;
	svc_timer(p, i, r->refused ? SAY_AGAIN_MS : 0);
}

/* A free slot of base i, taken off the list; -1: there is none. */
static int take_slot(struct prior *p, uint32_t i)
{
	struct svc_run *base = &p->run[i];

	if (!base->free)
		return -1;
	const uint32_t slot = base->free - 1;

	base->free = p->run[slot].next;
	p->run[slot].is_free = false;
	return (int)slot;
}

static void serve(struct prior *p, uint32_t i, int *fd, const struct ledger_conn *from)
{
	const uint32_t slot = (uint32_t)take_slot(p, i);
	struct ledger_conn *k = conn_of(p, slot);

	*k = *from;
	k->service = slot;
	k->since_ms = p->loop.now.ms;
	fd_put(&p->ledger.listen[svc_of(p, slot)->first_listen], fd_take(fd));
	join_chain(p, slot);
	p->run[i].nserved++;
	say_from(p, "info", "connection", slot, k, NULL);
	svc_post(p, slot, EV_START);
}

/* Nobody looks at the sockets until a slot is free, or for a while: the loop would spin. */
static void look_away(struct prior *p, uint32_t i, bool for_a_while)
{
	p->run[i].is_full = true;
	sockets_unwatch(p, i);
	LEDGER_WRITE(svc_of(p, i));
	svc_timer(p, i, for_a_while ? AGAIN_MS : p->run[i].refused ? SAY_AGAIN_MS : 0);
}

/* One connection. False: there is none now. */
static bool accept_one(struct prior *p, uint32_t i, int sock)
{
	const struct plan_connections *c = PLAN_FIRST(&p->plan, plan_service(&p->plan, i)->connections,
						      struct plan_connections);
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof from;
	struct ledger_conn k = { 0 };
	owned_fd fd = accept4(sock, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);
	struct err e;

	if (fd < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
		err_sys(&e, "accept a connection");
		prior_say(p, "warning", "accept-failed", svc_name(p, i), e.text);
		look_away(p, i, true);
		return false;
	}
	if (fd < 0)		/* it went away while it waited */
		return true;
	fill(&k, fd, &from);
	if (c->per_source < c->max && count_source(p, i, &k, c->per_source) >= c->per_source)
		refuse(p, i, &k);
	else
		serve(p, i, &fd, &k);
	return true;
}

/* A slot that is about to leave could be given to one that then nobody starts: they wait in the backlog. */
static bool awaits_reload(struct prior *p, uint32_t i)
{
	const uint32_t free = p->run[i].free;

	return p->reload.phase >= RELOAD_NETWORK || svc_of(p, i)->flags & SVC_F_LEAVING ||
	       (free && svc_of(p, free - 1)->flags & SVC_F_LEAVING);
}

void connections_accept(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	const uint32_t first = svc_of(p, i)->first_listen;

	if (awaits_reload(p, i)) {
		look_away(p, i, true);
		return;
	}
	for (uint32_t k = 0; k < d->listen.n; k++)
		for (unsigned n = 0; n < ACCEPTS_A_TURN && p->run[i].free && !p->run[i].is_full; n++)
			if (awaits_reload(p, i) || !accept_one(p, i, p->ledger.listen[first + k]))
				break;
	if (p->run[i].free || p->run[i].is_full)
		return;
	if (!p->run[i].full_ms || p->loop.now.ms - p->run[i].full_ms >= SAY_AGAIN_MS) {
		prior_say(p, "warning", "connections-full", svc_name(p, i),
			  "further connections wait until one has ended");
		p->run[i].full_ms = p->loop.now.ms;
	}
	look_away(p, i, false);
}

/* --- what a slot goes through --- */

void connections_prepare(struct prior *p, uint32_t i, struct cell_start *c, char from[CONNECTION_TEXT])
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct text t = { .at = from, .size = CONNECTION_TEXT };
	char ip[INET6_ADDRSTRLEN] = "";

	if (!d->base.n)
		return;
	const struct ledger_conn *k = conn_of(p, i);

	if (PLAN_FIRST(&p->plan, d->listen, struct plan_listen)->number) {
		c->stdin_fd = p->ledger.listen[svc_of(p, i)->first_listen];
		c->stdio = true;
	}
	if (k->family == AF_INET || k->family == AF_INET6) {
		inet_ntop(k->family, k->ip, ip, sizeof ip);
		text_fmt(&t, "REMOTE_ADDR=%s\nREMOTE_PORT=%u\n", ip, k->port);
	} else if (k->family == AF_UNIX) {
		text_fmt(&t, "REMOTE_UID=%u\nREMOTE_PID=%u\n", k->id, k->pid);
	} else {
		text_fmt(&t, "REMOTE_ADDR=%u\n", k->id);
	}
	c->vars = from;
}

/* Who closes last waits as long as SO_LINGER says, a service's word: PID 1 does not. */
void connections_given(struct prior *p, uint32_t i)
{
	static const struct linger at_once = { 0 };
	int *fd;

	if (!p->run[i].base)
		return;
	fd = &p->ledger.listen[svc_of(p, i)->first_listen];
	if (*fd >= 0)
		setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	fd_drop(fd);
}

void connections_moved(struct prior *p, uint32_t i)
{
	struct svc_run *r = &p->run[i];

	if (!r->base || r->is_free || !state_is_at_rest((enum svc_state)svc_of(p, i)->state))
		return;
	const uint32_t base = r->base - 1;

	connections_given(p, i);
	if (conn_of(p, i)->family) {
		leave_chain(p, i);
		p->run[base].nserved--;
	}
	*conn_of(p, i) = (struct ledger_conn){ .service = i };
	give_back(p, i);
	if (p->run[base].is_full && svc_of(p, base)->state == SVC_LISTENING)
		svc_post(p, base, EV_TIMEOUT);
}

enum svc_event svc_accept(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct err e;

	say_refused(p, i);
	if (p->run[i].is_full && !p->run[i].free)
		return EV_NONE;
	p->run[i].is_full = false;
	if (sockets_watch(p, i, &e) == 0)
		return EV_NONE;
	text_copy(s->why, sizeof s->why, e.text);
	return EV_REFUSED;
}

/* A new start of all is the end of those that there are. */
enum svc_event connections_event(struct prior *p, uint32_t i, enum svc_event ev)
{
	const enum svc_state st = (enum svc_state)svc_of(p, i)->state;

	if (ev == EV_RESTART)
		connections_stop(p, i);
	if (ev != EV_START && ev != EV_PULL && ev != EV_RESTART)
		return ev;
	if (st != SVC_LISTENING) {
		p->run[i].is_full = false;
		p->run[i].refused = 0;
	}
	return st == SVC_REFUSED && ev != EV_PULL ? EV_START : EV_LISTEN;
}

void connections_stop(struct prior *p, uint32_t i)
{
	const struct svc_run *r = &p->run[i];

	for (uint32_t k = r->first_conn; k < r->first_conn + r->nconns; k++)
		if (p->ledger.conn[k].family)
			svc_post(p, p->ledger.conn[k].service, EV_STOP);
}

/* --- over a reload and an exec --- */

void connections_carry(const struct prior *p, struct prior *q, const uint32_t *to_old)
{
	for (uint32_t k = 0; k < q->ledger.head->nconns; k++) {
		struct ledger_conn *to = &q->ledger.conn[k];
		const uint32_t slot = to->service, i = to_old[slot];

		if (i >= p->n || !p->run[i].conn || state_is_at_rest((enum svc_state)q->ledger.svc[slot].state))
			continue;
		*to = p->ledger.conn[p->run[i].conn - 1];
		to->service = slot;
	}
}

void connections_resume(struct prior *p, uint32_t i)
{
	const struct ledger_svc *s = svc_of(p, i);
	struct svc_run *r = &p->run[i];

	if (!r->base)
		return;
	if (s->report_fd >= 0 || s->pid || s->builder)
		connections_given(p, i);
	else if (!r->is_free && p->ledger.listen[s->first_listen] >= 0 && s->state == SVC_DOWN)
		svc_post(p, i, EV_START);	/* it was accepted, and no more */
	connections_moved(p, i);
}
