/* Pipes to the logger, and the logger's life: see streams.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/streams.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/spec/spec.h"
#include "services/supervise/helper.h"
#include "services/supervise/reap.h"
#include "services/supervise/stop.h"
#include <fcntl.h>
#include <string.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define DRAIN_MS 3000		/* at the end, the logger may take this long to empty the pipes */
#define KILL_MS 1000		/* a process that SIGKILL has not ended by then sleeps in the kernel */
#define WAIT_MS 250		/* who has filled a pipe is not held for longer, however idle the machine */
#define EVENT_PIPE (1 << 20)	/* all that a thousand services say when they start at once */

/* Both ends non-blocking would be wrong: a service expects a blocking stdout. Only our own end of the event pipe is. */
static int make_pipe(int32_t *rd, int32_t *wr, struct err *e)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) < 0)
		return err_sys(e, "log pipe");
	/*
	 * For who opens /dev/stdout or /dev/stderr, whatever uid it has: only who has the pipe finds the way. Not for
	 * reading: what is written is the logger's.
	 */
	if (fchmod(fd[1], 0222) < 0) {
		fd_drop(&fd[0]);
		fd_drop(&fd[1]);
		return err_sys(e, "log pipe: mode");
	}
	*rd = fd[0];
	*wr = fd[1];
	return 0;
}

static void drop_socket(struct prior *p)
{
	loop_remove(&p->loop, &p->logger_src);
	fd_drop(&p->ledger.head->logger_fd);
	p->logger_has_events = p->logger_full = false;
	while (p->logs_sent > 0)
		p->run[p->log_order[--p->logs_sent]].sent = 0;
}

static int send_some(struct prior *p, struct err *e)
{
	struct logger_add a[LOGGER_BATCH] = { 0 };
	int ends[LOGGER_BATCH];
	unsigned n = 0;

	while (n < LOGGER_BATCH && p->logs_sent + n < p->nlogs) {
		const uint32_t i = p->log_order[p->logs_sent + n];
		const struct plan_service *d = plan_service(&p->plan, i);
		struct logger_add *to = a + n;

		*to = (struct logger_add){ .sink = d->log_sink, .max_files = d->log_max_files,
					   .max_bytes = d->log_max_bytes, .forward = d->log_forward,
					   .facility = d->log_facility, .level = d->log_level };
		text_copy(to->name, sizeof to->name, svc_name(p, i));
		text_copy(to->identifier, sizeof to->identifier, plan_str(&p->plan, d->log_identifier));
		text_copy(to->socket, sizeof to->socket, plan_str(&p->plan, d->log_socket));
		ends[n++] = svc_of(p, i)->log_rd;
	}
	const int rc = logger_send(p->ledger.head->logger_fd, a, ends, n, e);

	for (; rc == 0 && n > 0; n--)
		p->run[p->log_order[p->logs_sent++]].sent = 1;
	return rc;
}

/* The logger is told of ends; one that it could not be told is told with the next that it reads. */
static int send_ends(struct prior *p)
{
	struct err e;
	int rc = 0;

	for (uint32_t k = 0; p->nended && rc == 0 && k < p->logs_sent; k++) {
		uint32_t i = p->log_order[k];

		if (!p->run[i].ended)
			continue;
		rc = logger_flush(p->ledger.head->logger_fd, svc_name(p, i), &e);
		if (rc == 0) {
			p->run[i].ended = 0;
			p->nended--;
		}
	}
	return rc;
}

static void flush(struct prior *p);

static void logger_hangs(struct prior *p);

static void on_logger(void *ctx, uint32_t arg, uint32_t events)
{
	struct prior *p = ctx;
	char word;

	(void)arg;
	if (events & EPOLLIN && recv(p->ledger.head->logger_fd, &word, 1, MSG_DONTWAIT) == 1) {
		if (word == *LOGGER_HUNG)
			logger_hangs(p);
		return;
	}
	/* It is gone: its exit brings the next one. */
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		loop_remove(&p->loop, &p->logger_src);
		return;
	}
	p->logger_full = false;
	loop_change(&p->loop, p->logger_src, EPOLLIN, &(struct err){ 0 });
	flush(p);
}

/* Send what the logger does not have yet, until it stops reading. */
static void flush(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;
	struct err e;
	int rc = 0;

	if (h->logger_fd >= 0 && !p->logger_src) {	/* another plan has another loop */
		int src = loop_add(&p->loop, h->logger_fd, EPOLLIN, on_logger, 0, &e);

		p->logger_src = src < 0 ? 0 : (uint32_t)src;
	}
	if (h->logger_fd < 0 || p->logger_full)
		return;
	if (!p->logger_has_events) {
		struct logger_add a = { .name = "prior", .sink = SINK_AUTO, .max_files = 4, .max_bytes = 1 << 20 };

		rc = logger_send(h->logger_fd, &a, &h->event_rd, 1, &e);
		p->logger_has_events = rc == 0;
	}
	while (rc == 0 && p->logs_sent < p->nlogs)
		rc = send_some(p, &e);
	if (rc == 0)
		rc = send_ends(p);
	if (rc == -EAGAIN) {
		p->logger_full = p->logger_src &&
				 loop_change(&p->loop, p->logger_src, EPOLLIN | EPOLLOUT, &e) == 0;
	} else if (rc < 0) {
		drop_socket(p);	/* it is gone; its exit brings the next one */
	} else if (p->logger_closing) {
		drop_socket(p);	/* all is sent: it drains and ends */
	}
}

static void add_to_order(struct prior *p, uint32_t i)
{
	if (!p->run[i].logged)
		p->log_order[p->nlogs++] = i;
	p->run[i].logged = 1;
}

int stream_open(struct prior *p, uint32_t i, struct err *e)
{
	i = p->run[i].base ? p->run[i].base - 1 : i;
	struct ledger_svc *s = svc_of(p, i);
	LEDGER_WRITE(s);

	if (s->log_wr >= 0 || p->ledger.head->mode == MODE_RUN)
		return 0;
	if (make_pipe(&s->log_rd, &s->log_wr, e) < 0)
		return -e->code;
	add_to_order(p, i);
	if (p->nlogs - p->logs_sent >= LOGGER_BATCH)	/* else at the end of the turn: streams_flush() */
		flush(p);
	return 0;
}

void stream_ended(struct prior *p, uint32_t i)
{
	if (!p->run[i].logged)
		return;
	p->nended += !p->run[i].ended;
	p->run[i].ended = 1;
	flush(p);
}

static void start_later(struct prior *p)
{
	helper_later(p, &p->logger_life, TIMER_LOGGER);
}

/*
 * The logger sleeps in a call that the disk does not answer, and dies when that ends, if ever. Nobody waits for it:
 * another one keeps the lines in memory meanwhile.
 */
static void logger_hangs(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	if (h->logger_pid <= 0 || h->logger_hung_pid > 0)
		return;
	kill(h->logger_pid, SIGKILL);
	h->logger_hung_pid = h->logger_pid;
	h->logger_pid = 0;
	ledger_seal_head(&p->ledger);
	drop_socket(p);
	if (p->logger_closing) {	/* what is in the pipes still gets into memory */
		p->finished = true;
		return;
	}
	prior_say(p, "error", "logs-hang", NULL,
		  "the folder of the log files does not answer; lines are kept in memory until it does");
	streams_logger_start(p);
}

/* One that was to end, and has had its time: it is killed; one that survives even that hangs. */
static void end_slow_logger(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	if (!p->logger_killed && kill(h->logger_pid, SIGKILL) == 0) {
		p->logger_killed = true;
		loop_timer_set(&p->loop, p->n + TIMER_LOGGER, p->loop.now.ms + KILL_MS);
	} else {
		p->logger_killed = false;
		logger_hangs(p);
	}
}

/* The disk has answered: files again. */
static void hung_logger_ended(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	h->logger_hung_pid = 0;
	ledger_seal_head(&p->ledger);
	if (p->logger_closing)
		return;
	prior_say(p, "info", "logs-answer", NULL, "the folder of the log files answers again; lines go there");
	if (h->logger_pid <= 0)
		return;
	p->logger_replaced = true;
	drop_socket(p);		/* the one without files puts away what it has, and ends */
	loop_timer_set(&p->loop, p->n + TIMER_LOGGER, p->loop.now.ms + DRAIN_MS);
}

void streams_logger_start(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;
	struct logger_setup s = { .console = h->echo, .json = h->json };
	int pid, sock;
	struct err e;

	if (h->logger_pid > 0 && !p->logger_closing)
		return end_slow_logger(p);
	if (p->logger_closing) {	/* it took too long to drain; its exit finishes, or the next time here */
		p->finished = h->logger_pid <= 0 || p->logger_killed || kill(h->logger_pid, SIGKILL) < 0;
		p->logger_killed = true;
		loop_timer_set(&p->loop, p->n + TIMER_LOGGER, p->loop.now.ms + DRAIN_MS);
		return;
	}
	text_copy(s.run_dir, sizeof s.run_dir, h->run_dir);
	text_copy(s.log_dir, sizeof s.log_dir, h->logger_hung_pid ? "" : h->log_dir);
	if (logger_start(h->exe_fd, FD_NONE, &s, h->console_fd, &pid, &sock, &e) < 0) {
		prior_say(p, "error", "logger-failed", NULL, e.text);
		start_later(p);
		return;
	}
	fd_put(&h->logger_fd, sock);
	h->logger_pid = pid;
	p->logger_life.since_ms = p->loop.now.ms;
	ledger_seal_head(&p->ledger);
	reap_add(p, pid, 0, PID_LOGGER);
	flush(p);
}

void streams_settled(struct prior *p)
{
	const struct ledger_head *h = p->ledger.head;

	if (h->mode == MODE_RUN || h->logger_pid > 0 || p->logger_life.since_ms)
		return;
	loop_timer_set(&p->loop, p->n + TIMER_LOGGER, 0);
	streams_logger_start(p);
}

int streams_begin(struct prior *p, struct err *e)
{
	struct ledger_head *h = p->ledger.head;

	if (h->mode == MODE_RUN)	/* its streams are the caller's, and nobody reads events */
		return 0;
	if (make_pipe(&h->event_rd, &h->event_wr, e) < 0)
		return -e->code;
	if (fcntl(h->event_wr, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "event pipe");
	/* The kernel takes memory for what is in it only. A user's quota of pipe buffers may be used up: then less. */
	for (int size = EVENT_PIPE; size > 1 << 16 && fcntl(h->event_wr, F_SETPIPE_SZ, size) < 0;)
		size /= 2;
	if (h->mode == MODE_MACHINE)	/* nobody else wants to run when all is up: what is said meanwhile waits */
		loop_timer_set(&p->loop, p->n + TIMER_LOGGER, p->loop.now.ms + WAIT_MS);
	else
		streams_logger_start(p);
	return 0;
}

void streams_resume(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	for (uint32_t i = 0; i < p->n; i++)
		if (svc_of(p, i)->log_wr >= 0)
			add_to_order(p, i);
	if (h->mode == MODE_RUN)
		return;
	/* Which streams it has we cannot know: a second copy of a pipe's reading end would be harmless, a missing one
	 * not. A new logger knows nothing and is told everything; nothing is lost, because the pipes are ours. */
	drop_socket(p);
	if (h->logger_hung_pid > 0)
		reap_add(p, h->logger_hung_pid, 0, PID_LOGGER);
	if (h->logger_pid > 0) {
		reap_add(p, h->logger_pid, 0, PID_LOGGER);
		p->logger_replaced = true;
		loop_timer_set(&p->loop, p->n + TIMER_LOGGER, p->loop.now.ms + DRAIN_MS);
	} else {
		streams_logger_start(p);
	}
}

void streams_logger_ended(struct prior *p, int pid, uint8_t exit_kind, int status)
{
	struct ledger_head *h = p->ledger.head;
	char why[80];
	struct text t = TEXT_IN(why);

	if (pid == h->logger_hung_pid)
		return hung_logger_ended(p);
	h->logger_pid = 0;
	p->logger_killed = false;
	drop_socket(p);
	if (p->logger_replaced && !p->logger_closing) {
		p->logger_replaced = false;
		loop_timer_set(&p->loop, p->n + TIMER_LOGGER, 0);
		return streams_logger_start(p);
	}
	if (p->logger_closing) {
		p->finished = true;
		return;
	}
	exit_text(&t, exit_kind, status);
	h->logger_restarts++;
	prior_say(p, "warning", "logger-restarted", NULL, why);
	helper_ended(p, &p->logger_life);
	start_later(p);
}

void streams_carry(const struct prior *p, struct prior *q, const uint32_t *to_old)
{
	q->logger_replaced = p->logger_replaced;
	q->logger_killed = p->logger_killed;
	q->logger_has_events = p->logger_has_events;
	q->logger_life = p->logger_life;
	/* What it has and what is as it was comes first. A stream that is sent a second time replaces the first. */
	for (int known = 1; known >= 0; known--) {
		for (uint32_t k = 0; k < q->n; k++) {
			uint32_t i = to_old[k];
			bool sent = q->run[k].logged && p->run[i].sent &&
				    plan_service(&p->plan, i)->hash == plan_service(&q->plan, k)->hash;

			if (!q->run[k].logged || sent != known)
				continue;
			q->run[k].sent = sent;
			q->nended += q->run[k].ended;
			q->log_order[q->nlogs++] = k;
		}
		if (known)
			q->logs_sent = q->nlogs;
	}
}

void streams_flush(struct prior *p)
{
	if (p->logs_sent < p->nlogs || p->nended)
		flush(p);
}

void streams_close(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	if (p->logger_closing)
		return;
	streams_flush(p);
	if (h->logger_pid == 0 && (p->nlogs || !p->logger_life.since_ms))
		streams_logger_start(p);	/* what is in the pipes is still to be read */
	p->logger_closing = true;
	loop_timer_set(&p->loop, p->n + TIMER_LOGGER, p->loop.now.ms + DRAIN_MS);
	if (h->logger_pid == 0)
		p->finished = true;
	else if (!p->logger_full)
		drop_socket(p);
}
