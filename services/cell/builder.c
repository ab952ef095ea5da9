/* The builder: makes what must be made from outside, watches the service to its exec, compares, reports, ends. */
/* SPDX-License-Identifier: ISC */
#include "init/base/mono.h"
#include "init/base/sys.h"
#include "services/cell/attest_inner.h"
#include "services/cell/oci.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Children of PID 1, not of ours: it owns them from the start, and we may end. */
static pid_t fork_sibling(void)
{
	struct clone_args a = { .flags = CLONE_PARENT };

	return sys_clone3(&a);
}

static int no_room(struct err *e, const char *who)
{
	const int code = errno;

	return err_set(e, code, "fork the %s: %s%s", who, strerror(code),
		       code == EAGAIN ? " (a start needs 3 processes: is pids_max lower?)" : "");
}

static int fork_reaper(struct cell *c, struct err *e)
{
	if (!has(c, CELL_PID) || c->reaper > 0)
		return 0;
	c->reaper = fork_sibling();
	if (c->reaper < 0) {
		c->reaper = 0;
		return no_room(e, "reaper");
	}
	if (c->reaper == 0) {
		reaper_life(e);
		_exit(cell_failed(c, CODE_NAMESPACE, false, e));
	}
	return 0;
}

static int fork_service(struct cell *c, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socket to the service");
	owned_fd ours = pair[0], theirs = pair[1];
	const pid_t pid = fork_sibling();

	if (pid < 0)
		return no_room(e, "service");
	if (pid == 0) {
		fd_drop(&ours);
		c->sync = fd_take(&theirs);
		_exit(service_life(c));
	}
	c->service = pid;
	c->sync = fd_take(&ours);
	return 0;
}

/* See meet_builder(). */
static int seize(struct cell *c, struct err *e)
{
	struct note n;

	if (!may_trace_anybody() && note_receive(c, &n, NULL, e) < 0)
		return -e->code;
	if (ptrace(PTRACE_SEIZE, c->service, NULL, (void *)(PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)) < 0)
		return err_sys(e, "trace the service to its exec");
	return 0;
}

/* It is gone without a word. */
static int ended_early(struct cell *c, struct err *e)
{
	int status = 0;

	if (waitpid(c->service, &status, __WALL) < 0 || !WIFSIGNALED(status))
		return err_set(e, EPIPE, "the service's process ended during its setup");
	return err_set(e, EINTR, "killed by signal %d (%s) during its setup%s", WTERMSIG(status),
		       strsignal(WTERMSIG(status)),
		       WTERMSIG(status) == SIGKILL ? ": is memory_max too small for a start?" : "");
}

/* Answer the service until it is about to execute. exec is what it said then. */
static int serve(struct cell *c, struct note *exec, uint32_t *code, struct err *e)
{
	struct note n, go = { .kind = NOTE_GO };

	for (;;) {
		owned_fd gift = FD_NONE;

		*code = CODE_NAMESPACE;
		if (note_receive(c, &n, NULL, e) < 0)
			return ended_early(c, e);
		switch ((enum note_kind)n.kind) {
		case NOTE_MAPS:
			if (maps_write(c, c->service, e) < 0)
				return err_in(e, "user namespace");
			break;
		case NOTE_NETWORK:	/* made before the first question was read */
			gift = openat(c->machine_proc, "self/ns/net", O_RDONLY | O_CLOEXEC);
			if (gift < 0)
				return err_sys(e, "open our network namespace");
			break;
		case NOTE_EXEC:
			*exec = n;
			return n.exe.dev ? 0 : err_set(e, EPROTO,
						       "the service did not say which executable it has found");
		case NOTE_FAILED:
			*code = n.step;
			*e = n.err;
			exec->missing = n.missing;
			return -e->code;
		case NOTE_HERE:
		case NOTE_GO:
			return err_set(e, EPROTO, "unexpected note %u from the service", n.kind);
		}
		if (note_send(c, &go, gift, e) < 0)
			return -e->code;
	}
}

/* A step after the handover failed: its note, or only its errno as exit status when the filter forbade the note. */
static int exec_failed(struct cell *c, int status, struct note *exec, uint32_t *code, struct err *e)
{
	const char *exe = plan_str(c->plan, c->command.exe);
	struct note n;

	*code = CODE_EXEC;
	if (recv(c->sync, &n, sizeof n, MSG_DONTWAIT) == sizeof n && n.kind == NOTE_FAILED) {
		*code = n.step;
		*e = n.err;
		return -e->code;
	}
	if (WIFSIGNALED(status))
		return err_set(e, EINTR, "killed by signal %d (%s) before its exec", WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
	const int why = WEXITSTATUS(status);

	exec->missing = why == ENOENT || why == EACCES;
	return err_set(e, why, "exec %s: %s%s", exe, strerror(why),
		       why == ENOENT ? " (the file is there: its interpreter or ld.so is not)" : "");
}

/* Signals on the way are passed on: the first ones of a stopped start are SIGTERM or SIGKILL. */
static int wait_for_exec(struct cell *c, struct note *exec, uint32_t *code, struct err *e)
{
	int status;

	for (;;) {
		if (waitpid(c->service, &status, __WALL) < 0)
			return err_sys(e, "wait for the service's exec");
		if (!WIFSTOPPED(status))
			return exec_failed(c, status, exec, code, e);
		const int event = status >> 16, sig = WSTOPSIG(status);

		if (event == PTRACE_EVENT_EXEC)
			return 0;
		if (event == PTRACE_EVENT_STOP)
			ptrace(PTRACE_LISTEN, c->service, NULL, NULL);
		else
			ptrace(PTRACE_CONT, c->service, NULL, (void *)(long)sig);
	}
}

static int tell_pids(struct cell *c, struct err *e)
{
	struct cell_report r = { .kind = CELL_MSG_PIDS, .service = c->service, .reaper = c->reaper };

	return report_send(c, &r) < 0 ? err_sys(e, "tell PID 1") : 0;
}

/* The inode number of what is behind that path; 0: errno says why there is none. */
static uint64_t number_of(int dir, const char *path, int flags)
{
	struct stat st;

	return fstatat(dir, path, &st, flags) < 0 ? 0 : st.st_ino;
}

/* While the service does its steps: what can be known before its exec. */
static int prepare(struct cell *c, struct attest_in *in, struct err *e)
{
	*in = (struct attest_in){ .plan = c->plan, .svc = c->svc, .pid = c->service, .procfs = c->machine_proc,
				  .reference = c->supervisor, .at_exec = true, .tracing = true,
				  .npass = (int)c->start->npass, .ready_at = (int)ready_at(c),
				  .exe_path = plan_str(c->plan, c->command.exe), .in_leaf = c->start->cgroup_fd >= 0,
				  .without_devices = does_without_devices(c), .leaf = c->leaf,
				  .policy = { c->policy[0], c->policy[1] } };
	if (c->net >= 0 && (in->net = number_of(c->net, "", AT_EMPTY_PATH)) == 0)
		return err_sys(e, "the network that it shares");
	return c->start->attest && has(c, CELL_ATTEST) ? attest_prepare(in, e) : 0;
}

/* Stopped at its exec: nothing of the service's has run yet, and everything it will run under is in place. */
static int attest_and_let_go(struct cell *c, struct attest_in *in, const struct note *exec, struct err *e)
{
	const int64_t stopped = mono_us();
	struct cell_report r = { .kind = CELL_MSG_RUNNING, .service = c->service, .reaper = c->reaper };
	int facts = 0;

	r.devices = c->devices;
	in->exe = exec->exe;
	in->root = exec->root;
	if (c->start->attest && has(c, CELL_ATTEST) && (facts = attest_all(in, e)) < 0)
		return facts;
	r.attested = (uint32_t)facts;
	r.setup_us = stopped - c->began_us;
	r.attest_us = mono_us() - stopped;
	/* The builder is in it, too. */
	if (has(c, CELL_NET) && !(r.net = number_of(c->machine_proc, "self/ns/net", 0)))
		return err_sys(e, "open our network namespace");
	if (report_send(c, &r) < 0)
		return err_sys(e, "tell PID 1");
	if (ptrace(PTRACE_DETACH, c->service, NULL, NULL) < 0)
		return err_sys(e, "let the service go");
	return 0;
}

static int build(struct cell *c, bool *missing, uint32_t *code, struct err *e)
{
	struct note go = { .kind = NOTE_GO }, exec = { 0 };
	struct attest_in in;
	int ret;

	*code = CODE_FDS;
	if (report_born(c, e) < 0 || gather(c, e) < 0)
		return -e->code;
	if (steps_walk(c, BY_BUILDER, code, e) < 0)
		return -e->code;
	*code = CODE_NAMESPACE;
	if (fork_reaper(c, e) < 0 || fork_service(c, e) < 0)
		return -e->code;
	if (seize(c, e) < 0 || tell_pids(c, e) < 0 || note_send(c, &go, FD_NONE, e) < 0)
		return -e->code;
	if (steps_walk(c, BESIDE, code, e) < 0 || prepare(c, &in, e) < 0)
		return -e->code;
	ret = serve(c, &exec, code, e);
	if (ret == 0)
		ret = wait_for_exec(c, &exec, code, e);
	*missing = exec.missing;
	if (ret < 0 || attest_image(&in, e) < 0 || steps_walk(c, AT_EXEC, code, e) < 0)
		return -e->code;
	*code = CODE_NAMESPACE;
	return attest_and_let_go(c, &in, &exec, e);
}

int builder_life(struct cell *c)
{
	struct err e = { 0 };
	uint32_t code = 0;
	bool missing = false;

	c->supervisor = getppid();
	sys_batch(0, false);
	prctl(PR_SET_NAME, "prior-builder");
	if ((c->svc->runtime_kind ? oci_build : build)(c, &missing, &code, &e) == 0)
		return 0;
	/* What was begun does not stay: the reaper's end is the end of all in its namespace. */
	if (c->service > 0)
		kill(c->service, SIGKILL);
	if (c->reaper > 0)
		kill(c->reaper, SIGKILL);
	err_in(&e, "service %s", plan_str(c->plan, c->svc->name));
	fd_drop(&c->sync);
	return cell_failed(c, code, missing, &e);
}
