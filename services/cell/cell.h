/* Starting a service in its cell: what PID 1 asks for, and what comes back over the report socket. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/bpf.h"
#include "init/base/err.h"
#include "services/plan/plan.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Three processes of ours take part in a confined start; all are children of PID 1 (CLONE_PARENT):
 *   builder  cloned by PID 1 straight into the leaf cgroup; makes the namespaces and the network, forks the two below,
 *            writes the id maps, stops the service at its exec, compares (attest.h), reports, exits. Root in the
 *            machine's user and pid namespaces until its end; it never runs anything of the service's.
 *   reaper   (CELL_PID) PID 1 of the cell: SIGCHLD ignored, so that the kernel reaps; all memory unmapped but one page
 *            of file-backed text; no descriptors, no capabilities; it does nothing until it is killed with the cgroup.
 *   service  second process of the cell: goes through the step table (steps.c) and becomes the service.
 * A builder whose socket ends without RUNNING or FAILED was killed; so is then, by the kernel, the service.
 * A service without CELL_ATTEST and without namespaces has no builder: PID 1's child is the service.
 * A fourth is there before: the spawner, a child of PID 1 with few descriptors and little memory, which does the clone
 * for it (CLONE_PARENT): what PID 1 holds would be copied for every start, and there is more of it with each service.
 * Without a cgroup, killing the reaper ends everything in the cell's pid namespace.
 */
#define FIRST_PASSED 3		/* the first descriptor after the standard ones: SD_LISTEN_FDS_START */
#define CELL_FDS_MAX 64		/* descriptors passed to a service (LISTEN_FDS) */

struct cell_start {
	const struct plan *plan;
	uint32_t service;
	int cgroup_fd;		/* directory of the leaf, made by cgroup_make(); FD_NONE: stay in PID 1's cgroup */
	int log_fd;		/* becomes stdout and stderr; FD_NONE: inherit (prior run) */
	int stdin_fd;		/* FD_NONE: /dev/null; prior run passes 0 */
	bool stdio;		/* stdin_fd is stdout, too */
	int out_fd;		/* stdout apart from stderr; 0: not */
	const int *pass;	/* become 3.. in this order, blocking state untouched */
	const char *pass_names;	/* LISTEN_FDNAMES */
	unsigned npass;
	const char *run_dir;	/* where bundles for OCI runtimes are written; NULL: such a service does not start */
	const char *notify_path;/* machine's path of the notify socket (CELL_NOTIFY), else NULL */
	const struct plan_command *command; /* a hook instead of the service's program; NULL: the latter */
	const char *const *words; /* or these, NULL-ended, found along the service's PATH (prior enter) */
	bool terminal;		/* stdin_fd is one, made for it alone: the session's */
	bool keep_root;		/* cell_join(): with the machine's root, who gives nothing up */
	int net_fd;		/* the network that it gets: another's, or its own of before; 0, FD_NONE: a new one */
	const char *vars;	/* further NAME=VALUE, each ended by a newline; NULL: none */
	int ready_fd;		/* the writing end of READY_FD's pipe; 0, FD_NONE: none */
	unsigned ready_at;	/* its number; 0: the first behind the passed ones */
	uint64_t watchdog_us;	/* 0: no watchdog */
	uint64_t nofile;	/* soft RLIMIT_NOFILE where the plan says nothing; 0: what PID 1 has itself */
	struct bpf_loaded devices; /* the device policy of an earlier start, as its report had it */
	int attest;		/* 0 only for `prior bench`-like measurements: see docs; normally 1 */
	bool spawned;		/* cloned by the spawner: signals are clean, the child says BORN first */
};

enum cell_msg {
	CELL_MSG_BORN,		/* if spawned; builder, or the service in a direct start: `service` is its own pid */
	CELL_MSG_PIDS,		/* builder: service and reaper exist (service, reaper are pids in PID 1's namespace) */
	CELL_MSG_RUNNING,	/* the service's exec has happened; `attested` says whether it was compared */
	CELL_MSG_FOUND,		/* finder: this is the main process now */
	CELL_MSG_FAILED,	/* err says who, which step, which object, which errno; the service never ran */
};

/* One datagram each on a SOCK_SEQPACKET socket. A direct start whose socket ends without FAILED has executed. */
struct cell_report {
	uint32_t kind;		/* enum cell_msg */
	int32_t service, reaper; /* pids, 0: none */
	uint32_t attested;	/* number of facts compared and found equal; 0: not attested */
	uint32_t step;		/* FAILED: exit code of systemd's table (200..245) for the step, for `status` */
	uint32_t missing;	/* EXEC failed with ENOENT/EACCES: the policy need not retry */
	int64_t setup_us, attest_us;
	uint64_t net;		/* RUNNING: the inode number of its network namespace; 0: the machine's */
	struct bpf_loaded devices; /* RUNNING: its device policy; sum 0: none */
	struct err err;
};

/*
 * Fork the builder (or the service itself). On success *pid is PID 1's new child, *pidfd its pidfd, *report the
 * receiving end (non-blocking, owned by the caller), *direct whether *pid is the service. PID 1's memory is only read,
 * but for what attest_remember() keeps. Never blocks on the child. Errors: what clone3 and socketpair say.
 */
int cell_start(const struct cell_start *c, pid_t *pid, int *pidfd, int *report, bool *direct, struct err *e);

/*
 * A command that joins the running cell of the process behind pidfd: its namespaces, then the service's ids, limits and
 * filter, in its cgroup. *pid is PID 1's new child, whose exit status is the command's, 128 + a signal's number, or one
 * of these. What goes wrong is said in the service's log. timeout_ms 0: no limit. Never blocks.
 */
#define JOIN_TIMED_OUT 124
#define JOIN_FAILED 125
#define JOIN_NOT_EXECUTABLE 126		/* of `words`, as env(1) has it */
#define JOIN_NOT_FOUND 127
int cell_join(const struct cell_start *c, int pidfd, uint32_t timeout_ms, pid_t *pid, struct err *e);
/* The health check over the network, by exe_fd as `prior-probe` (probe.c), in the network of pidfd's process. */
int cell_probe(const struct cell_start *c, int exe_fd, int pidfd, pid_t *pid, struct err *e);
int probe_main(int argc, char **argv);	/* argv[0] == "prior-probe" */

/*
 * The process that a forking service (TYPE_FORKING) has left behind: *pid is a finder, PID 1's child in the leaf, which
 * reports FOUND or FAILED over *report. reaper 0: it has none.
 */
int cell_find(const struct cell_start *c, pid_t reaper, pid_t *pid, int *report, struct err *e);

/* Whether the service itself is PID 1's child, without a builder. */
bool cell_is_direct(const struct plan *p, uint32_t service, int attest);

/*
 * The spawner: does for PID 1 what cell_start() does, request by request, for one plan, until its socket's other end is
 * closed. Its children are PID 1's. A start that needs no builder runs in the spawner's memory until its exec (as
 * vfork(2)), so that one with a slow disk holds up those behind it: PID 1 then kills the spawner, which the child
 * survives, and makes another.
 * sock (SOCK_SEQPACKET) is what both of them read; requests that a dead one has not read are still in it.
 */
_Noreturn void spawner_life(const struct plan *p, int sock);
/* Ask for a start; the descriptors in c stay the caller's. theirs: the sending end of its reports. EAGAIN: no room. */
int spawner_ask(int sock, const struct cell_start *c, int theirs, struct err *e);

/* Read one report; 1: *r is filled, 0: end of file, -EAGAIN: nothing yet. */
int cell_report_read(int report, struct cell_report *r, struct err *e);

/* The leaf. All by descriptor below root_fd (a cgroup2 directory that is ours, O_DIRECTORY). */
int cgroup_open_root(const char *path, int *root_fd, struct err *e);
/* mkdir NAME, write each plan_file in order (limits before any process), read back; *leaf_fd is the caller's. */
int cgroup_make(int root_fd, const char *name, const struct plan *p, struct plan_ref files, int *leaf_fd,
		struct err *e);
/* What the kernel made of the plan's values where it rounds: "memory.max: 1000000 became 999424"; "": nothing. */
struct text;
void cgroup_rounded(int leaf_fd, const struct plan *p, struct plan_ref files, struct text *t);
int cgroup_kill(int leaf_fd, struct err *e);		/* cgroup.kill; nothing survives */
int cgroup_populated(int leaf_fd, struct err *e);	/* 1, 0 or -errno */
int cgroup_watch(int leaf_fd, int *events_fd, struct err *e); /* cgroup.events: EPOLLPRI when it changes */
int cgroup_remove(int root_fd, const char *name, struct err *e); /* and what the service made below it */
/* file: "memory.current", or one line of a file: "cpu.stat:usage_usec". "max" is UINT64_MAX. */
int cgroup_read_u64(int leaf_fd, const char *file, uint64_t *v);

/* `prior show --steps`: the table, numbered. */
struct text;
unsigned cell_step_count(void);
const char *cell_step_name(unsigned i);
const char *cell_step_why(unsigned i);
const char *cell_step_seen(unsigned i);
