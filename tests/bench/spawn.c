/* Ours for the measurement of a start: what PID 1 does to start a confined service, again and again. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "services/cell/cell.h"
#include "tests/bench/measure.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/*
 *	spawn PLAN SERVICE CGROUP COUNT [unattested] [timing]
 *	spawn PLAN SERVICE CGROUP show		once; SERVICE says what it likes on our standard output
 *
 * PLAN is compiled; SERVICE writes its time on standard output and ends. CGROUP: a cgroup2 directory below which the
 * leaf is made, or "-". `unattested` leaves out the comparison at exec: only this program has that switch.
 * Prints what start.c prints; `timing` adds what the builder reports: setup and comparison in microseconds.
 */
struct bench {
	struct plan plan;
	uint32_t service;
	int cgroup_root;
	int attest;
	bool timing, show;
};

static int fail(const char *what, const struct err *e)
{
	fprintf(stderr, "spawn: %s: %s\n", what, e->text);
	return 1;
}

/* Reads reports until the service runs. */
static int await_running(int report, struct cell_report *r, struct err *e)
{
	struct pollfd p = { .fd = report, .events = POLLIN };

	for (;;) {
		const int got = cell_report_read(report, r, e);

		if (got == -EAGAIN && poll(&p, 1, 10000) == 1)
			continue;
		if (got <= 0)
			return err_set(e, EPIPE, "no report within 10 s");
		if (r->kind == CELL_MSG_FAILED) {
			*e = r->err;
			return -1;
		}
		if (r->kind == CELL_MSG_RUNNING)
			return 0;
	}
}

/* The service has ended: the rest of the cell goes with it. */
static int finish(struct bench *b, int leaf, const char *name, pid_t reaper, struct err *e)
{
	if (leaf >= 0 && cgroup_kill(leaf, e) < 0)
		return -1;
	if (leaf < 0 && reaper > 0)
		kill(reaper, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	return leaf >= 0 ? cgroup_remove(b->cgroup_root, name, e) : 0;
}

static int once(struct bench *b, int n)
{
	const struct plan_service *s = plan_service(&b->plan, b->service);
	struct cell_report r = { 0 };
	struct timespec first;
	struct err e = { 0 };
	char name[32];
	int out[2], status;
	pid_t pid;
	bool direct;

	snprintf(name, sizeof name, "bench-%d-%d", getpid(), n);
	if (b->show ? (out[0] = FD_NONE, out[1] = fcntl(1, F_DUPFD_CLOEXEC, 3)) < 0 : pipe2(out, O_CLOEXEC) < 0)
		return err_sys(&e, "pipe"), fail("start", &e);
	owned_fd leaf = FD_NONE, pidfd = FD_NONE, report = FD_NONE, rd = out[0], wr = out[1];
	const int64_t start = now_ns();

	if (b->cgroup_root >= 0 && cgroup_make(b->cgroup_root, name, &b->plan, s->cgroup, &leaf, &e) < 0)
		return fail("cgroup", &e);
	struct cell_start c = { .plan = &b->plan, .service = b->service, .cgroup_fd = leaf, .log_fd = wr,
				.stdin_fd = FD_NONE, .attest = b->attest };

	if (cell_start(&c, &pid, &pidfd, &report, &direct, &e) < 0)
		return fail("start", &e);
	fd_drop(&wr);
	if (!direct && await_running(report, &r, &e) < 0)
		return fail("start", &e);
	if (waitpid(direct ? pid : r.service, &status, __WALL) < 0 || status)
		return err_set(&e, EIO, "status %d", status), fail("service", &e);
	if (finish(b, leaf, name, r.reaper, &e) < 0)
		return fail("end", &e);
	const int64_t end = now_ns();

	if (b->show)
		return 0;
	if (read(rd, &first, sizeof first) != sizeof first)
		return err_set(&e, EIO, "no time from the service"), fail("service", &e);
	if (b->attest && !r.attested)
		return err_set(&e, EPERM, "was not attested"), fail("service", &e);
	if (b->timing)
		printf("%lld %lld ", (long long)r.setup_us, (long long)r.attest_us);
	measured(start, &first, end);
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
	b.show = !strcmp(argv[4], "show");
	for (int n = 0; n < (b.show ? 1 : atoi(argv[4])); n++)
		if (once(&b, n))
			return 1;
	return 0;
}
