/* The logger's loop: streams come over its socket, lines over their pipes. */
/* SPDX-License-Identifier: ISC */
#include "init/base/pass.h"
#include "init/base/rest.h"
#include "init/base/sys.h"
#include "services/logs/forward.h"
#include "services/logs/logger.h"
#include "init/base/mono.h"
#include "init/base/text.h"
#include "services/spec/spec.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define REST_MS 1000	/* a prompt without a newline is shown after this */
#define SOCK_FD 3
#define CONSOLE_FD 4

/* ---- folders ---- */

/* The parents of a folder too: an image may have no /var/log. */
static void make_dirs(const char *path)
{
	char part[sizeof ((struct logger_setup *)0)->run_dir];

	for (size_t i = 1; path[0] && path[i - 1]; i++)
		if ((path[i] == '/' || !path[i]) && i < sizeof part) {
			memcpy(part, path, i);
			part[i] = '\0';
			/* Parents are everybody's way, whatever our umask: /var too. */
			if (mkdir(part, path[i] ? 0755 : 0750) == 0 && path[i])
				chmod(part, 0755);
		}
}

static int open_dir(int at, const char *path)
{
	return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A folder we cannot write to is none; asking with our effective ids, as the kernel will. */
static int open_file_dir(const char *path)
{
	if (!path[0])
		return FD_NONE;
	make_dirs(path);
	owned_fd dir = open_dir(AT_FDCWD, path);

	if (dir < 0 || faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return FD_NONE;
	return fd_take(&dir);
}

static void open_dirs(struct logger *l, const struct logger_setup *setup)
{
	make_dirs(setup->run_dir);
	l->run_dir = open_dir(AT_FDCWD, setup->run_dir);
	if (l->run_dir >= 0)
		mkdirat(l->run_dir, "logs", 0750);
	l->ring_dir = l->run_dir < 0 ? FD_NONE : open_dir(l->run_dir, "logs");
	l->file_dir = open_file_dir(setup->log_dir);
	l->events = (struct store){ .dir = l->run_dir, .fd = FD_NONE, .name = "events", .suffix = "" };
	store_limits(&l->events, 1u << 20, 2);
}

/* ---- streams ---- */

static void make_ready(struct logger *l, struct stream *s)
{
	s->ready = true;
	if (s->queued)
		return;
	s->queued = true;
	s->next_ready = l->ready;
	l->ready = s;
}

static struct stream *find(struct logger *l, const char *name)
{
	struct stream *s = l->all;

	while (s && strcmp(s->name, name) != 0)
		s = s->next;
	return s;
}

static void forget(struct logger *l, struct stream *s)
{
	for (struct stream **p = &l->all; *p; p = &(*p)->next)
		if (*p == s) {
			*p = s->next;
			break;
		}
	for (struct stream **p = &l->ready; *p; p = &(*p)->next_ready)
		if (*p == s) {
			*p = s->next_ready;
			break;
		}
	l->waiting -= s->waits;
	store_close(&s->store);
	/* PID 1 has this end of the pipe, too: closed here it would stay in the set, and speak of what is freed. */
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, s->fd, NULL);
	fd_drop(&s->fd);
	free(s);
}

static bool name_is_safe(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/');
}

static void complain(struct logger *l, const char *name, const char *why)
{
	struct event ev;

	event_begin(&ev, "error", "logs-refused", name);
	event_str(&ev, "why", why);
	keep_event(l, &ev);
}

static void add(struct logger *l, const struct logger_add *a, int *fd)
{
	struct stream *old = find(l, a->name), *s = calloc(1, sizeof *s);

	if (!s)
		return complain(l, a->name, "no memory for a stream");
	if (old) {
		stream_drain(l, old);
		forget(l, old);
	}
	text_copy(s->name, sizeof s->name, a->name);
	s->events = strcmp(s->name, EVENTS_NAME) == 0;
	s->sink = a->sink;
	s->store.fd = FD_NONE;
	store_limits(&s->store, a->max_bytes, a->max_files);
	keep_choose(l, s);
	forward_choose(l, s, a);
	fcntl(*fd, F_SETFL, O_NONBLOCK);
	/* At each write anew (EPOLLET): the beginning of a line stays in the pipe and would wake us for ever. */
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.ptr = s };

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, *fd, &ev) < 0) {
		complain(l, a->name, strerror(errno));
		free(s);
		return;
	}
	s->fd = fd_take(fd);
	s->next = l->all;
	l->all = s;
	keep_recover(l, s);
	make_ready(l, s);
}

/* ---- messages ---- */

static void ended(struct logger *l, const struct logger_add *a)
{
	struct stream *s = find(l, a->name);

	if (s)
		stream_drain(l, s);
}

/* 1: handled, 0: end of file, -EAGAIN: none. Without a descriptor: the service has ended. */
static int message(struct logger *l)
{
	struct logger_add a[LOGGER_BATCH];
	int fds[LOGGER_BATCH];
	unsigned nfds;
	bool lost;
	const ssize_t n = pass_receive_many(l->sock, a, sizeof a, fds, LOGGER_BATCH, &nfds, &lost, MSG_DONTWAIT);

	if (n <= 0)
		return n < 0 ? -errno : 0;
	for (unsigned i = 0; i < (size_t)n / sizeof *a; i++) {
		a[i].name[sizeof a[i].name - 1] = '\0';
		if (n % sizeof *a || !name_is_safe(a[i].name))
			complain(l, NULL, "a message that is no stream");
		else if (i < nfds)
			add(l, a + i, fds + i);
		else if (lost || nfds)
			complain(l, a[i].name, "its pipe did not arrive: too many open files?");
		else
			ended(l, a + i);
	}
	if ((size_t)n < sizeof *a)
		complain(l, NULL, "a message that is no stream");
	for (unsigned i = 0; i < nfds; i++)
		fd_drop(fds + i);
	return 1;
}

/* false: PID 1 closed the socket. */
static bool messages(struct logger *l)
{
	int r;

	do
		r = message(l);
	while (r > 0);
	return r == -EAGAIN || r == -EINTR;
}

/* ---- turns ---- */

static void ready_turns(struct logger *l)
{
	struct stream *s = l->ready, *next;

	l->ready = NULL;
	for (; s; s = next) {
		next = s->next_ready;
		s->queued = false;
		stream_turn(l, s, REST_WAITS);
		if (s->ready)
			make_ready(l, s);
		else if (s->ended)
			forget(l, s);
	}
	console_flush(&l->console);
}

/*
 * The kernel does not wake us when a writer goes on behind the beginning of a line, fills the pipe and sleeps (it wakes
 * readers of an empty pipe only, in that case). So pipes with such a rest are looked at after 1, 2, 4 ... ms.
 */
static void look_at_rests(struct logger *l)
{
	int64_t now = mono_now().ms;

	if (now < l->look_ms)
		return;
	l->look_ms = now + REST_MS;
	for (struct stream *s = l->all; s; s = s->next) {
		if (!s->waits)
			continue;
		if (stream_holds(s) != s->held) {
			make_ready(l, s);
		} else if (now - s->waits_ms >= REST_MS) {
			make_ready(l, s);
			stream_turn(l, s, REST_IS_PART);
		} else {
			int64_t next = now + (now - s->waits_ms) + 1, last = s->waits_ms + REST_MS;

			next = next < last ? next : last;
			if (next < l->look_ms)
				l->look_ms = next;
		}
	}
}

/* For rest_wait(): until something must be done without being woken. */
static int patience(const struct logger *l)
{
	int64_t due = l->waiting ? l->look_ms : INT64_MAX, sending = forward_due(l);

	if (l->ready)
		return 0;
	due = sending < due ? sending : due;
	if (due == INT64_MAX)
		return -1;
	int64_t ms = due - mono_now().ms;

	return ms < 0 ? 0 : (int)ms;
}

static void finish(struct logger *l)
{
	while (l->all) {
		stream_drain(l, l->all);
		forget(l, l->all);
	}
	forward_finish(l);
	console_flush(&l->console);
	store_close(&l->events);
}

static void loop(struct logger *l)
{
	struct epoll_event got[32];

	for (bool open = true; open;) {
		const int n = rest_wait(l->epoll, got, 32, patience(l));

		for (int i = 0; i < n; i++) {
			struct stream *s = got[i].data.ptr;

			if (!s || forward_event(s))
				continue;
			s->ended |= (got[i].events & (EPOLLHUP | EPOLLERR)) != 0;
			make_ready(l, s);
		}
		/* After the streams, whose pointers a message may free. */
		for (int i = 0; i < n; i++)
			if (!got[i].data.ptr)
				open = messages(l);
		ready_turns(l);
		if (l->waiting)
			look_at_rests(l);
		forward_send(l);
	}
}

/* ---- start ---- */

static void report(struct logger *l, const char *level, const char *name, const struct err *e)
{
	struct event ev;

	event_begin(&ev, level, name, NULL);
	event_str(&ev, "why", e->text);
	keep_event(l, &ev);
}

int logger_run(struct logger *l, const struct logger_setup *setup, bool confined, const struct err *trouble)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct err e;

	rest_begin();
	guard_begin(&l->guard);
	open_dirs(l, setup);
	guard_end(&l->guard);
	l->echo = setup->console;
	int journal = journal_open(&l->journal, l->ring_dir, &e);

	if (journal < 0)
		report(l, "warning", "logger", &e);
	if (trouble)
		report(l, "warning", "logger", trouble);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0 || pipe2(l->scratch, O_CLOEXEC | O_NONBLOCK) < 0 ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->sock, &ev) < 0) {
		err_sys(&e, "the logger cannot start");
		report(l, "error", "logger", &e);
		return 1;
	}
	if (confined && lockdown(l, &e) < 0)
		report(l, "warning", "logger", &e);
	console_flush(&l->console);
	loop(l);
	finish(l);
	return 0;
}

int logger_main(int argc, char **argv)
{
	static struct logger l = { .sock = SOCK_FD, .kmsg = FD_NONE, .tell_ms = 5000 };
	struct logger_setup setup;

	(void)argc, (void)argv;
	rest_tables_of_others(REST_AS_LOGGER);
	/* PID 1 ends us last, by closing the socket; a terminal's signals are for the services. */
	for (int i = 0; i < 4; i++)
		signal((int[]){ SIGTERM, SIGINT, SIGHUP, SIGPIPE }[i], SIG_IGN);
	ssize_t n = recv(SOCK_FD, &setup, sizeof setup, 0);

	if (n == 0)
		return 0;
	if (n != sizeof setup)
		return 2;
	setup.run_dir[sizeof setup.run_dir - 1] = setup.log_dir[sizeof setup.log_dir - 1] = '\0';
	sys_batch(0, true);	/* a line is not worth an interruption of who wrote it */
	umask(lockdown_group() ? 0027 : 0077);
	forward_open(&l);
	struct err e;
	int guarded = guard_start(&l.guard, SOCK_FD, GUARD_MS / GUARD_TICKS, &e);

	console_open(&l.console, fcntl(CONSOLE_FD, F_GETFD) < 0 ? FD_NONE : CONSOLE_FD, setup.json,
		     getenv("NO_COLOR") != NULL);
	return logger_run(&l, &setup, true, guarded < 0 ? &e : NULL);
}
