/* Who may ask: connections to the control socket are taken in, kept over an exec, closed at the end. See server.h. */
/* SPDX-License-Identifier: ISC */
#include "services/supervise/server.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/supervise/client.h"
#include "services/supervise/control.h"
#include "services/supervise/member.h"
#include <linux/capability.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define GROUPS_MAX 256
#define NO_ID 65534u		/* what the kernel says of an id that has no number here */
#define OTHERS_MAX (LEDGER_CLIENTS / 2)	/* who may only look never takes the last place from root */

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

/*
 * A free slot; else the one that has been silent for longest and waits for nothing, never root's for somebody else.
 * -1: all wait, or the others have as many as they may.
 */
static int find_slot(struct prior *p, bool root)
{
	int idle = -1, empty = -1;
	unsigned others = 0;

	for (uint32_t c = 0; c < LEDGER_CLIENTS; c++) {
		const struct ledger_client *k = client(p, c);

		if (k->fd < 0) {
			empty = empty < 0 ? (int)c : empty;
			continue;
		}
		others += !k->may_change;
		if (k->verb == CTL_VERBS && (root || !k->may_change) &&
		    (idle < 0 || k->since_ms < client(p, (uint32_t)idle)->since_ms))
			idle = (int)c;
	}
	if (empty >= 0 && (root || others < OTHERS_MAX))
		return empty;
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

/* Has who connected ended, so that its number may be another's? Before Linux 6.5, or without room, nobody can tell. */
static bool is_gone(int fd)
{
	owned_fd pidfd = FD_NONE;
	socklen_t len = sizeof pidfd;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) < 0)
		return errno == EINVAL || errno == ESRCH || errno == ENODATA;
	return sys_pidfd_send_signal(pidfd, 0) < 0 && errno == ESRCH;
}

/*
 * Not one of ours: none above it is this process, to which every orphan of its services comes. Who has a longer line of
 * ancestors than anybody needs is not believed.
 */
static bool is_no_descendant(pid_t pid)
{
	for (int k = 0; k < 1024 && pid > 0; k++) {
		if (pid == getpid())
			return false;
		pid = member_parent(pid);
		if (pid == 0)
			return true;
	}
	return false;
}

/*
 * A process that we may not look at has more rights than we, or is of a user namespace above ours: with an ordinary
 * user's supervisor (init/rootless.h), uid 0 out there is that user. But one of ours may have become a program that may
 * be run and not be read, which hides it in the same way.
 */
static bool is_outside(pid_t pid)
{
	char path[32], to[32];
	struct text t = TEXT_IN(path);

	text_fmt(&t, "/proc/%d/ns/user", (int)pid);
	return readlink(path, to, sizeof to) < 0 && errno == EACCES && is_no_descendant(pid);
}

/*
 * Our uid alone is not enough: a service in a cell may have it and no capability at all, and must not get by asking us
 * what it cannot do itself, nor the plan and the ledger. Who may write every file could replace our binary anyway; but
 * in our user namespace, for in one of its own making every process has all capabilities. Where we cannot write every
 * file ourselves, as an ordinary user, that makes no difference. A number of 0 is from outside our pid namespace: no
 * service of ours can be there.
 *
 * Who has no number in our user namespace is from outside of it, too. Where the socket is ours `alone` (0600, no group
 * prior), of all those only who may write every file out there can have connected: the machine's root.
 */
static bool is_root(int fd, const struct ucred *who, bool alone)
{
	if (who->uid == NO_ID && alone && who->pid > 0 && is_outside(who->pid))
		return !is_gone(fd);
	if (who->uid != geteuid() && who->uid != 0)
		return false;
	if (who->pid == 0)
		return true;
	if (!is_outside(who->pid) && ((may_write_all(0) && !may_write_all(who->pid)) ||
				      !member_same_space(who->pid, getpid(), "user")))
		return false;
	return !is_gone(fd);
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
	const bool root = is_root(*fd, &who, h->ctl_gid == UINT32_MAX);

	if (!root && !is_in_group(*fd, who.gid, h->ctl_gid)) {
		err_set(&e, EACCES, "only root (with CAP_DAC_OVERRIDE, in prior's own user namespace) "
			"and the group `prior` may ask");
		client_send(*fd, 1, &e, NULL);
		return;
	}
	int c = find_slot(p, root);

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
