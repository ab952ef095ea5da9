/* A stream: bytes of a pipe become records, and leave the pipe when the records are kept. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/forward.h"
#include "services/logs/logger.h"
#include "services/logs/record.h"
#include "init/base/mono.h"
#include "init/base/text.h"
#include "services/spec/spec.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#define TURN_MS 50	/* a console that takes its time ends a turn too */

/* One of each for all streams: what is between turns stays in the pipes. */
static char in[2 * RECORD_LINE];
static char out[RECORD_MAX + 4096];

/* Look at the beginning of the pipe without taking anything. 0: no writer is left; -EAGAIN: nothing there. */
static ssize_t peek(struct logger *l, struct stream *s)
{
	ssize_t n = tee(s->fd, l->scratch[1], sizeof in, SPLICE_F_NONBLOCK), got = 0;

	if (n <= 0)
		return n < 0 ? -errno : 0;
	while (got < n) {
		ssize_t r = read(l->scratch[0], in + got, sizeof in - (size_t)got);

		if (r <= 0)
			break;
		got += r;
	}
	return got ? got : -EAGAIN;
}

int stream_holds(const struct stream *s)
{
	int n = 0;

	return ioctl(s->fd, FIONREAD, &n) < 0 ? 0 : n;
}

/* Take n bytes out of the pipe; the first lands in the journal, which so knows. at: where they were looked at. */
static void take(struct logger *l, struct stream *s, char *at, size_t n)
{
	struct iovec v[] = { { &l->journal->witness, 1 }, { at + 1, n - 1 } };
	size_t got = 0;

	while (got < n) {
		ssize_t r = got ? read(s->fd, at + got, n - got) : readv(s->fd, v, n > 1 ? 2 : 1);

		if (r <= 0)	/* somebody else reads this pipe, or made it a pipe of packets: their loss */
			break;
		got += (size_t)r;
	}
	journal_end(l->journal);
}

struct batch {
	char *at;	/* first byte in `in` that is not kept yet */
	size_t n, out_n;
};

static void commit(struct logger *l, struct stream *s, struct batch *b)
{
	if (b->n == 0)
		return;
	keep(l, s, (unsigned char)b->at[0], b->n, out, b->out_n);
	console_flush(&l->console);
	take(l, s, b->at, b->n);
	b->at += b->n;
	b->n = b->out_n = 0;
}

/* What is no JSON on the event stream (a message of the C library, say) becomes an event. */
static size_t put_event(struct logger *l, char *to, const char *line, size_t n)
{
	char said[600];
	struct text t = TEXT_IN(said);
	struct event ev;

	if (n && line[0] == '{') {
		memcpy(to, line, n);
		to[n++] = '\n';
	} else {
		text_add_n(&t, line, n);
		event_begin(&ev, "warning", "message", NULL);
		event_str(&ev, "message", n ? said : "");
		event_end(&ev);
		memcpy(to, ev.line, n = ev.n);
	}
	console_event(&l->console, to, n);
	return n;
}

static size_t put_line(struct logger *l, struct stream *s, char *to, char kind, const char *line, size_t n)
{
	struct record r;

	if (s->events)
		return put_event(l, to, line, n);
	if (!s->open_line) {
		int level = s->prefix ? record_prefix(line, n) : -1;

		s->level = level < 0 ? s->usual_level : (uint8_t)level;
		line += level < 0 ? 0 : RECORD_PREFIX;
		n -= level < 0 ? 0 : RECORD_PREFIX;
	}
	s->open_line = kind == RECORD_PART;
	size_t k = record_put(to, l->now_ms, s->open_line ? RECORD_PART : record_kind_of(s->level), line, n);

	record_read(to, k - 1, &r);
	r.level = s->level;
	if (s->sink != SINK_NONE && (l->echo || s->sink == SINK_CONSOLE))
		console_line(&l->console, s->name, &r, line, n);
	if (s->to_syslog || s->to_kmsg)
		forward_line(l, s, &r);
	return k;
}

/* Returns how many of the n bytes in `in` were lines (or parts of very long ones) and are kept. */
static size_t split(struct logger *l, struct stream *s, size_t n, enum rest rest)
{
	struct batch b = { .at = in };
	size_t used = 0;

	while (used < n) {
		const char *line = in + used, *nl = memchr(line, '\n', n - used);
		size_t len = nl ? (size_t)(nl - line) : n - used;
		char kind = nl || rest == REST_IS_LINE ? RECORD_WHOLE : RECORD_PART;

		if (len > RECORD_LINE || (!nl && len == RECORD_LINE && rest != REST_IS_LINE)) {
			len = record_cut(line, n - used, RECORD_LINE);
			kind = RECORD_PART;
			nl = NULL;
		} else if (!nl && rest == REST_WAITS) {
			break;
		}
		if (b.out_n + RECORD_MAX > sizeof out)
			commit(l, s, &b);
		b.out_n += put_line(l, s, out + b.out_n, kind, line, len);
		used += len + (nl != NULL);
		b.n = used - (size_t)(b.at - in);
	}
	commit(l, s, &b);
	return used;
}

/* n bytes are left in the pipe, the beginning of a line; 0: none are. */
static void set_waits(struct logger *l, struct stream *s, ssize_t n)
{
	if (n && !s->waits) {
		s->waits_ms = mono_now().ms;
		if (l->look_ms > s->waits_ms + 1)
			l->look_ms = s->waits_ms + 1;
	}
	l->waiting += (unsigned)(n > 0) - (unsigned)s->waits;
	s->waits = n > 0;
	s->held = (int)n;
}

void stream_turn(struct logger *l, struct stream *s, enum rest rest)
{
	int64_t start = mono_now().ms;

	if (s->ended)
		rest = REST_IS_LINE;
	for (size_t turn = 0; turn < TURN_BYTES && mono_now().ms - start < TURN_MS;) {
		ssize_t n = peek(l, s);

		if (n <= 0) {
			set_waits(l, s, 0);
			s->ready = false;
			s->ended |= n == 0 || n == -EINVAL;
			return;
		}
		l->now_ms = wall_ms();
		size_t used = split(l, s, (size_t)n, REST_WAITS);

		/*
		 * Only what stands alone at the end of the pipe is a rest; an odd pipe may hold more than a
		 * look shows.
		 */
		if (used == 0 && rest != REST_WAITS)
			used = split(l, s, (size_t)n, stream_holds(s) > n ? REST_IS_PART : rest);
		set_waits(l, s, used ? 0 : n);
		if (used == 0) {
			s->ready = false;
			return;
		}
		turn += used;
	}
}

void stream_drain(struct logger *l, struct stream *s)
{
	/* Somebody may still be writing: what a pipe can hold at most is enough. */
	for (unsigned i = 0; i < (1u << 20) / TURN_BYTES + 1; i++) {
		s->ready = true;
		stream_turn(l, s, REST_WAITS);
		if (!s->ready)
			break;
	}
	stream_turn(l, s, REST_IS_LINE);
	if (s->open_line) {	/* which has its level already */
		l->now_ms = wall_ms();
		keep(l, s, 0, 0, out, put_line(l, s, out, RECORD_WHOLE, "", 0));
	}
	console_flush(&l->console);
}
