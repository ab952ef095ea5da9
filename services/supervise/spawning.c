/* Keeping a spawner, and asking it: see spawning.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/spawning.h"
#include "init/base/pidfd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/supervise/stop.h"
#include "services/supervise/reap.h"
#include <errno.h>
#include <sys/socket.h>

#define SILENT_MS 3000		/* the first word of a start takes milliseconds; this is a disk that does not answer */
#define AGAIN_MS 200		/* before the next one, when the last could not be made or did not last */
#define SHORT_LIVES 5		/* so many spawners that died at once: what waits for the next would wait for ever */
#define REQUEST_ROOM 2048	/* bytes that the kernel counts for a request; all services may start at once */

static int make_socket(struct prior *p, struct err *e)
{
	struct ledger_head *h = p->ledger.head;
	const int room = (int)(p->n * REQUEST_ROOM);
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "spawner: socket");
	fd_put(&h->spawner_fd, pair[0]);
	fd_put(&h->spawner_peer_fd, pair[1]);
	/* May be refused, and need not be granted: what finds no room is cloned by PID 1 itself. */
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	return 0;
}

static int make_spawner(struct prior *p, struct err *e)
{
	struct ledger_head *h = p->ledger.head;
	struct clone_args a = { .exit_signal = SIGCHLD };
	const int sock = h->spawner_peer_fd;	/* a child cannot see the ledger */
	const pid_t pid = sys_clone3(&a);

	if (pid < 0)
		return err_sys(e, "spawner: fork");
	if (pid == 0)
		spawner_life(&p->plan, sock);
	h->spawner_pid = pid;
	if (!h->settled)	/* one after the other, without a switch for each */
		sys_batch(pid, true);
	p->spawner_since_ms = p->spawner_heard_ms = p->loop.now.ms;
	p->spawner_killed = false;
	reap_add(p, pid, 0, PID_SPAWNER);
	return 0;
}

static void look_again(struct prior *p, int64_t in_ms)
{
	loop_timer_set(&p->loop, p->n + TIMER_SPAWNER, in_ms ? p->loop.now.ms + in_ms : 0);
}

static void make_or_later(struct prior *p)
{
	struct err e;

	p->spawner_rests = false;
	if ((p->ledger.head->spawner_fd >= 0 || make_socket(p, &e) == 0) && make_spawner(p, &e) == 0) {
		look_again(p, p->nasked ? SILENT_MS : SPAWNER_REST_MS);
		return;
	}
	prior_say(p, "error", "spawner-failed", NULL, e.text);
	look_again(p, AGAIN_MS);
}

void spawning_begin(struct prior *p)
{
	if (p->ledger.head->mode != MODE_RUN)	/* one service, whose start is worth no further process */
		make_or_later(p);
}

/* The old one does what it has been asked and ends, because nobody holds the other end of its socket any more. */
void spawning_renew(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	h->spawner_pid = 0;
	fd_drop(&h->spawner_fd);
	fd_drop(&h->spawner_peer_fd);
	spawning_begin(p);
}

void spawning_resume(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	for (uint32_t i = 0; i < p->n; i++) {
		const struct ledger_svc *s = svc_of(p, i);

		p->run[i].asked = s->report_fd >= 0 && !s->pid && !s->builder;
		p->nasked += p->run[i].asked;
	}
	if (h->spawner_pid > 0)
		reap_add(p, h->spawner_pid, 0, PID_SPAWNER);
	spawning_renew(p);	/* the program of the old one is the last PID 1's */
}

int spawning_ask(struct prior *p, uint32_t i, const struct cell_start *c, int *report, struct err *e)
{
	const struct ledger_head *h = p->ledger.head;
	/* An OCI runtime's own start takes so long that a copy of our tables does not matter. */
	const bool by_itself = plan_service(&p->plan, i)->runtime_kind;
	int pair[2];

	if (p->spawner_rests && !by_itself)
		make_or_later(p);
	if (h->spawner_fd < 0 || h->spawner_pid <= 0 || by_itself)
		return err_set(e, ESRCH, "no spawner");
	/* A pipe: it is made and ended in half the time of a pair of sockets, and a report is one write. */
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, "report pipe");
	owned_fd ours = pair[0], theirs = pair[1];

	if (spawner_ask(h->spawner_fd, c, theirs, e) < 0)
		return -e->code;
	*report = fd_take(&ours);
	spawning_waits(p, i);
	return 0;
}

void spawning_waits(struct prior *p, uint32_t i)
{
	if (p->run[i].asked)
		return;
	p->run[i].asked = 1;
	if (p->nasked++ == 0) {
		p->spawner_heard_ms = p->loop.now.ms;
		look_again(p, SILENT_MS);
	}
}

void spawning_answered(struct prior *p, uint32_t i)
{
	if (!p->run[i].asked)
		return;
	p->run[i].asked = 0;
	p->spawner_heard_ms = p->loop.now.ms;
	if (--p->nasked == 0 && p->ledger.head->spawner_pid > 0)
		look_again(p, SPAWNER_REST_MS);
}

/* The last ones, too: after a reload or an exec it may be one of those that is stuck with what it was asked for. */
static void kill_spawners(const struct prior *p)
{
	for (uint32_t at = 0; at <= p->pid_mask; at++)
		if (p->pids[at].pid && p->pids[at].role == PID_SPAWNER)
			kill(p->pids[at].pid, SIGKILL);
}

/* All that it was asked for has long begun. Its memory is worth more than a fork of ours, with the next start. */
static void end_for_now(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	p->spawner_rests = true;
	kill(h->spawner_pid, SIGKILL);
	h->spawner_pid = 0;
}

void spawning_timer(struct prior *p)
{
	const int64_t silent = p->loop.now.ms - p->spawner_heard_ms;

	if (p->ledger.head->spawner_pid <= 0) {
		make_or_later(p);
	} else if (p->nasked && silent >= SILENT_MS) {
		prior_say(p, "warning", "spawner-stuck", NULL,
			  "no start has begun for three seconds; another one takes over");
		p->spawner_killed = true;	/* what it has cloned goes on; the next one reads what it has not */
		kill_spawners(p);
		look_again(p, SILENT_MS);
	} else if (p->nasked) {
		look_again(p, SILENT_MS - silent);
	} else {
		end_for_now(p);
	}
}

void spawning_ended(struct prior *p, int pid, uint8_t exit_kind, int status)
{
	char why[80];
	struct text t = TEXT_IN(why);

	if (pid != p->ledger.head->spawner_pid)	/* one that is not needed any more */
		return;
	p->ledger.head->spawner_pid = 0;
	if (p->spawner_closing)
		return;
	if (!p->spawner_killed) {
		exit_text(&t, exit_kind, status);
		prior_say(p, "warning", "spawner-restarted", NULL, why);
	}
	if (p->spawner_killed || p->loop.now.ms - p->spawner_since_ms >= AGAIN_MS) {
		p->spawner_short = 0;
		make_or_later(p);
		return;
	}
	if (++p->spawner_short >= SHORT_LIVES) {	/* the starts that were asked for fail now */
		fd_drop(&p->ledger.head->spawner_fd);
		fd_drop(&p->ledger.head->spawner_peer_fd);
	}
	look_again(p, (int64_t)AGAIN_MS << (p->spawner_short < 8 ? p->spawner_short : 8));
}

void spawning_settled(struct prior *p)
{
	if (p->ledger.head->spawner_pid > 0)
		sys_batch(p->ledger.head->spawner_pid, false);
}

void spawning_close(struct prior *p)
{
	const pid_t pid = p->ledger.head->spawner_pid;

	p->spawner_closing = true;
	if (pid <= 0)
		return;
	pidfd_end(pid);
	p->ledger.head->spawner_pid = 0;
}
