/* Binding, watching and handing over listening sockets: see sockets.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/sockets.h"
#include "init/base/text.h"
#include "services/supervise/fsm.h"
#include "services/supervise/outside.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Blocking state untouched: the descriptors are shared with the service, and PID 1 never accepts. */
#define KIND (SOCK_STREAM | SOCK_CLOEXEC)
#ifndef SIOCUNIXFILE
#define SIOCUNIXFILE (SIOCPROTOPRIVATE + 0)	/* <linux/un.h>, which does not go with <sys/un.h> */
#endif

static int open_tcp(const struct plan_listen *l, int *out, struct err *e)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { 0 };
	char host[INET6_ADDRSTRLEN];
	int on = 1, six = l->addr.family == AF_INET6;

	if (six) {
		a.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(l->port) };
		memcpy(&a.v6.sin6_addr, l->addr.ip, 16);
	} else {
		a.v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(l->port) };
		memcpy(&a.v4.sin_addr, l->addr.ip, 4);
	}
	inet_ntop(l->addr.family, l->addr.ip, host, sizeof host);
	owned_fd fd = socket(l->addr.family, KIND, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(fd, &a.any, six ? sizeof a.v6 : sizeof a.v4) < 0 || listen(fd, (int)l->backlog) < 0)
		return err_sys(e, six ? "listen on tcp [%s]:%u" : "listen on tcp %s:%u", host, l->port);
	*out = fd_take(&fd);
	return 0;
}

/* A socket file that nobody answers at is what an earlier run left; anything else stays and is the reason of the
 * failure. */
static int remove_stale(const char *path, const struct sockaddr_un *a, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "listen on %s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, EEXIST, "listen on %s: something that is no socket is there", path);
	owned_fd fd = socket(AF_UNIX, KIND | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, "listen on %s", path);
	if (connect(fd, (const struct sockaddr *)a, sizeof *a) == 0 || errno != ECONNREFUSED)
		return err_set(e, EADDRINUSE, "listen on %s: another process listens there", path);
	if (unlink(path) < 0)
		return err_sys(e, "listen on %s: remove the socket of an earlier run", path);
	return 0;
}

static void make_parents(const char *path)
{
	char part[108];
	struct text t = TEXT_IN(part);

	text_add(&t, path);
	for (char *slash = part; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		mkdir(part, 0755);	/* bind says what is wrong when this did not help */
		*slash = '/';
	}
}

/*
 * By the descriptor of the very file that was bound: in a folder that others can write to, the path may lead to another
 * file by now (CVE-2018-15687). Who may not ask for it (CAP_NET_ADMIN) can give nothing away that is not his.
 */
static int give_to(int sock, const char *path, uid_t uid, gid_t gid)
{
	owned_fd file = ioctl(sock, SIOCUNIXFILE, 0);

	if (file < 0)
		return errno == EPERM ? lchown(path, uid, gid) : -1;
	return fchownat(file, "", uid, gid, AT_EMPTY_PATH);
}

static int open_unix(const struct prior *p, const struct plan_listen *l, int *out, struct err *e)
{
	const char *path = plan_str(&p->plan, l->path);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t len = sizeof a;
	size_t n = strlen(path);
	bool abstract = path[0] == '@';

	if (n >= sizeof a.sun_path)
		return err_set(e, ENAMETOOLONG, "listen on %s: more than %zu bytes", path, sizeof a.sun_path - 1);
	memcpy(a.sun_path, path, n);
	if (abstract) {
		a.sun_path[0] = '\0';
		len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	} else {
		make_parents(path);
		if (remove_stale(path, &a, e) < 0)
			return -e->code;
	}
	owned_fd fd = socket(AF_UNIX, KIND, 0);
	mode_t old = umask(0777 & ~l->mode);	/* it never exists with more than its mode */
	int rc = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&a, len);

	umask(old);
	if (rc < 0)
		return err_sys(e, "listen on %s", path);
	if (!abstract && (l->uid != geteuid() || l->gid != getegid()) && give_to(fd, path, l->uid, l->gid) < 0)
		return err_sys(e, "listen on %s: give it to %u:%u", path, l->uid, l->gid);
	if (listen(fd, (int)l->backlog) < 0)
		return err_sys(e, "listen on %s", path);
	*out = fd_take(&fd);
	return 0;
}

int sockets_open(struct prior *p, uint32_t i, struct err *e)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	const struct plan_listen *l = PLAN_FIRST(&p->plan, d->listen, struct plan_listen);
	struct ledger_svc *s = svc_of(p, i);
	int32_t *slot = p->ledger.listen + s->first_listen;

	for (uint32_t k = 0; k < d->listen.n; k++) {
		int fd = slot[k] >= 0 ? FD_NONE : outside_take(plan_str(&p->plan, l[k].name));
		int rc = slot[k] >= 0 || fd >= 0 ? 0 :
			 (l[k].kind == LISTEN_TCP ? open_tcp(&l[k], &fd, e) : open_unix(p, &l[k], &fd, e));

		if (rc < 0)
			return err_in(e, "service %s", svc_name(p, i));
		if (slot[k] < 0)
			slot[k] = fd;
	}
	LEDGER_WRITE(s);
	s->flags |= SVC_F_BOUND;
	return 0;
}

static void on_connection(void *ctx, uint32_t i, uint32_t events)
{
	(void)events;
	svc_post(ctx, i, EV_CONNECTION);
}

int sockets_watch(struct prior *p, uint32_t i, struct err *e)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	uint32_t first = svc_of(p, i)->first_listen;

	if (sockets_open(p, i, e) < 0)
		return -e->code;
	for (uint32_t k = first; k < first + d->listen.n; k++) {
		int rc = p->listen_src[k] ? 0 :
			 loop_add(&p->loop, p->ledger.listen[k], EPOLLIN, on_connection, i, e);

		if (rc < 0)
			return err_in(e, "service %s: watch its sockets", svc_name(p, i));
		if (rc > 0)
			p->listen_src[k] = (uint32_t)rc;
	}
	return 0;
}

bool sockets_have_connection(const struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	uint32_t first = p->ledger.svc[i].first_listen;

	for (uint32_t k = first; k < first + d->listen.n; k++) {
		struct pollfd f = { .fd = p->ledger.listen[k], .events = POLLIN };

		/* Or POLLHUP: the service has ended the listening, and epoll would wake us for it as well. */
		if (poll(&f, 1, 0) == 1)
			return true;
	}
	return false;
}

void sockets_unwatch(struct prior *p, uint32_t i)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	uint32_t first = svc_of(p, i)->first_listen;

	for (uint32_t k = first; k < first + d->listen.n; k++)
		loop_remove(&p->loop, &p->listen_src[k]);
}

unsigned sockets_pass(struct prior *p, uint32_t i, int *pass, unsigned max, char *names, size_t size)
{
	const struct plan_service *d = plan_service(&p->plan, i);
	const struct plan_listen *l = PLAN_FIRST(&p->plan, d->listen, struct plan_listen);
	struct text t = { .at = names, .size = size };
	unsigned n = 0;

	names[0] = '\0';
	for (; n < d->listen.n && n < max; n++) {
		pass[n] = p->ledger.listen[svc_of(p, i)->first_listen + n];
		text_add(&t, n ? ":" : "");
		text_add(&t, plan_str(&p->plan, l[n].name));
	}
	return n;
}

/* A mode or an owner is the file's, which nobody but its maker should change under others. */
static bool is_same(const struct prior *p, const struct plan_listen *a, const struct prior *q,
		    const struct plan_listen *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == LISTEN_TCP)
		return a->port == b->port && !memcmp(&a->addr, &b->addr, sizeof a->addr);
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
	       !strcmp(plan_str(&p->plan, a->path), plan_str(&q->plan, b->path));
}

/* Few sockets each: at most 16 on either side. */
static void carry_of(struct prior *p, uint32_t i, struct prior *q, uint32_t k)
{
	const struct plan_service *from = plan_service(&p->plan, i), *to = plan_service(&q->plan, k);
	const struct plan_listen *a = PLAN_FIRST(&p->plan, from->listen, struct plan_listen);
	const struct plan_listen *b = PLAN_FIRST(&q->plan, to->listen, struct plan_listen);
	const int32_t *have = p->ledger.listen + svc_of(p, i)->first_listen;
	int32_t *slot = q->ledger.listen + svc_of(q, k)->first_listen;

	for (uint32_t y = 0; y < to->listen.n; y++)
		for (uint32_t x = 0; x < from->listen.n && slot[y] < 0; x++)
			if (have[x] >= 0 && is_same(p, a + x, q, b + y))
				slot[y] = have[x];
}

void sockets_carry(struct prior *p, struct prior *q, const uint32_t *to_old)
{
	for (uint32_t k = 0; k < q->plan.head->services.n; k++)
		if (to_old[k] < p->n)
			carry_of(p, to_old[k], q, k);
}

static void close_one(int32_t *slot, const char *path)
{
	struct linger none = { 0 };

	if (*slot < 0)
		return;
	/* A service may have made a connection of it that lingers; that would hold up our end. */
	setsockopt(*slot, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	if (path[0] == '/')
		unlink(path);
	fd_drop(slot);
}

/* Whether service k of q has taken this descriptor over; then its backlog is q's, too. */
static bool is_carried(const struct prior *q, uint32_t k, int fd)
{
	const struct plan_service *d = k < q->n ? plan_service(&q->plan, k) : NULL;
	const struct plan_listen *l = d ? PLAN_FIRST(&q->plan, d->listen, struct plan_listen) : NULL;

	for (uint32_t y = 0; d && y < d->listen.n; y++)
		if (q->ledger.listen[q->ledger.svc[k].first_listen + y] == fd) {
			listen(fd, (int)l[y].backlog);
			return true;
		}
	return false;
}

void sockets_close_left(struct prior *p, const struct prior *q, const uint32_t *to_new)
{
	for (uint32_t i = 0; i < p->n; i++) {
		const struct plan_service *d = plan_service(&p->plan, i);
		const struct plan_listen *l = PLAN_FIRST(&p->plan, d->listen, struct plan_listen);
		int32_t *slot = p->ledger.listen + svc_of(p, i)->first_listen;

		for (uint32_t x = 0; x < d->listen.n; x++)
			if (slot[x] >= 0 && !is_carried(q, to_new[i], slot[x]))
				close_one(&slot[x], plan_str(&p->plan, l[x].path));
	}
}

void sockets_close_all(struct prior *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		const struct plan_service *d = plan_service(&p->plan, i);
		const struct plan_listen *l = PLAN_FIRST(&p->plan, d->listen, struct plan_listen);
		int32_t *slot = p->ledger.listen + svc_of(p, i)->first_listen;

		sockets_unwatch(p, i);
		for (uint32_t k = 0; k < d->listen.n; k++)
			close_one(&slot[k], plan_str(&p->plan, l[k].path));
	}
}
