/* Coming back after an exec of ourselves: the ledger is mapped and compared with the kernel. See serve.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "init/initctl.h"
#include "init/panic.h"
#include "init/serve.h"
#include "init/signals.h"
#include "services/supervise/buttons.h"
#include "services/supervise/clock.h"
#include "services/supervise/control.h"
#include "services/supervise/deps.h"
#include "services/supervise/devices.h"
#include "services/supervise/dog.h"
#include "services/supervise/ending.h"
#include "services/supervise/endpoint.h"
#include "services/supervise/fsm.h"
#include "services/supervise/network.h"
#include "services/supervise/notify.h"
#include "services/supervise/reap.h"
#include "services/supervise/reload.h"
#include "services/supervise/server.h"
#include "services/supervise/sockets.h"
#include "services/supervise/spawning.h"
#include "services/supervise/start.h"
#include "services/supervise/stop.h"
#include "services/supervise/streams.h"
#include "services/supervise/watch.h"
#include "services/supervise/good.h"
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void close_at_exec(void *ctx, int fd)
{
	(void)ctx;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* A number that names no open descriptor came from a record that was being written. */
static void check_fd(int32_t *fd)
{
	if (*fd >= 0 && fcntl(*fd, F_GETFD) < 0)
		*fd = FD_NONE;
}

static void check_fds(struct ledger *l)
{
	for (struct ledger_svc *s = l->svc; s < l->svc + l->head->nservices; s++) {
		int32_t *const fds[] = { &s->report_fd, &s->pidfd, &s->notify_fd, &s->log_rd, &s->log_wr,
			&s->cgroup_fd, &s->events_fd, &s->net_fd };

		for (size_t k = 0; k < sizeof fds / sizeof *fds; k++)
			check_fd(fds[k]);
	}
	for (uint32_t i = 0; i < l->head->nlisten; i++)
		check_fd(&l->listen[i]);
	for (uint32_t i = 0; i < l->head->ncares; i++)
		check_fd(&l->care[i].ready_fd);
	for (uint32_t i = 0; i < l->head->nstored; i++)
		check_fd(&l->stored[i].fd);
	for (unsigned c = 0; c < LEDGER_CLIENTS; c++)
		check_fd(&l->head->clients[c].fd);
	check_fd(&l->head->initctl_fd);
	check_fd(&l->head->dog_fd);
	check_fd(&l->head->http_listen_fd);
	check_fd(&l->head->http_fd);
	check_fd(&l->head->http_rows_fd);
	check_fd(&l->head->devices_fd);
}

/* Numbers stay, as the kernel can be asked about them; texts of a torn record are ended where they must end. */
static uint32_t mend(struct ledger *l)
{
	uint32_t torn = 0;

	for (struct ledger_svc *s = l->svc; s < l->svc + l->head->nservices; s++) {
		if (ledger_svc_is_whole(s))
			continue;
		torn++;
		if (s->state >= SVC_STATES)
			s->state = SVC_DOWN;
		s->status[sizeof s->status - 1] = s->why[sizeof s->why - 1] = '\0';
		ledger_seal_svc(s);
	}
	return torn;
}

static bool is_our_child(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Every process of the ledger into the table first; then those that are none of ours are told as ended. */
static void restore_pids(struct prior *p, uint32_t i, bool lost)
{
	struct ledger_svc *s = svc_of(p, i);
	const struct { int32_t pid; enum pid_role role; } known[] = {
		{ s->builder, PID_BUILDER }, { s->reaper, PID_REAPER }, { s->pid, PID_MAIN },
		{ s->undo, PID_UNDO }, { s->hook, PID_HOOK },
		{ care_of(p, i) ? care_of(p, i)->check : 0, PID_CHECK },
	};

	for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
		if (known[k].pid <= 0)
			continue;
		if (!lost)
			reap_add(p, known[k].pid, i, known[k].role);
		else if (known[k].role == PID_MAIN && s->flags & SVC_F_FOREIGN && s->pidfd >= 0)
			continue;	/* its pidfd tells */
		else if (!is_our_child(known[k].pid))
			reap_lost(p, i, known[k].pid);
	}
}

static void resume_ending(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	ending_resume(p);
	if (h->shutdown == SHUTDOWN_NONE)
		return;
	loop_timer_set(&p->loop, p->n + TIMER_SHUTDOWN, h->shutdown_deadline_ms);
	ending_tick(p);
	for (uint32_t i = 0; i < p->n; i++) {
		enum svc_state st = svc_of(p, i)->state;

		if (st == SVC_WAITING || st == SVC_LISTENING || st == SVC_STARTING || st == SVC_UP || st == SVC_BACKOFF)
			svc_post(p, i, EV_STOP);
	}
}

static void say_back(struct prior *p, int fault, uint32_t torn)
{
	struct event ev;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < p->n; i++)
		kept += svc_of(p, i)->pid != 0;
	event_begin(&ev, fault ? "error" : "info", "prior-recovered", NULL);
	event_num(&ev, "generation", p->ledger.head->generation);
	event_num(&ev, "kept", kept);
	if (fault)
		event_num(&ev, "signal", fault);
	if (torn)
		event_num(&ev, "torn", torn);
	prior_event(p, &ev);
}

#define TRIES 5

/* Once for each exec: a fault too many is found out before anything else can go wrong. */
static void count_it(struct ledger *l, int fault)
{
	l->head->generation++;
	if (fault && !panic_survived(l, fault))
		panic_end(l, "too many faults in a minute; coming back once more would not help");
}

static int map_all(struct prior *p, int ledger_fd, int fault, struct err *e)
{
	bool first = !p->ledger.head;

	if (first && ledger_map(&p->ledger, ledger_fd, true, e) < 0)
		return -e->code;
	struct ledger_head *h = p->ledger.head;

	ledger_each_fd(&p->ledger, close_at_exec, NULL);
	h->ledger_fd = ledger_fd;
	if (first)
		count_it(&p->ledger, fault);
	if (h->mode == MODE_MACHINE)
		prctl(PR_SET_DUMPABLE, 0);
	if (panic_arm(&p->ledger, e) < 0 || plan_map(&p->plan, h->plan_fd, e) < 0)
		return -e->code;
	if (!ledger_fits(&p->ledger, &p->plan))
		return err_set(e, EBADMSG, "resume: the plan and the ledger do not belong together");
	return 0;
}

/* The parts that can fail; nothing outside of us has changed when they do. */
static int make_all(struct prior *p, int ledger_fd, int fault, uint32_t *torn, struct err *e)
{
	int rc = 0;

	if (map_all(p, ledger_fd, fault, e) < 0)
		return -e->code;
	check_fds(&p->ledger);
	*torn += mend(&p->ledger);
	if (prior_memory(p, e) < 0 || signals_begin(p, e) < 0)
		return -e->code;
	for (uint32_t i = 0; i < p->n; i++) {
		int one = watch_service(p, i, e);

		restore_pids(p, i, false);
		rc = one < 0 ? one : rc;
	}
	if (initctl_watch(p, e) < 0)
		rc = -e->code;
	int one = p->ledger.head->control_fd >= 0 ? server_resume(p, e) : 0;

	return one < 0 ? one : rc;
}

static void unmake(struct prior *p)
{
	prior_free(p);
	fd_drop(&p->signal_fd);
	plan_unmap(&p->plan);
	*p = (struct prior){ .ledger = p->ledger, .loop.epoll_fd = FD_NONE, .signal_fd = FD_NONE,
			     .trial_exe = FD_NONE,
			     .reload = { .client = -1, .socket = FD_NONE, .problems = FD_NONE } };
}

/*
 * What fails for want of memory may be had a moment later, and to give up would be the end of every service: it is
 * tried some times over. When only watches are missing in the end, it goes on without them and says so.
 */
static int make_in_tries(struct prior *p, int ledger_fd, int fault, uint32_t *torn, struct err *e)
{
	int rc = make_all(p, ledger_fd, fault, torn, e);

	for (unsigned n = 1; rc < 0 && rc != -EBADMSG && n < TRIES; n++) {
		unmake(p);
		rc = make_all(p, ledger_fd, fault, torn, e);
	}
	if (rc == 0 || !p->signal_src)
		return rc;
	prior_say(p, "error", "resume", NULL, e->text);
	return 0;
}

int serve_resume(struct prior *p, int ledger_fd, int fault, struct err *e)
{
	uint32_t torn = 0;

	*p = (struct prior){ .ledger.fd = FD_NONE, .loop.epoll_fd = FD_NONE, .signal_fd = FD_NONE,
			     .trial_exe = FD_NONE,
			     .reload = { .client = -1, .socket = FD_NONE, .problems = FD_NONE } };
	if (make_in_tries(p, ledger_fd, fault, &torn, e) < 0)
		return -e->code;
	reap_begin(p);
	streams_resume(p);
	spawning_resume(p);
	endpoint_resume(p);
	devices_resume(p);
	buttons_begin(p);
	say_back(p, fault, torn);
	for (uint32_t i = 0; i < p->n; i++)
		restore_pids(p, i, true);
	network_resume(p);	/* before numbers of processes are given back */
	reap_all(p);
	resume_ending(p);
	dog_timer(p);
	if (p->ledger.head->boot_done_us)
		good_begin(p);	/* the slot may not be said to be good yet; twice does no harm */
	for (uint32_t i = 0; i < p->n; i++)
		watch_nudge(p, i);
	reload_resume(p);
	clock_begin(p);
	server_reexec_done(p, NULL);
	p->loop.again = true;
	ledger_seal_head(&p->ledger);
	return 0;
}
