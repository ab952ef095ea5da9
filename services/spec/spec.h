/* The configuration as written: every block a plain struct, defaults and presets merged, each value's origin kept. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/arena.h"
#include "init/base/err.h"
#include "init/conf/conf.h"	/* str_list, pair_list, origin, UNSET_NUM */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Used by the compiler child and by the control tool (check, show, schema), never by PID 1.
 * Strings are NUL-ended in the spec's arena; NULL means "not given". Durations are milliseconds,
 * sizes bytes; UINT64_MAX is "unlimited"/"max" where the key allows it, UNSET_* "not given".
 */
#define SPEC_NAME_MAX 63	/* bytes of a service's name */

enum svc_type { TYPE_SIMPLE, TYPE_ONESHOT, TYPE_FORKING };
enum svc_ready {
	READY_STARTED, READY_NOTIFY, READY_FD, READY_LISTENING, READY_HEALTHCHECK,
	READY_NOTIFY_RELOAD	/* as READY_NOTIFY, and a reload is over when it says so */
};

static inline bool ready_is_said(unsigned ready)
{
	return ready == READY_NOTIFY || ready == READY_NOTIFY_RELOAD;
}

enum svc_restart { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_UNLESS_STOPPED };
enum svc_on_failure { ON_FAILURE_NONE, ON_FAILURE_REBOOT, ON_FAILURE_POWEROFF, ON_FAILURE_STOP_ALL, ON_FAILURE_START };
enum svc_condition { COND_STARTED, COND_HEALTHY, COND_COMPLETED };
enum device_gone { DEVICE_GONE_STOP, DEVICE_GONE_KEEP };
enum svc_condition_kind {
	CONDITION_PATH_EXISTS, CONDITION_PATH_IS_DIRECTORY, CONDITION_FILE_NOT_EMPTY, CONDITION_FILE_IS_EXECUTABLE,
	CONDITION_KERNEL_COMMAND_LINE, /* a word of it, or the name of an assignment */
	CONDITIONS
};
extern const char *const spec_conditions[]; /* their keys, NULL-ended */
enum svc_preset { PRESET_NONE, PRESET_MINIMAL, PRESET_SERVER, PRESET_STRICT, PRESET_WORKER, PRESET_DATABASE,
		  PRESET_CONTAINED, PRESETS };
enum protect_system { PROTECT_SYSTEM_NO, PROTECT_SYSTEM_YES, PROTECT_SYSTEM_FULL, PROTECT_SYSTEM_STRICT };
enum protect_home { PROTECT_HOME_NO, PROTECT_HOME_YES, PROTECT_HOME_READ_ONLY, PROTECT_HOME_TMPFS };
enum protect_proc { PROC_DEFAULT, PROC_NOACCESS, PROC_INVISIBLE, PROC_PTRACEABLE };
enum proc_subset { SUBSET_ALL, SUBSET_PID };
enum notify_access { NOTIFY_MAIN, NOTIFY_ALL };
enum user_ns { USER_NS_NO, USER_NS_LAST, USER_NS_FIRST };
unsigned spec_facility(unsigned word);	/* syslog's number of the word's index in its row */
enum syslog_format { SYSLOG_RFC3164, SYSLOG_RFC5424 };
enum log_sink { SINK_AUTO, SINK_FILE, SINK_RING, SINK_CONSOLE, SINK_NONE };
enum seccomp_profile { SECCOMP_NONE, SECCOMP_DEFAULT, SECCOMP_STRICT, SECCOMP_CUSTOM };
/* CLONE_NEWTIME: for unshare() and clone3(); in clone()'s flags it is part of a signal's number. */
#define SPACE_TIME 0x80u

enum seccomp_action { SECCOMP_ACT_ERRNO_EPERM, SECCOMP_ACT_KILL_PROCESS, SECCOMP_ACT_LOG_ONLY };

struct spec_dep {
	const char *name;
	unsigned condition;	/* enum svc_condition */
};

struct spec_dep_list {
	struct spec_dep *v;
	unsigned n;
};

struct spec_listen {
	const char *name;	/* LISTEN_FDNAMES; defaults to the service's name */
	const char *tcp;	/* "HOST:PORT", "[V6]:PORT" or ":PORT"; exactly one of the kinds is given */
	const char *udp, *unix_path, *unix_dgram, *unix_seqpacket, *fifo, *vsock, *netlink;
	unsigned activate;	/* enum listen_activate */
	unsigned in_cell;	/* 1: in the cell's own network */
	int64_t mode, backlog;	/* UNSET_NUM: 0660 for UNIX sockets, 4096 */
	const char *user, *group, *device;
	bool ipv6_only, reuse_port, keepalive, no_delay, freebind, transparent, broadcast, pass_credentials;
	uint64_t receive_buffer, send_buffer; /* bytes; 0: not given */
	struct origin from;
};

struct spec_service;
/* Its one address, and which kind it is of (enum listen_kind); NULL: it has none, "": several. */
const char *spec_listen_address(const struct spec_listen *s, unsigned *kind);
int64_t spec_connections_max(const struct spec_service *s);	/* 64 where nothing is said */
uint32_t spec_listen_flags(const struct spec_listen *s);	/* LISTEN_F_* */

struct spec_listen_list {
	struct spec_listen *v;
	unsigned n;
};

struct spec_rlimit {
	bool given;
	uint64_t soft, hard;	/* UINT64_MAX: unlimited */
};

/* By RLIMIT short name, in the kernel's numbering order (index == RLIMIT_*). */
#define SPEC_RLIMITS 16

struct spec_unveil {
	const char *path;
	const char *perms;	/* letters of "rwxc" */
};

struct spec_unveil_list {
	struct spec_unveil *v;
	unsigned n;
};

struct spec_health {
	struct str_list test;	/* argv after CMD; CMD-SHELL becomes {"/bin/sh", "-c", ...} */
	const char *http, *tcp;
	int64_t interval, timeout, start_period;
	int64_t retries;
};

/* One interface of a cell beside lo. */
struct spec_link {
	const char *bridge;
	const char *macvlan, *ipvlan; /* the interface below */
	unsigned upper;		/* enum net_upper; 0: the kind's default */
	struct str_list addresses; /* `address:` may be one or a list; CIDR */
	struct str_list ports, egress; /* egress.v NULL: not given */
	uint64_t send_max, receive_max; /* bytes a second; 0: not given */
	const char *gateway;	/* default: the bridge's address of the same family */
	struct origin from;	/* of those in `also`; the first one's keys have origins of their own */
};

struct spec_link_list {
	struct spec_link *v;
	unsigned n;
};

struct spec_network {
	unsigned mode;		/* 0 the machine's; 1 private */
	struct spec_link link;
	struct spec_link_list also;
	const char *service;	/* {service: db}: share its network */
	bool keep;
};

/* How many interfaces there are, and each of them; they are numbered as they are written. */
static inline unsigned spec_links(const struct spec_network *n)
{
	return n->link.bridge || n->link.macvlan || n->link.ipvlan ? 1 + n->also.n : 0;
}

static inline const struct spec_link *spec_link(const struct spec_network *n, unsigned i)
{
	return i ? n->also.v + i - 1 : &n->link;
}

/* The interface of the machine that it is on top of; NULL: it is on a bridge. */
static inline const char *spec_link_parent(const struct spec_link *l)
{
	return l->macvlan ? l->macvlan : l->ipvlan;
}

struct spec_service {
	const char *name;
	struct origin from;	/* the line that declares it; of an instance that is only named: its template */
	const char *instance;	/* what follows the @ of its name; NULL: it is no instance */
	bool asked;		/* an instance that is there only because it is wanted from outside */
	struct origins origins;	/* by the rows of service_keys; see spec_from() */

	/* the process */
	struct str_list entrypoint, command;
	unsigned type;
	const char *pid_file, *user, *group, *working_dir;
	struct str_list supplementary_groups, env_file;
	int64_t umask;
	struct pair_list environment, credentials;
	struct str_list state_directory, cache_directory, runtime_directory, logs_directory; /* below /var/lib, ... */
	int64_t state_directory_mode, cache_directory_mode, runtime_directory_mode, logs_directory_mode;
	bool runtime_directory_preserve;

	/* supervision */
	struct spec_dep_list depends_on;
	struct str_list wants, after, before, conflicts;
	unsigned ready, restart, on_failure;
	int64_t ready_fd, fd_store_max;
	unsigned notify_access;	/* enum notify_access */
	int64_t start_timeout, stop_timeout, backoff_initial, backoff_max, restart_window, watchdog, every;
	int64_t max_restarts;
	const char *on_failure_start;
	bool critical, enabled;
	int64_t stop_signal, reload_signal;
	struct spec_health healthcheck;
	const char *cron, *cron_timezone;
	struct pair_list conditions;
	struct str_list needs_devices;	/* paths below /dev or /sys */
	int64_t device_timeout;
	unsigned device_gone;		/* enum device_gone */
	struct str_list pre_start, post_start, pre_stop, post_stop;
	struct spec_listen_list listen;
	int64_t idle_timeout;		/* ms; 0: none */
	int64_t connections_max, connections_per_source; /* UNSET_NUM: 64; as many as max */
	unsigned connections_pass;	/* 0: descriptor 3, 1: stdin and stdout */
	unsigned log_sink;
	uint64_t log_max_bytes;
	int64_t log_max_files;
	struct str_list log_forward;
	const char *syslog_identifier, *syslog_socket;
	unsigned syslog_facility, syslog_level, syslog_format;
	bool syslog_level_prefix;

	/* what it sees */
	unsigned preset;	/* enum svc_preset */
	bool preset_given;	/* false: the default, which becomes `contained` where no namespace can be made */
	bool required;
	unsigned ns_user;	/* enum user_ns */
	bool ns_pid, ns_mount, ns_ipc, ns_uts, ns_cgroup, ns_time;
	struct spec_network network;
	const char *rootfs, *hostname;
	bool readonly_rootfs;
	struct str_list volumes;	/* "SOURCE:TARGET[:rw|ro]" */
	struct pair_list tmpfs;		/* path -> "size=64M,mode=1777" */
	struct str_list devices;	/* "/dev/x[:/dev/y][:rw]" */
	struct spec_unveil_list unveil;
	bool private_tmp, private_devices, private_ipc;
	unsigned protect_system, protect_home, protect_proc, proc_subset;
	bool protect_kernel_tunables, protect_kernel_modules, protect_kernel_logs, protect_control_groups,
	     protect_hostname, protect_clock;
	struct str_list read_only_paths, inaccessible_paths;

	/* what it may do */
	bool dynamic_user, no_new_privileges;
	struct str_list cap_drop, cap_add;	/* as written, canonical "CAP_X" or "ALL" */
	uint64_t caps;		/* resolved: the set that is kept by a process of uid 0 (bit = CAP_ number) */
	uint64_t caps_added;	/* resolved: cap_add alone: what a process of any other uid keeps, ambient too */
	unsigned seccomp, seccomp_action;
	const char *seccomp_path;
	struct str_list seccomp_allow, seccomp_deny;
	bool seccomp_log;
	const char *pledge;
	bool restrict_namespaces, restrict_realtime, restrict_suid_sgid, lock_personality,
	     memory_deny_write_execute;
	uint32_t namespaces_allowed;	/* CLONE_NEW* and SPACE_TIME that restrict_namespaces lets through */
	struct str_list system_call_architectures;
	struct str_list restrict_address_families;
	const char *apparmor_profile, *selinux_context;
	unsigned runtime;	/* 0 none, 1 runsc, 2 crun, 3 runc */

	/* how much it may use */
	struct spec_rlimit rlimit[SPEC_RLIMITS];
	int64_t nice, oom_score_adj;	/* UNSET_NUM: not given */
	struct str_list cpu_affinity;	/* "0", "1", "4-7" */
	const char *cgroup_root;
	uint64_t memory_max, memory_high;	/* 0: not given */
	uint64_t cpu_quota_us, cpu_period_us;	/* cpu_max; quota 0: not given; UINT64_MAX: max */
	int64_t cpu_weight, io_weight, pids_max; /* UNSET_NUM: not given; pids_max -1: max */
	uint64_t shm_size;	/* 0: not given */
};

struct spec_mount {
	const char *source, *target, *type;
	struct str_list options;
	bool optional;
	int64_t timeout;	/* for its device */
	struct origin from;
};

struct spec_mount_list {
	struct spec_mount *v;
	unsigned n;
};

/* What devices it is about, and what becomes of their files. */
struct spec_device_rule {
	const char *subsystem, *name, *driver, *owner, *group;
	struct pair_list attributes, properties;
	struct str_list links;
	int64_t mode;		/* UNSET_NUM: as it is */
	struct origin from;
};

struct spec_device_rule_list {
	struct spec_device_rule *v;
	unsigned n;
};

struct spec_slot {
	const char *name, *device, *type, *verity;
	struct origin from;
};

struct spec_slot_list {
	struct spec_slot *v;
	unsigned n;
};

struct spec_signer {
	const char *name, *public_key;
	struct str_list scope;
	struct origin from;
};

struct spec_signer_list {
	struct spec_signer *v;
	unsigned n;
};

struct spec_machine {
	const char *hostname;
	struct str_list modules;
	struct pair_list sysctl;
	struct spec_mount_list mounts;
	struct spec_device_rule_list device_rules;
	bool fstab;
	const char *console_device;
	struct str_list console_shell, root_options;
	unsigned emergency;	/* 0 shell, 1 reboot, 2 poweroff, 3 halt */
	unsigned power_button;	/* enum power_button of plan.h */
	const char *watchdog_device, *root_device, *root_type, *root_verity, *root_overlay, *rtc, *random_seed,
		*metrics, *last_boot;
	int64_t watchdog_timeout, watchdog_pretimeout, shutdown_timeout, brake_reboots, brake_within;
	unsigned brake_then;	/* as emergency */
	unsigned slots_by;	/* enum slots_by of plan.h */
	int64_t slots_tries, good_after, console_baud;
	const char *slots_at;
	struct str_list slots_env, slots_hook;
	struct spec_slot_list slots;
	struct origins origins;	/* by the rows of the whole top level; see spec_machine_from() */
};

struct spec_interface {
	const char *name;
	struct str_list addresses;
	const char *gateway;
	int64_t vlan, mtu;	/* UNSET_NUM: none, the kernel's */
	const char *parent;
	const char *match_mac, *match_driver, *match_path, *match_name; /* which one gets this name; NULL: not asked */
	bool dhcp, accept_ra, optional;
	struct origin from;
};

struct spec_bridge {
	const char *name;
	struct str_list subnets; /* the bridge itself takes the first address of each */
	bool nat;
	int64_t mtu;		/* 0: the kernel's */
	struct origin from;
};

/* `name@`: what `name@instance` is made of. */
struct node;
struct spec_template {
	const char *name;	/* with its @ */
	const struct node *node; /* its lines; %i is not filled in */
	struct origin from;
	unsigned instances;	/* how many were made of it */
};

enum name_kind { NAME_BAD, NAME_SERVICE, NAME_TEMPLATE, NAME_INSTANCE };

struct spec {
	struct arena arena;
	const char **files;	/* [1..nfiles]; [0] is "default" */
	unsigned nfiles;
	struct spec_machine machine;
	struct spec_interface *interfaces;
	struct spec_bridge *bridges;
	unsigned ninterfaces, nbridges;
	struct str_list nameservers;
	bool require_signatures;
	struct spec_signer_list signers;
	struct signers *trusted;	/* signers.h; NULL: nothing has to be signed */
	struct spec_service *services;
	unsigned nservices;
	struct spec_template *templates;
	unsigned ntemplates;
	struct problem *problems, *last_problem; /* in the order found */
	unsigned nproblems, nerrors;	/* nerrors counts those that are errors, not notes */
};

enum severity { SEV_ERROR, SEV_NOTE };

/*
 * One thing wrong, with its place. `service` is the one it condemns; NULL: all of the configuration, or with `of_file`
 * all services of the file at.file (whose other services cannot be known), and the rest runs.
 */
struct problem {
	unsigned severity;
	bool of_file;
	struct origin at;
	const char *service;
	const char *text;
	struct problem *next;
};

/* In the environment: YAML that is read as one file more. Ours alone; see up.c. */
#define SPEC_MAIN "PRIOR_MAIN"

/*
 * Read PATH: a file, or a directory (prior.yaml, then services.d/<any>.yaml in byte order). Every problem found is in
 * s->problems; a service with an error is still listed, for show. Returns 0 when the files could be read (problems or
 * not), -errno when nothing could be read at all. The caller frees with spec_free().
 */
int spec_load(struct spec *s, const char *path, struct err *e);
/* What is not in the files. */
struct spec_beside {
	struct str_list instances;	/* of templates ("name@instance"), beside those that the files name */
	bool container;			/* the machine's interfaces are not for us to make */
	const char *ip;			/* ip= of the kernel's command line; NULL: none */
	const char *trust;		/* KEY|FILE: who must have signed it; NULL: whom the first file trusts */
};
/* EKEYREJECTED: the first file is not signed by b->trust. */
int spec_load_with(struct spec *s, const char *path, const struct spec_beside *b, struct err *e);
/* The same for a text that is in no file: problems call it `name`. `prior run --set`, tests. */
int spec_load_text(struct spec *s, const char *name, const char *text, size_t n, struct err *e);
void spec_free(struct spec *s);

/* Add a problem, from later stages too (user lookup, graph, seccomp). */
void spec_problem(struct spec *s, unsigned severity, struct origin at, const char *service, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* The same for a file of services.d that cannot be used: the rest runs. */
void spec_problem_file(struct spec *s, struct origin at, const char *text);

/* The origin of one field of a service: spec_from(svc, &svc->memory_max). */
struct origin spec_from(const struct spec_service *svc, const void *field);
/* The same for the machine, network and trust: spec_machine_from(s, &s->machine.hostname). */
struct origin spec_machine_from(const struct spec *s, const void *field);
struct spec_service *spec_find(const struct spec *s, const char *name); /* NULL: there is none */
enum name_kind spec_name_kind(const char *name);
/* The template that `name@instance` or `name@` names; NULL: there is none. */
struct spec_template *spec_template_of(const struct spec *s, const char *name);
/* "FILE:LINE", "preset NAME" or "default" into the spec's arena. */
const char *spec_origin_text(struct spec *s, struct origin o);
/* "FILE:LINE:COL: error: TEXT" lines, the form that editors jump to. */
void spec_print_problems(const struct spec *s, FILE *to);
/* Of that service, its file's included; NULL: of the whole configuration (then nothing of it may be used). */
bool spec_has_errors(const struct spec *s, const char *service);

extern const char *const preset_names[PRESETS + 1];

/* Printed from the rows: `prior schema`, the key reference of prior.yaml(5), the example with every key. */
void spec_print_schema(FILE *to);
void spec_print_reference(FILE *to);	/* mdoc/man section of prior.yaml.5 */
void spec_print_example(FILE *to);
/* `prior show`: YAML-like text with origins as comments, or JSON {"service","config","from"}; and the short table. */
int spec_show(struct spec *s, const char *service, bool json, FILE *to, struct err *e);
int spec_show_isolation(struct spec *s, const char *service, bool json, FILE *to, struct err *e);
