/* Events: one line of JSON each, built without a heap; and the same in words. */
/* SPDX-License-Identifier: ISC */
#include "init/base/mono.h"
#include "init/base/text.h"
#include "init/conf/value.h"
#include "services/logs/events.h"
#include "services/logs/logs.h"
#include "services/logs/stamp.h"
#include <string.h>

#define TAIL ",\"cut\":true}\n"	/* always fits: fields stop before it */

static struct text rest_of(struct event *ev)
{
	return (struct text){ .at = ev->line, .size = sizeof ev->line - (sizeof TAIL - 1), .n = ev->n };
}

/* A field that does not fit is left out as a whole, and `cut` tells. */
static void settle(struct event *ev, const struct text *t)
{
	if (t->cut) {
		ev->cut = true;
		ev->line[ev->n] = '\0';
	} else {
		ev->n = t->n;
	}
}

static void key(struct text *t, const char *name)
{
	text_add_n(t, ",", 1);
	text_json(t, name, strlen(name));
	text_add_n(t, ":", 1);
}

void event_begin(struct event *ev, const char *level, const char *name, const char *service)
{
	ev->n = 0;
	ev->cut = false;
	struct text t = rest_of(ev);

	text_add(&t, "{\"time\":\"");
	stamp_put(&t, wall_ms());
	text_add_n(&t, "\"", 1);
	key(&t, "level");
	text_json(&t, level, strlen(level));
	settle(ev, &t);
	event_str(ev, "event", name);
	if (service && *service)
		event_str(ev, "service", service);
}

void event_str(struct event *ev, const char *name, const char *value)
{
	struct text t = rest_of(ev);

	key(&t, name);
	text_json(&t, value, strlen(value));
	settle(ev, &t);
}

void event_num(struct event *ev, const char *name, int64_t value)
{
	struct text t = rest_of(ev);

	key(&t, name);
	text_num(&t, value);
	settle(ev, &t);
}

void event_end(struct event *ev)
{
	const char *tail = ev->cut ? TAIL : "}\n";

	memcpy(ev->line + ev->n, tail, strlen(tail));
	ev->n += strlen(tail);
}

/*
 * One member of a flat object: the next "name":value at *at. Strings are shown without quotes, escapes as they
 * are.
 */
struct member {
	const char *name, *value;
	size_t name_n, value_n;
};

static const char *string_end(const char *s, const char *end)
{
	while (s < end && *s != '"')
		s += *s == '\\' ? 2 : 1;
	return s < end ? s : end;
}

static bool next_member(const char **at, const char *end, struct member *m)
{
	const char *s = *at;

	while (s < end && *s != '"')
		s++;
	if (s >= end)
		return false;
	m->name = ++s;
	s = string_end(s, end);
	m->name_n = (size_t)(s - m->name);
	while (s < end && *s != ':')
		s++;
	if (s >= end || ++s >= end)
		return false;
	bool quoted = *s == '"';

	m->value = s += quoted;
	if (quoted)
		s = string_end(s, end);
	else
		while (s < end && *s != ',' && *s != '}')
			s++;
	m->value_n = (size_t)(s - m->value);
	*at = s < end ? s + 1 : s;
	return true;
}

bool event_find(const char *line, size_t n, const char *name, const char **value, size_t *value_n)
{
	const char *at = line, *end = line + n;
	struct member m;

	while (next_member(&at, end, &m))
		if (m.name_n == strlen(name) && memcmp(m.name, name, m.name_n) == 0) {
			*value = m.value;
			*value_n = m.value_n;
			return true;
		}
	return false;
}

static bool is(const struct member *m, const char *name)
{
	return m->name_n && *m->name == *name && m->name_n == strlen(name) && memcmp(m->name, name, m->name_n) == 0;
}

/* How a field reads. What is not here is its name and its value. */
static const struct phrase {
	const char *name, *before, *after;
	enum { AS_IT_IS, MILLISECONDS, MICROSECONDS, SIGNAL } is;
	enum { COMMA_BETWEEN, COMMA_ALWAYS, NO_COMMA } joint;	/* with what stands before it */
} phrases[] = {
	{ "attest_us", "in ", "", MICROSECONDS, NO_COMMA },
	{ "attested", "attested ", " facts", AS_IT_IS, COMMA_BETWEEN },
	{ "boot_us", "", " after the kernel's start", MICROSECONDS, COMMA_BETWEEN },
	{ "for_ms", "for ", "", MILLISECONDS, COMMA_BETWEEN },
	{ "ms", "", "", MILLISECONDS, COMMA_BETWEEN },
	{ "pid", "pid ", "", AS_IT_IS, COMMA_ALWAYS },
	{ "services", "", " services", AS_IT_IS, COMMA_BETWEEN },
	{ "signal", "", "", SIGNAL, COMMA_BETWEEN },
	{ "us", "after ", "", MICROSECONDS, COMMA_BETWEEN },
};

static const struct phrase *phrase_of(const struct member *m)
{
	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
		if (is(m, phrases[i].name))
			return &phrases[i];
	return NULL;
}

/* Digits of at most 15 places; -1: something else. */
static int64_t number(const struct member *m)
{
	int64_t n = 0;

	if (m->value_n == 0 || m->value_n > 15)
		return -1;
	for (size_t i = 0; i < m->value_n; i++) {
		if (m->value[i] < '0' || m->value[i] > '9')
			return -1;
		n = 10 * n + m->value[i] - '0';
	}
	return n;
}

/* 0.8 ms, 118 ms, 30 s, 12.34 s: three digits are enough to read. */
static void put_duration(struct text *t, int64_t us)
{
	if (us < 10000)
		text_fmt(t, "%lld.%lld ms", (long long)(us / 1000), (long long)(us % 1000 / 100));
	else if (us < 10000000)
		text_fmt(t, "%lld ms", (long long)(us / 1000));
	else if (us % 1000000 == 0)
		text_fmt(t, "%lld s", (long long)(us / 1000000));
	else
		text_fmt(t, "%lld.%02lld s", (long long)(us / 1000000), (long long)(us % 1000000 / 10000));
}

static void put_value(struct text *t, const struct phrase *p, const struct member *m)
{
	char name[VALUE_TEXT];
	int64_t n = number(m);

	if (!p || p->is == AS_IT_IS || n < 0)
		text_add_n(t, m->value, m->value_n);
	else if (p->is == SIGNAL)
		text_add(t, value_signal_text(n, name));
	else
		put_duration(t, p->is == MILLISECONDS ? 1000 * n : n);
}

static void put_field(struct text *t, const struct member *m, bool first)
{
	const struct phrase *p = phrase_of(m);

	/* A sentence needs no name before it. */
	if (is(m, "why") || is(m, "message")) {
		text_add(t, ": ");
		text_add_n(t, m->value, m->value_n);
		return;
	}
	text_add(t, p && p->joint == COMMA_ALWAYS ? ", " : first || (p && p->joint == NO_COMMA) ? " " : ", ");
	if (p) {
		text_add(t, p->before);
	} else {
		text_add_n(t, m->name, m->name_n);
		text_add_n(t, " ", 1);
	}
	put_value(t, p, m);
	/* " services" of one is " service". */
	if (p && *p->after)
		text_add_n(t, p->after, strlen(p->after) - (number(m) == 1 && p->is == AS_IT_IS));
}

/* Names of events are one word in JSON. */
static void put_name(struct text *t, const char *v, size_t n)
{
	for (size_t part; n > 0; v += part, n -= part) {
		const char *dash = memchr(v, '-', n);

		part = dash == v ? 1 : dash ? (size_t)(dash - v) : n;
		text_add_n(t, dash == v ? " " : v, part);
	}
}

/* The line's members in their order; those beyond are not shown. */
#define MEMBERS_MAX 40
struct members {
	struct member v[MEMBERS_MAX];
	unsigned n;
};

static void members_of(struct members *l, const char *line, size_t n)
{
	const char *at = line, *end = line + n;

	l->n = 0;
	while (l->n < MEMBERS_MAX && next_member(&at, end, l->v + l->n))
		l->n++;
}

static const struct member *member_of(const struct members *l, const char *name)
{
	for (const struct member *m = l->v; m < l->v + l->n; m++)
		if (is(m, name))
			return m;
	return NULL;
}

static void words(const struct members *l, struct text *t)
{
	const struct member *service = member_of(l, "service"), *event = member_of(l, "event");
	unsigned fields = 0;

	if (service) {
		text_add_n(t, service->value, service->value_n);
		text_add(t, ": ");
	}
	if (event)
		put_name(t, event->value, event->value_n);
	for (const struct member *m = l->v; m < l->v + l->n; m++)
		if (!is(m, "time") && !is(m, "level") && !is(m, "event") && !is(m, "service"))
			put_field(t, m, fields++ == 0);
}

void event_words(const char *line, size_t n, struct text *t)
{
	struct members l;

	members_of(&l, line, n);
	words(&l, t);
}

void event_human(const char *line, size_t n, char *out, size_t size)
{
	struct text t = { .at = out, .size = size };
	struct members l;

	members_of(&l, line, n);
	const struct member *time = member_of(&l, "time");
	int64_t ms = time ? stamp_read(time->value, time->value_n) : -1;
	/* The kernel's log counts from boot, and so do we: the time of day may not be known yet. */
	int64_t up = ms < 0 ? -1 : mono_now().ms - (wall_ms() - ms);

	out[0] = '\0';
	if (up >= 0)
		text_fmt(&t, "%lld.%03lld ", (long long)(up / 1000), (long long)(up % 1000));
	else if (ms >= 0)
		text_add_n(&t, time->value, time->value_n), text_add(&t, " ");
	words(&l, &t);
}
