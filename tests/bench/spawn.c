/* Ours for the measurement of a start: what PID 1 does to start a confined service, again and again. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "services/cell/cell.h"
#include "tests/bench/measure.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

/*
 *	spawn PLAN SERVICE CGROUP COUNT [unattested] [timing]
 *	spawn PLAN SERVICE CGROUP show		once; SERVICE says what it likes on our standard output
 *
 * PLAN is compiled; SERVICE writes its time on standard output and ends. CGROUP: a cgroup2 directory below which the
 * leaf is made, or "-". `unattested` leaves out the comparison at exec: only this program has that switch.
 * Prints what start.c prints; `timing` adds what the builder reports: setup and comparison in microseconds.
 *
 * As in PID 1 a spawner clones the processes, and the program for devices is the one of the last start; the machine's
 * other services keep that loaded, here a descriptor of it does.
 */
struct bench {
	struct plan plan;
	uint32_t service;
	int cgroup_root, spawner;
	struct bpf_loaded devices;
	int attest;
	bool timing, show;
};

static int fail(const char *what, const struct err *e)
{
	fprintf(stderr, "spawn: %s: %s\n", what, e->text);
	return 1;
}

static int make_spawner(struct bench *b, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socket");
	const pid_t pid = fork();

	if (pid == 0)
		spawner_life(&b->plan, pair[1]);
	fd_drop(&pair[1]);
	b->spawner = pair[0];
	return pid < 0 ? err_sys(e, "fork") : 0;
}

/* Whose processes these are; all of them are our children. */
struct started {
	pid_t builder;
	struct cell_report r;	/* the last one: RUNNING, or of a service without a builder BORN */
};

/* Reads reports until the service runs. */
static int await_running(int report, bool direct, struct started *s, struct err *e)
{
	struct pollfd p = { .fd = report, .events = POLLIN };

	for (;;) {
		const int got = cell_report_read(report, &s->r, e);

		if (got == -EAGAIN && poll(&p, 1, 10000) == 1)
			continue;
		if (got <= 0)
			return err_set(e, EPIPE, "no report within 10 s");
		if (s->r.kind == CELL_MSG_FAILED) {
			*e = s->r.err;
			return -1;
		}
		if (s->r.kind == CELL_MSG_RUNNING || (direct && s->r.kind == CELL_MSG_BORN))
			return 0;
		if (s->r.kind == CELL_MSG_BORN)
			s->builder = s->r.service;
	}
}

static int start(struct bench *b, const struct cell_start *c, struct started *s, struct err *e)
{
	const bool direct = cell_is_direct(c->plan, c->service, c->attest);
	int pair[2];

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, "pipe");
	owned_fd ours = pair[0], theirs = pair[1];

	if (spawner_ask(b->spawner, c, theirs, e) < 0)
		return -e->code;
	fd_drop(&theirs);
	return await_running(ours, direct, s, e);
}

/* The service has ended: the rest of the cell goes with it. */
static int finish(struct bench *b, int leaf, const char *name, const struct started *s, struct err *e)
{
	if (leaf >= 0 && cgroup_kill(leaf, e) < 0)
		return -1;
	if (leaf < 0 && s->r.reaper > 0)
		kill(s->r.reaper, SIGKILL);
	if ((s->builder && waitpid(s->builder, NULL, __WALL) < 0) ||
	    (s->r.reaper && waitpid(s->r.reaper, NULL, __WALL) < 0))
		return err_sys(e, "wait");
	return leaf >= 0 ? cgroup_remove(b->cgroup_root, name, e) : 0;
}

/* For as long as we live. */
static int keep_devices(struct bench *b, const struct cell_report *r, struct err *e)
{
	if (!memcmp(&b->devices, &r->devices, sizeof b->devices))
		return 0;
	b->devices = r->devices;
	return bpf_by_id(b->devices.identity.id, e) < 0 ? -e->code : 0;
}

static int once(struct bench *b, int n)
{
	const struct plan_service *s = plan_service(&b->plan, b->service);
	struct started new = { 0 };
	struct timespec first;
	struct err e = { 0 };
	char name[32];
	int out[2], status;

	snprintf(name, sizeof name, "bench-%d-%d", getpid(), n);
	if (b->show ? (out[0] = FD_NONE, out[1] = fcntl(1, F_DUPFD_CLOEXEC, 3)) < 0 : pipe2(out, O_CLOEXEC) < 0)
		return err_sys(&e, "pipe"), fail("start", &e);
	owned_fd leaf = FD_NONE, rd = out[0], wr = out[1];
	const int64_t began = now_ns();

	if (b->cgroup_root >= 0 && cgroup_make(b->cgroup_root, name, &b->plan, s->cgroup, &leaf, &e) < 0)
		return fail("cgroup", &e);
	struct cell_start c = { .plan = &b->plan, .service = b->service, .cgroup_fd = leaf, .log_fd = wr,
				.stdin_fd = FD_NONE, .attest = b->attest, .devices = b->devices };

	if (start(b, &c, &new, &e) < 0 || keep_devices(b, &new.r, &e) < 0)
		return fail("start", &e);
	fd_drop(&wr);
	if (waitpid(new.r.service, &status, __WALL) < 0 || status)
		return err_set(&e, EIO, "status %d", status), fail("service", &e);
	if (finish(b, leaf, name, &new, &e) < 0)
		return fail("end", &e);
	const int64_t end = now_ns();

	if (b->show)
		return 0;
	if (read(rd, &first, sizeof first) != sizeof first)
		return err_set(&e, EIO, "no time from the service"), fail("service", &e);
	if (b->attest && !new.r.attested)
		return err_set(&e, EPERM, "was not attested"), fail("service", &e);
	if (b->timing)
		printf("%lld %lld ", (long long)new.r.setup_us, (long long)new.r.attest_us);
	measured(began, &first, end);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench b = { .cgroup_root = FD_NONE, .attest = 1 };
	struct err e = { 0 };

	if (argc < 5) {
		fprintf(stderr, "usage: spawn PLAN SERVICE CGROUP COUNT|show [unattested] [timing]\n");
		return 2;
	}
	for (int i = 5; i < argc; i++) {
		b.attest &= strcmp(argv[i], "unattested") != 0;
		b.timing |= !strcmp(argv[i], "timing");
	}
	owned_fd file = open(argv[1], O_RDONLY | O_CLOEXEC), sealed = FD_NONE;

	if (file < 0 || plan_seal(file, &sealed, &e) < 0 || plan_map(&b.plan, sealed, &e) < 0)
		return fail(argv[1], &e);
	const int index = plan_find(&b.plan, argv[2]);

	if (index < 0)
		return err_set(&e, ENOENT, "no such service in the plan"), fail(argv[2], &e);
	b.service = (uint32_t)index;
	if (strcmp(argv[3], "-") && cgroup_open_root(argv[3], &b.cgroup_root, &e) < 0)
		return fail("cgroup", &e);
	if (make_spawner(&b, &e) < 0)
		return fail("spawner", &e);
	b.show = !strcmp(argv[4], "show");
	for (int n = 0; n < (b.show ? 1 : atoi(argv[4])); n++)
		if (once(&b, n))
			return 1;
	return 0;
}
