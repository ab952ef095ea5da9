/* `prior logs` and `prior events`: several services' records merged by time, then followed. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/text.h"
#include "services/logs/events.h"
#include "services/logs/logs.h"
#include "services/logs/paint.h"
#include "services/logs/record.h"
#include "services/logs/source.h"
#include "services/logs/stamp.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

struct query {
	const struct logs_query *q;
	FILE *to;
	int dirs[2];		/* files, ring; for events the ring's parent alone */
	struct source *sources;
	unsigned width;
	char *room;		/* for the line being printed */
	size_t size;
};

static bool asked_for(const struct logs_query *q, const char *name, size_t n)
{
	if (!q->services || !q->services[0])
		return true;
	for (const char *const *s = q->services; *s; s++)
		if (strlen(*s) == n && memcmp(*s, name, n) == 0)
			return true;
	return false;
}

/* ---- sources ---- */

static bool add_source(struct query *u, int dir, const char *name, const char *suffix)
{
	for (struct source *s = u->sources; s; s = s->next)
		if (s->dir == dir && strcmp(s->name, name) == 0)
			return true;
	struct source *s = source_new(dir, name, suffix, u->q->events);

	if (!s)
		return false;
	if (strlen(name) > u->width)
		u->width = (unsigned)strlen(name);
	s->next = u->sources;
	u->sources = s;
	return true;
}

/* Every NAME.log in a folder. */
static bool add_all(struct query *u, int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *f;
	bool ok = true;

	if (!d) {
		fd_drop(&fd);
		return true;
	}
	while (ok && (f = readdir(d))) {
		size_t n = strlen(f->d_name);

		if (n < 5 || f->d_name[0] == '.' || strcmp(f->d_name + n - 4, ".log") != 0)
			continue;
		f->d_name[n - 4] = '\0';
		ok = add_source(u, dir, f->d_name, ".log");
	}
	closedir(d);
	return ok;
}

static bool find_sources(struct query *u)
{
	const char *const *names = u->q->services;

	if (u->q->events)
		return add_source(u, u->dirs[1], "events", "");
	for (int i = 0; i < 2; i++) {
		if (u->dirs[i] < 0)
			continue;
		if (!names || !names[0]) {
			if (!add_all(u, u->dirs[i]))
				return false;
			continue;
		}
		for (const char *const *s = names; *s; s++)
			if (!add_source(u, u->dirs[i], *s, ".log"))
				return false;
	}
	return true;
}

/* ---- printing ---- */

static struct text room(struct query *u, size_t n)
{
	if (n > u->size) {
		char *p = realloc(u->room, 2 * n);

		if (!p)
			return (struct text){ .at = u->room, .size = u->size };	/* shown in part */
		u->room = p;
		u->size = 2 * n;
	}
	return (struct text){ .at = u->room, .size = u->size };
}

static struct text event_line(struct query *u, const struct source *s)
{
	struct text t = room(u, 2 * s->n + 128);
	const char *level;
	size_t n;

	if (u->q->json) {
		text_add_n(&t, s->line, s->n);
		text_add_n(&t, "\n", 1);
		return t;
	}
	stamp_put(&t, s->ms);
	text_add_n(&t, " ", 1);
	if (event_find(s->line, s->n, "level", &level, &n) && (n != 4 || memcmp(level, "info", 4) != 0)) {
		bool red = u->q->colour && n == 5 && memcmp(level, "error", 5) == 0;

		text_add(&t, red ? "\033[31m" : "");
		text_add_n(&t, level, n);
		text_add(&t, red ? "\033[0m: " : ": ");
	}
	event_words(s->line, s->n, &t);
	text_add_n(&t, "\n", 1);
	return t;
}

static struct text service_line(struct query *u, struct source *s)
{
	struct text t = room(u, 6 * s->n + 512);

	if (u->q->json) {
		line_json(&t, s->ms, s->name, s->level, false, s->line, record_unescape(s->line, s->line, s->n));
		return t;
	}
	if (u->q->times) {
		stamp_put(&t, s->ms);
		text_add_n(&t, " ", 1);
	}
	line_plain(&t, u->q->names ? s->name : NULL, u->width, u->q->colour, s->level, s->line, s->n);
	return t;
}

static void print(struct query *u, struct source *s)
{
	struct text t = s->events ? event_line(u, s) : service_line(u, s);

	fwrite(t.at, 1, t.n, u->to);
}

/* ---- merging ---- */

/* Events have four words for it, lines a number. */
static unsigned event_or_line_level(const struct source *s)
{
	static const struct { const char *word; unsigned level; } words[] = {
		{ "error", LEVEL_ERROR }, { "warning", LEVEL_WARNING }, { "debug", LEVEL_DEBUG },
	};
	const char *v;
	size_t n;

	if (!s->events)
		return s->level;
	if (!event_find(s->line, s->n, "level", &v, &n))
		return LEVEL_INFO;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i].word) == n && !memcmp(words[i].word, v, n))
			return words[i].level;
	return LEVEL_INFO;
}

static bool fits(const struct query *u, const struct source *s)
{
	const char *v;
	size_t n;

	if (s->ms < u->q->since_ms || (u->q->until_ms && s->ms > u->q->until_ms))
		return false;
	if (u->q->level && event_or_line_level(s) >= u->q->level)
		return false;
	if (u->q->grep && regexec(u->q->grep, s->line, 0, NULL, 0) != 0)
		return false;
	if (!s->events || !u->q->services || !u->q->services[0])
		return true;
	return event_find(s->line, s->n, "service", &v, &n) && asked_for(u->q, v, n);
}

/* The oldest line that anybody has. */
static struct source *oldest(struct query *u)
{
	struct source *best = NULL;

	for (struct source *s = u->sources; s; s = s->next)
		if (source_next(s) && (!best || s->ms < best->ms))
			best = s;
	return best;
}

/* All there is now, but for the first `skip` that fit. Returns how many fit. */
static long run(struct query *u, long skip)
{
	struct source *s;
	long n = 0;

	for (s = u->sources; s; s = s->next)
		s->dry = false;
	while (!ferror(u->to) && (s = oldest(u))) {
		if (fits(u, s) && n++ >= skip)
			print(u, s);
		source_taken(s);
	}
	return n;
}

/*
 * The last n of all together are among the last n of each: only those are read, however long the files are.
 * Where what is in a line decides (and events are few), they are counted by reading them.
 */
static void print_what_is_there(struct query *u)
{
	const struct logs_query *q = u->q;
	long total = 0, n = q->n;

	if (q->events || (n >= 0 && (q->until_ms || q->grep || q->level))) {
		if (n >= 0) {
			total = run(u, LONG_MAX);
			for (struct source *s = u->sources; s; s = s->next)
				source_seek_last(s, -1, 0);
		}
	} else {
		for (struct source *s = u->sources; s; s = s->next)
			total += source_seek_last(s, n, u->q->since_ms);
	}
	run(u, n >= 0 && total > n ? total - n : 0);
	fflush(u->to);
}

/* ---- following ---- */

static int watch(const struct query *u, const char *run_dir, const char *log_dir)
{
	char ring[4096];
	struct text t = TEXT_IN(ring);
	const uint32_t what = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR;
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	text_add(&t, run_dir);
	text_add(&t, u->q->events ? "" : "/logs");
	if (fd >= 0 && !t.cut)
		inotify_add_watch(fd, ring, what);
	if (fd >= 0 && !u->q->events && log_dir[0])
		inotify_add_watch(fd, log_dir, what);
	return fd;
}

static void follow(struct query *u, int notify)
{
	char many[4096] __attribute__((aligned(8)));
	/* The other end of our output: when nobody reads any more, there is nothing to follow for. */
	struct pollfd p[2] = { { .fd = notify, .events = POLLIN }, { .fd = fileno(u->to) } };

	while (!ferror(u->to)) {
		/* Looked at once a second in any case: a folder may appear that could not be watched. */
		if (poll(p, 2, 1000) < 0 && errno != EINTR)
			return;
		if (p[1].revents & (POLLERR | POLLHUP))
			return;
		while (read(notify, many, sizeof many) > 0)
			;
		if (!find_sources(u))
			return;
		for (struct source *s = u->sources; s; s = s->next)
			source_refresh(s);
		run(u, 0);
		fflush(u->to);
	}
}

/* ---- the whole ---- */

static void finish(struct query *u)
{
	for (struct source *s = u->sources, *next; s; s = next) {
		next = s->next;
		source_free(s);
	}
	fd_drop(&u->dirs[0]);
	fd_drop(&u->dirs[1]);
	free(u->room);
}

static int open_dirs(struct query *u, const char *run_dir, const char *log_dir, struct err *e)
{
	owned_fd run = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (run < 0)
		return err_sys(e, "logs: folder %s", run_dir);
	u->dirs[1] = u->q->events ? fd_take(&run) : openat(run, "logs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!u->q->events && log_dir && log_dir[0])
		u->dirs[0] = open(log_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (u->dirs[0] < 0 && u->dirs[1] < 0)
		return err_sys(e, "logs: folder %s/logs", run_dir);
	return 0;
}

bool logs_exist(const char *run_dir, const char *log_dir, const char *service)
{
	char path[4096];

	if (!*service || *service == '.' || strchr(service, '/'))
		return false;
	for (int i = 0; i < 2; i++) {
		struct text t = TEXT_IN(path);

		text_add(&t, i ? run_dir : log_dir);
		text_add(&t, i ? "/logs/" : "/");
		text_add(&t, service);
		text_add(&t, ".log");
		if ((i || *log_dir) && !t.cut && access(path, F_OK) == 0)
			return true;
	}
	return false;
}

int logs_print(const char *run_dir, const char *log_dir, const struct logs_query *q, FILE *to, struct err *e)
{
	struct query u = { .q = q, .to = to, .dirs = { FD_NONE, FD_NONE } };

	if (open_dirs(&u, run_dir, log_dir, e) < 0)
		return -e->code;
	/* Before reading, so that nothing falls in between. */
	owned_fd notify = q->follow ? watch(&u, run_dir, log_dir ? log_dir : "") : FD_NONE;
	int r = 0;

	if (q->follow && notify < 0)
		r = err_sys(e, "logs: follow");
	else if (!find_sources(&u))
		r = err_set(e, ENOMEM, "logs: %s", strerror(ENOMEM));
	if (r == 0)
		print_what_is_there(&u);
	if (r == 0 && q->follow)
		follow(&u, notify);
	finish(&u);
	return r;
}
