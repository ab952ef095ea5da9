/* Asking the running prior, and taking views: see live.h. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/live.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include "init/conf/value.h"
#include "services/plan/enabled.h"
#include "services/supervise/control.h"
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ANSWER_MS 5000	/* PID 1 never blocks: an answer that takes longer does not come */

int live_open(struct live *l, const char *run_dir, struct err *e)
{
	struct ctl_request q = { .version = CTL_VERSION, .verb = CTL_STATE };
	struct ctl_reply r;
	int fds[2] = { FD_NONE, FD_NONE };
	struct live got = { 0 };
	socklen_t len = sizeof got.peer;
	owned_fd control = FD_NONE;

	/* One connection for all: the path may lead elsewhere the next time. */
	if (ctl_connect(run_dir, &control, e) < 0)
		return -e->code;
	if (getsockopt(control, SOL_SOCKET, SO_PEERCRED, &got.peer, &len) < 0)
		return err_sys(e, "ask who answers");
	if (ctl_ask_on(control, &q, &r, fds, ANSWER_MS, e) < 0)
		return -e->code;
	owned_fd ledger_fd = fds[0], plan_fd = fds[1];

	if (r.code)
		return err_set(e, r.err.code ? r.err.code : EIO, "%s", r.err.text);
	if (ledger_map(&got.ledger, ledger_fd, false, e) < 0)
		return err_in(e, "the ledger of the running prior");
	if (plan_map(&got.plan, plan_fd, e) < 0) {
		ledger_unmap(&got.ledger);
		return err_in(e, "the plan of the running prior");
	}
	if (got.ledger.head->mode == MODE_CONTAINER)
		seen_look(&got.from, control);	/* PID 1 of a container counts from there */
	*l = got;
	return 0;
}

void live_close(struct live *l)
{
	if (l->ledger.head)
		ledger_unmap(&l->ledger);
	if (l->plan.at)
		plan_unmap(&l->plan);
	*l = (struct live){ 0 };
}

static bool is_in_the_same(pid_t pid, const char *space)
{
	struct stat theirs, ours;
	char path[48];

	snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, space);
	if (stat(path, &theirs) < 0)
		return false;
	snprintf(path, sizeof path, "/proc/self/ns/%s", space);
	return stat(path, &ours) == 0 && theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

int live_is_trusted(const struct live *l, struct err *e)
{
	static const char *const spaces[] = { "user", "pid", "mnt" };
	const pid_t pid = l->peer.pid;

	if (l->peer.uid != geteuid())
		return err_set(e, EPERM, "the prior that answers is run by user %u: that user may ask this of it",
			       l->peer.uid);
	for (unsigned i = 0; geteuid() == 0 && i < sizeof spaces / sizeof *spaces; i++)
		if (pid <= 0 || !is_in_the_same(pid, spaces[i]))
			return err_set(e, EPERM, "the prior that answers lives in another %s namespace, and its word "
				       "is not to be trusted with our rights: ask it from in there (nsenter -a -t %d, "
				       "or the container's own exec)", spaces[i], pid);
	return 0;
}

bool live_enter_users(const struct live *l)
{
	const struct ledger_head *h = l->ledger.head;
	const int pid = h->spawner_pid > 0 ? h->spawner_pid : h->logger_pid;
	char path[32];
	struct text t = TEXT_IN(path);

	if (geteuid() == 0)
		return true;
	if (pid <= 0)
		return false;
	text_fmt(&t, "/proc/%d/ns/user", pid);
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);

	/* EINVAL: it is our own. */
	return fd >= 0 && (setns(fd, CLONE_NEWUSER) == 0 || errno == EINVAL);
}

/* Of a slot: its connection; of a base: how many of its slots have one. */
static void view_connections(const struct live *l, struct view *v)
{
	const struct ledger *from = &l->ledger;

	if (!v->plan->base.n && !v->plan->connections.n)
		return;
	for (uint32_t k = 0; k < from->head->nconns; k++) {
		const uint32_t slot = from->conn[k].service;

		if (slot >= l->plan.head->services.n || !plan_service(&l->plan, slot)->base.n)
			continue;
		if (slot == v->index)
			v->conn = from->conn[k];
		v->served += from->conn[k].family && PLAN_FIRST(&l->plan, plan_service(&l->plan, slot)->base,
								struct plan_dep)->service == v->index;
	}
}

static struct view view_planned(const struct live *l, uint32_t i)
{
	const struct plan_service *s = plan_service(&l->plan, i);
	struct view v = { .name = plan_str(&l->plan, s->name), .index = i, .plan = s };

	if (i >= l->ledger.head->nservices || !ledger_read_svc(&l->ledger, i, &v.now)) {
		v.now.cgroup_fd = FD_NONE;
		text_copy(v.now.why, sizeof v.now.why, "its record is damaged; prior will mend it or start anew");
	}
	const pid_t recorded = v.now.pid;

	v.now.pid = seen_pid(&l->from, recorded);
	v.unseen = recorded > 0 && v.now.pid <= 0;
	view_connections(l, &v);
	return v;
}

static struct view view_refused(const struct live *l, const struct plan_refused *r)
{
	struct view v = { .name = plan_str(&l->plan, r->name), .refused = plan_str(&l->plan, r->why) };

	v.now.state = SVC_REFUSED;
	v.now.cgroup_fd = FD_NONE;
	return v;
}

/* An instance of a template that could be, but is not. */
static struct view view_of_nobody(const char *name)
{
	struct view v = { .name = name, .now = { .cgroup_fd = FD_NONE } };

	snprintf(v.now.why, sizeof v.now.why, "nobody has started this instance of %.*s",
		 (int)strcspn(name, "@") + 1, name);
	return v;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct view *)a)->name, ((const struct view *)b)->name);
}

static int all_views(struct views *to, const struct live *l, struct err *e)
{
	const struct plan_head *h = l->plan.head;
	unsigned n = 0;
	struct view *v = calloc(h->services.n + h->refused.n + 1, sizeof *v);

	if (!v)
		return err_set(e, ENOMEM, "there is not enough memory for %u services", h->services.n + h->refused.n);
	for (uint32_t i = 0; i < h->services.n; i++)
		v[n++] = view_planned(l, i);
	PLAN_EACH(struct plan_refused, r, &l->plan, h->refused)
		v[n++] = view_refused(l, r);
	qsort(v, n, sizeof *v, by_name);
	to->v = v;
	to->n = n;
	return 0;
}

/* Slots that serve no connection: nobody has asked for them. */
static void leave_out_free(struct views *all)
{
	unsigned n = 0;

	for (unsigned i = 0; i < all->n; i++) {
		const struct view *v = &all->v[i];

		if (!v->plan || !v->plan->base.n || v->now.state != SVC_DOWN)
			all->v[n++] = *v;
	}
	all->n = n;
}

static int no_such(const struct live *l, const struct views *all, const char *name, struct err *e)
{
	const char **words = calloc(all->n + 1, sizeof *words);
	const char *near = NULL;

	for (unsigned i = 0; words && i < all->n; i++)
		words[i] = all->v[i].name;
	if (words)
		near = value_nearest(name, words);
	free(words);
	if (plan_has_template_itself(&l->plan, name))
		return err_set(e, ENOENT, "'%s' is a template, not a service: name one of it, as %sINSTANCE", name,
			       name);
	if (strchr(name, '@'))
		return err_set(e, ENOENT, "there is neither a service '%s' nor a template of which it could be",
			       name);
	return err_set(e, ENOENT, "there is no service '%s'%s%s%s", name, near ? " (did you mean '" : "",
		       near ? near : "", near ? "'?)" : "");
}

int views_take(struct views *to, const struct live *l, const char *const *names, int64_t now_ms,
	       struct err *e)
{
	struct views all = { 0 };
	unsigned n = 0, count = 0;

	if (all_views(&all, l, e) < 0)
		return -e->code;
	all.now_ms = now_ms;
	while (names && names[count])
		count++;
	if (count == 0) {
		leave_out_free(&all);
		*to = all;
		return 0;
	}
	struct views some = { .v = calloc(count, sizeof *some.v), .now_ms = now_ms };

	for (; some.v && n < count; n++) {
		struct view key = { .name = names[n] };
		const struct view *found = bsearch(&key, all.v, all.n, sizeof *all.v, by_name);

		if (!found && !plan_has_template(&l->plan, names[n]))
			break;
		some.v[some.n++] = found ? *found : view_of_nobody(names[n]);
	}
	int rc = !some.v ? err_set(e, ENOMEM, "there is not enough memory for %u services", count) :
		 n < count ? no_such(l, &all, names[n], e) : 0;

	views_free(&all);
	if (rc < 0)
		views_free(&some);
	else
		*to = some;
	return rc;
}

bool view_is_enabled(const struct live *l, const struct view *v)
{
	int said = enabled_look(l->ledger.head->state_dir, v->name);

	return said < 0 ? v->plan && !plan_is_disabled(&l->plan, v->index) : said;
}

void views_free(struct views *v)
{
	free(v->v);
	*v = (struct views){ 0 };
}
