/* `prior reload-config`: what will change, and then what became of it. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/conf/value.h"
#include "init/base/mono.h"
#include "init/ctl/json.h"
#include "init/ctl/live.h"
#include "init/ctl/request.h"
#include "services/plan/changes.h"
#include "services/spec/spec.h"
#include "services/supervise/control.h"
#include "services/supervise/prior.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMPILE_MS 70000	/* longer than PID 1 gives its compiler */

enum change { SAME, NEW, GONE, CHANGED, WITH };

static const struct { const char *word, *mark, *says; enum colour colour; } changes[] = {
	[SAME] = { "same", " ", "unchanged", DIM },
	[NEW] = { "new", "+", "is new: it is started", GREEN },
	[GONE] = { "gone", "-", "is gone: it is stopped", RED },
	[CHANGED] = { "changed", "~", "has changed", YELLOW },
	[WITH] = { "restarted", "~", "is restarted with", YELLOW },
};

/* Both plans side by side; arrays by index in the old and in the new one. */
struct diff {
	struct live live;
	struct plan next;
	uint32_t *to_new, *to_old;
	unsigned char *what;		/* enum change, by index in the old plan */
	bool *ran;			/* it did when the reload was asked for */
	uint32_t *with;			/* WITH: the service that is why */
	unsigned count[WITH + 1];
};

static void diff_close(struct diff *d)
{
	live_close(&d->live);
	plan_unmap(&d->next);
	free(d->to_new);
	free(d->to_old);
	free(d->what);
	free(d->ran);
	free(d->with);
	*d = (struct diff){ 0 };
}

/* Before the reload is asked for: afterwards the ledger shows services that stop, or another plan's. */
static int take_live(struct diff *d, const char *run_dir, struct err *e)
{
	if (live_open(&d->live, run_dir, e) < 0)
		return -e->code;
	uint32_t n = d->live.plan.head->services.n;

	d->ran = calloc(n + 1, sizeof *d->ran);
	for (uint32_t i = 0; d->ran && i < n && i < d->live.ledger.head->nservices; i++) {
		struct ledger_svc s = { .state = SVC_UP };

		ledger_read_svc(&d->live.ledger, i, &s);
		d->ran[i] = state_is_live(s.state) || s.state == SVC_WAITING || s.state == SVC_BACKOFF ||
			    s.state == SVC_LISTENING;
	}
	return d->ran ? 0 : err_set(e, ENOMEM, "there is not enough memory for %u services", n);
}

/* As PID 1 finds it: in the order of starts, so that what needs a changed one is known when it comes. */
static void find_changes(struct diff *d)
{
	const struct plan *p = &d->live.plan;
	const uint32_t *order = PLAN_FIRST(p, p->head->start_order, uint32_t);

	changes_match(p, &d->next, d->to_new, d->to_old);
	for (uint32_t k = 0; k < p->head->services.n; k++) {
		uint32_t i = order[k];
		const struct plan_service *s = plan_service(p, i);

		d->what[i] = d->to_new[i] == CHANGES_NONE ? GONE :
			     changes_service(p, i, &d->next, d->to_new[i]) ? CHANGED : SAME;
		for (const struct plan_dep *x = PLAN_FIRST(p, s->deps, struct plan_dep);
		     d->what[i] == SAME && x < PLAN_END(p, s->deps, struct plan_dep); x++)
			if (x->kind == DEP_REQUIRES && x->condition != COND_COMPLETED && d->what[x->service] != SAME &&
			    d->ran[i]) {
				d->what[i] = WITH;
				d->with[i] = x->service;
			}
		if (!s->base.n || d->ran[i])	/* a slot that serves nothing is nobody's concern */
			d->count[d->what[i]]++;
	}
	for (uint32_t k = 0; k < d->next.head->services.n; k++)
		d->count[NEW] += d->to_old[k] == CHANGES_NONE && !plan_service(&d->next, k)->base.n;
}

static int diff_make(struct diff *d, int plan_fd, struct err *e)
{
	if (plan_map(&d->next, plan_fd, e) < 0)
		return -e->code;
	uint32_t n = d->live.plan.head->services.n;

	d->to_new = calloc(n + 1, sizeof *d->to_new);
	d->to_old = calloc(d->next.head->services.n + 1, sizeof *d->to_old);
	d->what = calloc(n + 1, 1);
	d->with = calloc(n + 1, sizeof *d->with);
	if (!d->to_new || !d->to_old || !d->what || !d->with)
		return err_set(e, ENOMEM, "there is not enough memory for %u services", n);
	find_changes(d);
	return 0;
}

static const char *old_name(const struct diff *d, uint32_t i)
{
	return plan_str(&d->live.plan, plan_service(&d->live.plan, i)->name);
}

static void say_one(struct json *j, enum change what, const char *name, const char *with,
		    bool running)
{
	bool colour = colour_wanted(stdout);

	if (j) {
		json_object(j, NULL);
		json_text(j, "service", name);
		json_text(j, "change", changes[what].word);
		json_text(j, "with", with);
		json_end(j);
		return;
	}
	printf("%s%s %s%s %s%s%s%s\n", colour_on(colour, changes[what].colour), changes[what].mark, name,
	       colour_off(colour, changes[what].colour), changes[what].says, with ? " " : "", with ? with : "",
	       what != CHANGED ? "" : running ? ": it is restarted" : "; it is not running");
}

/* Old and new in one order of names. */
static void say_all(const struct diff *d, struct json *j)
{
	uint32_t n = d->live.plan.head->services.n, m = d->next.head->services.n, i = 0, k = 0;

	while (i < n || k < m) {
		const char *new_name = k < m ? plan_str(&d->next, plan_service(&d->next, k)->name) : NULL;

		if (k < m && d->to_old[k] == CHANGES_NONE && (i == n || strcmp(new_name, old_name(d, i)) < 0)) {
			if (!plan_service(&d->next, k)->base.n)
				say_one(j, NEW, new_name, NULL, false);
			k++;
			continue;
		}
		if (i < n && d->what[i] != SAME && (!plan_service(&d->live.plan, i)->base.n || d->ran[i]))
			say_one(j, (enum change)d->what[i], old_name(d, i),
				d->what[i] == WITH ? old_name(d, d->with[i]) : NULL, d->ran[i]);
		k += i < n && d->to_new[i] != CHANGES_NONE;
		i += i < n;
	}
}

static unsigned total(const struct diff *d)
{
	return d->count[NEW] + d->count[GONE] + d->count[CHANGED];
}

static void say_sum(const struct diff *d)
{
	if (total(d) == 0)
		printf("no service changes\n");
	else
		printf("%u new, %u changed, %u gone, %u restarted with them, %u not touched\n", d->count[NEW],
		       d->count[CHANGED], d->count[GONE], d->count[WITH], d->count[SAME]);
	if (changes_machine(&d->live.plan, &d->next))
		printf("what is done at boot (machine, network) differs too: that is in effect from the next boot\n");
	fflush(stdout);
}

/* What was started anew is looked at once more. */
static int say_result(struct ctl *c, const struct diff *d)
{
	struct live live = { 0 };
	struct views all = { 0 };
	struct err e;
	int code = DONE;

	if (live_open(&live, ctl_run_dir(c), &e) < 0 || views_take(&all, &live, NULL, 0, &e) < 0)
		code = ctl_fail(c, FAILED, &e);
	for (unsigned i = 0; i < all.n; i++) {
		int was = all.v[i].plan ? plan_find(&d->live.plan, all.v[i].name) : 0;
		const struct ledger_svc *s = &all.v[i].now;

		if (!all.v[i].plan || (was >= 0 && d->what[was] == SAME))
			continue;
		if (s->state == SVC_FAILED || s->state == SVC_REFUSED || s->state == SVC_BACKOFF)
			code = ctl_say(c, FAILED, "%s is %s: %s", all.v[i].name, svc_state_name[s->state], s->why);
	}
	views_free(&all);
	live_close(&live);
	return code;
}

/* The compiler's complaints, as `prior check` would print them. */
static void say_problems(int fd)
{
	char buf[4096];
	off_t at = 0;

	for (ssize_t n; fd >= 0 && (n = pread(fd, buf, sizeof buf, at)) > 0; at += n)
		fwrite(buf, 1, (size_t)n, stderr);
}

static int apply(struct ctl *c, int sock, const struct diff *d, int timeout_ms)
{
	struct ctl_reply r = { 0 };
	struct err e;

	if (has(c, OPT_DRY_RUN) || has(c, OPT_NO_WAIT))
		return DONE;
	if (ctl_hear(sock, &r, NULL, timeout_ms, &e) < 0)
		return ctl_fail(c, FAILED, &e);
	return r.code ? ctl_fail(c, r.code, &r.err) : say_result(c, d);
}

static int ask(struct ctl *c, int timeout_ms, int *sock, int *fds, struct ctl_reply *r, struct err *e)
{
	struct ctl_request q = { .verb = CTL_RELOAD_CONFIG, .flags = has(c, OPT_DRY_RUN) ? CTL_F_DRY : 0 };

	if (ctl_connect(ctl_run_dir(c), sock, e) < 0 || ctl_send(*sock, &q, e) < 0)
		return -e->code;
	return ctl_hear(*sock, r, fds, timeout_ms < 0 ? COMPILE_MS : timeout_ms, e);
}

static int reload(struct ctl *c, int timeout_ms)
{
	struct json writer = { .to = stdout }, *j = has(c, OPT_JSON) ? &writer : NULL;
	owned_fd sock = FD_NONE, problems = FD_NONE, plan = FD_NONE;
	int fds[2] = { FD_NONE, FD_NONE };
	struct ctl_reply r = { 0 };
	struct diff d = { 0 };
	struct err e;
	int rc = take_live(&d, ctl_run_dir(c), &e);

	if (rc == 0)
		rc = ask(c, timeout_ms, &sock, fds, &r, &e);

	problems = fds[0];
	plan = fds[1];
	say_problems(problems);
	if (rc == 0 && !r.code)
		rc = diff_make(&d, plan, &e);
	if (rc < 0 || r.code) {
		diff_close(&d);
		return ctl_fail(c, FAILED, rc < 0 ? &e : &r.err);
	}
	if (j)
		json_list(j, NULL);
	say_all(&d, j);
	if (j)
		json_end(j);
	else
		say_sum(&d);
	int code = apply(c, sock, &d, timeout_ms);

	diff_close(&d);
	return code;
}

int verb_reload_config(struct ctl *c)
{
	int64_t ms = -1;

	if (has(c, OPT_TIMEOUT) && (value_msec(c->value[OPT_TIMEOUT], &ms) < 0 || ms > INT32_MAX))
		return ctl_say(c, USAGE, "--timeout %s: not a time such as 500ms, 30s or 5m", c->value[OPT_TIMEOUT]);
	return reload(c, (int)ms);
}
