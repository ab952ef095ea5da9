/* The main process of a service that went into the background: found by its pid file, or by being alone. */
/* SPDX-License-Identifier: ISC */
#include "init/base/mono.h"
#include "init/base/sys.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LEAF_FD 3		/* what PID 1 passes: the leaf, and the reaper's pidfd where there is one */
#define REAPER_FD 4
#define LISTED_MAX 256
#define LOOK_EVERY_MS 20	/* a daemon may write its file after its parent has ended */
#define READ_MS 2000
#define SETTLE_MS 1000		/* for what is on its way out: the builder, helpers of the first process */

struct list {
	pid_t pid[LISTED_MAX];
	unsigned n;
	bool more;
};

/* The processes of the leaf but us and the reaper. */
static int list_leaf(struct list *l, pid_t reaper, struct err *e)
{
	char text[LISTED_MAX * 8 + 256];
	ssize_t n = file_read(LEAF_FD, "cgroup.procs", text, sizeof text, e);

	*l = (struct list){ .more = n == -EOVERFLOW };
	if (n < 0)
		return (int)n;
	for (char *at = text, *end; *at; at = end + (*end == '\n')) {
		const pid_t pid = (pid_t)strtol(at, &end, 10);

		if (end == at)
			break;
		if (pid == getpid() || pid == reaper || pid <= 0)
			continue;
		if (l->n == LISTED_MAX)
			return err_set(e, E2BIG, "more than %d processes", LISTED_MAX);
		l->pid[l->n++] = pid;
	}
	return 0;
}

/* A number of /proc/PID/status: the last one in the line that begins so; -1: none. */
static long status_number(const struct cell *c, pid_t pid, const char *key)
{
	char path[32], text[4096], *at;
	struct err e;

	snprintf(path, sizeof path, "%d/status", (int)pid);
	if (file_read(c->machine_proc, path, text, sizeof text, &e) < 0 || !(at = strstr(text, key)))
		return -1;
	at++;
	at[strcspn(at, "\n")] = '\0';
	at = strrchr(at, '\t');
	return at ? strtol(at, NULL, 10) : -1;
}

/* The only one that is nobody's child among them. */
static pid_t find_alone(const struct cell *c, const struct list *l)
{
	pid_t found = 0;

	for (unsigned i = 0; i < l->n; i++) {
		const long parent = status_number(c, l->pid[i], "\nPPid:");
		bool inner = parent < 0;

		for (unsigned k = 0; k < l->n; k++)
			inner |= l->pid[k] == parent;
		if (inner)
			continue;
		if (found)
			return -1;
		found = l->pid[i];
	}
	return found;
}

/* In a child of its own, as the service: what it may not read says nothing, and what hangs holds up nobody. */
static void read_pid_file(struct cell *c, int to)
{
	const char *path = plan_str(c->plan, plan_care(c->plan, c->svc)->pid_file);
	struct err e;
	struct stat st;
	char text[32];

	if (step_groups(c, &e) < 0 || step_ids(c, &e) < 0)
		_exit(1);
	owned_fd fd = sys_openat2(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
				  RESOLVE_NO_MAGICLINKS);

	if (fd < 0 || sys_fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_uid != 0 && st.st_uid != c->svc->uid))
		_exit(2);
	const ssize_t n = read(fd, text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	const int pid = atoi(text);

	_exit(pid > 0 && write(to, &pid, sizeof pid) == sizeof pid ? 0 : 3);
}

/* The number in the file; 0: there is none yet. */
static pid_t number_in_file(struct cell *c)
{
	int pair[2], pid = 0, status;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return 0;
	owned_fd rd = pair[0], wr = pair[1];
	const pid_t child = fork();

	if (child == 0)
		read_pid_file(c, wr);
	if (child < 0)
		return 0;
	struct pollfd p = { .fd = rd, .events = POLLIN };

	fd_drop(&wr);
	if (poll(&p, 1, READ_MS) <= 0 || read(rd, &pid, sizeof pid) != sizeof pid)
		pid = 0;
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return pid;
}

static pid_t find_named(struct cell *c, const struct list *l)
{
	const pid_t number = number_in_file(c);

	if (number == 0 || !has(c, CELL_PID))
		return number;
	for (unsigned i = 0; i < l->n; i++)
		if (status_number(c, l->pid[i], "\nNSpid:") == number)
			return l->pid[i];
	return 0;
}

/* The mounts of the cell, by any process in them; the reaper is, and can do nothing about it. */
static int join_mounts(struct cell *c, const struct list *l, struct err *e)
{
	owned_fd pidfd = FD_NONE;

	if (!has(c, CELL_MOUNT))
		return 0;
	if (!has(c, CELL_PID)) {
		pidfd = l->n ? sys_pidfd_open(l->pid[0]) : FD_NONE;
		if (pidfd < 0)
			return err_set(e, ESRCH, "none of its processes is left");
	}
	return setns(pidfd >= 0 ? pidfd : REAPER_FD, CLONE_NEWNS) < 0 ? err_sys(e, "join its mounts") : 0;
}

static int find(struct cell *c, pid_t reaper, pid_t *pid, struct err *e)
{
	const bool named = plan_care(c->plan, c->svc) && plan_care(c->plan, c->svc)->pid_file.n;
	const int64_t settled = mono_now().ms + SETTLE_MS;
	bool joined = false;
	struct list l;

	if (machine_proc(c, e) < 0)
		return -e->code;
	for (;;) {
		if (list_leaf(&l, reaper, e) < 0)
			return err_in(e, "its cgroup");
		if (l.n == 0 && mono_now().ms > settled)
			return err_set(e, ESRCH, "its first process ended and left none behind");
		if (named && !joined && l.n && join_mounts(c, &l, e) < 0)
			return -e->code;
		joined |= l.n != 0;
		*pid = l.n == 0 ? 0 : named ? find_named(c, &l) : find_alone(c, &l);
		if (*pid > 0)
			return 0;
		if (*pid < 0 && mono_now().ms > settled)
			return err_set(e, EINVAL, "several processes are left: name the main one's file in pid_file");
		poll(NULL, 0, LOOK_EVERY_MS);
	}
}

/* A finder reports like a builder: FOUND, or FAILED. */
int finder_life(struct cell *c, pid_t reaper)
{
	struct cell_report r = { .kind = CELL_MSG_FOUND };
	struct err e = { 0 };
	pid_t pid = 0;

	prctl(PR_SET_NAME, "prior-finder");
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if ((geteuid() == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) || gather(c, &e) < 0)
		return 1;
	if (find(c, reaper, &pid, &e) < 0) {
		err_in(&e, "service %s: main process", plan_str(c->plan, c->svc->name));
		return cell_failed(c, CODE_EXEC, false, &e);
	}
	r.service = pid;
	return report_send(c, &r) < 0;
}
