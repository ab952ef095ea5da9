/* Forwarding: see forward.h. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/forward.h"
#include "init/base/mono.h"
#include "init/base/text.h"
#include "services/logs/stamp.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>

#define MESSAGE_MAX (RECORD_MAX + 256)
#define KMSG_TEXT 900		/* the kernel refuses records of more than 1024 bytes, its own words included */
#define SLOW_MS 50		/* a server that is slow: when it has room, or after this and half as often */
#define SLOW_MOST_MS 400
#define GONE_MS 250		/* the same for one that is not there */
#define GONE_MOST_MS 30000
#define FINISH_MS 500

struct target {
	struct target *next;
	int fd;			/* owned; FD_NONE: not connected */
	bool kmsg, told;	/* told: that it does not take its lines */
	char *queue;		/* messages, each after its length in two bytes: queue[from..to) */
	size_t from, to;
	uint64_t left_out;
	int64_t failing_ms;	/* since when it fails; 0: it does not */
	int64_t due_ms, pause_ms;	/* when the next message is tried, and the pause after that one if it fails */
	char path[108];		/* of a socket */
	char why[96];
};

/* ---- where to ---- */

void forward_open(struct logger *l)
{
	char how[16] = "";
	owned_fd limit = open("/proc/sys/kernel/printk_devkmsg", O_RDONLY | O_CLOEXEC);

	tzset();	/* the older form of syslog has local time, and the zone's file is out of reach later */
	l->kmsg = open("/dev/kmsg", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	l->kmsg_limited = limit >= 0 && read(limit, how, sizeof how - 1) > 0 && !strncmp(how, "ratelimit", 9);
}

static struct target *target(struct logger *l, const char *path)
{
	struct target *t = l->targets;

	while (t && (path ? t->kmsg || strcmp(t->path, path) != 0 : !t->kmsg))
		t = t->next;
	if (t)
		return t;
	t = calloc(1, sizeof *t);
	char *queue = t ? malloc(TARGET_QUEUE) : NULL;

	if (!queue) {
		free(t);
		return NULL;
	}
	*t = (struct target){ .next = l->targets, .fd = path ? FD_NONE : fcntl(l->kmsg, F_DUPFD_CLOEXEC, 0),
			      .kmsg = !path, .queue = queue };
	text_copy(t->path, sizeof t->path, path ? path : "/dev/kmsg");
	return l->targets = t;
}

static void say(struct logger *l, const struct target *t, const char *level, const char *event, const char *why)
{
	struct event ev;

	event_begin(&ev, level, event, NULL);
	event_str(&ev, "to", t->path);
	if (t->left_out)
		event_num(&ev, "left_out", (int64_t)t->left_out);
	if (why)
		event_str(&ev, "why", why);
	keep_event(l, &ev);
}

void forward_choose(struct logger *l, struct stream *s, const struct logger_add *a)
{
	bool new = true;

	s->prefix = !(a->forward & LOG_NO_PREFIX);
	s->rfc5424 = a->forward & LOG_RFC5424;
	s->facility = a->facility <= 23 ? a->facility : 3;
	s->usual_level = s->level = a->level <= LEVEL_DEBUG ? a->level : LEVEL_INFO;
	text_copy(s->identifier, sizeof s->identifier, a->identifier[0] ? a->identifier : s->name);
	if (a->forward & LOG_TO_SYSLOG)
		s->to_syslog = target(l, a->socket);
	if (!(a->forward & LOG_TO_KMSG))
		return;
	for (const struct target *t = l->targets; t; t = t->next)
		new = new && !t->kmsg;
	s->to_kmsg = target(l, NULL);
	if (new && s->to_kmsg && l->kmsg_limited)
		say(l, s->to_kmsg, "warning", "forward-limited",
		    "the kernel takes 10 lines in 5 seconds and drops others; "
		    "with sysctl kernel.printk_devkmsg: on it takes all");
}

/* ---- messages ---- */

/* "Nov  2 09:05:07", as the C library's syslog() has it. */
static void local_stamp(struct text *t, int64_t ms)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t at = (time_t)(ms / 1000);
	struct tm tm;

	if (!localtime_r(&at, &tm) || tm.tm_mon < 0 || tm.tm_mon > 11)
		memset(&tm, 0, sizeof tm);
	text_add_n(t, months + 3 * tm.tm_mon, 3);
	text_fmt(t, " %2d %02d:%02d:%02d", tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void head(struct text *t, const struct stream *s, const struct record *r, bool kmsg)
{
	struct utsname host;

	text_fmt(t, "<%u>", s->facility << 3 | r->level);
	if (kmsg) {
		text_fmt(t, "%s: ", s->identifier);
	} else if (s->rfc5424) {
		text_add(t, "1 ");
		stamp_put(t, r->ms);
		text_fmt(t, " %s %.48s - - - ", uname(&host) == 0 && host.nodename[0] ? host.nodename : "-",
			 s->identifier);
	} else {
		local_stamp(t, r->ms);
		text_fmt(t, " %s: ", s->identifier);
	}
}

static void enqueue(struct target *t, const char *message, size_t n)
{
	if (t->to + n + 2 > TARGET_QUEUE) {
		memmove(t->queue, t->queue + t->from, t->to - t->from);
		t->to -= t->from;
		t->from = 0;
	}
	if (t->to + n + 2 > TARGET_QUEUE) {
		t->left_out++;
		return;
	}
	memcpy(t->queue + t->to, (char[]){ (char)(n & 0xff), (char)(n >> 8) }, 2);
	memcpy(t->queue + t->to + 2, message, n);
	t->to += n + 2;
}

static void put(struct target *t, const struct stream *s, const struct record *r)
{
	char message[MESSAGE_MAX];
	size_t at = 0;

	/* An empty line is a message too. */
	do {
		struct text m = TEXT_IN(message);
		size_t n = r->n - at;

		if (t->kmsg && n > KMSG_TEXT)
			n = record_cut(r->text + at, n, KMSG_TEXT);
		head(&m, s, r, t->kmsg);
		text_add_n(&m, r->text + at, n);
		enqueue(t, message, m.n);
		at += n;
	} while (at < r->n);
}

void forward_line(struct logger *l, struct stream *s, const struct record *r)
{
	(void)l;
	if (s->to_syslog)
		put(s->to_syslog, s, r);
	if (s->to_kmsg)
		put(s->to_kmsg, s, r);
}

/* ---- sending ---- */

static int connect_to(struct target *t)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (t->fd >= 0)
		return 0;
	if (t->kmsg)
		return -ENOENT;
	text_copy(a.sun_path, sizeof a.sun_path, t->path);
	owned_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		return -errno;
	t->fd = fd_take(&fd);
	return 0;
}

static int send_one(struct target *t, const char *message, size_t n)
{
	/* One try more when the server is another than it was: its socket's file is new. */
	for (int i = 0;; i++) {
		int rc = connect_to(t);

		if (rc < 0)
			return rc;
		ssize_t r = t->kmsg ? write(t->fd, message, n) :
				      send(t->fd, message, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (r >= 0)
			return 0;
		rc = -errno;
		if (t->kmsg || i > 0 || (rc != -ECONNREFUSED && rc != -ENOTCONN && rc != -ECONNRESET && rc != -EPIPE))
			return rc;
		fd_drop(&t->fd);
	}
}

static bool is_slow(int rc)
{
	return rc == -EAGAIN || rc == -EINTR || rc == -ENOBUFS || rc == -ENOMEM;
}

static void failed(struct logger *l, struct target *t, int rc, int64_t now)
{
	/* The lowest bit tells the loop that this is no stream. */
	struct epoll_event room = { .events = EPOLLOUT | EPOLLONESHOT, .data.ptr = (char *)t + 1 };

	int64_t first = is_slow(rc) ? SLOW_MS : GONE_MS, most = is_slow(rc) ? SLOW_MOST_MS : GONE_MOST_MS;

	if (!t->failing_ms)
		t->failing_ms = now;
	if (t->pause_ms < first)
		t->pause_ms = first;
	if (t->pause_ms > most)
		t->pause_ms = most;
	t->due_ms = now + t->pause_ms;
	t->pause_ms *= 2;
	if (is_slow(rc) && !t->kmsg && epoll_ctl(l->epoll, EPOLL_CTL_MOD, t->fd, &room) < 0)
		epoll_ctl(l->epoll, EPOLL_CTL_ADD, t->fd, &room);
	text_copy(t->why, sizeof t->why, is_slow(rc) ? "it takes lines slower than they come" : strerror(-rc));
}

static void send_queue(struct logger *l, struct target *t, int64_t now)
{
	while (t->from < t->to) {
		const unsigned char *len = (const unsigned char *)t->queue + t->from;
		size_t n = len[0] | (size_t)len[1] << 8;
		int rc = send_one(t, t->queue + t->from + 2, n);

		if (rc < 0 && rc != -EMSGSIZE && rc != -EINVAL)
			return failed(l, t, rc, now);
		t->left_out += rc < 0;	/* this one it never takes */
		t->from += n + 2;
		t->pause_ms = 0;
		t->failing_ms = rc < 0 ? t->failing_ms : 0;
	}
	t->from = t->to = 0;
}

static void tell(struct logger *l, struct target *t, int64_t now)
{
	bool empty = t->from == t->to;

	if (!t->told && (t->left_out || (t->failing_ms && now - t->failing_ms >= l->tell_ms))) {
		t->told = true;
		say(l, t, "warning", "forward-failed", t->why[0] ? t->why : NULL);
	} else if (t->told && empty && !t->failing_ms) {
		say(l, t, "info", "forward-resumed", NULL);
		t->told = false;
		t->left_out = 0;
		t->why[0] = '\0';
	}
}

void forward_send(struct logger *l)
{
	int64_t now = l->targets ? mono_now().ms : 0;

	for (struct target *t = l->targets; t; t = t->next) {
		if (t->from == t->to || now < t->due_ms)
			continue;
		send_queue(l, t, now);
		tell(l, t, now);
	}
}

bool forward_event(void *what)
{
	struct target *t = (struct target *)((char *)what - 1);

	if (((uintptr_t)what & 1) == 0)
		return false;
	t->due_ms = 0;
	return true;
}

int64_t forward_due(const struct logger *l)
{
	int64_t due = INT64_MAX;

	for (const struct target *t = l->targets; t; t = t->next)
		if (t->from != t->to && t->due_ms < due)
			due = t->due_ms;
	return due;
}

void forward_finish(struct logger *l)
{
	int64_t end = mono_now().ms + FINISH_MS;

	for (struct target *t = l->targets; t; t = t->next) {
		send_queue(l, t, mono_now().ms);
		while (t->from != t->to && t->fd >= 0 && mono_now().ms < end) {
			poll(NULL, 0, 1);
			send_queue(l, t, mono_now().ms);
		}
	}
}
