/* Readiness and status by datagram: see notify.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/notify.h"
#include "init/base/text.h"
#include "services/spec/spec.h"
#include "services/supervise/discard.h"
#include "services/supervise/fsm.h"
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define MESSAGE_MAX 4096
#define MESSAGES_A_TURN 16

/* Each is said once for a start of the service: a service must not fill the log of events with what it sends. */
enum notify_said { SAID_STOPPING = 1, SAID_NOT_BUILT = 2, SAID_TOO_LONG = 4, SAID_STRANGER = 8 };

static const char *notify_dir(const struct prior *p, char *buf, size_t size)
{
	struct text t = { .at = buf, .size = size };

	text_fmt(&t, "%s/notify", p->ledger.head->run_dir);
	return buf;
}

const char *notify_path(const struct prior *p, uint32_t i, char *buf, size_t size)
{
	struct text t = { .at = buf, .size = size };

	text_fmt(&t, "%s/notify/%s", p->ledger.head->run_dir, svc_name(p, i));
	return buf;
}

static void say_once(struct prior *p, uint32_t i, enum notify_said what, const char *level, const char *name,
		     const char *why)
{
	if (!(p->run[i].said & what))
		prior_say(p, level, name, svc_name(p, i), why);
	p->run[i].said |= what;
}

static int bind_to(int fd, const char *path, const struct plan_service *d, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (!text_copy(a.sun_path, sizeof a.sun_path, path))
		return err_set(e, ENAMETOOLONG, "notify socket %s: more than %zu bytes", path, sizeof a.sun_path - 1);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(e, "notify socket %s: remove what is left of an earlier run", path);
	mode_t old = umask(0177);	/* from its first moment it is 0600 */
	int rc = bind(fd, (struct sockaddr *)&a, sizeof a);

	umask(old);
	if (rc < 0)
		return err_sys(e, "notify socket %s", path);
	if ((d->uid != geteuid() || d->gid != getegid()) && lchown(path, d->uid, d->gid) < 0)
		return err_sys(e, "notify socket %s: give it to uid %u", path, d->uid);
	return 0;
}

int notify_open(struct prior *p, uint32_t i, struct err *e)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	struct ledger_svc *s = svc_of(p, i);
	char path[256], dir[128];
	int on = 1;

	p->run[i].said = 0;
	if (!(d->flags & CELL_NOTIFY))
		return 0;
	if (s->notify_fd >= 0)
		discard_anew(p, i);
	if (s->notify_fd >= 0)
		return 0;
	if (mkdir(notify_dir(p, dir, sizeof dir), 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", dir);
	owned_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0)
		return err_sys(e, "notify socket");
	if (bind_to(fd, notify_path(p, i, path, sizeof path), d, e) < 0)
		return -e->code;
	fd_put(&s->notify_fd, fd_take(&fd));
	return notify_watch(p, i, e);
}

static void ready(struct prior *p, uint32_t i, const char *value, size_t n)
{
	if (n == 1 && *value == '1' && plan_service(&p->plan, i)->ready == READY_NOTIFY)
		svc_post(p, i, EV_READY);
}

/* Kept as it came but for control bytes: a status line must not forge another line anywhere. */
static void status(struct prior *p, uint32_t i, const char *value, size_t n)
{
	struct ledger_svc *s = svc_of(p, i);
	LEDGER_WRITE(s);

	if (n > sizeof s->status - 1)
		n = sizeof s->status - 1;
	for (size_t k = 0; k < n; k++)
		s->status[k] = value[k] >= ' ' && value[k] < 0x7f ? value[k] : '?';
	memset(s->status + n, 0, sizeof s->status - n);
}

static void stopping(struct prior *p, uint32_t i, const char *value, size_t n)
{
	if (n == 1 && *value == '1')
		say_once(p, i, SAID_STOPPING, "info", "says-stopping", NULL);
}

static void not_built(struct prior *p, uint32_t i, const char *value, size_t n)
{
	(void)value, (void)n;
	say_once(p, i, SAID_NOT_BUILT, "warning", "notify-ignored",
		 "it sent WATCHDOG, MAINPID, FDSTORE or RELOADING, which this version does not act on");
}

/* BARRIER's descriptor is closed with the message, after all earlier ones were applied. */
static void nothing(struct prior *p, uint32_t i, const char *value, size_t n)
{
	(void)p, (void)i, (void)value, (void)n;
}

static const struct key {
	const char *name;
	void (*take)(struct prior *, uint32_t, const char *value, size_t n);
} keys[] = {
	{ "READY", ready },
	{ "STATUS", status },
	{ "STOPPING", stopping },
	{ "BARRIER", nothing },
	{ "MAINPID", not_built },
	{ "WATCHDOG", not_built },
	{ "FDSTORE", not_built },
	{ "RELOADING", not_built },
};

static void take_line(struct prior *p, uint32_t i, const char *line, size_t n)
{
	const char *eq = memchr(line, '=', n);

	if (!eq)
		return;
	for (const struct key *k = keys; k < keys + sizeof keys / sizeof *keys; k++)
		if (strlen(k->name) == (size_t)(eq - line) && !memcmp(k->name, line, (size_t)(eq - line)))
			k->take(p, i, eq + 1, n - (size_t)(eq + 1 - line));
}

void notify_take(struct prior *p, uint32_t i, const char *bytes, size_t n)
{
	const char *end = bytes + n;

	for (const char *line = bytes; line < end;) {
		const char *nl = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((nl ? nl : end) - line);

		take_line(p, i, line, len);
		line += len + 1;
	}
}

/* Is pid in the service's cgroup? Its leaf has the service's name, and only we make cgroups beside it. */
static bool is_in_cgroup(struct prior *p, uint32_t i, pid_t pid)
{
	char path[40], line[512], want[80];
	struct text t = TEXT_IN(path), w = TEXT_IN(want);

	text_fmt(&t, "/proc/%d/cgroup", (int)pid);
	text_fmt(&w, "/%s", svc_name(p, i));
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);

	if (n <= 0)
		return false;
	line[n] = '\0';
	for (char *at = line; (at = strstr(at, want)); at++)
		if (at[w.n] == '\n' || at[w.n] == '/' || at[w.n] == '\0')
			return true;
	return false;
}

/* The socket belongs to the service's user; services that share one are told apart by their cgroups. */
static bool may_speak(struct prior *p, uint32_t i, pid_t pid)
{
	const struct ledger_svc *s = svc_of(p, i);

	return pid == s->pid || s->cgroup_fd < 0 || is_in_cgroup(p, i, pid);
}

/* Who sent it, as the kernel says. */
static pid_t sender(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	struct ucred who;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
		return 0;
	memcpy(&who, CMSG_DATA(c), sizeof who);
	return who.pid;
}

/* 1: read one, 0: none. It is looked at first: what has descriptors is not ours to take, see discard.h. */
static int take_one(struct prior *p, uint32_t i)
{
	char bytes[MESSAGE_MAX], byte;
	union {
		char at[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	struct iovec v = { bytes, sizeof bytes };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.at,
			    .msg_controllen = sizeof control.at };
	ssize_t n = recvmsg(svc_of(p, i)->notify_fd, &m, MSG_PEEK | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return 0;
	if (m.msg_flags & MSG_TRUNC)
		say_once(p, i, SAID_TOO_LONG, "warning", "notify-refused", "a message of more than 4096 bytes");
	else if (!state_is_live(svc_of(p, i)->state) || !may_speak(p, i, sender(&m)))
		say_once(p, i, SAID_STRANGER, "warning", "notify-refused",
			 "from a process that is not of the service");
	else
		notify_take(p, i, bytes, (size_t)n);
	if (m.msg_flags & MSG_CTRUNC)	/* there was more than the credentials: descriptors */
		discard_first(p, i);
	else
		recv(svc_of(p, i)->notify_fd, &byte, sizeof byte, MSG_DONTWAIT);
	return 1;
}

static void on_message(void *ctx, uint32_t i, uint32_t events)
{
	struct prior *p = ctx;

	(void)events;
	for (int n = 0; n < MESSAGES_A_TURN && p->run[i].notify_src && take_one(p, i); n++)
		;
}

int notify_watch(struct prior *p, uint32_t i, struct err *e)
{
	int rc = loop_add(&p->loop, svc_of(p, i)->notify_fd, EPOLLIN, on_message, i, e);

	p->run[i].notify_src = rc < 0 ? 0 : (uint32_t)rc;
	return rc < 0 ? rc : 0;
}

void notify_close_all(struct prior *p)
{
	char path[256];

	for (uint32_t i = 0; i < p->n; i++) {
		struct ledger_svc *s = svc_of(p, i);

		if (s->notify_fd < 0)
			continue;
		loop_remove(&p->loop, &p->run[i].notify_src);
		discard_rest(p, i);
		fd_drop(&s->notify_fd);
		unlink(notify_path(p, i, path, sizeof path));
	}
	rmdir(notify_dir(p, path, sizeof path));
}
