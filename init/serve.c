/* Beginning, turning and ending of PID 1's main life: see serve.h. Coming back is in resume.c, signals in signals.c. */
/* SPDX-License-Identifier: ISC */
#include "init/serve.h"
#include "init/base/noheap.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "init/initctl.h"
#include "init/panic.h"
#include "init/reexec.h"
#include "init/run_dir.h"
#include "init/run/wrap.h"
#include "init/signals.h"
#include "services/cell/oci.h"
#include "services/supervise/devices.h"
#include "services/supervise/network.h"
#include "services/supervise/buttons.h"
#include "services/supervise/clock.h"
#include "services/supervise/dog.h"
#include "services/supervise/ending.h"
#include "services/supervise/endpoint.h"
#include "services/supervise/fsm.h"
#include "services/supervise/good.h"
#include "services/supervise/instances.h"
#include "services/supervise/notify.h"
#include "services/supervise/outside.h"
#include "services/supervise/reap.h"
#include "services/supervise/reload.h"
#include "services/supervise/server.h"
#include "services/supervise/sockets.h"
#include "services/supervise/spawning.h"
#include "services/supervise/start.h"
#include "services/supervise/streams.h"
#include "services/supervise/switch.h"
#include "services/supervise/trial.h"
#include "services/supervise/undo.h"
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int too_long(const char *what, const char *value, struct err *e)
{
	return err_set(e, ENAMETOOLONG, "%s %s: too long", what, value);
}

static int fill_head(struct ledger_head *h, const struct serve_setup *s, struct err *e)
{
	h->mode = s->mode;
	h->ctl_gid = s->ctl_gid;
	h->echo = s->echo;
	h->json = s->json;
	if (s->emergency)
		h->emergency = *s->emergency;
	h->http_addr = s->metrics;
	h->http_port = s->metrics_port;
	if (s->send)
		memcpy(h->run_send, s->send, WRAP_SIGNALS + 1);
	for (unsigned i = 0; s->stage_us && i < s->stages && i < BOOT_STAGES_MAX; i++)
		h->boot_us[i] = s->stage_us[i];
	if (!text_copy(h->run_dir, sizeof h->run_dir, s->run_dir))
		return too_long("run directory", s->run_dir, e);
	if (!text_copy(h->log_dir, sizeof h->log_dir, s->log_dir ? s->log_dir : ""))
		return too_long("log directory", s->log_dir, e);
	if (!text_copy(h->state_dir, sizeof h->state_dir, s->state_dir ? s->state_dir : ""))
		return too_long("state directory", s->state_dir, e);
	if (!text_copy(h->config, sizeof h->config, s->config ? s->config : ""))
		return too_long("configuration", s->config, e);
	if (s->exe && !text_copy(h->exe, sizeof h->exe, s->exe))
		return too_long("binary", s->exe, e);
	if (!s->exe) {
		ssize_t n = readlink("/proc/self/exe", h->exe, sizeof h->exe - 1);

		h->exe[n > 0 && (size_t)n < sizeof h->exe - 1 ? n : 0] = '\0';
	}
	return 0;
}

/* A message to PID 1 may bring as many: there must be room, or the kernel closes them on our time (fdstore.h). */
#define SCM_MAX_FD 253

/* Each service has up to seven descriptors. The soft limit follows; the hard one only root can raise. */
static int raise_nofile(const struct plan *pl, uint64_t *was, struct err *e)
{
	const struct ledger_counts n = ledger_counts(pl);
	rlim_t want = 7 * (rlim_t)n.services + n.cares + n.stored + n.listens + LEDGER_CLIENTS + 64 + SCM_MAX_FD;
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return err_sys(e, "read the limit of descriptors");
	*was = r.rlim_cur;
	if (r.rlim_cur >= want)
		return 0;
	r.rlim_cur = want;
	r.rlim_max = r.rlim_max < want ? want : r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) < 0)
		return err_sys(e, "%u services need %llu descriptors; raise the hard limit (ulimit -Hn)", n.services,
			       (unsigned long long)want);
	return 0;
}

static int make_run_dir(const char *dir, const char *log_dir, struct err *e)
{
	if (!*dir)
		return err_set(e, EROFS, "there is no place for the control socket and the logs' rings: status, "
			       "logs and healthy will not find us; give a writable --run-dir, or a tmpfs at /run");
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make '%s' (--run-dir names another place)", dir);
	log_dir_leave(dir, log_dir);
	return 0;
}

static void say_refused(struct prior *p)
{
	const struct plan *pl = &p->plan;

	PLAN_EACH(struct plan_refused, r, pl, pl->head->refused)
		prior_say(p, "error", "refused", plan_str(pl, r->name), plan_str(pl, r->why));
}

/* Of what LISTEN_FDS handed to us. */
static void say_left_over(struct prior *p)
{
	for (const char *name; (name = outside_left_over());) {
		char why[128];
		struct text t = TEXT_IN(why);

		text_fmt(&t, "LISTEN_FDS: no service listens by the name '%s'; its socket is closed", name);
		prior_say(p, "warning", "listen", NULL, why);
	}
}

/* Sockets of all services first: a service that starts early may connect to one that starts late. */
static void start_all(struct prior *p)
{
	const uint32_t *order = PLAN_FIRST(&p->plan, p->plan.head->start_order, uint32_t);

	say_refused(p);
	p->loop.again = true;	/* perhaps there is nothing to wait for: the turn is to look */
	sockets_bind_all(p, 0);
	say_left_over(p);
	clock_begin(p);
	for (uint32_t k = 0; k < p->plan.head->start_order.n; k++)
		start_by_itself(p, order[k]);
}

/*
 * A machine goes on without what only people look at, and says so; so does a container without a place for it. Anywhere
 * else the caller hears of it at once.
 */
static int or_go_on(struct prior *p, int rc, struct err *e)
{
	if (rc == 0 || (p->ledger.head->mode != MODE_MACHINE && *p->ledger.head->run_dir))
		return rc;
	prior_say(p, "error", "begin", NULL, e->text);
	dprintf(p->ledger.head->console_fd, "prior: %s; going on without\n", e->text);
	return 0;
}

static int make_all(struct prior *p, const struct serve_setup *s, struct err *e)
{
	struct ledger_head *h;
	int rc;

	p->plan = s->plan;
	if ((!p->plan.at && plan_map(&p->plan, s->plan_fd, e) < 0) || ledger_create(&p->ledger, &p->plan, e) < 0)
		return -e->code;
	h = p->ledger.head;
	if (fill_head(h, s, e) < 0 || prior_memory(p, e) < 0 || signals_begin(p, e) < 0)
		return -e->code;
	h->exe_fd = s->exe_fd;
	h->console_fd = s->console_fd;
	server_open_ledger(p);
	if (panic_arm(&p->ledger, e) < 0)
		return -e->code;
	rc = or_go_on(p, raise_nofile(&p->plan, &h->nofile, e), e);
	if (rc == 0)
		rc = or_go_on(p, make_run_dir(h->run_dir, h->log_dir, e), e);
	if (rc == 0)
		rc = or_go_on(p, streams_begin(p, e), e);
	if (rc == 0 && s->mode == MODE_MACHINE)
		rc = or_go_on(p, initctl_begin(p, e), e);
	if (rc == 0)
		rc = or_go_on(p, dog_begin(p, e), e);
	if (rc == 0 && s->mode != MODE_RUN)
		rc = or_go_on(p, endpoint_begin(p, e), e);
	return rc < 0 || s->mode == MODE_RUN || !*h->run_dir ? rc : or_go_on(p, server_begin(p, e), e);
}

int serve_begin(struct prior *p, const struct serve_setup *s, struct err *e)
{
	*p = (struct prior){ .ledger.fd = FD_NONE, .signal_fd = FD_NONE, .trial_exe = FD_NONE,
			     .reload = { .client = -1, .socket = FD_NONE, .problems = FD_NONE } };
	if (getpid() != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(e, "become the parent of orphans");
	if (make_all(p, s, e) < 0)
		return err_in(e, "while starting");
	struct ledger_head *h = p->ledger.head;

	h->plan_fd = s->plan_fd;
	h->cgroup_fd = s->cgroup_fd;
	/* A machine's PID 1 is nobody's to look into. In a container children would inherit it, and the builder may
	 * lack the capability to look into those. */
	if (h->mode == MODE_MACHINE)
		prctl(PR_SET_DUMPABLE, 0);
	spawning_begin(p);	/* inherits that, and so do the builders */
	reap_begin(p);
	endpoint_start(p);
	devices_start_helper(p);
	buttons_begin(p);
	sys_batch(0, true);	/* until all is up: the services' own work comes first */
	ledger_seal_head(&p->ledger);
	undo_leftovers(p);
	network_begin(p);
	start_all(p);
	streams_flush(p);
	return 0;
}

static void check_settled(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;
	struct event ev;

	if (h->settled || (p->unsettled && !devices_may_never_come(p)))
		return;
	h->settled = 1;
	sys_batch(0, false);
	spawning_settled(p);
	streams_settled(p);
	if (!h->boot_done_us) {
		h->boot_done_us = mono_us();
		good_begin(p);
	}
	good_settled(p);
	if (!h->reloads)
		outside_say("READY=1\nSTATUS=all services have been started");
	event_begin(&ev, "info", "settled", NULL);
	if (!h->reloads)
		event_num(&ev, "boot_us", h->boot_done_us);
	event_num(&ev, "services", p->n - h->nconns);
	prior_event(p, &ev);
}

/* The new binary is good and no builder is in flight: become it. The old one is kept until the exec has happened. */
static void check_trial(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;
	struct err e = { .code = EINVAL,
			 .text = "the binary on disk does not know this ledger, or does not run" };

	if (p->trial == TRIAL_GOOD && p->nbuilding == 0) {
		int old = h->exe_fd;

		h->exe_fd = p->trial_exe;
		prior_say(p, "info", "reexec", NULL, h->exe);
		reexec(p, p->trial_exe, &e);
		h->exe_fd = old;
	} else if (p->trial != TRIAL_BAD) {
		return;
	}
	prior_say(p, "error", "reexec-failed", NULL, e.text);
	server_reexec_done(p, &e);
	trial_forget(p);
}

static int take_over(struct prior *p, struct prior *next, struct err *e)
{
	uint64_t unused;
	int rc = raise_nofile(reload_target(p), &unused, e);

	if (rc == 0)
		rc = switch_make(p, next, e);
	if (rc == 0)
		rc = signals_watch(next, e);
	if (rc == 0)
		rc = initctl_watch(next, e);
	if (rc == 0 && next->ledger.head->control_fd >= 0)
		rc = server_resume(next, e);
	if (rc == 0)
		rc = endpoint_prepare(p, next, e);
	if (rc == 0)
		rc = switch_commit(p, next, e);
	if (rc < 0)
		endpoint_drop(p, next);
	return rc;
}

/* All is down that another configuration replaces: it takes over, or nothing has happened. */
static void check_reload(struct prior *p)
{
	static struct prior next;
	struct err e;

	if (!reload_is_ready(p))
		return;
	if (take_over(p, &next, &e) == 0) {
		reload_done(p);
		clock_begin(p);
		return;
	}
	switch_drop(&next);
	reload_fail(p, &e);
}

void serve_turn(struct prior *p)
{
	loop_turn(&p->loop);
	if (p->reap_more)
		reap_all(p);
	instances_check(p);
	check_reload(p);
	check_settled(p);
	check_trial(p);
	ending_if_nothing(p);
	ending_check(p);
	server_check(p);
	streams_flush(p);
	p->ledger.head->wakeups++;
	ledger_seal_head(&p->ledger);
}

void serve(struct prior *p)
{
	no_heap_from_here();
	while (!p->finished)
		serve_turn(p);
	spawning_close(p);
	endpoint_end(p);
	devices_end(p);
	server_end(p);
	sockets_close_all(p);
	notify_close_all(p);
	if (*p->ledger.head->run_dir) {
		oci_end(p->ledger.head->run_dir);
		rmdir(p->ledger.head->run_dir);	/* only when no log is in it */
	}
}

void serve_shutdown(struct prior *p, enum shutdown_kind kind)
{
	ending_begin(p, kind);
}
