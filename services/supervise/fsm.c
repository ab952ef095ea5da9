/* The table of moves and the one door through which a state changes: see fsm.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/fsm.h"
#include "services/supervise/connections.h"
#include "services/supervise/deps.h"
#include "services/supervise/good.h"
#include "services/supervise/shared.h"
#include "services/supervise/sockets.h"

const char *const svc_event_name[SVC_EVENTS] = {
	[EV_START] = "start", [EV_PULL] = "needed", [EV_LISTEN] = "listen", [EV_CONNECTION] = "connection",
	[EV_DEPS_READY] = "needs are met", [EV_DEP_FAILED] = "a need failed", [EV_RUNNING] = "running",
	[EV_READY] = "ready", [EV_START_FAILED] = "start failed", [EV_EXITED] = "exited",
	[EV_FORKED] = "forked", [EV_STOP] = "stop",
	[EV_RESTART] = "restart", [EV_UNWELL] = "not well", [EV_FREE] = "free",
	[EV_HOOKED] = "hook done", [EV_HOOK_FAILED] = "hook failed",
	[EV_TIMEOUT] = "timeout", [EV_EMPTY] = "empty",
	[EV_END_NOW] = "end: start now", [EV_END_AGAIN] = "end: start later", [EV_END_LISTEN] = "end: listen",
	[EV_END_DOWN] = "end: stay down", [EV_END_DONE] = "end: done", [EV_END_BAD] = "end: failed",
	[EV_UP] = "ready: up", [EV_GONE] = "empty: gone",
	[EV_REFUSED] = "refused", [EV_IDLE] = "idle",
	[EV_CHECKED] = "conditions hold", [EV_SKIPPED] = "a condition does not hold",
};

#define GOTO(st, fn, text) { GO, st, fn, text }
#define KEEP(text)         { .kind = STAY, .why = text }

/* Late news of an end, or of the services around it, that no longer matter in a state without processes. */
#define NOTHING_LEFT \
	[EV_IDLE]         = KEEP("known to be gone"), \
	[EV_HOOKED]       = KEEP("known to be gone"), \
	[EV_UNWELL]       = KEEP("known to be gone"), \
	[EV_FREE]         = KEEP("nothing to tell to stop"), \
	[EV_EMPTY]        = KEEP("known to be empty"), \
	[EV_READY]        = KEEP("a late message of a process that is gone"), \
	[EV_DEPS_READY]   = KEEP("it does not wait for them"), \
	[EV_DEP_FAILED]   = KEEP("it does not wait for them"), \
	[EV_CONNECTION]   = KEEP("its sockets are not watched in this state")

/* Starting or up: what it needed was there when it started. */
#define UNDER_WAY \
	[EV_START]        = KEEP("already on its way"), \
	[EV_PULL]         = KEEP("already on its way"), \
	[EV_LISTEN]       = KEEP("already on its way"), \
	[EV_CONNECTION]   = KEEP("it will take it"), \
	[EV_DEPS_READY]   = KEEP("it has started already"), \
	[EV_DEP_FAILED]   = KEEP("a need that fails later does not stop it"), \
	[EV_FREE]         = KEEP("nobody asked it to stop"), \
	[EV_EMPTY]        = KEEP("its end is told by its exit")

static const struct svc_move moves[SVC_STATES][SVC_EVENTS] = {
	[SVC_DOWN] = {
		[EV_START]        = GOTO(SVC_WAITING,   svc_wait,        "asked to run"),
		[EV_PULL]         = GOTO(SVC_WAITING,   svc_wait_pulled, "needed"),
		[EV_LISTEN]       = GOTO(SVC_LISTENING, svc_listen,      "starts at the first connection"),
		[EV_STOP]         = KEEP("already down"),
		[EV_RESTART]      = GOTO(SVC_WAITING,   svc_wait,        "not running: a restart is a start"),
		[EV_REFUSED]      = GOTO(SVC_REFUSED,   svc_refuse,      "what it asks for cannot be had here"),
		NOTHING_LEFT,
	},
	[SVC_WAITING] = {
		[EV_IDLE]         = KEEP("known to be gone"),
		[EV_START]        = KEEP("waits already"),
		[EV_PULL]         = KEEP("waits already"),
		[EV_LISTEN]       = KEEP("starts anyway"),
		[EV_CONNECTION]   = KEEP("starts anyway"),
		[EV_DEPS_READY]   = GOTO(SVC_STARTING,  svc_spawn,       "all it needs is there"),
		[EV_DEP_FAILED]   = GOTO(SVC_FAILED,    svc_dep_failed,  "something it needs will not come"),
		[EV_TIMEOUT]      = GOTO(SVC_FAILED,    svc_no_device,   "a device it needs did not come in time"),
		[EV_STOP]         = GOTO(SVC_DOWN,      svc_rest,        "asked to stop"),
		[EV_RESTART]      = KEEP("it has not started yet"),
		[EV_REFUSED]      = GOTO(SVC_REFUSED,   svc_refuse,      "what it asks for cannot be had here"),
		[EV_FREE]         = KEEP("nothing to tell to stop"),
		[EV_EMPTY]        = KEEP("known to be empty"),
		[EV_READY]        = KEEP("a late message of a process that is gone"),
	},
	[SVC_LISTENING] = {
		[EV_IDLE]         = KEEP("known to be gone"),
		[EV_START]        = GOTO(SVC_WAITING,   svc_wait,        "asked not to wait for a connection"),
		[EV_PULL]         = KEEP("its sockets are open, which is what is needed"),
		[EV_LISTEN]       = KEEP("listens already"),
		[EV_CONNECTION]   = GOTO(SVC_WAITING,   svc_wait_pulled, "somebody waits at its socket"),
		[EV_DEPS_READY]   = KEEP("waits for a connection, not for them"),
		[EV_DEP_FAILED]   = KEEP("waits for a connection, not for them"),
		[EV_STOP]         = GOTO(SVC_DOWN,      svc_rest,        "asked to stop"),
		[EV_RESTART]      = GOTO(SVC_WAITING,   svc_wait,        "not running: a restart is a start"),
		[EV_REFUSED]      = GOTO(SVC_REFUSED,   svc_refuse,      "its sockets cannot be watched"),
		[EV_TIMEOUT]      = GOTO(SVC_LISTENING, svc_accept,      "looks at its sockets again"),
		[EV_FREE]         = KEEP("nothing to tell to stop"),
		[EV_EMPTY]        = KEEP("known to be empty"),
		[EV_READY]        = KEEP("a late message of a process that is gone"),
	},
	[SVC_STARTING] = {
		[EV_IDLE]         = KEEP("it has just begun"),
		UNDER_WAY,
		[EV_RUNNING]      = GOTO(SVC_STARTING,  svc_ran,         "runs; ready is another question"),
		[EV_READY]        = GOTO(SVC_STARTING,  svc_ready,       "ready; its post_start hook, if it has one"),
		[EV_UP]           = GOTO(SVC_UP,        svc_up,          "ready in the way it is asked to be"),
		[EV_HOOKED]       = GOTO(SVC_STARTING,  svc_hooked,      "its hook is done: its start goes on"),
		[EV_HOOK_FAILED]  = GOTO(SVC_STOPPING,  svc_hook_failed, "a hook that fails fails the start"),
		[EV_UNWELL]       = GOTO(SVC_STOPPING,  svc_unwell,      "its health check has run out"),
		[EV_START_FAILED] = GOTO(SVC_STOPPING,  svc_sweep,       "never ran; what was built is taken down"),
		[EV_EXITED]       = GOTO(SVC_STOPPING,  svc_sweep,       "ended; what it left behind is killed"),
		[EV_FORKED]       = GOTO(SVC_STARTING,  svc_forked,      "its main process is to be found"),
		[EV_STOP]         = GOTO(SVC_STOPPING,  svc_stop,        "asked to stop"),
		[EV_RESTART]      = GOTO(SVC_STOPPING,  svc_restart,     "asked to start anew"),
		[EV_CHECKED]      = GOTO(SVC_STARTING,  svc_checked,     "its conditions hold"),
		[EV_SKIPPED]      = GOTO(SVC_SKIPPED,   svc_skip,        "a condition does not hold"),
		[EV_TIMEOUT]      = GOTO(SVC_STOPPING,  svc_too_late,    "not ready in time"),
	},
	[SVC_UP] = {
		UNDER_WAY,
		[EV_RUNNING]      = KEEP("it has been for a while"),
		[EV_IDLE]         = GOTO(SVC_STOPPING,  svc_idle,        "nothing has come for a while"),
		[EV_UNWELL]       = GOTO(SVC_STOPPING,  svc_unwell,      "its watchdog or its health check says so"),
		[EV_READY]        = KEEP("said so twice"),
		[EV_HOOKED]       = KEEP("its start is over"),
		[EV_HOOK_FAILED]  = KEEP("its start is over"),
		[EV_EXITED]       = GOTO(SVC_STOPPING,  svc_sweep,       "ended; what it left behind is killed"),
		[EV_STOP]         = GOTO(SVC_STOPPING,  svc_stop,        "asked to stop"),
		[EV_RESTART]      = GOTO(SVC_STOPPING,  svc_restart,     "asked to start anew"),
	},
	[SVC_STOPPING] = {
		[EV_IDLE]         = KEEP("stops already"),
		[EV_START]        = GOTO(SVC_STOPPING,  svc_again,       "stops first, then starts again"),
		[EV_PULL]         = GOTO(SVC_STOPPING,  svc_again,       "stops first, then starts again"),
		[EV_LISTEN]       = GOTO(SVC_STOPPING,  svc_again,       "stops first, then starts again"),
		[EV_RESTART]      = GOTO(SVC_STOPPING,  svc_again,       "stops first, then starts again"),
		[EV_STOP]         = GOTO(SVC_STOPPING,  svc_stay_down,   "stops already, and stays down"),
		[EV_CHECKED]      = KEEP("too late"),
		[EV_SKIPPED]      = KEEP("too late"),
		[EV_CONNECTION]   = KEEP("waits in the socket until the next start"),
		[EV_DEPS_READY]   = KEEP("it is on its way down"),
		[EV_DEP_FAILED]   = KEEP("it is on its way down"),
		[EV_RUNNING]      = KEEP("too late"),
		[EV_FORKED]       = KEEP("too late"),
		[EV_UNWELL]       = KEEP("stops already"),
		[EV_READY]        = KEEP("too late"),
		[EV_START_FAILED] = GOTO(SVC_STOPPING,  svc_sweep,       "its builder gave up while it was stopped"),
		[EV_EXITED]       = GOTO(SVC_STOPPING,  svc_sweep,       "ended; what it left behind is killed"),
		[EV_FREE]         = GOTO(SVC_STOPPING,  svc_term,        "nothing that needs it is left"),
		[EV_TIMEOUT]      = GOTO(SVC_STOPPING,  svc_kill,        "did not stop in time"),
		[EV_HOOKED]       = GOTO(SVC_STOPPING,  svc_signal,      "its pre_stop hook is done: now its signal"),
		[EV_HOOK_FAILED]  = KEEP("it stops already"),
		[EV_EMPTY]        = GOTO(SVC_STOPPING,  svc_empty,       "no process is left: its post_stop hook"),
		[EV_GONE]         = GOTO(SVC_STOPPING,  svc_judge,       "nothing is left to do: policy decides"),
		[EV_END_NOW]      = GOTO(SVC_WAITING,   svc_wait_pulled, "stopped in order to start again"),
		[EV_END_AGAIN]    = GOTO(SVC_BACKOFF,   svc_backoff,     "its policy is to restart"),
		[EV_END_LISTEN]   = GOTO(SVC_LISTENING, svc_listen,      "starts again at the next connection"),
		[EV_END_DOWN]     = GOTO(SVC_DOWN,      svc_ended,       "its policy, or somebody, wants it down"),
		[EV_END_DONE]     = GOTO(SVC_DONE,      svc_done,        "did its one task"),
		[EV_END_BAD]      = GOTO(SVC_FAILED,    svc_fail,        "its policy is to give up"),
	},
	[SVC_BACKOFF] = {
		[EV_START]        = GOTO(SVC_WAITING,   svc_wait,        "asked not to wait"),
		[EV_PULL]         = KEEP("starts again by itself"),
		[EV_LISTEN]       = KEEP("starts again by itself"),
		[EV_STOP]         = GOTO(SVC_DOWN,      svc_rest,        "asked to stop"),
		[EV_RESTART]      = GOTO(SVC_WAITING,   svc_wait,        "asked not to wait"),
		[EV_TIMEOUT]      = GOTO(SVC_WAITING,   svc_wait_pulled, "waited long enough"),
		NOTHING_LEFT,
	},
	[SVC_DONE] = {
		[EV_START]        = GOTO(SVC_WAITING,   svc_wait,        "asked to do it again"),
		[EV_PULL]         = KEEP("it has been done"),
		[EV_LISTEN]       = KEEP("it has been done"),
		[EV_STOP]         = GOTO(SVC_DOWN,      svc_rest,        "asked to forget that it was done"),
		[EV_RESTART]      = GOTO(SVC_WAITING,   svc_wait,        "asked to do it again"),
		NOTHING_LEFT,
	},
	[SVC_FAILED] = {
		[EV_IDLE]         = KEEP("known to be gone"),
		[EV_START]        = GOTO(SVC_WAITING,   svc_wait,        "asked to try again"),
		[EV_PULL]         = KEEP("failed; only a person, or what it needs, starts it again"),
		[EV_LISTEN]       = KEEP("failed; only a person, or what it needs, starts it again"),
		[EV_STOP]         = GOTO(SVC_DOWN,      svc_rest,        "failure acknowledged"),
		[EV_RESTART]      = GOTO(SVC_WAITING,   svc_wait,        "asked to try again"),
		[EV_DEPS_READY]   = GOTO(SVC_WAITING,   svc_wait_pulled, "what it needed has come back"),
		[EV_DEP_FAILED]   = KEEP("failed already"),
		[EV_CONNECTION]   = KEEP("its sockets are not watched in this state"),
		[EV_FREE]         = KEEP("nothing to tell to stop"),
		[EV_EMPTY]        = KEEP("known to be empty"),
		[EV_READY]        = KEEP("a late message of a process that is gone"),
	},
	[SVC_REFUSED] = {
		[EV_START]        = GOTO(SVC_DOWN,      svc_bind,        "asked to try again"),
		[EV_PULL]         = KEEP("refused; a start by a person tries again"),
		[EV_LISTEN]       = KEEP("refused; a start by a person tries again"),
		[EV_STOP]         = GOTO(SVC_DOWN,      svc_rest,        "refusal acknowledged"),
		[EV_RESTART]      = GOTO(SVC_DOWN,      svc_bind,        "asked to try again"),
		[EV_REFUSED]      = KEEP("refused already"),
		NOTHING_LEFT,
	},
	[SVC_SKIPPED] = {
		[EV_START]        = GOTO(SVC_WAITING,   svc_wait,        "asked to look again"),
		[EV_PULL]         = GOTO(SVC_WAITING,   svc_wait_pulled, "needed: its conditions are looked at again"),
		[EV_LISTEN]       = GOTO(SVC_LISTENING, svc_listen,      "starts at the first connection"),
		[EV_STOP]         = GOTO(SVC_DOWN,      svc_rest,        "asked to forget it"),
		[EV_RESTART]      = GOTO(SVC_WAITING,   svc_wait,        "asked to look again"),
		NOTHING_LEFT,
	},
};

const struct svc_move *svc_move(enum svc_state st, enum svc_event ev)
{
	return &moves[st][ev];
}

/* Never fatal: counted, said, and the service stays as it is. */
static void never_thought_of(struct prior *p, uint32_t i, enum svc_event ev)
{
	struct event event;

	p->ledger.head->impossible++;
	event_begin(&event, "error", "impossible", svc_name(p, i));
	event_str(&event, "state", svc_state_name[svc_of(p, i)->state]);
	event_str(&event, "on", svc_event_name[ev]);
	prior_event(p, &event);
}

/* How many have processes, and how many wanted ones are not yet where they should be. */
static void count(struct prior *p, const struct ledger_svc *s, enum svc_state was)
{
	p->live += (uint32_t)state_is_live(s->state) - state_is_live(was);
	p->unsettled += (uint32_t)state_is_settled(was) - state_is_settled(s->state);
	p->waiting += (uint32_t)(s->state == SVC_WAITING) - (was == SVC_WAITING);
	if (s->flags & SVC_F_LEAVING)
		p->reload.leaving += (uint32_t)state_is_at_rest(was) - state_is_at_rest(s->state);
}

/* GO moves from here, until an action has nothing more to say. */
static void go(struct prior *p, uint32_t i, enum svc_event ev)
{
	struct ledger_svc *s = svc_of(p, i);
	enum svc_state was = s->state;
	const struct svc_move *m;
	bool moved = false;
	LEDGER_WRITE(s);

	for (; ev != EV_NONE && (m = &moves[s->state][ev])->kind == GO; ev = m->act(p, i)) {
		p->steps++;
		if (s->state != m->to) {
			moved = true;
			s->since_ms = p->loop.now.ms;
			s->since_wall_ms = wall_ms();
			s->deadline_ms = 0;
			loop_timer_set(&p->loop, i, 0);
		}
		s->state = m->to;
	}
	if (ev != EV_NONE && m->kind == NEVER)
		never_thought_of(p, i, ev);
	if (!moved)
		return;
	if (was == SVC_LISTENING)
		sockets_unwatch(p, i);
	count(p, s, was);
	connections_moved(p, i);
	good_moved(p, i);
	deps_changed(p, i);
	shared_moved(p, i);
}

static void step(struct prior *p, uint32_t i, enum svc_event ev)
{
	const struct svc_move *m = &moves[svc_of(p, i)->state][ev];

	p->steps++;
	switch (m->kind) {
	case GO:
		go(p, i, ev);
		return;
	case NEVER:
		never_thought_of(p, i, ev);
		return;
	case STAY:
		return;
	}
}

/* Its place is about to be taken: whoever wants it up gets it when that has happened. */
static bool has_to_wait(struct prior *p, uint32_t i, enum svc_event ev)
{
	struct ledger_svc *s = svc_of(p, i);
	bool starts = ev == EV_START || ev == EV_PULL || ev == EV_LISTEN || ev == EV_RESTART || ev == EV_DEPS_READY;

	if (!starts || !(s->flags & SVC_F_LEAVING))
		return false;
	LEDGER_WRITE(s);
	s->flags |= SVC_F_BACK;
	return true;
}

void svc_post(struct prior *p, uint32_t i, enum svc_event ev)
{
	struct svc_run *r = &p->run[i];

	if (svc_accepts(p, i))
		ev = connections_event(p, i, ev);
	if (has_to_wait(p, i, ev))
		return;
	if (r->queued == 0) {
		if (p->queue_tail)
			p->run[p->queue_tail - 1].queue_next = i + 1;
		else
			p->queue_head = i + 1;
		p->queue_tail = i + 1;
		r->queue_next = 0;
	}
	r->queued |= 1u << ev;
	if (p->settling)
		return;
	p->settling = true;
	while (p->queue_head) {
		uint32_t next = p->queue_head - 1, events = p->run[next].queued;

		p->queue_head = p->run[next].queue_next;
		if (p->queue_head == 0)
			p->queue_tail = 0;
		p->run[next].queued = 0;
		for (uint32_t e = 0; e < SVC_EVENTS; e++)
			if (events & 1u << e)
				step(p, next, e);
	}
	p->settling = false;
}

void svc_print_moves(FILE *to)
{
	fprintf(to, "| in | on | goes to | because |\n|---|---|---|---|\n");
	for (int st = 0; st < SVC_STATES; st++)
		for (int ev = 0; ev < SVC_EVENTS; ev++)
			if (moves[st][ev].kind != NEVER)
				fprintf(to, "| %s | %s | %s | %s |\n", svc_state_name[st], svc_event_name[ev],
					moves[st][ev].kind == STAY ? "(stays)" : svc_state_name[moves[st][ev].to],
					moves[st][ev].why);
}
