/* What PID 1 holds in memory: the plan, the ledger, the loop, and what is rebuilt from them at each exec. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/bpf.h"
#include "init/base/fd.h"
#include "init/loop/loop.h"
#include "services/logs/logs.h"
#include "services/plan/plan.h"
#include "services/supervise/ledger.h"

/* Y (user) depends on X (need). One per plan_dep, in the plan's order, so that a service's own edges are neighbours. */
struct edge {
	uint32_t user, need;
	uint16_t kind, condition;
	uint8_t met;		/* need is as user wants it for starting */
	uint8_t holds;		/* user still needs it: need may not be stopped yet */
	uint8_t shares;		/* user has the network of need */
};

/* Exits of pids that nobody knew yet: their first word or their builder may name them later. */
#define UNCLAIMED_ORPHANS 64	/* besides one for each service */
struct unclaimed {
	int32_t pid, code, status;	/* as in siginfo_t; 0: none */
};

/* Per service: handles and counts. Facts that must survive are in the ledger. */
struct svc_run {
	uint32_t report_src, notify_src, events_src;	/* loop handles, 0: none */
	uint32_t first_edge, first_user; /* where its edges begin in edges[]; those that need it: in users[] */
	uint32_t unmet, holders;	/* edges of its own not met; edges of others that hold it */
	uint32_t sharers;		/* those of the latter that share its network */
	uint32_t wait_edge;		/* the edge that waits_for names */
	uint32_t queued, queue_next;	/* events that wait for it, one bit each; next service in the queue + 1 */
	uint32_t building;		/* its place in building[] + 1, 0: not there */
	uint8_t logged, sent;		/* 1: in log_order[]; the logger has its pipe */
	uint8_t ended;			/* 1: the logger is to be told that it has */
	uint8_t asked;			/* 1: the spawner has been asked for it, and no word has come */
	struct unclaimed early;		/* its end, which came before its exec was seen */
	int32_t discard;		/* the child that takes a message with descriptors; 0: none */
	uint32_t said;			/* what was said of its messages since its start: enum notify_said */
	uint32_t pidfd_src;		/* a main process that is no child of ours (SVC_F_FOREIGN); 0: none */
	uint32_t offer_src;		/* descriptors to be stored come over offer_fd; 0: none do */
	int32_t offer_fd;
	uint32_t searches;		/* of a pid that it named, since its start */
	bool traffic;			/* something has come to its sockets since it was looked at last */
	int32_t idle_look;		/* the child that looks for open connections; 0: none */
	uint32_t absent, first_absent;	/* how many of the devices that it needs are not there; the first of them */
	bool devices_told;		/* the helper has said so */
	bool for_ever;			/* it waits for them without an end, or for who does: see devices.c */
	uint32_t care;			/* its place in the ledger's cares + 1, 0: it has none */
	/* connections.h */
	uint32_t conn;			/* a slot: its place in the ledger's connections + 1; 0: it is none */
	uint32_t base;			/* a slot: whose + 1 */
	uint32_t first_conn, nconns;	/* a base: its slots in the ledger's connections, and how many there are */
	uint32_t nserved;		/* a base: how many of them serve, or end */
	uint32_t next;			/* a slot: the next free one, or the next of its chain of sources, + 1 */
	uint32_t free;			/* a base: the first free slot + 1 */
	bool is_free, is_full;		/* a slot: in that list; a base: none was, so nobody looks at its sockets */
	uint32_t refused;		/* a base: connections since the last word about that, and that one; 0: none */
	int64_t refused_ms, full_ms;	/* a base: when that was; when it was last said that all serve; 0: never */
};

/* The same for a service with a care record. */
struct care_run {
	uint32_t ready_src;		/* the pipe of READY_FD; 0: none */
};

#define BUTTONS_MAX 8
struct buttons {		/* see buttons.h */
	int inotify_fd;			/* FD_NONE: nothing is watched */
	int in_dev, in_input;		/* watches of /dev and /dev/input; 0 or less: none */
	int fd[BUTTONS_MAX];		/* FD_NONE: none */
	uint32_t inotify_src, src[BUTTONS_MAX];
	int pid, sock;			/* the child that looks, 0: none; what it says */
	bool again;			/* another look is to follow */
	unsigned failed;		/* looks in a row that came to nothing */
	unsigned more;			/* such devices for which there was no room */
};

enum pid_role { PID_MAIN, PID_BUILDER, PID_REAPER, PID_UNDO, PID_LOGGER, PID_TRIAL, PID_DISCARD,
	PID_COMPILER, PID_HOOK, PID_CHECK, PID_SPAWNER, PID_NETWORK, PID_IDLE, PID_ENDPOINT, PID_DEVICES, PID_GOOD,
	PID_BUTTONS };

struct pid_slot {
	int32_t pid;		/* 0: free */
	uint32_t service;
	uint32_t role;		/* enum pid_role */
};

/* Timers: one per service (its number), then these, then one per care record. */
enum serve_timer { TIMER_SHUTDOWN, TIMER_TICK, TIMER_LOGGER, TIMER_CONTROL, TIMER_TRIAL, TIMER_RELOAD,
	TIMER_SPAWNER, TIMER_PLANNED, TIMER_DOG, TIMER_ENDPOINT, TIMER_DEVICES, TIMER_GOOD,
	TIMER_BUTTONS, SERVE_TIMERS };

struct helper_life {		/* of the process that helps now, or did: see helper.h */
	int64_t since_ms;
	unsigned tries;		/* how often in a row it did not last */
};

/* A new binary that is to take our place shows first that it can. */
enum trial { TRIAL_NONE, TRIAL_RUNS, TRIAL_GOOD, TRIAL_BAD };

/* A configuration that is being read again: see reload.h. */
enum reload { RELOAD_NONE, RELOAD_COMPILES, RELOAD_ANSWERED, RELOAD_STOPS, RELOAD_NETWORK, RELOAD_SWITCHES };
struct reloading {
	enum reload phase;
	bool dry;			/* only to be shown */
	bool instances;			/* only instances of templates may differ, see instances.h */
	uint32_t asked;			/* clients whose instances it is for, one bit each */
	int client;			/* slot of who asked, -1: a signal */
	int pid, socket, problems;	/* the compiler or that child, our end, its complaints; 0, FD_NONE: none */
	uint32_t socket_src;
	struct plan next;		/* from RELOAD_STOPS on */
	struct plan between;		/* one to go over to before that, see ahead.h; at NULL: there is none */
	int between_fd;
	bool said;			/* the child that is to make one has answered */
	bool ahead;			/* such a plan is the one in force */
	uint32_t pause_ms, tried;	/* until the next one is; `leaving` when the last one was */
	uint32_t leaving;		/* services that are LEAVING and not at rest yet */
	uint32_t added, removed, changed;
	char ended[96];			/* how the compiler has; "": it has not */
};

struct prior {
	struct plan plan;
	struct ledger ledger;
	struct loop loop;
	uint32_t n;			/* services */
	struct svc_run *run;		/* [n] */
	struct care_run *care_run;	/* [ncares] */
	uint32_t *stored_src;		/* loop handle per stored descriptor */
	uint32_t ncares;
	struct edge *edges;		/* [nedges] */
	uint32_t *users;		/* [nedges]: edges grouped by need */
	uint32_t nedges;
	uint32_t *sources, source_mask; /* slots that serve, by where their connections come from: chains, slot + 1 */
	uint64_t source_seed;
	uint32_t *listen_src;		/* loop handle per entry of the listen table */
	uint32_t *building, nbuilding;	/* services with an open report */
	uint32_t *log_order, nlogs, logs_sent; /* services with log pipes; how many the logger has */
	uint32_t nended;		/* ends that the logger was not told */
	struct pid_slot *pids;		/* open addressing */
	uint32_t pid_mask;
	struct unclaimed *unclaimed;	/* [n + UNCLAIMED_ORPHANS] */
	uint32_t nunclaimed;
	uint64_t oom_kills;		/* processes that the kernel killed for want of memory, as far as told */
	uint32_t queue_head, queue_tail; /* service + 1, 0: empty */
	bool reap_more;			/* more have ended than were reaped in this turn */
	bool settling;			/* the queue is being worked off */
	uint32_t live, unsettled;	/* services with processes; wanted ones not yet where they should be */
	uint32_t waiting;		/* of the latter: those that wait */
	struct bpf_loaded device_policy; /* of the last start that had one */
	int signal_fd;
	int clock_fd;			/* becomes readable when the clock is set; FD_NONE: nobody asks */
	uint32_t clock_src;
	enum trial trial;
	struct reloading reload;
	int network_answer;		/* with head->network_pid: where that says how it went */
	bool instances_due;		/* one that was asked for has come to rest */
	int trial_pid, trial_exe;	/* the new binary, O_PATH; FD_NONE: none is tried */
	uint32_t initctl_src;
	uint32_t signal_src, control_src, logger_src, client_src[LEDGER_CLIENTS];
	bool logger_has_events;		/* stream 0 was sent */
	struct helper_life logger_life;
	bool logger_full;		/* it is to be told more when it reads */
	bool logger_replaced;		/* it is to end, because another is to come */
	bool logger_closing;		/* shutdown: its socket is closed, it drains and ends */
	bool logger_killed;		/* it did not in time */
	uint32_t devices_src;
	bool devices_clears;		/* the next helper is wanted, if only to take away what the last one made */
	struct helper_life devices_life;
	struct buttons buttons;
	uint32_t endpoint_src;
	struct helper_life endpoint_life;
	bool endpoint_told;		/* what it goes without was said */
	uint32_t nasked;		/* starts that the spawner has not begun yet */
	int64_t spawner_since_ms, spawner_heard_ms; /* when it was made; when a start that it was asked for began */
	uint32_t spawner_short;		/* how many in a row died at once */
	bool spawner_killed, spawner_closing; /* by us, for another to follow; none follows */
	bool spawner_rests;		/* there is none: the next start makes one */
	uint32_t good, good_tries;	/* enum good; how often it could not be kept */
	bool good_ill;			/* somebody was ill while that was tried */
	bool finished;			/* serve() returns */
	uint64_t steps;			/* rows and edges looked at, for the tests */
	uint64_t losing;		/* events lost since the last one that fitted */
	void *map;
	size_t mapped;
};

/* Everything above but plan, ledger and descriptors: one mapping sized from the plan, empty loop, edges from the
 * plan. */
int prior_memory(struct prior *p, struct err *e);
void prior_free(struct prior *p);

static inline struct ledger_svc *svc_of(struct prior *p, uint32_t i)
{
	return &p->ledger.svc[i];
}

static inline const char *svc_name(const struct prior *p, uint32_t i)
{
	return plan_str(&p->plan, plan_service(&p->plan, i)->name);
}

/* NULL: it has none. */
static inline struct ledger_care *care_of(struct prior *p, uint32_t i)
{
	return p->run[i].care ? &p->ledger.care[p->run[i].care - 1] : NULL;
}

static inline bool svc_is_lazy(const struct prior *p, const struct plan_service *d)
{
	const struct plan_listen *l = PLAN_FIRST(&p->plan, d->listen, struct plan_listen);
	bool lazy = false;

	for (uint32_t k = 0; k < d->listen.n; k++)	/* 16 at most */
		lazy |= l[k].activate != ACTIVATE_EAGER;
	return lazy;
}

/* Its sockets' connections are slots' (plan_service.connections). */
static inline bool svc_accepts(const struct prior *p, uint32_t i)
{
	return plan_service(&p->plan, i)->connections.n != 0;
}

/* The writing end of its log; slots write to their base's. */
static inline int svc_log(struct prior *p, uint32_t i)
{
	return svc_of(p, p->run[i].base ? p->run[i].base - 1 : i)->log_wr;
}

/* It has, or may have, processes. */
static inline bool state_is_live(enum svc_state s)
{
	return s == SVC_STARTING || s == SVC_UP || s == SVC_STOPPING;
}

/* Without processes, and nothing of its own makes it start: another configuration can take its place. */
static inline bool state_is_at_rest(enum svc_state s)
{
	return s == SVC_DOWN || s == SVC_DONE || s == SVC_FAILED || s == SVC_REFUSED || s == SVC_SKIPPED;
}

/* It is on its way to somewhere else. */
static inline bool state_is_settled(enum svc_state s)
{
	return s != SVC_WAITING && s != SVC_STARTING && s != SVC_STOPPING && s != SVC_BACKOFF;
}

/* The one timer of a service, in the ledger and in the loop; 0 ms: none. Inside LEDGER_WRITE. */
void svc_timer(struct prior *p, uint32_t i, int64_t in_ms);

/* Write an event that was begun and filled: ends it, never blocks; what does not fit into the pipe is counted. */
void prior_event(struct prior *p, struct event *ev);
/* An event of a name, an optional service and an optional text (as "why"). */
void prior_say(struct prior *p, const char *level, const char *name, const char *service, const char *why);
