/* Binding the endpoint's address, keeping its helper, answering its one question: see endpoint.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/endpoint.h"
#include "init/base/pass.h"
#include "init/base/pidfd.h"
#include "init/base/text.h"
#include "services/cell/bind.h"
#include "services/http/http.h"
#include "services/supervise/helper.h"
#include "services/supervise/reap.h"
#include "services/supervise/server.h"
#include "services/supervise/stop.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define BACKLOG 128
#define PAUSE_MS 20		/* after each answer; it asks every HTTP_FRESH_MS at most */
#define ROWS 16			/* written at once */

/* What the command line says goes for all configurations; family 0: it says nothing, and the plan may. */
static struct plan_listen wanted(const struct prior *p)
{
	const struct ledger_head *h = p->ledger.head;
	const struct plan_ref r = p->plan.head->metrics;

	if (h->http_addr.family)
		return (struct plan_listen){ .kind = LISTEN_TCP, .addr = h->http_addr, .port = h->http_port,
					     .backlog = BACKLOG, .flags = LISTEN_F_FREEBIND };
	return r.n ? *PLAN_FIRST(&p->plan, r, struct plan_listen) : (struct plan_listen){ .addr.family = 0 };
}

static bool is_same(const struct plan_listen *a, const struct plan_listen *b)
{
	return a->port == b->port && !memcmp(&a->addr, &b->addr, sizeof a->addr);
}

static int bind_it(const struct prior *p, const struct plan_listen *l, int32_t *slot, struct err *e)
{
	int fd;

	if (!l->addr.family)
		return 0;
	if (bind_socket(&p->plan, l, &fd, e) < 0)
		return err_in(e, "machine.metrics");
	fcntl(fd, F_SETFL, O_NONBLOCK);	/* shared with the helper alone, which waits for nobody */
	*slot = fd;
	return 0;
}

/* --- what the helper may know of the plan: names --- */

struct row_writer {
	struct http_row rows[ROWS];
	unsigned n;
	int fd;
	bool failed;
};

static void flush_rows(struct row_writer *w)
{
	const ssize_t size = (ssize_t)(w->n * sizeof *w->rows);

	w->failed |= size && write(w->fd, w->rows, (size_t)size) != size;
	w->n = 0;
}

static void add_row(struct row_writer *w, const char *name, uint32_t index, bool confined)
{
	struct http_row *r = &w->rows[w->n++];

	*r = (struct http_row){ .index = index, .confined = confined };
	text_copy(r->name, sizeof r->name, name);
	if (w->n == ROWS)
		flush_rows(w);
}

/* All services but slots, which come and go with connections; and who was refused. */
static int make_rows(struct prior *p, int *out, struct err *e)
{
	const struct plan *pl = &p->plan;
	owned_fd fd = memfd_create("endpoint", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct row_writer w = { .fd = fd };

	if (fd < 0)
		return err_sys(e, "endpoint: names of services");
	for (uint32_t i = 0; i < p->n; i++)
		if (!plan_service(pl, i)->base.n)
			add_row(&w, svc_name(p, i), i, plan_service(pl, i)->flags & CELL_ATTEST);
	PLAN_EACH(struct plan_refused, r, pl, pl->head->refused)
		add_row(&w, plan_str(pl, r->name), UINT32_MAX, true);
	flush_rows(&w);
	if (w.failed || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return err_sys(e, "endpoint: names of services");
	*out = fd_take(&fd);
	return 0;
}

/* Made when it is first asked for; another plan has others. */
static void answer(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;
	const char byte = HTTP_ASK;
	struct err e;
	int rows = FD_NONE;

	if (h->http_rows_fd < 0 && make_rows(p, &rows, &e) == 0)
		h->http_rows_fd = rows;
	if (h->ledger_ro_fd < 0)
		server_open_ledger(p);
	const int fds[2] = { h->ledger_ro_fd, h->http_rows_fd };

	/* Without an answer the helper says that we do not live, which is as good as true. */
	if (fds[0] >= 0 && fds[1] >= 0)
		pass_send_many(h->http_fd, &byte, 1, fds, 2, MSG_DONTWAIT);
}

/* --- the helper --- */

static void on_helper(void *ctx, uint32_t arg, uint32_t events)
{
	struct prior *p = ctx;
	char word[HTTP_TELL_MAX + 1];
	const ssize_t n = recv(p->ledger.head->http_fd, word, sizeof word - 1, MSG_DONTWAIT);

	(void)arg, (void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {		/* its end is reaped */
		loop_remove(&p->loop, &p->endpoint_src);
		return;
	}
	word[n] = '\0';
	/* Whoever has taken it over may talk without end: it is heard fifty times a second, and no more. */
	loop_remove(&p->loop, &p->endpoint_src);
	loop_timer_set(&p->loop, p->n + TIMER_ENDPOINT, p->loop.now.ms + PAUSE_MS);
	if (word[0] == HTTP_ASK) {
		answer(p);
	} else if (word[0] == HTTP_TELL && !p->endpoint_told) {
		char why[HTTP_TELL_MAX + 40];
		struct text t = TEXT_IN(why);

		p->endpoint_told = true;
		text_tame(word);
		text_fmt(&t, "it runs without: %s", word + 1);
		prior_say(p, "info", "endpoint", NULL, why);
	}
}

int endpoint_watch(struct prior *p, struct err *e)
{
	int rc = p->ledger.head->http_fd < 0 || p->endpoint_src ? 0 :
		 loop_add(&p->loop, p->ledger.head->http_fd, EPOLLIN, on_helper, 0, e);

	if (rc > 0)
		p->endpoint_src = (uint32_t)rc;
	return rc < 0 ? rc : 0;
}

/* Its end of the socket is the last one: it reads the end of file, and goes. */
static void let_go(struct prior *p)
{
	loop_remove(&p->loop, &p->endpoint_src);
	fd_drop(&p->ledger.head->http_fd);
}

static void start_later(struct prior *p)
{
	helper_later(p, &p->endpoint_life, TIMER_ENDPOINT);
}

void endpoint_start(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;
	const int listener = h->http_listen_fd, exe = h->exe_fd;	/* a child cannot see the ledger */
	const int cgroup = h->cgroup_fd;
	int pid, sock;
	struct err e;

	loop_timer_set(&p->loop, p->n + TIMER_ENDPOINT, 0);
	if (h->http_pid > 0 && endpoint_watch(p, &e) < 0)
		prior_say(p, "error", "endpoint", NULL, e.text);
	if (listener < 0 || h->http_pid > 0)
		return;
	if (http_start(exe, listener, cgroup, &pid, &sock, &e) < 0) {
		prior_say(p, "error", "endpoint", NULL, e.text);
		start_later(p);
		return;
	}
	fd_put(&h->http_fd, sock);
	h->http_pid = pid;
	p->endpoint_life.since_ms = p->loop.now.ms;
	ledger_seal_head(&p->ledger);
	reap_add(p, pid, 0, PID_ENDPOINT);
	if (endpoint_watch(p, &e) < 0) {
		prior_say(p, "error", "endpoint", NULL, e.text);
		let_go(p);
	}
}

void endpoint_ended(struct prior *p, int pid, uint8_t exit_kind, int status)
{
	struct ledger_head *h = p->ledger.head;
	char why[80];
	struct text t = TEXT_IN(why);

	if (pid != h->http_pid)
		return;
	h->http_pid = 0;
	if (h->http_fd < 0) {	/* it was sent away: the next one, if there is to be one */
		endpoint_start(p);
		return;
	}
	let_go(p);
	exit_text(&t, exit_kind, status);
	h->http_restarts++;
	prior_say(p, "warning", "endpoint-restarted", NULL, why);
	helper_ended(p, &p->endpoint_life);
	start_later(p);
}

int endpoint_begin(struct prior *p, struct err *e)
{
	const struct plan_listen l = wanted(p);

	return bind_it(p, &l, &p->ledger.head->http_listen_fd, e);
}

void endpoint_resume(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	let_go(p);
	if (h->http_pid > 0)
		reap_add(p, h->http_pid, 0, PID_ENDPOINT);
	else
		endpoint_start(p);
}

int endpoint_prepare(struct prior *p, struct prior *q, struct err *e)
{
	const struct plan_listen was = wanted(p), now = wanted(q);
	struct ledger_head *h = q->ledger.head;

	h->http_rows_fd = FD_NONE;
	if (is_same(&was, &now))
		return endpoint_watch(q, e);
	h->http_listen_fd = h->http_fd = FD_NONE;	/* the old ones are closed with the old plan */
	return bind_it(q, &now, &h->http_listen_fd, e);
}

void endpoint_drop(struct prior *p, struct prior *q)
{
	if (q->ledger.head && q->ledger.head->http_listen_fd != p->ledger.head->http_listen_fd)
		fd_drop(&q->ledger.head->http_listen_fd);
}

void endpoint_commit(struct prior *old, struct prior *now)
{
	struct ledger_head *h = old->ledger.head;

	fd_drop(&h->http_rows_fd);
	if (h->http_listen_fd == now->ledger.head->http_listen_fd)
		return;
	fd_drop(&h->http_listen_fd);
	fd_drop(&h->http_fd);
	if (now->ledger.head->http_pid > 0)	/* it may not go by itself, and has a copy of the old socket */
		kill(now->ledger.head->http_pid, SIGKILL);
	endpoint_start(now);	/* or when the old one has gone */
}

void endpoint_end(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	pidfd_end(h->http_pid);
	h->http_pid = 0;
	let_go(p);
	fd_drop(&h->http_listen_fd);
	fd_drop(&h->http_rows_fd);
}
