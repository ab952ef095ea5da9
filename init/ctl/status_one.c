/* `prior status SERVICE`: everything about one service, a fact a line. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/value.h"
#include "init/ctl/status.h"
#include "netns/net.h"
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

__attribute__((format(printf, 3, 4)))
static void line(const struct status *s, const char *label, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fprintf(s->to, "%s%10s%s  ", colour_on(s->colour, DIM), label, colour_off(s->colour, DIM));
	put_clean(s->to, text);
	fputc('\n', s->to);
}

static void title(const struct status *s, const struct view *v)
{
	enum colour c = state_row(v->now.state)->colour;
	char span[SHORT_TEXT], date[SHORT_TEXT];

	fprintf(s->to, "%s%s%s: %s%s%s", colour_on(s->colour, BOLD), v->name, colour_off(s->colour, BOLD),
		colour_on(s->colour, c), v->now.state < SVC_STATES ? svc_state_name[v->now.state] : "?",
		colour_off(s->colour, c));
	if (v->now.since_ms)
		fprintf(s->to, " for %s (since %s)", span_text(s->views->now_ms - v->now.since_ms, span),
			date_text(v->now.since_wall_ms, date));
	fputc('\n', s->to);
}

/* The value that the plan writes into a file of the cgroup; "" when it leaves it alone. */
static const char *limit(const struct status *s, const struct view *v, const char *file)
{
	const struct plan *p = &s->live->plan;

	PLAN_EACH(struct plan_file, f, p, v->plan->cgroup)
		if (strcmp(plan_str(p, f->path), file) == 0)
			return plan_str(p, f->value);
	return "";
}

static void usage(const struct status *s, const struct view *v)
{
	const char *max = limit(s, v, "memory.max");
	char now[SHORT_TEXT], most[SHORT_TEXT], peak[SHORT_TEXT];
	const char *before = v->has_peak ? ", peak " : "";
	uint64_t bytes = 0;

	bytes_text(v->peak, peak);
	if (v->has_memory && value_size(max, &bytes) == 0)
		line(s, "memory", "%s of at most %s%s%s", bytes_text(v->memory, now), bytes_text(bytes, most), before,
		     v->has_peak ? peak : "");
	else if (v->has_memory)
		line(s, "memory", "%s%s%s", bytes_text(v->memory, now), before, v->has_peak ? peak : "");
	max = limit(s, v, "pids.max");
	if (v->has_tasks)
		line(s, "tasks", "%" PRIu64 "%s%s", v->tasks, *max && strcmp(max, "max") ? " of at most " : "",
		     strcmp(max, "max") ? max : "");
	if (v->has_cpu)
		line(s, "cpu", "%.3f s", (double)v->cpu_us / 1e6);
}

static void at_boot(const struct status *s, const struct view *v)
{
	if (!v->plan) {
		if (view_is_enabled(s->live, v))
			line(s, "at boot", "started; `prior disable %s` changes that", v->name);
		return;
	}
	if (v->plan->base.n)
		line(s, "at boot", "not started: only a connection starts it");
	else if (!view_is_enabled(s->live, v))
		line(s, "at boot", "not started; `prior enable %s` changes that", v->name);
	else if (v->plan->flags & CELL_ON_CALL)
		line(s, "at boot", "not started: it is there for when another has failed");
}

static void last_start(const struct status *s, const struct ledger_svc *n)
{
	if (n->starts == 0)
		return;
	if ((n->flags & SVC_F_READY) && n->attest_us)
		line(s, "started", "ready after %.1f ms, of which its cell took %.1f ms and its attestation %.1f ms",
		     (double)n->ready_us / 1e3, (double)n->setup_us / 1e3, (double)n->attest_us / 1e3);
	else if (n->flags & SVC_F_READY)
		line(s, "started", "ready after %.1f ms", (double)n->ready_us / 1e3);
	line(s, "starts", "%u, of which %u were restarts; %u failure%s", n->starts, n->restarts, n->failures,
	     PLURAL(n->failures));
}

static void network(const struct status *s, const struct view *v)
{
	const struct plan *p = &s->live->plan;
	const struct plan_service *of = plan_network(p, v->plan);
	char buf[LINE_TEXT];

	PLAN_EACH(struct plan_listen, l, p, v->plan->listen)
		line(s, "listens", "%s", listen_text(p, l, buf));
	if (v->plan->connections.n)
		line(s, "serves", "%u of at most %u connections", v->served,
		     PLAN_FIRST(p, v->plan->connections, struct plan_connections)->max);
	if (v->conn.family)
		line(s, "serves", "%s", peer_text(v, buf));
	if (of != v->plan)
		line(s, "network", "that of %s", plan_str(p, of->name));
	PLAN_EACH(struct plan_link, l, p, of->links) {
		const char *on = plan_link_on(p, l), *by = of->links.n > 1 ? on : "", *to = *by ? " on " : "";

		PLAN_EACH(struct plan_addr, a, p, l->addrs)
			line(s, "address", "%s on %s", planned_addr_text(a, true, buf), on);
		if (l->upper)
			line(s, "network", "%s of %s", net_upper_kind(l->upper), on);
		if (of == v->plan && l->send_max)
			line(s, "sends", "at most %s bytes a second%s%s", bytes_text(l->send_max, buf), to, by);
		if (of == v->plan && l->receive_max)
			line(s, "receives", "at most %s bytes a second%s%s", bytes_text(l->receive_max, buf), to, by);
	}
	if ((v->plan->flags & CELL_NET) && !of->links.n)
		line(s, "network", "private, loopback only");
	if (v->plan->flags & CELL_NET_KEEP)
		line(s, "network", "kept while it is restarted");
}

static void running(const struct status *s, const struct view *v)
{
	const struct ledger_svc *n = &v->now;
	char buf[LINE_TEXT];

	if (n->pid > 0)
		line(s, "process", "%d, %s", n->pid, plan_str(&s->live->plan, v->plan->exe));
	if (n->pid > 0 && (n->flags & SVC_F_ATTESTED))
		line(s, "sandbox", "preset %s; %u facts read back from the kernel and equal to the plan",
		     sandbox_text(&(struct view){ .plan = v->plan }, buf), n->attested_facts);
	else
		line(s, "sandbox", "%s%s", "preset ", sandbox_text(v, buf));
	if (v->plan->note.at)
		line(s, "note", "%s", plan_str(&s->live->plan, v->plan->note));
}

void status_one(const struct status *s, const struct view *v)
{
	const struct plan *p = &s->live->plan;
	const struct ledger_svc *n = &v->now;
	char buf[LINE_TEXT], span[SHORT_TEXT];

	title(s, v);
	if (v->refused) {
		line(s, "why", "%s", v->refused);
		return;
	}
	if (n->why[0])
		line(s, "why", "%.*s", (int)sizeof n->why, n->why);
	if (!v->plan) {
		at_boot(s, v);
		return;
	}
	if (n->state == SVC_LISTENING && n->flags & SVC_F_IDLE)
		line(s, "idle", "stopped, as it had nothing to do; the next connection starts it");
	if (n->waits_for && n->waits_for <= p->head->services.n)
		line(s, "waits for", "%s", plan_str(p, plan_service(p, n->waits_for - 1)->name));
	running(s, v);
	if (n->next_wall_ms)
		line(s, "next", "%s, in %s", date_text(n->next_wall_ms, buf),
		     span_text(n->next_ms - s->views->now_ms, span));
	if (n->missed)
		line(s, "missed", "%u run%s: the clock was set, or the machine slept", n->missed,
		     n->missed == 1 ? "" : "s");
	if (n->status[0])
		line(s, "says", "%.*s", (int)sizeof n->status, n->status);
	if (n->health != HEALTH_NONE && n->health <= HEALTH_BAD)
		line(s, "health", "%s", health_name[n->health]);
	usage(s, v);
	at_boot(s, v);
	last_start(s, n);
	if (n->exit_kind != EXIT_NONE)
		line(s, "last end", "%s", end_text(n, buf));
	network(s, v);
}
