/* The console: see console.h. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/console.h"
#include "init/base/fd.h"
#include "services/logs/logs.h"
#include "services/logs/paint.h"
#include "services/logs/stamp.h"
#include <poll.h>
#include <string.h>

#define ENOUGH 4096	/* written in one go, so that lines of one turn share a system call */

/* The longest line is one in JSON whose every byte is escaped; untouched pages of this cost nothing. */
static char lines[ENOUGH + 6 * RECORD_LINE + 256];

void console_open(struct console *c, int fd, bool json, bool no_colour)
{
	*c = (struct console){ .fd = fd, .json = json, .colour = !json && !no_colour && isatty(fd) };
}

static bool takes_some(struct console *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLOUT };

	return poll(&p, 1, c->stuck ? 0 : CONSOLE_WAIT_MS) == 1 && (p.revents & POLLOUT);
}

/* false: stuck or gone. */
static bool put(struct console *c, const char *at, size_t n)
{
	while (n) {
		if (!takes_some(c))
			return false;
		/* Up to a page goes into a pipe that is ready without blocking. */
		ssize_t r = write(c->fd, at, n < ENOUGH ? n : ENOUGH);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		at += r;
		n -= (size_t)r;
	}
	return true;
}

static uint64_t count_lines(const char *at, size_t n)
{
	uint64_t k = 0;

	for (const char *end = at + n; (at = memchr(at, '\n', (size_t)(end - at))); at++)
		k++;
	return k;
}

static bool own_up(struct console *c)
{
	char said[120];
	struct text t = TEXT_IN(said);

	if (c->left_out == 0)
		return true;
	text_add(&t, c->json ? "{\"event\":\"console-stuck\",\"left_out\":" :
			       "prior | the console was stuck; left out: ");
	text_num(&t, (int64_t)c->left_out);
	text_add(&t, c->json ? "}\n" : " lines\n");
	if (!put(c, said, t.n))
		return false;
	c->left_out = 0;
	return true;
}

void console_flush(struct console *c)
{
	if (c->n == 0)
		return;
	c->stuck = !own_up(c) || !put(c, lines, c->n);
	if (c->stuck)
		c->left_out += count_lines(lines, c->n);
	c->n = 0;
}

static struct text line_in(struct console *c)
{
	if (c->n >= ENOUGH)
		console_flush(c);
	return (struct text){ .at = lines + c->n, .size = sizeof lines - c->n };
}

void console_line(struct console *c, const char *service, const struct record *r, const char *raw, size_t raw_n)
{
	if (c->fd < 0)
		return;
	struct text t = line_in(c);

	if (c->json)
		line_json(&t, r->ms, service, r->level, r->kind == RECORD_PART, raw, raw_n);
	else
		line_plain(&t, service, 0, c->colour, r->level, r->text, r->n);
	c->n += t.n;
}

void console_event(struct console *c, const char *json, size_t n)
{
	if (c->fd < 0)
		return;
	struct text t = line_in(c);

	if (c->json) {
		text_add_n(&t, json, n);
	} else {
		/* The service writes here too, so a line of ours must not pass for one of its. */
		event_human(json, n, t.at, EVENT_MAX);
		t.n = strlen(t.at);
		text_add_n(&t, "\n", 1);
	}
	c->n += t.n;
}
