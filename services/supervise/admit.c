/* Who may ask: connections to the control socket are taken in, kept over an exec, closed at the end. See server.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/server.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/supervise/client.h"
#include "services/supervise/control.h"
#include <linux/capability.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define GROUPS_MAX 256

static bool is_in_group(int fd, gid_t main, gid_t wanted)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof groups;

	if (wanted == UINT32_MAX)
		return false;
	if (main == wanted)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;	/* more than fit: as if it were not in it */
	for (socklen_t i = 0; i < len / sizeof *groups; i++)
		if (groups[i] == wanted)
			return true;
	return false;
}

/* A free slot; else the one that has been silent for longest and waits for nothing. -1: all wait. */
static int find_slot(struct prior *p)
{
	int idle = -1;

	for (uint32_t c = 0; c < LEDGER_CLIENTS; c++) {
		if (client(p, c)->fd < 0)
			return (int)c;
		if (client(p, c)->verb == CTL_VERBS &&
		    (idle < 0 || client(p, c)->since_ms < client(p, (uint32_t)idle)->since_ms))
			idle = (int)c;
	}
	if (idle >= 0)
		client_drop(p, (uint32_t)idle);
	return idle;
}

static int watch_client(struct prior *p, uint32_t c, struct err *e)
{
	int rc = loop_add(&p->loop, client(p, c)->fd, EPOLLIN, client_heard, c, e);

	p->client_src[c] = rc < 0 ? 0 : (uint32_t)rc;
	return rc < 0 ? rc : 0;
}

/* pid 0: we ourselves. false when it is gone, too. */
static bool may_write_all(pid_t pid)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = pid };
	struct __user_cap_data_struct d[2] = { 0 };

	return syscall(SYS_capget, &head, d) == 0 && (d[0].effective >> CAP_DAC_OVERRIDE & 1);
}

/*
 * Uid 0 alone is not root: a service in a cell may have it and no capability at all, and must not get by asking us what
 * it cannot do itself, nor the plan and the ledger. Who may write every file could replace our binary anyway. Where we
 * cannot do so ourselves, there is no difference to make.
 */
static bool is_root(const struct ucred *who)
{
	if (who->uid != 0)
		return who->uid == geteuid();
	return may_write_all(who->pid) || !may_write_all(0);
}

static void admit(struct prior *p, int *fd)
{
	struct ledger_head *h = p->ledger.head;
	struct ucred who;
	socklen_t len = sizeof who;
	struct err e;

	if (getsockopt(*fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0) {
		err_sys(&e, "ask who is at the control socket");
		client_send(*fd, 1, &e, NULL);
		return;
	}
	bool root = is_root(&who);

	if (!root && !is_in_group(*fd, who.gid, h->ctl_gid)) {
		err_set(&e, EACCES, "only root (with CAP_DAC_OVERRIDE) and the group `prior` may ask");
		client_send(*fd, 1, &e, NULL);
		return;
	}
	int c = find_slot(p);

	if (c < 0) {
		err_set(&e, EAGAIN, "all %d connections wait for something; try again", CTL_CLIENTS);
		client_send(*fd, 1, &e, NULL);
		return;
	}
	*client(p, (uint32_t)c) = (struct ledger_client){ .fd = fd_take(fd), .verb = CTL_VERBS,
							   .may_change = root, .since_ms = p->loop.now.ms };
	if (watch_client(p, (uint32_t)c, &e) == 0)
		return;
	client_answer(p, (uint32_t)c, 1, &e);
	client_drop(p, (uint32_t)c);
}

/* For a second: where there is no descriptor or no memory, the loop would spin. */
static void look_away(struct prior *p)
{
	loop_remove(&p->loop, &p->control_src);
	loop_timer_set(&p->loop, p->n + TIMER_CONTROL, p->loop.now.ms + 1000);
}

static void on_listener(void *ctx, uint32_t arg, uint32_t events)
{
	struct prior *p = ctx;
	owned_fd fd = accept4(p->ledger.head->control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	struct err e;

	(void)arg, (void)events;
	if (fd >= 0) {
		admit(p, &fd);
	} else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
		err_sys(&e, "accept a connection");
		prior_say(p, "warning", "control", NULL, e.text);
		look_away(p);
	}
}

static int watch_listener(struct prior *p, struct err *e)
{
	int rc = loop_add(&p->loop, p->ledger.head->control_fd, EPOLLIN, on_listener, 0, e);

	p->control_src = rc < 0 ? 0 : (uint32_t)rc;
	return rc < 0 ? rc : 0;
}

void server_accept_again(struct prior *p)
{
	struct err e;

	if (!p->control_src && p->ledger.head->control_fd >= 0 && watch_listener(p, &e) < 0)
		look_away(p);
}

static int socket_path(const struct prior *p, struct sockaddr_un *a, struct err *e)
{
	struct text t = TEXT_IN(a->sun_path);

	text_add(&t, p->ledger.head->run_dir);
	text_add(&t, "/control.sock");
	return t.cut ? err_set(e, ENAMETOOLONG, "control socket %s: too long", a->sun_path) : 0;
}

int server_begin(struct prior *p, struct err *e)
{
	struct ledger_head *h = p->ledger.head;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	bool group = h->ctl_gid != UINT32_MAX;
	owned_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, "control socket");
	if (socket_path(p, &a, e) < 0)
		return -e->code;
	owned_fd other = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (connect(other, (struct sockaddr *)&a, sizeof a) == 0)
		return err_set(e, EADDRINUSE, "control socket %s: another prior answers there; stop it, "
			       "or give this one another --run-dir",
			       a.sun_path);
	unlink(a.sun_path);
	mode_t old = umask(group ? 0117 : 0177);
	int rc = bind(fd, (struct sockaddr *)&a, sizeof a);

	umask(old);
	if (rc < 0 || (group && lchown(a.sun_path, (uid_t)-1, h->ctl_gid) < 0) || listen(fd, CTL_CLIENTS) < 0)
		return err_sys(e, "control socket %s (--run-dir names another place)", a.sun_path);
	fd_put(&h->control_fd, fd_take(&fd));
	return watch_listener(p, e);
}

int server_resume(struct prior *p, struct err *e)
{
	int rc = watch_listener(p, e);

	if (rc < 0)
		look_away(p);
	for (uint32_t c = 0; c < LEDGER_CLIENTS; c++) {
		int one = client(p, c)->fd < 0 ? 0 : watch_client(p, c, e);

		rc = one < 0 ? one : rc;
	}
	return rc;
}

void server_end(struct prior *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct err e;

	server_check(p);
	for (uint32_t c = 0; c < LEDGER_CLIENTS; c++)
		client_drop(p, c);
	loop_remove(&p->loop, &p->control_src);
	if (p->ledger.head->control_fd >= 0 && socket_path(p, &a, &e) == 0)
		unlink(a.sun_path);
	fd_drop(&p->ledger.head->control_fd);
}
