/* Where a stream's records go: files, the ring in memory when there can be no files, and what is said about it. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/logger.h"
#include "init/base/mono.h"
#include "init/base/text.h"
#include "services/spec/spec.h"
#include <string.h>

#define RETRY_MS 60000	/* a full disk is tried again this often */

void keep_event(struct logger *l, struct event *ev)
{
	struct err e;

	event_end(ev);
	if (store_room(&l->events, ev->n, &e) == 0)
		store_append(&l->events, ev->line, ev->n, &e);
	console_event(&l->console, ev->line, ev->n);
}

static void say(struct logger *l, const char *level, const char *event, const struct stream *s, const char *why)
{
	struct event ev;

	event_begin(&ev, level, event, s->name);
	if (why)
		event_str(&ev, "why", why);
	if (s->lost)
		event_num(&ev, "lost", (int64_t)s->lost);
	keep_event(l, &ev);
}

static struct store *store_of(struct logger *l, struct stream *s)
{
	return s->events ? &l->events : &s->store;
}

/* Whether its store is on a disk, which may not answer. */
static void disk_begin(struct logger *l, const struct stream *s)
{
	if (!s->events && !s->in_ring)
		guard_begin(&l->guard);
}

static void disk_end(struct logger *l, const struct stream *s)
{
	if (!s->events && !s->in_ring)
		guard_end(&l->guard);
}

static void set_place(struct logger *l, struct stream *s, bool ring)
{
	disk_begin(l, s);
	store_close(&s->store);
	disk_end(l, s);
	s->in_ring = ring;
	s->store.dir = ring ? l->ring_dir : l->file_dir;
}

void keep_choose(struct logger *l, struct stream *s)
{
	s->store.name = s->name;
	s->store.suffix = ".log";
	if (!s->events)
		set_place(l, s, s->sink == SINK_RING || (s->sink == SINK_AUTO && l->file_dir < 0));
}

static bool keeps_nothing(const struct stream *s)
{
	return s->sink == SINK_NONE || s->sink == SINK_CONSOLE;
}

static bool is_about(struct logger *l, struct stream *s)
{
	struct err e;
	bool found;

	if (keeps_nothing(s))
		return true;
	disk_begin(l, s);
	found = store_room(store_of(l, s), 0, &e) == 0 && journal_is_about(l->journal, s->name, store_of(l, s));
	disk_end(l, s);
	return found;
}

void keep_recover(struct logger *l, struct stream *s)
{
	char seen[4096];
	bool was_in_ring = false;
	size_t n;

	if (!l->journal->active || strcmp(l->journal->name, s->name) != 0)
		return;
	/* It may have been writing into the ring because the disk was full. */
	if (!is_about(l, s) && !s->events && !s->in_ring) {
		set_place(l, s, true);
		was_in_ring = is_about(l, s);
		if (!was_in_ring)
			set_place(l, s, false);
	}
	disk_begin(l, s);
	n = journal_recover(l->journal, s->name, store_of(l, s));
	disk_end(l, s);
	if (was_in_ring)	/* of this one nothing is known to be full: what comes next is for the files */
		set_place(l, s, false);
	while (n) {
		ssize_t r = read(s->fd, seen, n < sizeof seen ? n : sizeof seen);

		if (r <= 0)
			break;
		n -= (size_t)r;
	}
}

static int write_to(struct logger *l, struct stream *s, unsigned char first, size_t n, const char *out,
		    size_t out_n, struct err *e)
{
	struct store *to = store_of(l, s);
	int rc;

	disk_begin(l, s);
	rc = store_room(to, out_n, e);
	if (rc == 0 && n)
		journal_begin(l->journal, s->name, first, n, out_n, to);
	if (rc == 0)
		rc = store_append(to, out, out_n, e);
	disk_end(l, s);
	return rc;
}

/* Back to the files, now and then, when they could not be written before. */
static void try_files_again(struct logger *l, struct stream *s)
{
	struct err e;
	int64_t now = mono_now().ms;

	if (!s->troubled || !s->in_ring || s->sink == SINK_RING || now < s->retry_ms)
		return;
	set_place(l, s, false);
	disk_begin(l, s);
	int rc = store_room(&s->store, 0, &e);

	disk_end(l, s);
	if (rc < 0)
		set_place(l, s, true);
	s->retry_ms = now + RETRY_MS;
}

static void recovered(struct logger *l, struct stream *s)
{
	if (!s->troubled || (s->in_ring && s->sink != SINK_RING))
		return;
	s->troubled = false;
	say(l, "info", "logs-recovered", s, NULL);
	s->lost = 0;
}

static void fall_back(struct logger *l, struct stream *s, const struct err *e)
{
	/* A machine without a place for files is no trouble, where nobody asked for files. */
	if (!s->troubled && (s->sink != SINK_AUTO || l->file_dir >= 0)) {
		s->troubled = true;
		s->retry_ms = mono_now().ms + RETRY_MS;
		say(l, "error", s->in_ring ? "logs-lost" : "logs-in-memory", s, e->text);
	}
}

void keep(struct logger *l, struct stream *s, unsigned char first, size_t n, const char *out, size_t out_n)
{
	struct err e;

	if (keeps_nothing(s)) {
		if (n)
			journal_begin(l->journal, s->name, first, n, out_n, NULL);
		return;
	}
	try_files_again(l, s);
	if (write_to(l, s, first, n, out, out_n, &e) == 0) {
		recovered(l, s);
		return;
	}
	if (!s->in_ring && !s->events) {
		fall_back(l, s, &e);
		set_place(l, s, true);
		if (write_to(l, s, first, n, out, out_n, &e) == 0)
			return;
		s->troubled = false;	/* this is news */
	}
	for (size_t i = 0; i < out_n; i++)
		s->lost += out[i] == '\n';
	if (!s->events)
		fall_back(l, s, &e);
	if (n)
		journal_begin(l->journal, s->name, first, n, 0, NULL);
}
