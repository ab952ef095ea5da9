/* What the keys of a message on a notify socket mean: one row each. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/spec/spec.h"
#include "services/supervise/care.h"
#include "services/supervise/fdstore.h"
#include "services/supervise/fsm.h"
#include "services/supervise/main_pid.h"
#include "services/supervise/member.h"
#include "services/supervise/notify.h"
#include <string.h>

#define EXTEND_MAX_MS (INT64_C(86400000) * 30)
#define SEARCHES_MAX 64		/* of a named pid in a start: each looks at every process of the service */

/* One message being taken. */
struct message {
	struct prior *p;
	uint32_t i;
	pid_t pid;
	const char *bytes;
	size_t n;
	bool store;
};

/* Digits only, at most 20 of them. */
static bool number(const char *s, size_t n, uint64_t *out)
{
	uint64_t v = 0;

	if (n == 0 || n > 19)
		return false;
	for (size_t k = 0; k < n; k++) {
		if (s[k] < '0' || s[k] > '9')
			return false;
		v = v * 10 + (uint64_t)(s[k] - '0');
	}
	*out = v;
	return true;
}

static bool is_one(const char *value, size_t n)
{
	return n == 1 && *value == '1';
}

static void reload_over(struct prior *p, uint32_t i)
{
	struct ledger_svc *s = svc_of(p, i);
	struct ledger_care *c = care_of(p, i);

	if (!(s->flags & SVC_F_RELOADING))
		return;
	LEDGER_WRITE(s);
	s->flags &= ~(SVC_F_RELOADING | SVC_F_RELOAD_ASKED);
	if (c)
		c->reload_at_ms = 0;
	prior_say(p, "info", "reloaded", svc_name(p, i), NULL);
}

static void ready(struct message *m, const char *value, size_t n)
{
	if (!is_one(value, n))
		return;
	reload_over(m->p, m->i);
	if (ready_is_said(plan_service(&m->p->plan, m->i)->ready))
		svc_post(m->p, m->i, EV_READY);
}

/*
 * MONOTONIC_USEC says which reload is meant. Where one is waited for (ready: notify-reload) it must come with it, and
 * not be from before it was asked for; elsewhere it may be missing, as haproxy 2.6 has it.
 */
static void reloading(struct message *m, const char *value, size_t n)
{
	struct ledger_svc *s = svc_of(m->p, m->i);
	size_t len;
	uint64_t us = 0;
	const char *when = notify_value(m->bytes, m->n, "MONOTONIC_USEC", &len);

	if (!is_one(value, n) || s->state != SVC_UP)
		return;
	if (!when && plan_service(&m->p->plan, m->i)->ready != READY_NOTIFY_RELOAD) {
		us = UINT64_MAX;
	} else if (!when || !number(when, len, &us)) {
		notify_say_once(m->p, m->i, SAID_RELOADING, "warning", "notify-refused",
				"RELOADING=1 without MONOTONIC_USEC");
		return;
	}
	care_reloading(m->p, m->i, us);
	notify_say_once(m->p, m->i, SAID_RELOADING, "info", "reloading", NULL);
}

/* Kept as it came but for control bytes: a status line must not forge another line anywhere. */
static void status(struct message *m, const char *value, size_t n)
{
	struct ledger_svc *s = svc_of(m->p, m->i);
	LEDGER_WRITE(s);

	if (n > sizeof s->status - 1)
		n = sizeof s->status - 1;
	for (size_t k = 0; k < n; k++)
		s->status[k] = value[k] >= ' ' && value[k] < 0x7f ? value[k] : '?';
	memset(s->status + n, 0, sizeof s->status - n);
}

static void stopping(struct message *m, const char *value, size_t n)
{
	if (is_one(value, n))
		notify_say_once(m->p, m->i, SAID_STOPPING, "info", "says-stopping", NULL);
}

static void said_errno(struct message *m, const char *value, size_t n)
{
	struct ledger_care *c = care_of(m->p, m->i);
	uint64_t v;
	struct event ev;

	if (!number(value, n, &v) || v > 4095)
		return;
	if (c)
		c->error = (int32_t)v;
	if (m->p->run[m->i].said & SAID_ERRNO)
		return;
	m->p->run[m->i].said |= SAID_ERRNO;
	event_begin(&ev, "warning", "says-errno", svc_name(m->p, m->i));
	event_num(&ev, "errno", (int64_t)v);
	prior_event(m->p, &ev);
}

static void main_pid(struct message *m, const char *value, size_t n)
{
	struct prior *p = m->p;
	uint64_t inner;

	if (!number(value, n, &inner) || inner == 0 || inner > INT32_MAX)
		return;
	pid_t pid = p->run[m->i].searches++ < SEARCHES_MAX ? member_find(p, m->i, (pid_t)inner) : 0;
	struct err e;

	if (pid == 0 || main_pid_take(p, m->i, pid, &e) < 0)
		notify_say_once(p, m->i, SAID_MAINPID, "warning", "notify-refused",
				"MAINPID names no process of the service");
}

static void watchdog(struct message *m, const char *value, size_t n)
{
	if (is_one(value, n))
		care_watchdog_alive(m->p, m->i);
	else if (n == 7 && !memcmp(value, "trigger", 7))
		care_unwell(m->p, m->i, EXIT_WATCHDOG);
}

static void watchdog_usec(struct message *m, const char *value, size_t n)
{
	uint64_t us;

	if (number(value, n, &us) && us > 0)
		care_watchdog_set(m->p, m->i, us);
}

/* Counts from now. What it extends is a start, or a stop that was asked for; never the time after SIGKILL. */
static void extend(struct message *m, const char *value, size_t n)
{
	struct prior *p = m->p;
	struct ledger_svc *s = svc_of(p, m->i);
	uint64_t us;
	bool stops = s->state == SVC_STOPPING && s->flags & SVC_F_SIGNALLED && !(s->flags & SVC_F_KILLED);

	if (!number(value, n, &us) || (!stops && s->state != SVC_STARTING) || s->deadline_ms == 0)
		return;
	int64_t ms = us / 1000 > EXTEND_MAX_MS ? EXTEND_MAX_MS : (int64_t)(us / 1000) + 1;

	if (p->loop.now.ms + ms <= s->deadline_ms)
		return;
	LEDGER_WRITE(s);
	svc_timer(p, m->i, ms);
	notify_say_once(p, m->i, SAID_EXTENDED, "info", "extended", "it asked for more time");
}

static void store(struct message *m, const char *value, size_t n)
{
	if (!is_one(value, n))
		return;
	m->store = fdstore_has_room(m->p, m->i);
	if (!m->store)
		notify_say_once(m->p, m->i, SAID_STORE, "warning", "fdstore",
				"a descriptor was not stored: fd_store_max is reached");
}

static void unstore(struct message *m, const char *value, size_t n)
{
	size_t len;
	const char *name = notify_value(m->bytes, m->n, "FDNAME", &len);

	if (is_one(value, n) && name)
		fdstore_remove(m->p, m->i, name, len);
}

/*
 * BARRIER's descriptor is closed with the message, after all earlier ones were applied. FDNAME, FDPOLL and
 * MONOTONIC_USEC are read by the keys that they belong to.
 */
static const struct key {
	const char *name;
	void (*take)(struct message *, const char *value, size_t n);
} keys[] = {
	{ "READY", ready },
	{ "RELOADING", reloading },
	{ "STOPPING", stopping },
	{ "STATUS", status },
	{ "ERRNO", said_errno },
	{ "MAINPID", main_pid },
	{ "WATCHDOG", watchdog },
	{ "WATCHDOG_USEC", watchdog_usec },
	{ "EXTEND_TIMEOUT_USEC", extend },
	{ "FDSTORE", store },
	{ "FDSTOREREMOVE", unstore },
};

static void take_line(struct message *m, const char *line, size_t n)
{
	const char *eq = memchr(line, '=', n);

	if (!eq)
		return;
	for (const struct key *k = keys; k < keys + sizeof keys / sizeof *keys; k++)
		if (strlen(k->name) == (size_t)(eq - line) && !memcmp(k->name, line, (size_t)(eq - line)))
			k->take(m, eq + 1, n - (size_t)(eq + 1 - line));
}

/* Calls each with every line; lines end by a newline or with the message. */
static void each_line(const char *bytes, size_t n, void (*each)(void *ctx, const char *line, size_t n), void *ctx)
{
	const char *end = bytes + n;

	for (const char *line = bytes; line < end;) {
		const char *nl = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((nl ? nl : end) - line);

		each(ctx, line, len);
		line += len + 1;
	}
}

struct wanted {
	const char *key, *value;
	size_t key_n, n;
};

static void look_at(void *ctx, const char *line, size_t n)
{
	struct wanted *w = ctx;

	if (n > w->key_n && !memcmp(line, w->key, w->key_n) && line[w->key_n] == '=') {
		w->value = line + w->key_n + 1;
		w->n = n - w->key_n - 1;
	}
}

const char *notify_value(const char *bytes, size_t n, const char *key, size_t *len)
{
	struct wanted w = { .key = key, .key_n = strlen(key) };

	each_line(bytes, n, look_at, &w);
	*len = w.n;
	return w.value;
}

static void take(void *ctx, const char *line, size_t n)
{
	take_line(ctx, line, n);
}

bool notify_take(struct prior *p, uint32_t i, pid_t pid, const char *bytes, size_t n)
{
	struct message m = { .p = p, .i = i, .pid = pid, .bytes = bytes, .n = n };

	each_line(bytes, n, take, &m);
	return m.store;
}
