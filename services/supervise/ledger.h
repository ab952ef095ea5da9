/* The ledger: all that PID 1 knows at run time, as fixed-size records in a memfd. Re-exec and status read the same. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "services/plan/plan.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Indices and descriptor numbers, no pointers. PID 1 maps it shared and writable (MADV_DONTFORK: a child must not be
 * able to write it); the control tool gets a read-only descriptor of it together with the plan's and prints status
 * from the two. Every record has a sequence number (odd while it is being written) and a sum over the rest, written
 * last; a reader that finds either wrong reads again; recovery treats a record with a wrong sum as unknown and asks
 * the kernel. Descriptors recorded here are PID 1's only long-lived ones: at re-exec exactly these lose FD_CLOEXEC.
 */
#define LEDGER_MAGIC "priorled"
#define LEDGER_VERSION 13

enum svc_state {
	SVC_DOWN,	/* not running, not wanted (or never started) */
	SVC_WAITING,	/* wanted; waits for what it depends on (waits_for) */
	SVC_LISTENING,	/* lazy: its sockets are open, it starts at the first connection */
	SVC_STARTING,	/* a builder or the process exists; not ready yet */
	SVC_UP,		/* running and ready (oneshot: never) */
	SVC_STOPPING,	/* stop signal sent; until the cgroup is empty */
	SVC_BACKOFF,	/* ended; starts again at `deadline` */
	SVC_DONE,	/* oneshot that has succeeded */
	SVC_FAILED,	/* gave up; `why` says why */
	SVC_REFUSED,	/* its configuration was refused; never starts */
	SVC_SKIPPED,	/* a condition does not hold; `why` says which */
	SVC_STATES
};

enum svc_exit_kind {
	EXIT_NONE, EXIT_CODE, EXIT_SIGNAL, EXIT_CORE, EXIT_OOM, EXIT_START_FAILED, EXIT_TIMEOUT,
	EXIT_VIOLATION,		/* its system call filter killed it (SIGSYS) */
	EXIT_WATCHDOG,		/* it did not say WATCHDOG=1 in time */
	EXIT_UNHEALTHY,		/* its health check failed too often */
	EXIT_GONE,		/* how it ended is not known: it was no child of ours */
	EXIT_KINDS
};

enum svc_health { HEALTH_NONE, HEALTH_STARTING, HEALTH_GOOD, HEALTH_BAD };

/* Which process of the service's life exists beside, before or after its main one. */
enum svc_phase { PHASE_MAIN, PHASE_PRE_START, PHASE_POST_START, PHASE_PRE_STOP, PHASE_POST_STOP };

#define SVC_F_WANTED	(1u << 0)	/* somebody wants it up */
#define SVC_F_READY	(1u << 1)
#define SVC_F_ATTESTED	(1u << 2)
#define SVC_F_STOPPED_BY_USER (1u << 3)	/* restart: unless-stopped */
#define SVC_F_KILLED	(1u << 4)	/* cgroup.kill was sent in this stop */
#define SVC_F_RESTART	(1u << 5)	/* start again when the stop is done */
#define SVC_F_SIGNALLED	(1u << 6)	/* the stop signal was sent in this stop */
#define SVC_F_RAN	(1u << 7)	/* its exec has happened in this start */
#define SVC_F_DEP_FAILED (1u << 8)	/* failed because what it needs did: comes back with it */
#define SVC_F_MISSING	(1u << 9)	/* its program cannot be executed: trying again is no use */
#define SVC_F_BOUND	(1u << 10)	/* its listening sockets are open */
#define SVC_F_DIRECT	(1u << 11)	/* started without a builder */
#define SVC_F_RELOADING	(1u << 17)	/* it said so, and not yet READY=1 */
#define SVC_F_RELOAD_ASKED (1u << 16) /* its reload_signal was sent, and it is to say when it is done */
#define SVC_F_FORKED	(1u << 18)	/* its first process has ended well, and another one is its main process */
#define SVC_F_FOREIGN	(1u << 15)	/* pid is no child of ours: only its pidfd tells of its end */
#define SVC_F_STOPPED_WITH (1u << 13)	/* down because what it needs was stopped */
#define SVC_F_NETWORK	(1u << 12)	/* its interface may be in the machine: see undo.h */
#define SVC_F_LEAVING	(1u << 20)	/* another configuration comes: to be down before that, see reload.h */
#define SVC_F_CHECKING	(1u << 23)	/* builder is the child that looks at its conditions */
#define SVC_F_CHECKED	(1u << 22)	/* its conditions hold, for this start */
#define SVC_F_BACK	(1u << 21)	/* to be started when it has come */
#define SVC_F_IDLE	(1u << 24)	/* stopped because it had nothing to do: it listens again */
#define SVC_F_DIRS	(1u << 14)	/* directories of it are to be removed after its stop: see undo.h */
#define SVC_F_BUNDLE	(1u << 19)	/* an OCI runtime may remember it, and its bundle may be there: see undo.h */

struct ledger_svc {
	uint32_t seq, pad;		/* odd: being written */
	uint64_t sum;			/* FNV-1a, by 64-bit words, of all after this field */
	uint32_t flags;			/* SVC_F_* */
	uint8_t state, exit_kind, phase, health; /* enum svc_state, svc_exit_kind, svc_phase, svc_health */
	int32_t exit_status;		/* code or signal number */
	int32_t pid, builder, reaper;	/* 0: none */
	int32_t undo;			/* the child that takes back its network, directories, bundle; 0: none */
	int32_t hook;			/* the hook that runs, 0: none */
	int32_t report_fd, pidfd, notify_fd, log_rd, log_wr, cgroup_fd, events_fd; /* FD_NONE: none */
	int32_t net_fd;			/* its network, held while others share it or it is kept: see shared.h */
	uint32_t first_listen;		/* index of its first descriptor in the listen table */
	uint32_t waits_for;		/* service index + 1; 0: nothing */
	uint32_t restarts, starts, failures;
	uint32_t attested_facts;
	uint32_t generation;		/* counts starts, to tell an old event from a new one */
	uint64_t net;			/* inode number of the network that it was started in; 0: the machine's */
	uint64_t hash;			/* plan_service.hash that the running process was started with */
	int64_t since_ms;		/* CLOCK_BOOTTIME of the last change of state */
	int64_t since_wall_ms;
	int64_t deadline_ms;		/* its one timer; 0: none */
	int64_t up_ms, window_ms;	/* when it became ready; start of the restart window */
	uint32_t window_restarts, backoff_ms;
	int64_t setup_us, attest_us, ready_us; /* durations of the last start; ready_us: from start to ready */
	int64_t started_us;		/* CLOCK_BOOTTIME microseconds of the last start, for the chart */
	int64_t next_wall_ms;		/* when the clock starts it next; 0: it does not. `every`: about */
	int64_t next_ms;		/* CLOCK_BOOTTIME of the same */
	uint32_t overlaps, missed;	/* runs that did not happen: it still ran; the clock jumped over them */
	char status[96];		/* last STATUS= line (escaped) */
	char why[160];			/* why it waits, failed or was refused */
};

/*
 * What only services with a struct plan_care have. Not under a sum: numbers that time, or the kernel, corrects. Times
 * are CLOCK_BOOTTIME.
 */
struct ledger_care {
	uint32_t service;
	int32_t check;			/* pid of the health check that runs, 0: none */
	int64_t watchdog_at_ms;		/* 0: not armed */
	int64_t check_at_ms;		/* the next health check; when it must have ended while one runs; 0: none */
	int64_t counted_ms;		/* when a failed check counted last; at first the start */
	int64_t reload_at_ms;		/* a reload must be over; 0: none; -1: the last one never was */
	uint64_t reload_us;		/* CLOCK_MONOTONIC when it was asked to reload */
	uint64_t watchdog_us;		/* in force: WATCHDOG_USEC changes it; 0: none */
	uint32_t pause_ms;		/* between two checks until the first good one */
	uint32_t failed;		/* checks in a row */
	int32_t ready_fd;		/* READY_FD: what we read, FD_NONE: none */
	int32_t error;			/* ERRNO= */
	int64_t idle_at_ms;		/* whether it has anything to do is looked at; 0: not */
	uint32_t first_stored, nstored;	/* its part of the table of stored descriptors */
};

/* Of a slot (plan_service.base): whose connection it serves. Not under a sum; as it was when it was accepted. */
struct ledger_conn {
	uint32_t service;		/* the slot */
	uint16_t family, port;		/* AF_INET, AF_INET6, AF_UNIX or AF_VSOCK of the peer; 0: it serves none */
	unsigned char ip[16];		/* IPv4 in the first four */
	uint32_t id;			/* AF_UNIX: uid; AF_VSOCK: CID */
	uint32_t pid;			/* AF_UNIX: who connected, as we see him; 0: not known */
	int64_t since_ms;
};

#define STORED_NAME 255
struct ledger_stored {
	int32_t fd;			/* FD_NONE: free */
	uint16_t poll, pad;		/* poll 1: dropped when its other end is gone */
	char name[STORED_NAME + 1];
};

enum prior_mode { MODE_MACHINE, MODE_CONTAINER, MODE_UP, MODE_RUN };
enum shutdown_kind {
	SHUTDOWN_NONE, SHUTDOWN_POWEROFF, SHUTDOWN_REBOOT, SHUTDOWN_HALT, SHUTDOWN_EXIT,
	SHUTDOWN_KEXEC,		/* into the kernel that was loaded with kexec_file_load(2) */
	SHUTDOWN_SOFT,		/* all but the kernel: PID 1 boots again */
	SHUTDOWN_KINDS
};
extern const char *const shutdown_name[SHUTDOWN_KINDS];	/* the verb of each */
#define BOOT_STAGES_MAX 32
#define FAULTS_MAX 5			/* this many within FAULT_WINDOW_MS are survived; one more is not */
#define FAULT_WINDOW_MS 60000
#define LEDGER_CLIENTS 32

/* One connection of the control tool; it survives an exec of PID 1. */
struct ledger_client {
	int32_t fd;			/* FD_NONE: free */
	uint32_t verb, service;		/* what it waits for: enum ctl_verb, a service; CTL_VERBS: nothing */
	uint32_t may_change;		/* root, or who prior runs as */
	uint32_t flags, pad;		/* CTL_F_* of what it asked about `name` */
	int64_t since_ms;		/* when it connected or asked */
	char name[64];			/* "": none; an instance that has to be made first, see instances.h */
};

/* What to do when the machine cannot go on, for when neither plan nor configuration can be asked any more. */
struct emergency_rules {
	uint32_t how, then;		/* enum emergency: what to do; what instead when the brake holds */
	uint32_t reboots, within_ms;	/* the brake: so many reboots for failure within that time; 0: none */
	char shell[128];		/* its words, each ended by NUL, then an empty one */
	char record[256];		/* the place that knows of earlier boots; "": none */
};

/* What is being done to the bridges, by a child. */
enum network_work { NETWORK_NONE, NETWORK_BEGINS, NETWORK_CHANGES, NETWORK_ENDS, NETWORK_GONE, NETWORK_MENDS };

struct ledger_head {
	char magic[8];
	uint32_t version, size;
	uint32_t nservices, nlisten, ncares, nstored, nconns, pad_counts;
	uint32_t generation;		/* of PID 1: 1 at boot, one more at each exec of itself */
	uint32_t network;		/* enum network_work: what network_pid is at */
	int32_t network_pid;		/* 0: none, see network.h */
	uint32_t crashes;		/* how many of those were faults */
	uint32_t mode, shutdown;	/* enum prior_mode, enum shutdown_kind */
	int64_t shutdown_deadline_ms;
	uint32_t planned, planned_pad;	/* enum shutdown_kind of what is to begin later */
	int64_t planned_ms;		/* when, by CLOCK_BOOTTIME */
	char reboot_arg[64];		/* for the firmware; "": none */
	uint32_t failed, failed_pad;	/* 1: shutdown is for a failure, */
	char failed_why[160];		/* this one */
	struct emergency_rules emergency;
	int32_t dog_fd;			/* the machine's watchdog, FD_NONE: none */
	uint32_t dog_ms, dog_starves;	/* its time; 1: it is not petted any more */
	int32_t initctl_fd;		/* the pipe of sysvinit's callers, FD_NONE: none */
	int32_t exit_code;		/* MODE_CONTAINER, MODE_UP */
	int32_t last_fault;		/* signal number of the last fault, 0: none */
	int32_t plan_fd, ledger_fd, exe_fd, cgroup_fd, control_fd, console_fd, event_rd, event_wr, logger_fd;
	int32_t logger_pid;
	int32_t logger_hung_pid, logger_pad;	/* held by the disk: lines go to memory until it has ended; 0: none */
	int32_t spawner_pid, spawner_fd, spawner_peer_fd; /* both ends of its socket */
	int32_t spare_fd;		/* for nothing: given up where a kill would fail for want of one */
	uint32_t logger_restarts;
	int32_t http_pid, http_listen_fd, http_fd, http_rows_fd; /* the endpoint, see endpoint.h; 0, FD_NONE: none */
	uint32_t http_restarts;
	int32_t devices_pid, devices_fd; /* the helper for devices, see devices.h; 0, FD_NONE: none */
	uint32_t devices_restarts, devices_pad;
	struct plan_addr http_addr;	/* --metrics; family 0: what the plan says */
	uint16_t http_port, http_pad[3];
	uint64_t orphans, impossible, events_lost, wakeups;
	int64_t boot_us[BOOT_STAGES_MAX]; /* CLOCK_BOOTTIME at the end of each stage */
	uint64_t nofile;		/* soft RLIMIT_NOFILE before PID 1 raised its own: what services get */
	int64_t boot_done_us;		/* all wanted services settled for the first time */
	uint32_t settled;		/* 1: every wanted service is up, done, listening, failed or refused */
	uint32_t forced;		/* shutdown: 1: everything was sent SIGKILL */
	int32_t next_plan_fd;		/* what the reload that is on its way goes to; FD_NONE: none is */
	uint32_t reloads;		/* how many configurations have followed the first */
	int32_t ledger_ro_fd;		/* the ledger again, open for reading: what CTL_STATE gives away */
	uint32_t ctl_gid;		/* group that may read; UINT32_MAX: none */
	uint32_t echo, json;		/* the logger repeats lines and events on console_fd; as JSON */
	int64_t fault_ms[FAULTS_MAX];	/* when the last faults were, newest first */
	struct ledger_client clients[LEDGER_CLIENTS];
	uint8_t run_send[72];		/* MODE_RUN: what is passed on for a signal; 0: itself, 255: nothing */
	char exe[128];			/* path of our binary, for `reexec`; "": unknown */
	char run_dir[64];		/* /run/prior, or what --run-dir said */
	char log_dir[64];
	char state_dir[64];		/* see services/plan/enabled.h; "": none */
	char config[128];
	char cgroup_path[128];		/* of services' cgroups in /proc/PID/cgroup, up to the name; "": not known */
	uint64_t sum;			/* the same of all before it */
};

/* Layout: head, services, cares, connections, stored descriptors, listen table (int32_t each). */
struct ledger {
	struct ledger_head *head;
	struct ledger_svc *svc;
	struct ledger_care *care;
	struct ledger_conn *conn;
	struct ledger_stored *stored;
	int32_t *listen;
	size_t size;
	int fd;				/* == head->ledger_fd in PID 1 */
};

/* How many of each there are. */
struct ledger_counts {
	uint32_t services, cares, stored, listens, conns;
};

struct ledger_counts ledger_counts(const struct plan *p);
size_t ledger_size(const struct ledger_counts *n);
bool ledger_fits(const struct ledger *l, const struct plan *p);	/* they belong together */
/* A new memfd, records zeroed with all descriptors FD_NONE. The mapping and the fd are the ledger's. */
int ledger_create(struct ledger *l, const struct plan *p, struct err *e);
/* Map an existing one (after re-exec: writable; in the control tool: read-only). EBADMSG: not a ledger. */
int ledger_map(struct ledger *l, int fd, bool writable, struct err *e);
void ledger_unmap(struct ledger *l);
/* PID 1: every change of a record stands between these two; see LEDGER_WRITE. */
void ledger_open_svc(struct ledger_svc *s);
void ledger_seal_svc(struct ledger_svc *s);
void ledger_seal_head(struct ledger *l);
bool ledger_svc_is_whole(const struct ledger_svc *s);
bool ledger_head_is_whole(const struct ledger *l);
/* What is wrong with it, in a word; NULL: nothing. all: one that nobody wants may be down. */
const char *ledger_svc_ill(const struct ledger_svc *s, bool all);

/* LEDGER_WRITE(s): from here to the end of the block the record is open. Blocks may nest; the outermost seals. */
static inline struct ledger_svc *ledger_write_begin(struct ledger_svc *s)
{
	if (s->seq & 1)
		return NULL;
	ledger_open_svc(s);
	return s;
}

static inline void ledger_write_end(struct ledger_svc **s)
{
	if (*s)
		ledger_seal_svc(*s);
}

#define LEDGER_WRITE_(s, line) __attribute__((cleanup(ledger_write_end), unused)) struct ledger_svc *open_##line = \
	ledger_write_begin(s)
#define LEDGER_WRITE_AT(s, line) LEDGER_WRITE_(s, line)
#define LEDGER_WRITE(s) LEDGER_WRITE_AT(s, __LINE__)

extern const char *const exit_kind_name[EXIT_KINDS];
extern const char *const health_name[];	/* by enum svc_health; NULL for HEALTH_NONE */
/* Call with each descriptor that must survive an exec of PID 1 (never FD_NONE). */
void ledger_each_fd(const struct ledger *l, void (*each)(void *ctx, int fd), void *ctx);
/* Reader: a consistent copy; false after 1000 tries. */
bool ledger_read_svc(const struct ledger *l, uint32_t i, struct ledger_svc *out);

extern const char *const svc_state_name[SVC_STATES];
