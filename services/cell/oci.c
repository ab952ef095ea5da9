/* A service's start under an OCI runtime: created, stopped at its exec, compared as far as it can be, let go. */
/* SPDX-License-Identifier: ISC */
#include "services/cell/oci.h"
#include "init/base/mono.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/cell/attest_inner.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

/*
 * `create` makes the container and leaves its first process waiting before its exec; it is an orphan then, and so a
 * child of PID 1 as every service. We trace it, `start` lets it go on, and at its exec it is compared like a cell of
 * our own, but for what the runtime makes in its own way (mounts, the filter's program, who owns its namespaces).
 * runsc's process is a kernel of its own around the service, which nothing can be read from.
 */
#define ARGS_MAX 24

struct command {
	const char *argv[ARGS_MAX + 1];
	unsigned n;
};

static void arg(struct command *m, const char *a)
{
	if (m->n < ARGS_MAX)
		m->argv[m->n++] = a;
}

/* What every call of a runtime begins with. network: runsc alone has one of its own. */
static struct command command(const char *exe, enum oci_runtime kind, const struct oci_paths *o, const char *network)
{
	struct command m = { .n = 0 };

	arg(&m, exe);
	arg(&m, "--root");
	arg(&m, o->state);
	arg(&m, "--log");
	arg(&m, o->log);
	switch (kind) {
	case OCI_CRUN:
		arg(&m, "--cgroup-manager=disabled");	/* it stays in the leaf, whose limits are written */
		break;
	case OCI_RUNSC:
		arg(&m, "--ignore-cgroups");		/* likewise */
		arg(&m, "--oci-seccomp");
		arg(&m, network);
		break;
	case OCI_NONE: case OCI_RUNC: case OCI_RUNTIMES:
		break;
	}
	return m;
}

/* Nothing of PID 1's comes along: no signal mask, no variables, no descriptors but those that the service gets. */
static void become_runtime(const struct command *m, unsigned npass)
{
	char *const env[] = { (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	struct err e;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (step_signals(NULL, &e) == 0 && step_unblock(NULL, &e) == 0 &&
	    sys_close_range(3 + npass, ~0u, CLOSE_RANGE_CLOEXEC) == 0) {
		umask(022);
		execve(m->argv[0], (char *const *)(uintptr_t)m->argv, env);
	}
	_exit(127);
}

static pid_t run(const struct command *m, unsigned npass, struct err *e)
{
	struct clone_args a = { .exit_signal = SIGCHLD };
	const pid_t pid = sys_clone3(&a);

	if (pid == 0)
		become_runtime(m, npass);
	return pid < 0 ? err_sys(e, "fork %s", m->argv[0]) : pid;
}

/* The last line that the runtime wrote about what it did not like, without what is in front of the words. */
static void last_words(const char *log, char *to, size_t size)
{
	char text[4096];
	owned_fd fd = open(log, O_RDONLY | O_CLOEXEC);
	const off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, end > 4095 ? end - 4095 : 0);

	to[0] = '\0';
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '"'))
		n--;
	if (n <= 0)
		return;
	text[n] = '\0';
	char *line = strrchr(text, '\n'), *msg;

	line = line ? line + 1 : text;
	if ((msg = strstr(line, "msg=\"")) || (msg = strstr(line, "msg\":\"")))
		line = strchr(msg, '"') + 1 + 2 * (msg[3] == '"');
	if (msg && msg[3] == '"' && (msg = strstr(line, "\",\"level\"")))
		*msg = '\0';
	text_copy(to, size, line);
	text_tame(to);
}

static int say_failed(const struct command *m, const char *verb, int status, const char *log, struct err *e)
{
	char words[160];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(e, ENOENT, "%s cannot be executed", m->argv[0]);
	last_words(log, words, sizeof words);
	return err_set(e, EPROTO, "%s %s: %s", m->argv[0], verb, *words ? words : "it failed, and its log is empty");
}

/* Until the child has ended; a process that we trace meanwhile gets its signals. tracee 0: none. */
static int wait_child(pid_t child, pid_t tracee, int *traced, struct err *e)
{
	int status;

	for (;;) {
		const pid_t pid = waitpid(tracee ? -1 : child, &status, __WALL);

		if (pid < 0)
			return err_sys(e, "wait for the runtime");
		if (pid == child)
			return status;
		if (pid == tracee && WIFSTOPPED(status) && status >> 16 == 0)
			ptrace(PTRACE_CONT, pid, NULL, (void *)(long)WSTOPSIG(status));
		else if (pid == tracee)
			*traced = status;	/* at its exec already, or gone */
	}
}

static int run_to_end(const struct command *m, unsigned npass, const char *verb, const char *log, struct err *e)
{
	const pid_t pid = run(m, npass, e);
	const int status = pid < 0 ? pid : wait_child(pid, 0, NULL, e);

	if (status < 0)
		return status;
	return status == 0 ? 0 : say_failed(m, verb, status, log, e);
}

int oci_remove(const char *exe, enum oci_runtime kind, const char *run_dir, const char *service, struct err *e)
{
	static const char *const files[] = { "config.json", "pid", "log" };
	struct oci_paths o;
	char path[OCI_PATH + 192];
	int rc = 0;

	if (oci_paths(&o, run_dir, service, e) < 0)
		return -e->code;
	struct command m = command(exe, kind, &o, "--network=none");

	snprintf(path, sizeof path, kind == OCI_RUNSC ? "%s/%s_sandbox:%s.state" : "%s/%s", o.state, o.id, o.id);
	if (access(path, F_OK) == 0) {
		arg(&m, "delete");
		arg(&m, "--force");
		arg(&m, o.id);
		rc = run_to_end(&m, 0, "delete", o.log, e);
	}
	snprintf(path, sizeof path, "%s/%s_sandbox:%s.lock", o.state, o.id, o.id);
	unlink(path);		/* runsc leaves it */
	for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", o.bundle, files[i]);
		unlink(path);
	}
	rmdir(o.bundle);
	return rc;
}

void oci_end(const char *run_dir)
{
	static const char *const dirs[] = { "/bundles", "/oci/stage", "/oci/state", "/oci" };
	char path[OCI_PATH];

	for (unsigned i = 0; i < sizeof dirs / sizeof *dirs; i++) {
		struct text t = TEXT_IN(path);

		text_fmt(&t, "%s%s", run_dir, dirs[i]);
		if (!t.cut)
			rmdir(path);
	}
}

/* --- the builder --- */

static const char *network(const struct cell *c)
{
	/* "none" has loopback; "sandbox" takes over what the network namespace has. */
	return !has(c, CELL_NET) ? "--network=host" : leads_out(c) ? "--network=sandbox" : "--network=none";
}

/* What the runtime and all it starts inherit. */
static int surround(struct cell *c, uint32_t *code, struct err *e)
{
	*code = CODE_NAMESPACE;
	if (step_machine_proc(c, e) < 0)
		return -e->code;
	*code = CODE_NETWORK;
	if (has(c, CELL_NET) && (step_net_namespace(c, e) < 0 || step_network(c, e) < 0))
		return err_in(e, "network");
	if (has(c, CELL_UNPRIV_PORTS) &&
	    file_write(c->machine_proc, "sys/net/ipv4/ip_unprivileged_port_start", "0", e) < 0)
		return err_in(e, "unprivileged ports");
	*code = CODE_NICE;
	if (c->svc->nice != INT32_MIN && step_nice(c, e) < 0)
		return err_in(e, "nice");
	*code = CODE_AFFINITY;
	if (c->svc->affinity.n && step_affinity(c, e) < 0)
		return err_in(e, "cpu affinity");
	*code = CODE_CGROUP;
	if ((has(c, CELL_DEVICES) && step_device_policy(c, e) < 0) ||
	    (has(c, CELL_SOCKETS) && step_socket_policy(c, e) < 0))
		return err_in(e, "cgroup policies");
	*code = CODE_DIRECTORIES;
	if (step_directories(c, e) < 0)
		return err_in(e, "directories");
	*code = CODE_LIMITS;
	return default_nofile(c, e) < 0 ? err_in(e, "resource limits") : 0;
}

static int read_pid(struct cell *c, const char *file, struct err *e)
{
	char text[32];

	if (file_read(AT_FDCWD, file, text, sizeof text, e) < 0)
		return err_in(e, "the runtime's pid file");
	const long pid = strtol(text, NULL, 10);

	if (pid <= 1)
		return err_set(e, EPROTO, "%s: no pid in it", file);
	c->service = (pid_t)pid;
	return 0;
}

static int create(struct cell *c, const struct oci_paths *o, struct err *e)
{
	const enum oci_runtime kind = (enum oci_runtime)c->svc->runtime_kind;
	struct command m = command(plan_str(c->plan, c->svc->runtime), kind, o, network(c));
	char number[16];

	arg(&m, "create");
	arg(&m, "--bundle");
	arg(&m, o->bundle);
	arg(&m, "--pid-file");
	arg(&m, o->pid_file);
	if (c->start->npass) {
		snprintf(number, sizeof number, "%u", c->start->npass);
		arg(&m, "--preserve-fds");
		arg(&m, number);
	}
	arg(&m, o->id);
	unlink(o->pid_file);
	unlink(o->log);
	return run_to_end(&m, c->start->npass, "create", o->log, e) < 0 ? -e->code : read_pid(c, o->pid_file, e);
}

static int start(struct cell *c, const struct oci_paths *o, bool traced, int *at_exec, struct err *e)
{
	const enum oci_runtime kind = (enum oci_runtime)c->svc->runtime_kind;
	struct command m = command(plan_str(c->plan, c->svc->runtime), kind, o, network(c));

	arg(&m, "start");
	arg(&m, o->id);
	const pid_t pid = run(&m, 0, e);
	const int status = pid < 0 ? pid : wait_child(pid, traced ? c->service : 0, at_exec, e);

	if (status < 0)
		return status;
	return status == 0 ? 0 : say_failed(&m, "start", status, o->log, e);
}

static int not_at_exec(int status, const struct oci_paths *o, struct err *e)
{
	char words[160];

	last_words(o->log, words, sizeof words);
	if (*words)
		return err_set(e, EPROTO, "before its exec: %s", words);
	if (WIFSIGNALED(status))
		return err_set(e, EINTR, "killed by signal %d (%s) before its exec", WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
	return err_set(e, EPROTO, "ended with %d before its exec", WEXITSTATUS(status));
}

static int until_exec(struct cell *c, const struct oci_paths *o, int status, struct err *e)
{
	while (status == 0 || (WIFSTOPPED(status) && status >> 16 != PTRACE_EVENT_EXEC)) {
		if (status >> 16 == PTRACE_EVENT_STOP)
			ptrace(PTRACE_LISTEN, c->service, NULL, NULL);
		else if (status)
			ptrace(PTRACE_CONT, c->service, NULL, (void *)(long)WSTOPSIG(status));
		if (waitpid(c->service, &status, __WALL) < 0)
			return err_sys(e, "wait for the service's exec");
	}
	return WIFSTOPPED(status) ? 0 : not_at_exec(status, o, e);
}

static int compare(struct cell *c, struct cell_report *r, struct err *e)
{
	struct attest_in in = { .plan = c->plan, .svc = c->svc, .pid = c->service, .procfs = c->machine_proc,
				.reference = c->supervisor, .at_exec = true, .tracing = true, .root = c->root_id,
				.npass = (int)c->start->npass, .in_leaf = c->start->cgroup_fd >= 0,
				.leaf = c->leaf, .policy = { c->policy[0], c->policy[1] } };
	const int64_t stopped = mono_us();
	const int facts = c->start->attest && has(c, CELL_ATTEST) ? attest_all(&in, e) : 0;

	if (facts < 0)
		return facts;
	r->attested = (uint32_t)facts;
	r->attest_us = mono_us() - stopped;
	return 0;
}

/* The container exists and waits. */
static int let_go(struct cell *c, const struct oci_paths *o, struct err *e)
{
	const bool traced = c->svc->runtime_kind != OCI_RUNSC;
	struct cell_report r = { .kind = CELL_MSG_RUNNING, .service = c->service, .devices = c->devices };
	int at_exec = 0;

	/* Not before: the runtime makes device nodes. */
	if (has(c, CELL_POLICIES) && step_attach(c, e) < 0)
		return err_in(e, "cgroup policies");

	if (traced && ptrace(PTRACE_SEIZE, c->service, NULL, (void *)(PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)) < 0)
		return err_sys(e, "trace the service to its exec");
	if (start(c, o, traced, &at_exec, e) < 0)
		return -e->code;
	if (traced && (until_exec(c, o, at_exec, e) < 0 || compare(c, &r, e) < 0))
		return -e->code;
	r.setup_us = mono_us() - c->began_us - r.attest_us;
	if (report_send(c, &r) < 0)
		return err_sys(e, "tell PID 1");
	if (traced && ptrace(PTRACE_DETACH, c->service, NULL, NULL) < 0)
		return err_sys(e, "let the service go");
	return 0;
}

int oci_build(struct cell *c, bool *missing, uint32_t *code, struct err *e)
{
	const char *exe = plan_str(c->plan, c->svc->runtime), *name = plan_str(c->plan, c->svc->name);
	const enum oci_runtime kind = (enum oci_runtime)c->svc->runtime_kind;
	struct oci_paths o;
	struct err lost;

	*code = CODE_FDS;
	if (gather(c, e) < 0 || surround(c, code, e) < 0)
		return -e->code;
	*code = CODE_NAMESPACE;
	if (oci_paths(&o, c->start->run_dir ? c->start->run_dir : "", name, e) < 0)
		return -e->code;
	oci_remove(exe, kind, o.run, name, &lost);	/* of a supervisor that was killed */
	if (oci_stage(c, &o, e) < 0 || oci_write(c, &o, e) < 0)
		return err_in(e, "bundle");
	*code = CODE_EXEC;
	*missing = access(exe, X_OK) < 0;
	if (*missing)
		return err_sys(e, "runtime %s", exe);
	if (create(c, &o, e) < 0)
		return -e->code;
	struct cell_report r = { .kind = CELL_MSG_PIDS, .service = c->service };

	if (report_send(c, &r) < 0)
		return err_sys(e, "tell PID 1");
	return let_go(c, &o, e);
}
