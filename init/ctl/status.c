/* `prior status`: the verb and the table. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/status.h"
#include "init/base/mono.h"
#include "init/conf/value.h"
#include "init/ctl/ctl.h"
#include "init/ctl/verbs.h"
#include "services/logs/logs.h"
#include <string.h>

#define LAST_LINES 10

int status_code(const struct views *v)
{
	for (unsigned i = 0; i < v->n; i++)
		if (!state_row(v->v[i].now.state)->active)
			return INACTIVE;
	return DONE;
}

static void table_line(struct table *t, const struct view *v, int64_t now_ms)
{
	char buf[LINE_TEXT], span[SHORT_TEXT];
	const struct ledger_svc *s = &v->now;

	table_row(t);
	table_cell(t, BOLD, "%s", v->name);
	table_cell(t, state_row(s->state)->colour, "%s", s->state < SVC_STATES ? svc_state_name[s->state] : "?");
	if (s->pid > 0)
		table_cell(t, PLAIN, "%d", s->pid);
	else
		table_cell(t, DIM, "-");
	table_cell(t, PLAIN, "%s", s->since_ms ? span_text(now_ms - s->since_ms, span) : "-");
	table_cell(t, s->restarts ? YELLOW : PLAIN, "%u", s->restarts);
	table_cell(t, PLAIN, "%s", v->has_memory ? bytes_text(v->memory, span) : "-");
	if (v->has_cpu)
		table_cell(t, PLAIN, "%.2fs", (double)v->cpu_us / 1e6);
	else
		table_cell(t, DIM, "-");
	table_cell(t, sandbox_is_bad(v) ? RED : PLAIN, "%s", sandbox_text(v, buf));
}

/* Below the table: whoever is not where it should be, and why. */
static void complaints(const struct status *st)
{
	for (unsigned i = 0; i < st->views->n; i++) {
		const struct view *v = &st->views->v[i];
		const char *why = v->refused ? v->refused : v->now.why;
		bool said = v->now.state == SVC_WAITING || v->now.state == SVC_BACKOFF || v->now.state == SVC_FAILED ||
			    v->now.state == SVC_REFUSED || v->now.state == SVC_SKIPPED;

		if (!said || !*why)
			continue;
		fprintf(st->to, "%s%s%s: ", colour_on(st->colour, state_row(v->now.state)->colour), v->name,
			colour_off(st->colour, state_row(v->now.state)->colour));
		put_clean(st->to, why);
		fputc('\n', st->to);
	}
}

static void totals(const struct status *st)
{
	const struct ledger_head *h = st->live->ledger.head;
	unsigned count[SVC_STATES] = { 0 };
	const char *comma = ": ";

	for (unsigned i = 0; i < st->views->n; i++)
		if (st->views->v[i].now.state < SVC_STATES)
			count[st->views->v[i].now.state]++;
	fprintf(st->to, "%u service%s", st->views->n, PLURAL(st->views->n));
	for (unsigned i = 0; i < SVC_STATES; i++)
		if (count[i]) {
			fprintf(st->to, "%s%u %s", comma, count[i], svc_state_name[i]);
			comma = ", ";
		}
	if (!h->settled)
		fputs("; still starting", st->to);
	else if (h->mode == MODE_MACHINE && h->boot_done_us)
		fprintf(st->to, "; settled %.2f s after the kernel's start", (double)h->boot_done_us / 1e6);
	fputc('\n', st->to);
}

void status_table(const struct status *s)
{
	static const char *const heads[] = {
		"SERVICE", "STATE", "PID", "SINCE", "RESTARTS", "MEMORY", "CPU", "SANDBOX",
	};
	struct table t = { 0 };

	table_row(&t);
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		table_cell(&t, DIM, "%s", heads[i]);
	for (unsigned i = 0; i < s->views->n; i++)
		table_line(&t, &s->views->v[i], s->views->now_ms);
	table_print(&t, s->colour, s->to);
	complaints(s);
	totals(s);
}

static void details(const struct status *s, const char *run_dir)
{
	for (unsigned i = 0; i < s->views->n; i++) {
		const struct view *v = &s->views->v[i];
		const char *names[] = { v->name, NULL };
		struct logs_query q = { .services = names, .n = LAST_LINES, .colour = s->colour };
		struct err e;

		if (i > 0)
			fputc('\n', s->to);
		status_one(s, v);
		if (!v->plan)
			continue;
		fputc('\n', s->to);
		/* The state is what was asked for; that its lines cannot be read is no reason to withhold it. */
		if (logs_print(run_dir, s->live->ledger.head->log_dir, &q, s->to, &e) < 0)
			fprintf(s->to, "(no last lines: %s)\n", e.text);
	}
}

static int show(struct ctl *c, const struct live *live)
{
	struct views views = { 0 };
	struct status s = { .live = live, .views = &views, .colour = colour_wanted(stdout), .to = stdout };
	struct err e;

	if (has(c, OPT_PRIOR))
		return status_prior(&s, has(c, OPT_JSON)), DONE;
	if (views_take(&views, live, c->args, mono_now().ms, &e) < 0)
		return ctl_fail(c, UNKNOWN, &e);
	for (unsigned i = 0; i < views.n; i++)
		view_read_usage(&views.v[i]);
	if (has(c, OPT_JSON))
		status_json(&s);
	else if (c->nargs > 0)
		details(&s, ctl_run_dir(c));
	else
		status_table(&s);
	int code = c->nargs > 0 ? status_code(&views) : DONE;

	views_free(&views);
	return code;
}

int verb_status(struct ctl *c)
{
	struct live live = { 0 };
	struct err e;

	if (live_open(&live, ctl_run_dir(c), &e) < 0)
		return ctl_fail(c, UNKNOWN, &e);
	int code = show(c, &live);

	live_close(&live);
	return code;
}
