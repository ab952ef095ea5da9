/* What the files of services/cell/ share: one start as its processes see it, and what they tell each other. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/fd.h"
#include "services/cell/cell.h"
#include "init/base/file.h"
#include <linux/sched.h>
#include <sys/types.h>

/* Which file something is, whatever it is called. dev == 0: not known. */
struct file_id {
	uint64_t dev, ino;
};

/* Lives on the child's stack; each process of the start has its own copy. */
struct cell {
	const struct cell_start *start;
	const struct plan *plan;
	const struct plan_service *svc;
	struct plan_command command; /* what is executed */
	int64_t began_us;
	int report;		/* to PID 1 */
	int sync;		/* builder and service talk; FD_NONE in a direct start */
	int machine_proc;	/* O_PATH: the machine's procfs, where PID 1 can be seen; opened by machine_proc() */
	int procfs;		/* service: a procfs of the cell, mounted nowhere */
	int root;		/* service: the cell's root, before and after it is entered */
	int scratch;		/* service: a tmpfs for the plan's small files; gone with the old root */
	int exe;		/* service: O_PATH */
	int leaf;		/* builder: the service's cgroup, where it has policies; else FD_NONE */
	int net;		/* builder: the network to enter instead of making one; else FD_NONE */
	struct bpf_loaded devices; /* builder: which device policy that is */
	int policy[2];		/* builder: its programs, by enum cgroup_policy */
	int owner;		/* CELL_USER_FIRST: the user namespace that the others belong to; else FD_NONE */
	int guest_of;		/* pidfd of the process whose cell is joined; FD_NONE: this one is being made */
	struct net *machine_net, *cell_net;
	pid_t supervisor;	/* PID 1, as the builder sees it */
	bool has_network;	/* service: it has joined the network that the builder made */
	pid_t service, reaper;	/* builder: 0 when there is none */
	struct file_id exe_id, root_id;
	uint64_t pidfd_number;	/* service: of itself, for LISTEN_PIDFDID; 0: none */
	int32_t keyring;	/* service: the session keyring it came with, 0: none can be known */
	void *words;		/* NULL, or a mapping for argv and envp: gone with the exec, or the spawner's */
	size_t words_size;
};

/* Between builder and service: one datagram each. The service asks (MAPS, NETWORK), the builder answers GO or dies. */
enum note_kind {
	NOTE_HERE,	/* service: the builder may trace me (only where that needs my consent) */
	NOTE_GO,	/* builder: do it; done */
	NOTE_MAPS,	/* service: I am in my user namespace, write its maps */
	NOTE_NETWORK,	/* service: I need the network now; GO brings its descriptor */
	NOTE_EXEC,	/* service: all steps but the last two are done; ids say what I am about to execute */
	NOTE_FAILED,	/* service: a step failed */
};

struct note {
	uint32_t kind, step, missing, pad;
	struct file_id exe, root;
	struct err err;
};

/* fd: goes with it, FD_NONE: none; stays the sender's. */
int note_send(const struct cell *c, const struct note *n, int fd, struct err *e);
/* *fd (may be NULL) is the caller's: what came with it, or FD_NONE. EPIPE: the other one is gone. */
int note_receive(const struct cell *c, struct note *n, int *fd, struct err *e);
int note_ask(const struct cell *c, uint32_t kind, int *fd, struct err *e);	/* send it, wait for GO */

/* Builder and service have the same privileges when they meet, so both answer the same. */
bool may_trace_anybody(void);

/* A post_stop hook's cell is made though devices that the service has waited for have gone: perhaps that is why. */
static inline bool does_without_devices(const struct cell *c)
{
	const struct plan_care *care = plan_care(c->plan, c->svc);

	return care && c->start->command == &care->command[CARE_POST_STOP];
}

/* The number of READY_FD's pipe; 0: there is none. */
static inline unsigned ready_at(const struct cell *c)
{
	const unsigned first = 3 + c->start->npass;

	return c->start->ready_fd <= 0 ? 0 : c->start->ready_at > first ? c->start->ready_at : first;
}

/* gather.c: the child's descriptors: 0, 1, 2, the passed ones, the readiness pipe at its number, the report socket, the
 * leaf if it gets policies, the network that it enters. */
int gather(struct cell *c, struct err *e);
/* /dev/null for a service; FD_NONE with errno. */
int gather_null(void);

/* files.c */
int machine_proc(struct cell *c, struct err *e);	/* the descriptor in c, opened when it is not yet */

/* maps.c: the id maps of the user namespace that process pid has made, and nobody has written yet. */
int maps_write(struct cell *c, pid_t pid, struct err *e);

/* cgroup.c: what the kernel says after `want` was written is the same limit. */
bool cgroup_took(const char *want, const char *got);

/* start.c: the clone, from PID 1 or the spawner. *a: what to clone with; its pid, or -1 with errno. */
void cell_of(struct cell *c, const struct cell_start *s, int report);
void cell_clone_args(const struct cell *c, struct clone_args *a);

/* Children's whole lives; what they return is for _exit(). */
int builder_life(struct cell *c);
int direct_life(struct cell *c);
int service_life(struct cell *c);
int finder_life(struct cell *c, pid_t reaper);	/* find.c */
int guide_life(struct cell *c, uint32_t timeout_ms);	/* join.c */
/* Never returns when all is well: gives everything away and waits to be killed. */
int reaper_life(struct err *e);

/* FAILED to whoever listens, with the step's exit code, which is returned. */
int cell_failed(const struct cell *c, uint32_t step, bool missing, const struct err *e);
int report_send(const struct cell *c, const struct cell_report *r);
int report_born(const struct cell *c, struct err *e);	/* BORN, where the spawner cloned; before anything else */

/* What is made for the cell is made once; who joins finds it. */
static inline bool makes(const struct cell *c)
{
	return c->guest_of == FD_NONE;
}

/* Its own network has an interface that takes something of the machine's. */
static inline bool leads_out(const struct cell *c)
{
	return c->svc->links.n;
}

static inline bool has(const struct cell *c, uint32_t flag)
{
	return c->svc->flags & flag;
}
