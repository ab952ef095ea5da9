/* Making listening sockets, and knowing them again: see bind.h. */
/* SPDX-License-Identifier: ISC */
#include "services/cell/bind.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "services/plan/listen.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#ifndef SIOCUNIXFILE
#define SIOCUNIXFILE (SIOCPROTOPRIVATE + 0)	/* <linux/un.h>, which does not go with <sys/un.h> */
#endif

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un path;
	struct sockaddr_vm vm;
	struct sockaddr_nl nl;
};

#define SHOWN 160
/* "tcp 0.0.0.0:80", "/run/web.sock": the address for messages. */
static const char *shown(const struct plan *p, const struct plan_listen *l, char to[SHOWN])
{
	const struct listen_row *row = &listen_rows[l->kind];
	char host[INET6_ADDRSTRLEN] = "?";

	if (row->has_path)
		return plan_str(p, l->path);
	if (row->has_port) {
		inet_ntop(l->addr.family, l->addr.ip, host, sizeof host);
		snprintf(to, SHOWN, l->addr.family == AF_INET6 ? "%s [%s]:%u" : "%s %s:%u", row->key, host, l->port);
	} else {
		snprintf(to, SHOWN, "%s %d:%u", row->key, (int)l->number, l->port32);
	}
	return to;
}

static int because(struct err *e)
{
	const int code = errno;

	return err_set(e, code, "%s", strerror(code));
}

static socklen_t fill_address(const struct plan *p, const struct plan_listen *l, union address *a)
{
	memset(a, 0, sizeof *a);
	if (listen_rows[l->kind].has_port && l->addr.family == AF_INET6) {
		a->v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(l->port) };
		memcpy(&a->v6.sin6_addr, l->addr.ip, 16);
		return sizeof a->v6;
	}
	if (listen_rows[l->kind].has_port) {
		a->v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(l->port) };
		memcpy(&a->v4.sin_addr, l->addr.ip, 4);
		return sizeof a->v4;
	}
	if (l->kind == LISTEN_VSOCK) {
		a->vm = (struct sockaddr_vm){ .svm_family = AF_VSOCK, .svm_cid = l->number, .svm_port = l->port32 };
		return sizeof a->vm;
	}
	if (l->kind == LISTEN_NETLINK) {
		a->nl = (struct sockaddr_nl){ .nl_family = AF_NETLINK, .nl_groups = l->port32 };
		return sizeof a->nl;
	}
	a->path.sun_family = AF_UNIX;
	memcpy(a->path.sun_path, plan_str(p, l->path), l->path.n);
	if (a->path.sun_path[0] != '@')
		return sizeof a->path;
	a->path.sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + l->path.n);
}

/* One that is not asked for is only set where the kernel's own default may be another. */
static int set_options(const struct plan *p, const struct plan_listen *l, int fd, struct err *e)
{
	const bool six = l->addr.family == AF_INET6;
	const char *device = plan_str(p, l->device);
	const int on = 1, reuse = listen_rows[l->kind].has_port && l->kind == LISTEN_TCP;

	for (unsigned i = 0; i < LISTEN_OPTIONS; i++) {
		const struct listen_option *o = &listen_options[i];
		const int want = l->flags >> i & 1, level = six && o->name6 ? o->level6 : o->level;
		const int name = six && o->name6 ? o->name6 : o->name;

		const bool sets = want || (1u << i == LISTEN_F_V6ONLY && six);

		if (sets && setsockopt(fd, level, name, &want, sizeof want) < 0)
			return err_sys(e, "%s", o->key);
	}
	if (reuse && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
		return err_sys(e, "SO_REUSEADDR");
	if (*device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device) + 1) < 0)
		return err_sys(e, "device %s", device);
	return 0;
}

/* Root's way first: it knows no upper limit. */
static int set_buffer(int fd, int forced, int name, uint32_t bytes, struct err *e)
{
	const int want = (int)bytes;

	if (!bytes || setsockopt(fd, SOL_SOCKET, forced, &want, sizeof want) == 0 ||
	    setsockopt(fd, SOL_SOCKET, name, &want, sizeof want) == 0)
		return 0;
	return err_sys(e, "a buffer of %u bytes", bytes);
}

static int make_socket(const struct plan *p, const struct plan_listen *l, int *out, struct err *e)
{
	const struct listen_row *row = &listen_rows[l->kind];
	const int family = row->has_port ? l->addr.family : row->family;
	owned_fd fd = socket(family, row->type | SOCK_CLOEXEC, l->kind == LISTEN_NETLINK ? (int)l->number : 0);

	if (fd < 0)
		return err_sys(e, family == AF_VSOCK ? "socket (is the kernel's vsock module loaded?)" : "socket");
	if (set_options(p, l, fd, e) < 0 || set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, l->receive_buffer, e) < 0 ||
	    set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, l->send_buffer, e) < 0)
		return -e->code;
	*out = fd_take(&fd);
	return 0;
}

/* A socket that nobody answers at is what an earlier run left; anything else stays and is the reason of the failure. */
static int remove_stale(const struct plan_listen *l, int dir, const char *name, const union address *a, struct err *e)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "look at it");
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, EEXIST, "something that is no socket is there");
	owned_fd fd = socket(AF_UNIX, listen_rows[l->kind].type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, "look who is there");
	/* EPROTOTYPE: somebody has it open, as another kind. */
	if (connect(fd, &a->any, sizeof a->path) == 0 || errno != ECONNREFUSED)
		return err_set(e, EADDRINUSE, "another process listens there");
	return unlinkat(dir, name, 0) < 0 ? err_sys(e, "remove the socket of an earlier run") : 0;
}

/* The very file that was bound, O_PATH. Without CAP_NET_ADMIN nobody may ask: EPERM. */
static int file_of(int sock)
{
	return ioctl(sock, SIOCUNIXFILE, 0);
}

/*
 * By the descriptor of the very file that was bound: in a folder that others can write to, the path may lead to another
 * file by now (CVE-2018-15687). Who may not ask for it can give nothing away that is not his.
 */
static int give_to(int sock, int dir, const char *name, const struct plan_listen *l)
{
	owned_fd file = file_of(sock);

	if (l->uid == geteuid() && l->gid == getegid())
		return 0;
	if (file < 0)
		return errno == EPERM ? fchownat(dir, name, l->uid, l->gid, AT_SYMLINK_NOFOLLOW) : -1;
	return fchownat(file, "", l->uid, l->gid, AT_EMPTY_PATH);
}

static bool is_same_file(int file, int dir, const char *name)
{
	struct stat a, b;

	return sys_fstat(file, &a) == 0 && fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* bind(2) takes no directory, and the name that programs ask for must be the whole path: so it is looked at after. */
static int is_where_meant(int sock, int dir, const char *name, struct err *e)
{
	owned_fd file = file_of(sock);
	char link[40], path[256];

	if (file < 0 || is_same_file(file, dir, name))
		return 0;
	snprintf(link, sizeof link, "/proc/self/fd/%d", file);
	const ssize_t n = readlink(link, path, sizeof path - 1);

	if (n > 0) {
		path[n] = '\0';
		if (is_same_file(file, AT_FDCWD, path))
			unlink(path);
	}
	return err_set(e, EXDEV, "a directory on the way to it was replaced meanwhile");
}

static int bind_path(const struct plan_listen *l, int fd, const union address *a, socklen_t len, int dir,
		     const char *name, struct err *e)
{
	const mode_t old = umask(0777 & ~l->mode);	/* it never exists with more than its mode */
	const int rc = bind(fd, &a->any, len);

	umask(old);
	if (rc < 0)
		return because(e);
	if (is_where_meant(fd, dir, name, e) < 0)
		return -e->code;
	return give_to(fd, dir, name, l) < 0 ? err_sys(e, "give it to %u:%u", l->uid, l->gid) : 0;
}

static int bind_it(const struct plan *p, const struct plan_listen *l, int fd, struct err *e)
{
	union address a;
	const socklen_t len = fill_address(p, l, &a);
	const char *path = plan_str(p, l->path), *name;
	owned_fd dir = FD_NONE;

	if (path[0] != '/')
		return bind(fd, &a.any, len) < 0 ? because(e) : 0;
	if (place_open(path, &dir, &name, e) < 0 || remove_stale(l, dir, name, &a, e) < 0)
		return -e->code;
	return bind_path(l, fd, &a, len, dir, name, e);
}

/* Open for both, so that it neither blocks nor ends. One that is there is taken as it is, if it is the right one. */
static int open_fifo(const struct plan *p, const struct plan_listen *l, int *out, struct err *e)
{
	const char *name;
	struct stat st;
	owned_fd dir = FD_NONE, fd = FD_NONE;

	if (place_open(plan_str(p, l->path), &dir, &name, e) < 0)
		return -e->code;
	const mode_t old = umask(0777 & ~l->mode);
	const int made = mkfifoat(dir, name, l->mode), code = errno;

	umask(old);
	if (made < 0 && code != EEXIST)
		return err_set(e, code, "make a FIFO: %s", strerror(code));
	fd = openat(dir, name, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || sys_fstat(fd, &st) < 0)
		return err_sys(e, "open the FIFO");
	if (!S_ISFIFO(st.st_mode))
		return err_set(e, EEXIST, "something that is no FIFO is there");
	if (made < 0 && st.st_uid != l->uid && st.st_uid != geteuid())
		return err_set(e, EEXIST, "a FIFO of user %u is there", st.st_uid);
	if (fcntl(fd, F_SETFL, O_RDWR) < 0)
		return err_sys(e, "FIFO: blocking");
	if (((st.st_uid != l->uid || st.st_gid != l->gid) && fchown(fd, l->uid, l->gid) < 0) ||
	    ((st.st_mode & 07777) != l->mode && fchmod(fd, l->mode) < 0))
		return err_sys(e, "give it to %u:%u with mode %04o", l->uid, l->gid, l->mode);
	*out = fd_take(&fd);
	return 0;
}

static int open_one(const struct plan *p, const struct plan_listen *l, int *out, struct err *e)
{
	owned_fd fd = FD_NONE;

	if (l->kind == LISTEN_FIFO)
		return open_fifo(p, l, out, e);
	if (make_socket(p, l, &fd, e) < 0 || bind_it(p, l, fd, e) < 0)
		return -e->code;
	if (listen_rows[l->kind].connects && listen(fd, (int)l->backlog) < 0)
		return because(e);
	*out = fd_take(&fd);
	return 0;
}

int bind_socket(const struct plan *p, const struct plan_listen *l, int *out, struct err *e)
{
	char where[SHOWN];

	return open_one(p, l, out, e) < 0 ? err_in(e, "listen on %s", shown(p, l, where)) : 0;
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t n = sizeof value;

	return getsockopt(fd, SOL_SOCKET, name, &value, &n) < 0 ? -1 : value;
}

int bind_check(const struct plan_listen *l, int fd, struct err *e)
{
	const struct listen_row *row = &listen_rows[l->kind];
	const int family = option(fd, SO_DOMAIN);
	struct stat st;
	bool same;

	if (sys_fstat(fd, &st) < 0)
		return err_sys(e, "descriptor %d", fd);
	if (l->kind == LISTEN_FIFO)
		same = S_ISFIFO(st.st_mode);
	else if (row->has_port)
		same = (family == AF_INET || family == AF_INET6) && option(fd, SO_TYPE) == row->type;
	else
		same = family == row->family && option(fd, SO_TYPE) == row->type;
	if (!same || (row->connects && option(fd, SO_ACCEPTCONN) != 1))
		return err_set(e, EINVAL, "what LISTEN_FDS hands in by that name is not '%s'", row->key);
	return 0;
}

/* One that was handed in lies where its maker put it; ours bear the path of the plan. */
static bool is_elsewhere(int fd, const char *path)
{
	struct sockaddr_un a = { 0 };
	socklen_t len = sizeof a - 1;

	return getsockname(fd, (struct sockaddr *)&a, &len) == 0 && a.sun_family == AF_UNIX && a.sun_path[0] == '/' &&
	       strcmp(a.sun_path, path) != 0;
}

bool bind_is_there(const struct plan *p, const struct plan_listen *l, int fd)
{
	const char *path = plan_str(p, l->path);
	owned_fd file = FD_NONE;
	struct stat st;

	if (path[0] != '/' || is_elsewhere(fd, path))
		return true;
	if (l->kind == LISTEN_FIFO)
		return is_same_file(fd, AT_FDCWD, path);
	file = file_of(fd);
	if (file >= 0)
		return is_same_file(file, AT_FDCWD, path);
	/* We may not ask which file is ours, or it was handed in: that there is one must do. */
	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

void bind_remove_file(const struct plan *p, const struct plan_listen *l, int fd)
{
	const char *path = plan_str(p, l->path), *name;
	owned_fd dir = FD_NONE;
	struct err e;

	if (path[0] == '/' && !is_elsewhere(fd, path) && bind_is_there(p, l, fd) &&
	    place_open(path, &dir, &name, &e) == 0)
		unlinkat(dir, name, 0);
}
