/* Keeping the helper for devices, and what follows from its news: see devices.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/devices.h"
#include "init/base/pidfd.h"
#include "init/base/text.h"
#include "services/devices/devices.h"
#include "services/spec/spec.h"
#include "services/supervise/fsm.h"
#include "services/supervise/helper.h"
#include "services/supervise/reap.h"
#include "services/supervise/stop.h"
#include <sys/socket.h>

#define AT_ONCE 64		/* messages that are heard; */
#define PAUSE_MS 20		/* then so long none: whoever has taken the helper over may talk without end */

void devices_forget(struct prior *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		p->run[i].absent = plan_service(&p->plan, i)->needs_devices.n;
		p->run[i].first_absent = 0;
		p->run[i].devices_told = false;
	}
}

static const char *missing(const struct prior *p, uint32_t i)
{
	const struct plan_ref *paths = PLAN_FIRST(&p->plan, plan_service(&p->plan, i)->needs_devices, struct plan_ref);

	return plan_str(&p->plan, paths[p->run[i].first_absent]);
}

static void say_what_is_missing(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct text t = TEXT_IN(s->why);

	text_fmt(&t, "the device %s is not there", missing(p, i));
}

void devices_wait(struct prior *p, uint32_t i)
{
	if (!p->run[i].absent)
		return;
	say_what_is_missing(p, i);
	svc_timer(p, i, plan_service(&p->plan, i)->device_timeout_ms);
}

/* Whom i waits for comes before it in start_order (but for a rival, who is told to stop, and so does not wait). */
static bool waits_for_ever(const struct prior *p, uint32_t i)
{
	const struct svc_run *r = &p->run[i];
	const uint32_t next = p->ledger.svc[i].waits_for;

	return (r->absent && r->devices_told && !plan_service(&p->plan, i)->device_timeout_ms) ||
	       (next && next <= p->n && p->ledger.svc[next - 1].state == SVC_WAITING && p->run[next - 1].for_ever);
}

bool devices_may_never_come(struct prior *p)
{
	const uint32_t *order = PLAN_FIRST(&p->plan, p->plan.head->start_order, uint32_t);

	if (p->unsettled != p->waiting)
		return false;
	for (uint32_t k = 0; k < p->n; k++) {
		const uint32_t i = order[k];

		p->steps++;
		if (p->ledger.svc[i].state != SVC_WAITING)
			continue;
		p->run[i].for_ever = waits_for_ever(p, i);
		if (!p->run[i].for_ever)
			return false;
	}
	return true;
}

enum svc_event svc_no_device(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct text t = TEXT_IN(s->why);

	s->flags |= SVC_F_DEP_FAILED;	/* it comes back with the device */
	text_fmt(&t, "the device %s did not come within %u ms", missing(p, i),
		 plan_service(&p->plan, i)->device_timeout_ms);
	return svc_fail(p, i);
}

/* --- news --- */

static void all_are_there(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);

	p->run[i].unmet--;
	if (s->state == SVC_WAITING) {
		LEDGER_WRITE(s);
		s->why[0] = '\0';
		svc_timer(p, i, 0);
	}
	if (p->run[i].unmet == 0 && (s->state == SVC_WAITING ||
				     (s->state == SVC_FAILED && s->flags & SVC_F_DEP_FAILED)))
		svc_post(p, i, EV_DEPS_READY);
}

/* `again`: it was missing, or nothing was known. */
static void one_is_missing(struct prior *p, uint32_t i, bool again)
{
	struct ledger_svc *s = svc_of(p, i);

	p->run[i].unmet += !again;
	if (s->state == SVC_WAITING) {
		LEDGER_WRITE(s);
		if (again)
			say_what_is_missing(p, i);
		else
			devices_wait(p, i);
	} else if ((s->state == SVC_STARTING || s->state == SVC_UP) &&
		   plan_service(&p->plan, i)->device_gone == DEVICE_GONE_STOP) {
		prior_say(p, "warning", "device-gone", svc_name(p, i), missing(p, i));
		svc_post(p, i, EV_RESTART);	/* which waits for it */
	}
}

static void take_news(struct prior *p, const struct devices_news *n)
{
	struct svc_run *r = n->service < p->n ? &p->run[n->service] : NULL;
	const uint32_t of = r ? plan_service(&p->plan, n->service)->needs_devices.n : 0;
	const bool was = r && r->absent;

	if (!r || n->absent > of || n->first >= of)
		return;
	r->absent = n->absent;
	r->first_absent = n->first;
	r->devices_told = true;
	if (n->absent)
		one_is_missing(p, n->service, was);
	else if (was)
		all_are_there(p, n->service);
}

static void on_helper(void *ctx, uint32_t arg, uint32_t events)
{
	struct prior *p = ctx;
	struct devices_news n;
	ssize_t got = 0;

	(void)arg, (void)events;
	for (unsigned k = 0; k < AT_ONCE; k++) {
		got = recv(p->ledger.head->devices_fd, &n, sizeof n, MSG_DONTWAIT);
		if (got <= 0)
			break;
		if (got == sizeof n && !p->ledger.head->shutdown)
			take_news(p, &n);
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	loop_remove(&p->loop, &p->devices_src);
	if (got > 0)	/* else its end is reaped */
		loop_timer_set(&p->loop, p->n + TIMER_DEVICES, p->loop.now.ms + PAUSE_MS);
}

static void watch(struct prior *p)
{
	struct err e;
	const int rc = p->ledger.head->devices_fd < 0 || p->devices_src ? 0 :
		       loop_add(&p->loop, p->ledger.head->devices_fd, EPOLLIN, on_helper, 0, &e);

	if (rc > 0)
		p->devices_src = (uint32_t)rc;
	if (rc < 0)
		prior_say(p, "error", "devices", NULL, e.text);
}

/* --- the helper --- */

/* Its end of the socket is the last one: it reads the end of file, and goes. */
static void let_go(struct prior *p)
{
	loop_remove(&p->loop, &p->devices_src);
	fd_drop(&p->ledger.head->devices_fd);
}

static void start_later(struct prior *p)
{
	helper_later(p, &p->devices_life, TIMER_DEVICES);
}

static void start(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;
	const int exe = h->exe_fd, plan = h->plan_fd;	/* a child cannot see the ledger */
	int pid, sock;
	struct err e;

	if (devices_start(exe, plan, &pid, &sock, &e) < 0) {
		prior_say(p, "error", "devices", NULL, e.text);
		start_later(p);
		return;
	}
	p->devices_clears = false;
	fd_put(&h->devices_fd, sock);
	h->devices_pid = pid;
	p->devices_life.since_ms = p->loop.now.ms;
	ledger_seal_head(&p->ledger);
	reap_add(p, pid, 0, PID_DEVICES);
	watch(p);
}

void devices_start_helper(struct prior *p)
{
	const struct ledger_head *h = p->ledger.head;

	loop_timer_set(&p->loop, p->n + TIMER_DEVICES, 0);
	if (h->devices_pid > 0)
		watch(p);
	else if (h->mode == MODE_MACHINE && (p->devices_clears || devices_are_asked_for(&p->plan)))
		start(p);
}

void devices_ended(struct prior *p, int pid, uint8_t exit_kind, int status)
{
	struct ledger_head *h = p->ledger.head;
	char why[80];
	struct text t = TEXT_IN(why);

	if (pid != h->devices_pid)
		return;
	h->devices_pid = 0;
	if (h->devices_fd < 0) {	/* it was sent away: the next one, if there is to be one */
		devices_start_helper(p);
		return;
	}
	let_go(p);
	if (!devices_are_asked_for(&p->plan))	/* it has cleared up, and that was all */
		return;
	exit_text(&t, exit_kind, status);
	h->devices_restarts++;
	prior_say(p, "warning", "devices-restarted", NULL, why);
	helper_ended(p, &p->devices_life);
	start_later(p);
}

void devices_resume(struct prior *p)
{
	let_go(p);
	if (p->ledger.head->devices_pid > 0)
		reap_add(p, p->ledger.head->devices_pid, 0, PID_DEVICES);
	else
		devices_start_helper(p);
}

void devices_commit(struct prior *old, struct prior *now)
{
	now->devices_clears = devices_are_asked_for(&old->plan);
	let_go(now);
	if (now->ledger.head->devices_pid > 0)
		kill(now->ledger.head->devices_pid, SIGKILL);	/* it may not go by itself; then comes the next */
	else
		devices_start_helper(now);
}

void devices_end(struct prior *p)
{
	struct ledger_head *h = p->ledger.head;

	pidfd_end(h->devices_pid);
	h->devices_pid = 0;
	let_go(p);
}
