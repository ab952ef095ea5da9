/* The child that makes a plan between two, and when it is asked: see ahead.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/ahead.h"
#include "init/base/pass.h"
#include "init/base/sys.h"
#include "services/plan/between.h"
#include "services/supervise/reap.h"
#include <fcntl.h>
#include <sys/socket.h>

#define PAUSE_FIRST_MS 50	/* most stops are over by then, and one step is enough */
#define PAUSE_MOST_MS 5000
#define CHILD_S 60

/* The ledger is not in the child. */
static uint8_t leaving[PLAN_SERVICES_MAX];

static void look(struct prior *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		leaving[i] = !(svc_of(p, i)->flags & SVC_F_LEAVING) ? LEAVING_NOT :
			     state_is_at_rest((enum svc_state)svc_of(p, i)->state) ? LEAVING_AT_REST : LEAVING_ALIVE;
}

static _Noreturn void work(const struct prior *p, int sock)
{
	struct err why = { 0 };
	int fd = FD_NONE;

	sys_end_in(CHILD_S);
	plan_between(&p->plan, &p->reload.next, leaving, &fd, &why);
	pass_send(sock, &why, sizeof why, fd, 0);
	_exit(0);
}

static void forget_child(struct prior *p)
{
	loop_remove(&p->loop, &p->reload.socket_src);
	fd_drop(&p->reload.socket);
	if (p->reload.pid)
		kill(p->reload.pid, SIGKILL);	/* ours and not reaped; it has nothing left to do */
	p->reload.pid = 0;
	p->reload.said = false;
}

void ahead_forget(struct prior *p)
{
	forget_child(p);
	loop_timer_set(&p->loop, p->n + TIMER_RELOAD, 0);
	plan_unmap(&p->reload.between);
	fd_drop(&p->reload.between_fd);
}

void ahead_wait(struct prior *p)
{
	struct reloading *r = &p->reload;

	if (r->leaving == 0 || r->instances)	/* instances go only when they have come to rest */
		return;
	r->pause_ms = !r->pause_ms ? PAUSE_FIRST_MS : r->pause_ms < PAUSE_MOST_MS / 2 ? r->pause_ms * 2 : PAUSE_MOST_MS;
	loop_timer_set(&p->loop, p->n + TIMER_RELOAD, p->loop.now.ms + r->pause_ms);
}

static void on_answer(void *ctx, uint32_t arg, uint32_t events)
{
	struct prior *p = ctx;

	(void)arg, (void)events;
	loop_remove(&p->loop, &p->reload.socket_src);
	p->reload.said = true;
}

static int ask(struct prior *p, struct err *e)
{
	struct clone_args a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "reload: a socket for a plan between two");
	owned_fd ours = pair[0], its = pair[1];
	const int rc = loop_add(&p->loop, ours, EPOLLIN, on_answer, 0, e);

	if (rc < 0)
		return rc;
	p->reload.socket_src = (uint32_t)rc;
	p->reload.socket = fd_take(&ours);
	look(p);
	const pid_t pid = sys_clone3(&a);

	if (pid == 0)
		work(p, its);
	if (pid < 0) {
		err_sys(e, "reload: a process for a plan between two");
		forget_child(p);
		return -e->code;
	}
	p->reload.pid = pid;
	reap_add(p, pid, 0, PID_COMPILER);
	return 0;
}

/* Nothing is lost but time: the rest of the reload comes when all has stopped. */
static void say(struct prior *p, const struct err *e)
{
	prior_say(p, "warning", "reload-waits", NULL, e->text);
}

void ahead_begin(struct prior *p)
{
	struct err e;

	if (p->reload.phase != RELOAD_STOPS || p->reload.leaving == 0 || p->reload.pid || p->ledger.head->shutdown)
		return;
	if (p->reload.leaving == p->reload.tried) {	/* nothing has come to rest since */
		ahead_wait(p);
		return;
	}
	p->reload.tried = p->reload.leaving;
	if (ask(p, &e) < 0) {
		say(p, &e);
		ahead_wait(p);
	}
}

void ahead_take(struct prior *p)
{
	owned_fd fd = FD_NONE;
	struct err why = { 0 };

	if (!p->reload.said)
		return;
	if (pass_receive(p->reload.socket, &why, sizeof why, &fd, MSG_DONTWAIT) != (ssize_t)sizeof why)
		err_set(&why, EPROTO, "reload: the child that was to make a plan between two died");
	else if (fd >= 0)
		plan_map(&p->reload.between, fd, &why);
	why.text[sizeof why.text - 1] = '\0';
	if (why.code)
		say(p, &why);
	forget_child(p);
	if (p->reload.between.at)
		p->reload.between_fd = fd_take(&fd);
	else
		ahead_wait(p);
}
