/* The spawner: clones the processes of a start for PID 1, out of little memory and few descriptors. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/cell/attest_inner.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* What a request brings besides its descriptors; one datagram, never longer than this. */
#define TEXT_MAX (CELL_FDS_MAX * 256 + 384)
#define REQUEST_MAGIC 0x70737734u	/* this version of a request: after an exec of PID 1 there may be another */

/* In this order; then those to pass on. */
enum request_fd { FD_REPORT, FD_CGROUP, FD_LOG, FD_STDIN, FD_READY, FD_NET, REQUEST_FDS };
#define FDS_MAX (REQUEST_FDS + CELL_FDS_MAX)

struct request {
	uint32_t magic, service;
	uint64_t hash;			/* of the service: the plan is the one that was meant */
	uint64_t nofile, watchdog_us;
	struct bpf_loaded devices;
	uint32_t ready_at;
	uint32_t has;			/* 1u << enum request_fd: which of them came */
	uint32_t npass, attest;
	uint32_t notify, names, vars, run_dir; /* lengths in text, with the NUL; 0: none */
	uint32_t stdio, pad;
	char text[TEXT_MAX];
};
#define TEXT_SIZE(r) ((size_t)(r)->notify + (r)->names + (r)->vars + (r)->run_dir)
#define REQUEST_SIZE(r) (offsetof(struct request, text) + TEXT_SIZE(r))

union fds {
	char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

static bool add_text(struct request *r, const char *s, uint32_t *length)
{
	const size_t n = s ? strlen(s) + 1 : 0, at = TEXT_SIZE(r);

	*length = 0;
	if (n > sizeof r->text - at)
		return false;
	if (n)
		memcpy(r->text + at, s, n);
	*length = (uint32_t)n;
	return true;
}

static unsigned list_fds(struct request *r, const struct cell_start *c, int theirs, int fds[FDS_MAX])
{
	const int of[REQUEST_FDS] = { [FD_REPORT] = theirs, [FD_CGROUP] = c->cgroup_fd, [FD_LOG] = c->log_fd,
				      [FD_STDIN] = c->stdin_fd,
				      [FD_READY] = c->ready_fd ? c->ready_fd : FD_NONE,
				      [FD_NET] = c->net_fd ? c->net_fd : FD_NONE };
	unsigned n = 0;

	for (unsigned i = 0; i < REQUEST_FDS; i++)
		if (of[i] >= 0) {
			fds[n++] = of[i];
			r->has |= 1u << i;
		}
	for (unsigned i = 0; i < c->npass; i++)
		fds[n++] = c->pass[i];
	return n;
}

int spawner_ask(int sock, const struct cell_start *c, int theirs, struct err *e)
{
	struct request r;
	union fds control;
	int fds[FDS_MAX];

	memset(&r, 0, offsetof(struct request, text));
	r.magic = REQUEST_MAGIC;
	r.service = c->service;
	r.hash = plan_service(c->plan, c->service)->hash;
	r.nofile = c->nofile;
	r.watchdog_us = c->watchdog_us;
	r.devices = c->devices;
	r.ready_at = c->ready_at;
	r.npass = c->npass;
	r.attest = c->attest != 0;
	r.stdio = c->stdio;
	if (c->command)
		return err_set(e, ENOTSUP, "spawner: commands of a service's care are not its business");
	if (c->npass > CELL_FDS_MAX || !add_text(&r, c->notify_path, &r.notify) ||
	    !add_text(&r, c->npass ? c->pass_names : NULL, &r.names) || !add_text(&r, c->vars, &r.vars) ||
	    !add_text(&r, c->run_dir, &r.run_dir))
		return err_set(e, E2BIG, "spawner: more than %d descriptors, or their names are too long",
			       CELL_FDS_MAX);
	const size_t size = list_fds(&r, c, theirs, fds) * sizeof(int);
	struct iovec v = { .iov_base = &r, .iov_len = REQUEST_SIZE(&r) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = CMSG_SPACE(size) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(h), fds, size);
	if (sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return err_sys(e, "spawner");
	return 0;
}

/* ---- the process ---- */

#define OWN_SOCKET 3

static int own_null = FD_NONE;	/* /dev/null, for all that have no other input; none: each start says so */

static _Noreturn __attribute__((noinline)) void begin_direct(struct cell *c)
{
	_exit(direct_life(c));
}

static _Noreturn __attribute__((noinline)) void begin_builder(struct cell *c)
{
	_exit(builder_life(c));
}

/*
 * Steps that change memory's own attributes (dumpable with the ids, W^X) would change the spawner's, for ever. So only
 * a service that keeps our ids and asks for no such step shares it.
 */
static bool may_share(const struct cell *c)
{
#ifdef __SANITIZE_ADDRESS__	/* the marks that a child leaves on the stack are no longer true after its exec */
	return false && c;
#endif
	return c->svc->uid == 0 && c->svc->gid == 0 && !has(c, CELL_MDWE | CELL_CAPS);
}

static long clone_direct(struct cell *c, struct clone_args *a)
{
	if (!may_share(c)) {
		const long pid = sys_clone3(a);

		if (pid == 0)
			begin_direct(c);
		return pid < 0 ? -errno : pid;
	}
	a->flags |= CLONE_VM | CLONE_VFORK;
	/* As vfork(2): a wrapper's return address would be overwritten by the child, so inline. */
	long pid = sys_inline(SYS_clone3, (long)(uintptr_t)a, sizeof *a, 0, 0);

	if (pid == 0)
		begin_direct(c);
	if (pid == -ENOSYS) {	/* hidden: then with memory of its own, as clone(2) can */
		a->flags &= ~(uint64_t)(CLONE_VM | CLONE_VFORK);
		pid = sys_clone3(a);
		if (pid == 0)
			begin_direct(c);
		pid = pid < 0 ? -errno : pid;
	}
	if (c->words)
		munmap(c->words, c->words_size);
	return pid;
}

static long clone_builder(struct cell *c, struct clone_args *a)
{
	const long pid = sys_clone3(a);

	if (pid == 0)
		begin_builder(c);
	return pid < 0 ? -errno : pid;
}

static void spawn(const struct cell_start *s, int report)
{
	struct clone_args a;
	struct cell c;
	struct err e;

	cell_of(&c, s, report);
	cell_clone_args(&c, &a);
	if (s->attest && has(&c, CELL_ATTEST))
		attest_remember();
	a.flags |= CLONE_PARENT;	/* the exit signal is then that of the spawner itself: SIGCHLD */
	const long pid = cell_is_direct(s->plan, s->service, s->attest) ? clone_direct(&c, &a) : clone_builder(&c, &a);

	if (pid >= 0)
		return;
	err_set(&e, (int)-pid, "service %s: clone into the cell: %s", plan_str(s->plan, c.svc->name),
		strerror((int)-pid));
	c.report = report;	/* the child has moved its own; this one is still where it was */
	cell_failed(&c, CODE_NAMESPACE, false, &e);
}

static bool is_sound(const struct plan *p, const struct request *r, size_t size, unsigned nfds)
{
	return size >= offsetof(struct request, text) && r->magic == REQUEST_MAGIC && r->notify <= sizeof r->text &&
	       r->names <= sizeof r->text && r->vars <= sizeof r->text && r->run_dir <= sizeof r->text &&
	       size == REQUEST_SIZE(r) &&
	       r->service < p->head->services.n && plan_service(p, r->service)->hash == r->hash &&
	       r->npass <= CELL_FDS_MAX && r->has & 1u << FD_REPORT &&
	       nfds == (unsigned)__builtin_popcount(r->has) + r->npass;
}

/* Which descriptor plays which part. Returns the report's. */
static int deal(const struct request *r, const int *fds, struct cell_start *c)
{
	int of[REQUEST_FDS];
	unsigned n = 0;

	for (unsigned i = 0; i < REQUEST_FDS; i++)
		of[i] = r->has >> i & 1 ? fds[n++] : FD_NONE;
	c->cgroup_fd = of[FD_CGROUP];
	c->log_fd = of[FD_LOG];
	c->stdin_fd = of[FD_STDIN] == FD_NONE ? own_null : of[FD_STDIN];
	c->ready_fd = of[FD_READY];
	c->net_fd = of[FD_NET];
	c->pass = fds + n;
	return of[FD_REPORT];
}

static void serve_one(const struct plan *p, const struct request *r, size_t size, const int *fds, unsigned nfds)
{
	struct cell_start c = { .plan = p, .service = r->service, .nofile = r->nofile,
				.watchdog_us = r->watchdog_us, .devices = r->devices, .ready_at = r->ready_at,
				.attest = (int)r->attest, .npass = r->npass, .spawned = true };

	/* Nobody hears why: the end of its report socket tells PID 1 that this one did not come about. */
	if (!is_sound(p, r, size, nfds))
		return;
	c.notify_path = r->notify ? r->text : NULL;
	c.pass_names = r->names ? r->text + r->notify : NULL;
	c.vars = r->vars ? r->text + r->notify + r->names : NULL;
	c.run_dir = r->run_dir ? r->text + r->notify + r->names + r->vars : NULL;
	c.stdio = r->stdio != 0;
	spawn(&c, deal(r, fds, &c));
}

static unsigned take_fds(struct msghdr *m, int fds[FDS_MAX])
{
	const struct cmsghdr *h = CMSG_FIRSTHDR(m);

	if (!h || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
		return 0;
	const size_t size = h->cmsg_len - CMSG_LEN(0);

	memcpy(fds, CMSG_DATA(h), size);
	return (unsigned)(size / sizeof(int));
}

static void serve_all(const struct plan *p, int sock)
{
	struct request r;
	union fds control;
	int fds[FDS_MAX];

	for (;;) {
		struct iovec v = { .iov_base = &r, .iov_len = sizeof r };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.room,
				    .msg_controllen = sizeof control.room };
		const ssize_t n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);

		if (n == 0 || (n < 0 && errno != EINTR))
			return;
		const unsigned nfds = n < 0 ? 0 : take_fds(&m, fds);

		if (n > 0)
			serve_one(p, &r, (size_t)n, fds, nfds);
		for (unsigned i = 0; i < nfds; i++)
			fd_drop(&fds[i]);
	}
}


_Noreturn void spawner_life(const struct plan *p, int sock)
{
	struct cell c = { 0 };
	struct err e;

	prctl(PR_SET_NAME, "prior-spawner");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (step_signals(&c, &e) < 0 || chdir("/") < 0 ||
	    (sock != OWN_SOCKET && dup3(sock, OWN_SOCKET, O_CLOEXEC) < 0) ||
	    sys_close_range(OWN_SOCKET + 1, ~0u, 0) < 0)
		_exit(CODE_FDS);
	own_null = gather_null();
	serve_all(p, OWN_SOCKET);
	_exit(0);
}
