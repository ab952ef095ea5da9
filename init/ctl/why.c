/* `prior why SERVICE`: the ledger's facts as sentences. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/why.h"
#include "init/base/mono.h"
#include "init/conf/value.h"
#include "init/ctl/ctl.h"
#include "init/ctl/verbs.h"
#include "services/spec/spec.h"
#include "services/supervise/hooks.h"
#include "services/supervise/network.h"
#include "services/supervise/prior.h"
#include <string.h>

struct why {
	const struct live *live;
	const struct views *all;
	const struct view *v;
	FILE *to;
};

static void say_text(const struct why *w, const char *before, const char *text)
{
	fputs(before, w->to);
	put_clean(w->to, text);
	fputc('\n', w->to);
}

static void say_end(const struct why *w)
{
	char buf[LINE_TEXT];

	end_text(&w->v->now, buf);
	/* Often the reason begins with it. */
	if (*buf && strncmp(w->v->now.why, buf, strlen(buf)))
		fprintf(w->to, "Its last end: %s.\n", buf);
}

static const char *until(const struct why *w, char buf[static SHORT_TEXT])
{
	return span_text(w->v->now.deadline_ms - w->all->now_ms, buf);
}

static const struct view *by_index(const struct why *w, uint32_t index)
{
	for (unsigned i = 0; i < w->all->n; i++)
		if (w->all->v[i].plan && w->all->v[i].index == index)
			return &w->all->v[i];
	return NULL;
}

/* One that it conflicts with and that is up, or wants to be. */
static const struct view *rival_of(const struct why *w)
{
	const struct plan *p = &w->live->plan;

	PLAN_EACH(struct plan_dep, d, p, w->v->plan->deps) {
		const struct view *other = d->kind == DEP_CONFLICTS ? by_index(w, d->service) : NULL;

		if (other && other->now.flags & SVC_F_WANTED)
			return other;
	}
	return NULL;
}

static void say_next(const struct why *w)
{
	const struct ledger_svc *n = &w->v->now;
	char date[SHORT_TEXT], span[SHORT_TEXT];

	if (!n->next_wall_ms)
		return;
	fprintf(w->to, "The clock starts it next at %s, in %s", date_text(n->next_wall_ms, date),
		span_text(n->next_ms - w->all->now_ms, span));
	if (w->v->plan->cron.n)
		fprintf(w->to, " (cron: %s)", plan_str(&w->live->plan,
			PLAN_FIRST(&w->live->plan, w->v->plan->cron, struct plan_cron)->text));
	fputs(".\n", w->to);
	if (n->overlaps)
		fprintf(w->to, "%u time%s it still ran when it was due, and was not started again.\n", n->overlaps,
			PLURAL(n->overlaps));
	if (n->missed)
		fprintf(w->to, "%u run%s missed because the clock was set or the machine slept.\n", n->missed,
			n->missed == 1 ? " was" : "s were");
}

/* A service that somebody could start at once, and nobody has. */
static void is_left_down(const struct why *w)
{
	if (w->v->plan->flags & CELL_ON_CALL)
		fputs("It is there for when another one has failed, and starts then.\n", w->to);
	else if (!view_is_enabled(w->live, w->v))
		fprintf(w->to, "It is disabled: it is not started at boot. `prior start %s` starts it now, "
			"`prior enable %s` at each boot.\n", w->v->name, w->v->name);
	else
		fprintf(w->to, "Nobody has asked for it; `prior start %s` does.\n", w->v->name);
}

static void is_down(const struct why *w)
{
	const char *base = plan_base_name(&w->live->plan, w->v->plan);
	const struct view *rival = rival_of(w);

	if (base)
		fprintf(w->to, "It is the place for one connection of %s, and serves none now; only a connection "
			"starts it.\n", base);
	else if (rival)
		fprintf(w->to, "It conflicts with %s, which is %s.\n", rival->name, svc_state_name[rival->now.state]);
	else if (w->v->now.flags & SVC_F_STOPPED_BY_USER)
		fputs("Somebody stopped it; it stays down until somebody starts it.\n", w->to);
	else if (w->v->now.flags & SVC_F_STOPPED_WITH)
		fprintf(w->to, "It was stopped with what it needs; `prior start %s` starts both.\n", w->v->name);
	else if (w->v->now.next_wall_ms && !w->v->now.starts)
		fputs("It has not been due yet.\n", w->to);
	else if (w->v->now.starts > 0)
		fputs("It ended, and its restart policy is to leave it so.\n", w->to);
	else
		is_left_down(w);
	say_end(w);
}

/* What the dependency must have come to before we may start. */
static const char *condition(const struct why *w, uint32_t service)
{
	static const char *const names[] = {
		[COND_STARTED] = "ready", [COND_HEALTHY] = "healthy", [COND_COMPLETED] = "finished with success",
	};
	const struct plan *p = &w->live->plan;

	PLAN_EACH(struct plan_dep, d, p, w->v->plan->deps)
		if (d->service == service && d->kind == DEP_CONFLICTS)
			return "stopped, as they conflict";
		else if (d->service == service && d->kind == DEP_REQUIRES && d->condition <= COND_COMPLETED)
			return names[d->condition];
	return "started";
}

static void is_waiting(const struct why *w)
{
	const struct view *v = w->v;
	char span[SHORT_TEXT];

	if (!v->now.waits_for && network_is_being_made(w->live->ledger.head) &&
	    plan_is_bridged(&w->live->plan, v->plan))
		fputs("It waits for the bridges and their rules, which are being made.\n", w->to);
	else if (!v->now.waits_for && v->now.why[0] && v->plan->needs_devices.n)
		fputs("It starts as soon as all devices are there that needs_device names.\n", w->to);
	else if (!v->now.waits_for)
		fputs("It starts as soon as what it depends on is there.\n", w->to);
	if (v->now.deadline_ms)		/* only for devices is there an end to waiting */
		fprintf(w->to, "If that takes another %s, it has failed, until they come.\n", until(w, span));
	/* Each waits for the next; a service cannot occur twice, so this ends. */
	for (unsigned step = 0; step < w->all->n && v->now.waits_for; step++) {
		const struct view *next = by_index(w, v->now.waits_for - 1);
		struct why one = { .live = w->live, .all = w->all, .v = v, .to = w->to };

		if (!next || !v->plan)
			break;
		fprintf(w->to, "%s waits until %s is %s; %s is %s.\n", v->name, next->name,
			condition(&one, next->index), next->name, svc_state_name[next->now.state]);
		v = next;
	}
}

static void say_connections(const struct why *w)
{
	const uint32_t max = PLAN_FIRST(&w->live->plan, w->v->plan->connections, struct plan_connections)->max;
	const char *name = w->v->name;

	fprintf(w->to, "It never runs itself: prior accepts at its sockets, and each connection gets a service of its "
		"own, %s@1 to %s@%u. Of these %u serve%s now.\n", name, name, max, w->v->served,
		w->v->served == 1 ? "s" : "");
	if (w->v->served >= max)
		fprintf(w->to, "That is all that connections.max allows: others wait until one has ended; `prior stop "
			"%s@N` ends one.\n", name);
}

static void is_listening(const struct why *w)
{
	const struct plan *p = &w->live->plan;
	char buf[LINE_TEXT];

	if (w->v->plan->connections.n)
		say_connections(w);
	else if (w->v->now.flags & SVC_F_IDLE)
		fputs("It had nothing to do for its idle_timeout and was stopped: prior holds its sockets and starts "
		      "it at the next connection.\n", w->to);
	else
		fprintf(w->to, "It does not run %s: prior holds its sockets and starts it at the %s connection.\n",
			w->v->now.starts ? "now" : "yet", w->v->now.starts ? "next" : "first");
	PLAN_EACH(struct plan_listen, l, p, w->v->plan->listen)
		fprintf(w->to, "  %s\n", listen_text(p, l, buf));
}

static bool hook_runs(const struct why *w)
{
	return w->v->now.phase != PHASE_MAIN && w->v->now.phase <= PHASE_POST_STOP;
}

static void is_starting(const struct why *w)
{
	static const char *const signs[] = {
		[READY_STARTED] = "its exec", [READY_NOTIFY] = "READY=1 from it",
		[READY_FD] = "a newline on its readiness pipe", [READY_LISTENING] = "its sockets",
		[READY_NOTIFY_RELOAD] = "READY=1 from it", [READY_HEALTHCHECK] = "its first good health check",
	};
	char buf[SHORT_TEXT];

	if (hook_runs(w))
		fprintf(w->to, "Its %s hook runs, and the start waits for it.\n", hook_name[w->v->now.phase]);
	else if (w->v->now.flags & SVC_F_FORKED && !w->v->now.pid)
		fputs("Its first process has ended; the one that it left behind is being looked for.\n", w->to);
	else if (w->v->now.builder > 0)
		fputs("Its cell is being made.\n", w->to);
	else if (w->v->plan->type == TYPE_ONESHOT)
		fputs("It is a oneshot and runs; it is done when it ends with code 0.\n", w->to);
	else if (w->v->plan->ready <= READY_NOTIFY_RELOAD)
		fprintf(w->to, "It runs, and prior waits for %s.\n", signs[w->v->plan->ready]);
	if (w->v->now.deadline_ms)
		fprintf(w->to, "If that takes another %s, the start has failed.\n", until(w, buf));
}

static void is_up(const struct why *w)
{
	const struct ledger_svc *n = &w->v->now;

	fprintf(w->to, "It runs as pid %d and is ready.\n", n->pid);
	if (n->health != HEALTH_NONE && n->health <= HEALTH_BAD)
		fprintf(w->to, "Its health check says that it is %s.\n",
			n->health == HEALTH_STARTING ? "not well yet" : health_name[n->health]);
	if (n->flags & SVC_F_RELOADING)
		fputs("It reads its configuration again.\n", w->to);
	if (n->flags & SVC_F_ATTESTED)
		fprintf(w->to, "Before its first instruction, %u facts about its sandbox were read from the kernel "
			"and were as planned.\n", n->attested_facts);
	if (w->v->plan && w->v->plan->runtime_kind)
		fprintf(w->to, "%s stands between it and prior: what is called its process is the container's first.\n",
			oci_runtimes[w->v->plan->runtime_kind]);
	say_end(w);
}

static void is_stopping(const struct why *w)
{
	char sig[VALUE_TEXT], buf[SHORT_TEXT];

	if (hook_runs(w)) {
		fprintf(w->to, "Its %s hook runs, and the stop waits for it.\n", hook_name[w->v->now.phase]);
		return;
	}
	if (w->v->now.flags & SVC_F_KILLED) {
		fputs("Its whole cgroup was killed; prior waits until the last process is gone.\n", w->to);
		return;
	}
	fprintf(w->to, "It was sent %s, and prior waits for it to end.\n",
		value_signal_text(w->v->plan->stop_signal, sig));
	if (w->v->now.deadline_ms)
		fprintf(w->to, "In %s its whole cgroup is killed.\n", until(w, buf));
}

static void is_in_backoff(const struct why *w)
{
	const struct ledger_svc *n = &w->v->now;
	char buf[SHORT_TEXT];

	say_end(w);
	fprintf(w->to, "It is started again in %s", until(w, buf));
	if (w->v->plan->max_restarts)
		fprintf(w->to, "; this was end %u, and more than %u within %s are too many", n->window_restarts,
			w->v->plan->max_restarts, span_text(w->v->plan->restart_window_ms, buf));
	fputs(".\n", w->to);
}

static void is_done(const struct why *w)
{
	fputs("It is a oneshot and has done its work.\n", w->to);
}

static void is_failed(const struct why *w)
{
	say_end(w);
	fprintf(w->to, "`prior logs %s` shows what it said; `prior start %s` tries again.\n", w->v->name, w->v->name);
}

static void is_refused(const struct why *w)
{
	if (w->v->refused)
		fputs("Its configuration cannot be carried out as it is written, so it is never started.\n", w->to);
	else
		fprintf(w->to, "What it asks for could not be had here; `prior start %s` tries again.\n", w->v->name);
}

static void is_skipped(const struct why *w)
{
	fprintf(w->to, "It is looked at again whenever it is to start; `prior start %s` does so now.\n", w->v->name);
}

/* How its state is called in a sentence, and what more there is to say. */
static const struct saying {
	const char *is;
	bool ago;		/* an event, not a condition */
	void (*more)(const struct why *w);
} sayings[SVC_STATES] = {
	[SVC_DOWN]	= { "is down", false, is_down },
	[SVC_WAITING]	= { "is waiting", false, is_waiting },
	[SVC_LISTENING] = { "is listening", false, is_listening },
	[SVC_STARTING]	= { "is starting", false, is_starting },
	[SVC_UP]	= { "is up", false, is_up },
	[SVC_STOPPING]	= { "is being stopped", false, is_stopping },
	[SVC_BACKOFF]	= { "has ended and will be started again", true, is_in_backoff },
	[SVC_DONE]	= { "is done", false, is_done },
	[SVC_FAILED]	= { "has failed", true, is_failed },
	[SVC_REFUSED]	= { "is refused", false, is_refused },
	[SVC_SKIPPED]	= { "is skipped", false, is_skipped },
};

/* The others that cannot go on because of it. */
static void who_waits(const struct why *w)
{
	for (unsigned i = 0; i < w->all->n; i++) {
		const struct view *o = &w->all->v[i];

		if (o->now.waits_for && w->v->plan && o->now.waits_for - 1 == w->v->index)
			fprintf(w->to, "%s waits for it.\n", o->name);
	}
}

static void say_instance(const struct why *w)
{
	fprintf(w->to, "`prior start %s` starts it now", w->v->name);
	if (view_is_enabled(w->live, w->v))
		fputs("; it is enabled, so that each boot does.\n", w->to);
	else
		fprintf(w->to, ", `prior enable %s` at each boot.\n", w->v->name);
}

static void say_reload(const struct why *w)
{
	const bool back = w->v->now.flags & SVC_F_BACK;

	if (state_is_at_rest((enum svc_state)w->v->now.state))
		fprintf(w->to, "A reload is on its way: %s when others have stopped.\n",
			back ? "it is started again" : "the new configuration takes its place");
	else
		fprintf(w->to, "A reload waits for this, and then %s.\n",
			back ? "starts it again" : "the new configuration takes its place");
}

void why_print(const struct live *live, const struct views *all, const struct view *v, FILE *to)
{
	struct why w = { .live = live, .all = all, .v = v, .to = to };
	char span[SHORT_TEXT];

	if (v->now.state >= SVC_STATES)
		return;
	const struct saying *saying = &sayings[v->now.state];

	fprintf(to, "%s %s", v->name, saying->is);
	if (v->now.since_ms)
		fprintf(to, saying->ago ? ", %s ago" : ", for %s", span_text(all->now_ms - v->now.since_ms, span));
	fputs(".\n", to);
	if (v->refused)
		say_text(&w, "", v->refused);
	else if (v->now.why[0])
		say_text(&w, "", v->now.why);
	if (!v->plan && !v->refused)
		say_instance(&w);
	if (v->plan || v->now.state == SVC_REFUSED)
		saying->more(&w);
	if (v->plan)
		say_next(&w);
	if (v->now.flags & SVC_F_LEAVING)
		say_reload(&w);
	who_waits(&w);
}

int verb_why(struct ctl *c)
{
	struct live live = { 0 };
	struct views all = { 0 }, one = { 0 };
	struct err e;
	int64_t now = mono_now().ms;
	int code = DONE;

	if (live_open(&live, ctl_run_dir(c), &e) < 0)
		return ctl_fail(c, UNKNOWN, &e);
	if (views_take(&one, &live, c->args, now, &e) < 0 || views_take(&all, &live, NULL, now, &e) < 0)
		code = ctl_fail(c, UNKNOWN, &e);
	else
		why_print(&live, &all, &one.v[0], stdout);
	views_free(&one);
	views_free(&all);
	live_close(&live);
	return code;
}
