/* Starting a cell from a test: a plan with one service in it, the supervisor's side of a start, and what came out. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/fd.h"
#include "init/base/sum.h"
#include "init/base/sys.h"
#include "services/cell/cell.h"
#include "services/plan/types.h"
#include "services/plan/write.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* ---- lines of the ladder ---- */

static const char *group = "cells";
static unsigned failures;

__attribute__((format(printf, 3, 4), unused)) static bool check(bool good, const char *name, const char *fmt, ...)
{
	va_list ap;

	printf("%s %s: %s\n", good ? "ok" : "not ok", group, name);
	if (!good) {
		failures++;
		printf("    ");
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
		printf("\n");
	}
	fflush(stdout);
	return good;
}

__attribute__((unused)) static void skip(const char *name, const char *why)
{
	printf("skip %s: %s: %s\n", group, name, why);
	fflush(stdout);
}

/* ---- the plan ---- */

#define RIG_ROWS 48

struct rig {
	struct writer w;
	struct plan_service s;
	const char *argv[16], *env[16];
	struct plan_mount mounts[RIG_ROWS];
	struct plan_landlock landlock[RIG_ROWS];
	struct plan_rlimit rlimits[16];
	uint32_t groups[8];
	unsigned nmounts, nlandlock, nrlimits, ngroups;
	struct cell_start start;
	struct plan plan;
};

#define STRICT_FLAGS (CELL_PID | CELL_MOUNT | CELL_NET | CELL_IPC | CELL_UTS | CELL_CGROUP | CELL_TIME | CELL_USER | \
		      CELL_NNP | CELL_LANDLOCK | CELL_MDWE | CELL_LOCK_PERSONALITY | CELL_NO_NEW_NS | CELL_KEYRING | \
		      CELL_SECCOMP | CELL_CAPS | CELL_ATTEST | CELL_ROOT_TREE)

/* Denies what the tests try; the real filters are the compiler's business and are tested there. */
static const struct sock_filter test_filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PLAN_ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 6, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 425 /* io_uring_setup */, 4, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 4),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),	/* the family's low half */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 38 /* AF_ALG */, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static struct plan_mount *rig_mount(struct rig *r, enum mount_kind kind, const char *source, const char *target,
				    const char *data, uint64_t attr, uint32_t flags)
{
	struct plan_mount *m = &r->mounts[r->nmounts++];

	*m = (struct plan_mount){ .kind = kind, .attr = attr, .flags = flags };
	m->source = write_string(&r->w, source);
	m->target = write_string(&r->w, target);
	m->data = write_string(&r->w, data);
	return m;
}

__attribute__((unused)) static void rig_landlock(struct rig *r, const char *path, uint64_t access)
{
	r->landlock[r->nlandlock++] = (struct plan_landlock){ write_string(&r->w, path), access };
}

__attribute__((unused)) static void rig_rlimit(struct rig *r, uint32_t resource, uint64_t soft, uint64_t hard)
{
	r->rlimits[r->nrlimits++] = (struct plan_rlimit){ .resource = resource, .soft = soft, .hard = hard };
}

/* Nothing confined: preset none. */
static void rig_plain(struct rig *r, const char *exe)
{
	*r = (struct rig){ .start = { .cgroup_fd = FD_NONE, .log_fd = FD_NONE, .stdin_fd = FD_NONE, .attest = 1 } };
	write_begin(&r->w);
	r->s = (struct plan_service){ .name = write_string(&r->w, "test"), .stop_signal = 15, .nice = INT32_MIN,
				      .oom_score_adj = INT32_MIN, .umask = 022, .exe = write_string(&r->w, exe),
				      .cwd = write_string(&r->w, "/") };
	r->argv[0] = exe;
	r->env[0] = "PATH=/bin";
}

#define READ_DIR_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_EXECUTE)
#define QUIET_ATTR (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* Everything that a strict service has, in a root of its own. */
__attribute__((unused)) static void rig_strict(struct rig *r, const char *root)
{
	rig_plain(r, "/bin/inside");
	r->s.flags = STRICT_FLAGS;
	r->s.root = write_string(&r->w, root);
	r->s.uid = r->s.gid = 61184;
	r->s.umask = 0027;
	r->s.oom_score_adj = 300;
	r->s.nice = 3;
	r->s.hostname = write_string(&r->w, "cell");
	r->s.cwd = write_string(&r->w, "/srv");
	r->groups[r->ngroups++] = 61200;
	rig_mount(r, MOUNT_PROC, NULL, "/proc", "subset=pid,hidepid=invisible", QUIET_ATTR, 0);
	rig_mount(r, MOUNT_DEV, NULL, "/dev", "mode=0755,size=1M,nr_inodes=256", 0, 0);
	rig_mount(r, MOUNT_MQUEUE, NULL, "/dev/mqueue", NULL, QUIET_ATTR, 0);
	rig_mount(r, MOUNT_TMPFS, NULL, "/tmp", "size=1M,mode=1777", QUIET_ATTR, 0);
	rig_mount(r, MOUNT_INACCESSIBLE, NULL, "/secret", NULL, 0, 0);
	rig_mount(r, MOUNT_INACCESSIBLE, NULL, "/etc/shadow", NULL, 0, 0);
	rig_mount(r, MOUNT_FILE, NULL, "/etc/hosts", "127.0.0.1 localhost\n", 0, MOUNT_F_CREATE);
	rig_mount(r, MOUNT_REMOUNT, NULL, "/", NULL, MOUNT_ATTR_RDONLY, 0);
	rig_landlock(r, "/bin", READ_DIR_FILE);
	rig_landlock(r, "/srv", READ_DIR_FILE);
	rig_landlock(r, "/etc", READ_DIR_FILE);
	rig_landlock(r, "/proc", READ_DIR_FILE);
	rig_landlock(r, "/dev", READ_DIR_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
	rig_landlock(r, "/tmp", READ_DIR_FILE | 0x7fff);
	rig_rlimit(r, 4 /* CORE */, 0, 0);
	rig_rlimit(r, 7 /* NOFILE */, 64, 64);
	r->s.seccomp = write_table(&r->w, test_filter, sizeof test_filter / sizeof *test_filter, sizeof *test_filter);
	r->s.seccomp_sum = sum_more(SUM_START, test_filter, sizeof test_filter);
}

static struct plan_ref rig_words(struct rig *r, const char **v)
{
	struct plan_ref refs[16];
	unsigned n = 0;

	for (; n < 16 && v[n]; n++)
		refs[n] = write_string(&r->w, v[n]);
	return write_table(&r->w, refs, n, sizeof *refs);
}

/* Write the plan and map it. */
static void rig_finish(struct rig *r)
{
	static const uint32_t order[] = { 0 };
	struct plan_head h = { .network_tag = 1 };
	struct err e = { 0 };
	int fd = FD_NONE;

	r->s.argv = rig_words(r, r->argv);
	r->s.env = rig_words(r, r->env);
	r->s.mounts = write_table(&r->w, r->mounts, r->nmounts, sizeof *r->mounts);
	r->s.landlock = write_table(&r->w, r->landlock, r->nlandlock, sizeof *r->landlock);
	r->s.rlimits = write_table(&r->w, r->rlimits, r->nrlimits, sizeof *r->rlimits);
	r->s.groups = write_table(&r->w, r->groups, r->ngroups, sizeof *r->groups);
	h.services = write_table(&r->w, &r->s, 1, sizeof r->s);
	h.start_order = write_table(&r->w, order, 1, sizeof *order);
	if (write_end(&r->w, &h, &fd, &e) < 0) {
		printf("not ok %s: the test's own plan\n    %s\n", group, e.text);
		exit(2);
	}
	r->plan.at = mmap(NULL, PLAN_MAX, PROT_READ, MAP_PRIVATE, fd, 0);
	r->plan.head = (const void *)r->plan.at;
	r->plan.size = r->plan.head->size;
	fd_drop(&fd);
	write_free(&r->w);
	r->start.plan = &r->plan;
}

/* ---- a start and its end ---- */

struct outcome {
	int start;		/* what cell_start() said */
	struct err err;		/* of the start, or of FAILED */
	bool running, failed, direct, ended;
	struct cell_report report;	/* RUNNING or FAILED */
	pid_t pid, service, reaper;
	int pidfd;
	int status;		/* of the service, as waitpid() has it */
	char out[16384];	/* what it wrote */
	size_t n;
};

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void drain(struct outcome *o, int fd)
{
	ssize_t n;

	while (o->n < sizeof o->out - 1 && (n = read(fd, o->out + o->n, sizeof o->out - 1 - o->n)) > 0)
		o->n += (size_t)n;
	o->out[o->n] = '\0';
}

/* One of the cell's processes, 0 when there is none: true when it is gone. */
static bool is_gone(pid_t p, int *status)
{
	return p <= 0 || waitpid(p, status, WNOHANG | __WALL) != 0;
}

/* Reap what is over; the service's status is kept. Returns whether the service has ended. */
static bool reap(struct outcome *o)
{
	int other;

	if (!o->ended && (o->direct ? o->pid : o->service) > 0)
		o->ended = is_gone(o->direct ? o->pid : o->service, &o->status);
	if (!o->direct && is_gone(o->pid, &other))
		o->pid = 0;
	if (is_gone(o->reaper, &other))
		o->reaper = 0;
	return o->ended;
}

static void take_report(struct outcome *o, const struct cell_report *r)
{
	if (r->service)
		o->service = r->service;
	if (r->reaper)
		o->reaper = r->reaper;
	if (r->kind == CELL_MSG_PIDS)
		return;
	o->running |= r->kind == CELL_MSG_RUNNING;
	if (r->kind == CELL_MSG_FAILED && !o->failed) {
		o->failed = true;
		o->err = r->err;
	}
	o->report = *r;
}

/* Start it; out_read is the reading end of its stdout. */
static void rig_start(struct rig *r, struct outcome *o, int *report, int *out_read)
{
	int p[2];

	*o = (struct outcome){ .pidfd = FD_NONE };
	*report = *out_read = FD_NONE;
	if (!r->start.plan)
		rig_finish(r);
	if (r->start.log_fd == FD_NONE && pipe2(p, O_CLOEXEC) == 0) {
		fcntl(p[0], F_SETFL, O_NONBLOCK);
		*out_read = p[0];
		r->start.log_fd = p[1];
	}
	o->start = cell_start(&r->start, &o->pid, &o->pidfd, report, &o->direct, &o->err);
	if (*out_read >= 0)
		fd_drop(&r->start.log_fd);
}

/* Until the service runs, or its start has failed. */
__attribute__((unused)) static void rig_until_running(struct outcome *o, int report)
{
	const long end = now_ms() + 60000;	/* an emulated machine is slow */
	struct cell_report r;

	while (!o->running && !o->failed && now_ms() < end) {
		if (cell_report_read(report, &r, &o->err) == 1)
			take_report(o, &r);
		poll(NULL, 0, 1);
	}
}

/* Until the service has ended (or failed to start), at most ms. Then everything of it is killed. */
static void rig_wait(struct outcome *o, int report, int out_read, long ms)
{
	const long end = now_ms() + ms;
	bool heard_all = report < 0;
	struct cell_report r;

	while (now_ms() < end && !(o->ended && heard_all) && !(o->failed && heard_all)) {
		struct pollfd p[] = { { heard_all ? -1 : report, POLLIN, 0 }, { out_read, POLLIN, 0 } };

		poll(p, 2, 5);
		drain(o, out_read);
		if (!heard_all) {
			int ret = cell_report_read(report, &r, &o->err);

			if (ret == 1)
				take_report(o, &r);
			heard_all = ret == 0;
		}
		reap(o);
	}
	if (!o->ended && o->service > 0)
		kill(o->service, SIGKILL);
	if (o->reaper > 0)
		kill(o->reaper, SIGKILL);
	for (int i = 0; i < 60000 && o->start == 0; i++) {
		reap(o);
		if (o->direct ? o->ended : (o->ended || o->service == 0) && o->pid == 0 && o->reaper == 0)
			break;
		poll(NULL, 0, 1);
	}
	drain(o, out_read);
}

__attribute__((unused)) static void rig_run(struct rig *r, struct outcome *o)
{
	int report, out;

	rig_start(r, o, &report, &out);
	if (o->start == 0)
		rig_wait(o, report, out, 60000);
	fd_drop(&report);
	fd_drop(&out);
	fd_drop(&o->pidfd);
	munmap((void *)(uintptr_t)r->plan.at, PLAN_MAX);
	r->start.plan = NULL;
}

/* The value of a line "KEY VALUE" that the program inside wrote; "" when there is none. */
__attribute__((unused)) static const char *said(const struct outcome *o, const char *key)
{
	static char value[4][512];
	static unsigned turn;
	char *to = value[turn++ % 4];
	const size_t n = strlen(key);

	to[0] = '\0';
	for (const char *l = o->out; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL)
		if (!strncmp(l, key, n) && l[n] == ' ') {
			snprintf(to, 512, "%.*s", (int)strcspn(l + n + 1, "\n"), l + n + 1);
			break;
		}
	return to;
}

__attribute__((unused)) static bool expect(const struct outcome *o, const char *name, const char *key, const char *want)
{
	const char *got = said(o, key);

	return check(!strcmp(got, want), name, "%s: wanted '%s', it says '%s'", key, want, got);
}
