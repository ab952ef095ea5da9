/* The plan: everything decided, one flat read-only buffer of records and offsets, all that PID 1 reads. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "services/plan/plan_net.h"
#include "services/plan/plan_ref.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Made by the compiler child (plan/compile*.c), handed over as a sealed memfd or read from a file; mapped read-only.
 * plan_verify() checks every reference once (offset, count, alignment, NUL at the end of strings, enum ranges, service
 * indices); after it, reading cannot go wrong and the accessors below do not check again.
 * The layout is little-endian, 8-byte aligned, the same on all 64-bit architectures; seccomp programs are for
 * plan_head.arch.
 */
#define PLAN_MAGIC "priorpln"
#define PLAN_VERSION 24
#define PLAN_MAX (16u << 20)		/* bytes */
#define PLAN_SERVICES_MAX 4096
#define PLAN_ASKED_MAX 256		/* instances that were asked for and have not come to rest */
#define CONNECTIONS_MOST 1024
#define PLAN_NAME_MAX 63		/* bytes of a service's name: the ledger and the logger have 64 */

struct plan_head {
	char magic[8];
	uint32_t version, size;		/* size of the whole plan in bytes */
	uint64_t sum;			/* sum_long() of all bytes after this field */
	uint32_t arch;			/* AUDIT_ARCH_* the filters are for */
	uint32_t flags;			/* PLAN_F_* */
	struct plan_ref services;	/* struct plan_service[], in name order */
	struct plan_ref start_order;	/* uint32_t[]: service indices, dependencies first */
	struct plan_ref bridges;	/* struct plan_bridge[] */
	struct plan_ref interfaces;	/* struct plan_interface[] */
	struct plan_ref nameservers;	/* struct plan_ref[] (strings) */
	struct plan_ref hosts;		/* struct plan_file[]: a bridge, or several joined by ':', the /etc/hosts of all
					 * cells on it, or on all of these in that order */
	struct plan_ref modules;	/* struct plan_ref[] (strings) */
	struct plan_ref sysctls;	/* struct plan_file[]: /proc/sys-relative path with slashes, value */
	struct plan_ref mounts;		/* struct plan_fstab[]: machine.mounts */
	struct plan_ref hostname, console;	/* strings */
	struct plan_ref console_shell;	/* struct plan_ref[] */
	uint32_t emergency;		/* 0 shell, 1 reboot, 2 poweroff, 3 halt */
	uint32_t shutdown_timeout_ms;
	struct plan_ref random_seed, rtc, watchdog_device; /* strings; absent: none */
	uint32_t watchdog_ms, watchdog_pre_ms;	/* 0: its own, none */
	struct plan_ref root_device, root_type, root_options, root_verity, root_overlay; /* strings; absent: not said */
	struct plan_ref last_boot;	/* string: a file, or a device; absent: none */
	uint32_t brake_reboots, brake_within_ms, brake_then, brake_pad; /* brake_then: as emergency */
	struct plan_ref boot_slots;	/* struct plan_boot_slot[], in the order of preference */
	struct plan_ref boot_env;	/* struct plan_boot_env[]: SLOTS_BY_UBOOT: one, or two written in turn */
	struct plan_ref slots_at;	/* string: SLOTS_BY_FILES: a file or a device; SLOTS_BY_SYSTEMD: a folder */
	struct plan_ref slots_hook;	/* struct plan_ref[]: a command; absent: none */
	uint32_t slots_by, slots_tries, good_after_ms;
	uint32_t console_baud;		/* 0: as it is */
	uint32_t fstab, power_button;	/* 1: what /etc/fstab says is mounted, too; enum power_button */
	struct plan_ref refused;	/* struct plan_refused[]: services that could not be planned */
	struct plan_ref templates;	/* struct plan_ref[]: "name@", of which instances can be asked for */
	struct plan_ref asked;		/* uint32_t[]: services that are here only because somebody asked for them while
					 * prior ran: instances, ascending; they go when they have come to rest */
	struct plan_ref disabled;	/* uint32_t[]: services that are not started by themselves, ascending */
	struct plan_ref metrics;	/* struct plan_listen[], one or none: the HTTP endpoint */
	struct plan_ref device_rules;	/* struct plan_device_rule[], in the order in which they hold */
	uint64_t network_tag;		/* FNV-1a over all that the rules of the bridges come from; 0: no bridge */
};

/* A service whose configuration was refused: known by name, never started; status and events say why. */
struct plan_refused {
	struct plan_ref name, why;	/* strings; why is "FILE:LINE:COL: ..." */
	uint32_t exit_code;		/* 126: its program cannot be run, 127: it is not there; 0: all else */
};

struct plan_file {
	struct plan_ref path, value;
};

struct plan_fstab {
	struct plan_ref source, target, type, data;	/* data: comma list left after the flags were taken out */
	uint64_t flags;					/* MS_* */
	uint32_t optional, wait_ms;			/* wait_ms: for its device */
};

#define DEVICE_RULE_MODE 1u
#define DEVICE_RULE_UID 2u
#define DEVICE_RULE_GID 4u

/* A device that is as all of it says gets what the flags say, and the links. Globs; absent: whatever it is. */
struct plan_device_rule {
	struct plan_ref subsystem, name, driver;
	struct plan_ref attributes, properties;	/* struct plan_file[]: a name, a glob */
	struct plan_ref links;			/* struct plan_ref[]: as in the configuration, with their % */
	uint32_t flags, mode, uid, gid;		/* DEVICE_RULE_* */
};

enum power_button { BUTTON_POWEROFF, BUTTON_REBOOT, BUTTON_IGNORE, BUTTON_WORDS };
enum slots_by { SLOTS_BY_FILES, SLOTS_BY_UBOOT, SLOTS_BY_SYSTEMD, SLOTS_BY_KINDS };

/* One of the roots that take turns. */
struct plan_boot_slot {
	struct plan_ref name, device, type, verity; /* as of machine.root; only the name is needed */
};

/* One copy of U-Boot's environment. */
struct plan_boot_env {
	struct plan_ref place;		/* a file or a device */
	uint64_t offset;
	uint32_t size, pad;
};

enum plan_dep_kind {
	DEP_REQUIRES,	/* depends_on: started before, condition must hold; its stop stops us */
	DEP_WANTS,	/* started with us, may fail */
	DEP_AFTER,	/* order only: if both start, it first */
	DEP_CONFLICTS,	/* both have it: to be down before we start, and stopped for that */
};

struct plan_dep {
	uint32_t service;		/* index into services */
	uint16_t kind, condition;	/* enum plan_dep_kind, enum svc_condition of spec.h */
};

/* What must hold when a service starts, looked at in the machine's root; else it is skipped. */
/* When the clock starts a service: one bit for each value of each field. */
#define CRON_ANY_HOUR 1u	/* the hour is `*`: changes of the zone neither make up for a time nor leave one out */
#define CRON_BOTH_DAYS 2u	/* a day must be in `days` and in `weekdays`; else one of them is enough */
struct plan_cron {
	uint64_t seconds, minutes;
	uint32_t hours, days, months, weekdays; /* days and months from 1; weekdays from Sunday = 0 */
	uint32_t flags, pad;
	struct plan_ref zone;		/* struct plan_offset[], ascending; the first one holds from ever */
	struct plan_ref text;		/* as it was written, for people */
};

struct plan_offset {
	int64_t from;			/* seconds since 1970 */
	int32_t offset;			/* of local time, seconds east of UTC */
	uint32_t pad;
};

struct plan_condition {
	struct plan_ref value;		/* a path, or a word */
	uint32_t kind, negated;		/* enum svc_condition_kind of spec.h */
};

enum listen_kind {
	LISTEN_TCP, LISTEN_UNIX_STREAM, LISTEN_UDP, LISTEN_UNIX_DGRAM, LISTEN_UNIX_SEQPACKET, LISTEN_FIFO, LISTEN_VSOCK,
	LISTEN_NETLINK,
	LISTEN_CONNECTION,		/* of a slot: one that its base has accepted, for one start */
	LISTEN_KINDS
};

/* What a socket is besides its address; listen_options[] (listen.h) says which system call each one is. */
#define LISTEN_F_V6ONLY (1u << 0)	/* no IPv4 by mapped addresses */
#define LISTEN_F_REUSE_PORT (1u << 1)
#define LISTEN_F_KEEPALIVE (1u << 2)
#define LISTEN_F_NO_DELAY (1u << 3)
#define LISTEN_F_FREEBIND (1u << 4)	/* the address need not be there */
#define LISTEN_F_TRANSPARENT (1u << 5)
#define LISTEN_F_BROADCAST (1u << 6)
#define LISTEN_F_PASS_CREDENTIALS (1u << 7)
#define LISTEN_F_ALL 0xffu

enum listen_activate {
	ACTIVATE_EAGER, ACTIVATE_LAZY,
	ACTIVATE_CONNECTION,		/* prior accepts; each connection gets a slot of plan_connections */
};

struct plan_listen {
	struct plan_ref name;		/* for LISTEN_FDNAMES: no ':' or control characters, <= 255 */
	struct plan_ref path;		/* UNIX: absolute path, or "@abstract"; FIFO: absolute path */
	struct plan_ref device;		/* TCP, UDP: the interface that it is bound to; absent: all */
	uint32_t kind, activate;	/* enum listen_kind, listen_activate */
	uint32_t backlog, mode, uid, gid; /* mode, uid, gid of the file, for kinds with a path */
	uint32_t flags;			/* LISTEN_F_* */
	uint32_t receive_buffer, send_buffer; /* bytes; 0: the kernel's default */
	uint32_t number;		/* vsock: CID, UINT32_MAX: any; netlink: protocol; connection: 1: stdio */
	uint32_t port32;		/* vsock: port; netlink: multicast groups, one bit each */
	struct plan_addr addr;		/* TCP, UDP; family 0: another kind */
	uint16_t port, pad;
	uint32_t in_cell;		/* 1: bound in the cell's network, at each start, by who becomes the service */
};

struct plan_connections {
	uint32_t max, per_source;	/* how many there may be at once, and from one address */
};

/* One mount in the cell's root, in order. Target is a path below the new root, resolved with RESOLVE_IN_ROOT. */
enum mount_kind {
	MOUNT_BIND,		/* source is a path in the machine's root; flags as attributes; MOUNT_F_* */
	MOUNT_TMPFS,		/* options in data ("size=64M,mode=1777") */
	MOUNT_PROC,		/* data: "subset=pid,hidepid=invisible" */
	MOUNT_DEVPTS,		/* newinstance */
	MOUNT_MQUEUE,
	MOUNT_DEV,		/* the minimal /dev on a tmpfs: null zero full random urandom tty, fd links, pts, shm */
	MOUNT_SYSFS,		/* read-only */
	MOUNT_CGROUP2,		/* read-only, rooted at the cell's own leaf by the cgroup namespace */
	MOUNT_REMOUNT,		/* change attributes of what is at target (recursively with MOUNT_F_REC) */
	MOUNT_INACCESSIBLE,	/* cover target with an empty 000 directory or file, whichever it is */
	MOUNT_FILE,		/* a small read-only file whose content is `data` (hosts, resolv.conf) on target */
	MOUNT_CREDENTIALS,	/* a ramfs with the service's secrets, read from their files at the start */
	MOUNT_KINDS
};
#define MOUNT_F_REC 1u		/* recursively */
#define MOUNT_F_CREATE 2u	/* make the target (directory, or file when the source is one) if it is missing */
#define MOUNT_F_OPTIONAL 4u	/* a source or target that is missing is skipped: for presets' paths, never a user's */
#define MOUNT_F_OWN 16u		/* source is made by prior for the service (plan_dir): no link on its way is followed */
#define MOUNT_F_RUNTIME 8u	/* source is made by prior at start (notify socket, listening sockets' directory) */
#define MOUNT_F_HOSTS 32u	/* source is HOSTS_DIR and a bridge; it lies in the run directory, wherever that is */
#define MOUNT_F_DEVICE 64u	/* source is a device that may come later, or a link below /dev to one; data: "rw" */
#define HOSTS_DIR "/run/prior/hosts/"

struct plan_mount {
	struct plan_ref source, target, data;
	uint64_t attr;			/* MOUNT_ATTR_* to set */
	uint64_t clear;			/* MOUNT_ATTR_* to clear (MOUNT_REMOUNT only) */
	uint32_t kind, flags;		/* enum mount_kind, MOUNT_F_* */
};

/* What prior makes for a service in the machine's directories, as root, before the cell's mounts. */
enum plan_dir_kind {
	DIR_STATE, DIR_CACHE, DIR_LOGS, DIR_RUNTIME,	/* base/[private/]name, the service's own */
	DIR_MOUNT_POINT,	/* base/name, root's own and empty: something is mounted there; removed at the end */
	DIR_IDS,		/* base/name: which id of the private range is which service's: "61190" -> web */
	DIR_KINDS
};
#define DIR_F_PRIVATE 1u	/* below base/private, which only root can enter */
#define DIR_F_KEEP 2u		/* stays when the service has stopped; otherwise it goes with all that is in it */

struct plan_dir {
	struct plan_ref base, name;	/* "/var/lib", "web/data" */
	uint32_t kind, mode, flags, pad;
};

struct plan_rlimit {
	uint32_t resource, pad;
	uint64_t soft, hard;
};

struct plan_landlock {
	struct plan_ref path;		/* inside the cell's root */
	uint64_t access;		/* LANDLOCK_ACCESS_FS_*; masked by the builder to the kernel's ABI */
};

/* A program beside the service's own, run under its rules; argv.n == 0: none. */
struct plan_command {
	struct plan_ref argv;		/* struct plan_ref[]: strings */
	struct plan_ref exe;		/* absolute path inside the cell's root, looked up at compile */
};

enum care_command { CARE_PRE_START, CARE_POST_START, CARE_PRE_STOP, CARE_POST_STOP, CARE_TEST, CARE_COMMANDS };
#define CARE_STORE_MAX 48
enum health_by { HEALTH_BY_NONE, HEALTH_BY_EXEC, HEALTH_BY_HTTP, HEALTH_BY_TCP };

/* What only some services have: hooks, checks, a watchdog, stored descriptors. */
struct plan_care {
	struct plan_command command[CARE_COMMANDS];
	struct plan_ref pid_file;	/* TYPE_FORKING; inside the cell's root; may be absent */
	struct plan_ref on_failure;	/* struct plan_dep[], none or one: ON_FAILURE_START */
	struct plan_ref http_path, http_host; /* HEALTH_BY_HTTP */
	struct plan_addr check_addr;	/* HEALTH_BY_HTTP, HEALTH_BY_TCP */
	uint16_t check_port;
	uint8_t check_kind, pad;	/* enum health_by */
	uint32_t interval_ms, timeout_ms, start_period_ms, retries;
	uint32_t watchdog_ms;		/* 0: none */
	uint32_t fd_store_max;		/* descriptors that it may leave with PID 1 */
	int32_t ready_fd;		/* READY_FD: its number; 0: the first behind those of LISTEN_FDS */
	uint32_t idle_ms;		/* a lazy service is stopped after so long without anything to do; 0: never */
};

#define CELL_PID	(1u << 0)
#define CELL_MOUNT	(1u << 1)
#define CELL_NET	(1u << 2)
#define CELL_IPC	(1u << 3)
#define CELL_UTS	(1u << 4)
#define CELL_CGROUP	(1u << 5)
#define CELL_TIME	(1u << 6)
#define CELL_USER	(1u << 7)	/* made last, by uid 0 */
#define CELL_USER_FIRST	(1u << 8)	/* the ordinary order: owns the others */
#define CELL_USERS	(CELL_USER | CELL_USER_FIRST)
#define CELL_NAMESPACES	0x1ffu
#define CELL_NNP	(1u << 9)
#define CELL_LANDLOCK	(1u << 10)
#define CELL_MDWE	(1u << 11)	/* PR_SET_MDWE where the kernel has it; the filter's rules everywhere */
#define CELL_LOCK_PERSONALITY (1u << 12)
#define CELL_NO_NEW_NS	(1u << 13)	/* user.max_*_namespaces = 0 inside */
#define CELL_KEYRING	(1u << 14)	/* anonymous session keyring */
#define CELL_SECCOMP	(1u << 15)
#define CELL_CAPS	(1u << 16)	/* bounding set, securebits, capset: every preset but none */
#define CELL_ATTEST	(1u << 17)	/* stop at exec and compare: everything but preset none */
#define CELL_ROOT_TREE	(1u << 18)	/* new root made of `root` (a directory of the machine) */
#define CELL_CRITICAL	(1u << 19)
#define CELL_DYNAMIC	(1u << 20)	/* uid and gid are the service's own, from the private range */
#define CELL_UNPRIV_PORTS (1u << 21)	/* NET_BIND_SERVICE, private network: ip_unprivileged_port_start = 0 there */
#define CELL_NOTIFY	(1u << 22)	/* has a NOTIFY_SOCKET */
#define CELL_NOTIFY_MAIN (1u << 29)	/* only its main process is heard there */
#define CELL_SECCOMP_LOG (1u << 24)	/* what the filter refuses goes to the kernel's audit log */
#define CELL_DEVICES	(1u << 26)	/* a device policy on the leaf */
#define CELL_SOCKETS	(1u << 27)	/* a policy for internet sockets on the leaf */
#define CELL_POLICIES	(CELL_DEVICES | CELL_SOCKETS)
#define CELL_ROOT_IMAGE	(1u << 25)	/* with ROOT_TREE: `root` is an image file */
#define CELL_ON_CALL	(1u << 28)	/* not started at boot: only when something starts it */
#define CELL_NET_KEEP	(1u << 30)	/* with NET: its network stays while it is restarted */
#define CELL_CONTAINED	(1u << 23)	/* the default preset, weakened because no namespace can be made here */

/* An OCI runtime that stands between prior and the service: oci_runtimes[] has their names. */
enum oci_runtime { OCI_NONE, OCI_RUNSC, OCI_CRUN, OCI_RUNC, OCI_RUNTIMES };
extern const char *const oci_runtimes[OCI_RUNTIMES];
/* In the text of a bundle, each between quotes; JSON itself never has these bytes. */
#define OCI_MARK_RUN "\x01"		/* the run directory */
#define OCI_MARK_CGROUP "\x02"		/* path of the leaf below cgroup2's root */
#define OCI_MARK_ENV "\x03"		/* with its quotes: variables that only a start knows */
#define OCI_RUNC_LEAF "oci"		/* runc puts the container into a cgroup below the leaf */
#define OCI_ROOT_ID 65533u		/* what uid and gid 0 of a container's user namespace are in the machine */

struct plan_service {
	uint64_t hash;			/* sum_long() over everything this service means (its strings and tables too) */
	struct plan_ref name;
	/* supervision; enums as in spec.h */
	uint8_t type, ready, restart, on_failure;
	uint32_t flags;			/* CELL_* */
	int32_t stop_signal;
	uint32_t start_timeout_ms, stop_timeout_ms, backoff_initial_ms, backoff_max_ms;
	uint32_t max_restarts, restart_window_ms;
	int32_t reload_signal;
	struct plan_ref care;		/* struct plan_care[], none or one */
	struct plan_ref deps;		/* struct plan_dep[] */
	struct plan_ref conditions;	/* struct plan_condition[] */
	struct plan_ref needs_devices;	/* struct plan_ref[]: paths that must be there before it starts */
	uint32_t device_timeout_ms, device_gone; /* 0: it waits for ever; enum device_gone of spec.h */
	struct plan_ref cron;		/* struct plan_cron[], one or none */
	uint32_t every_ms, pad_every;	/* 0: not */
	struct plan_ref listen;		/* struct plan_listen[] */
	/*
	 * Its sockets' connections are accepted by PID 1, which starts a slot for each: a service of its own, like this
	 * one, named NAME@1 to NAME@max, whose `base` this one is. This one never has a process.
	 */
	struct plan_ref connections;	/* struct plan_connections[], one or none */
	struct plan_ref base;		/* struct plan_dep[], one or none */
	uint32_t log_sink, log_max_files;	/* enum log_sink */
	uint64_t log_max_bytes;
	uint16_t log_forward;		/* LOG_TO_* of services/logs/logs.h */
	uint8_t log_facility, log_level;	/* syslog's numbers */
	uint32_t log_pad;
	struct plan_ref log_identifier, log_socket; /* absent: the service's name; LOG_TO_SYSLOG is not set */
	/* the process */
	struct plan_ref argv, env;	/* struct plan_ref[]: strings; LISTEN_* and NOTIFY_SOCKET come at start */
	struct plan_ref exe;		/* absolute path inside the cell's root, looked up at compile */
	struct plan_ref cwd;
	uint32_t uid, gid;
	struct plan_ref groups;		/* uint32_t[] */
	uint32_t umask, preset;		/* enum svc_preset */
	uint32_t spaces_allowed;	/* CLONE_NEW*: what CELL_NO_NEW_NS lets through all the same */
	/* Landlock beside its paths: what is denied altogether, where the kernel can; the version it must have */
	uint32_t landlock_net, landlock_scope; /* LANDLOCK_ACCESS_NET_*, LANDLOCK_SCOPE_* */
	uint32_t landlock_abi;
	/* the cell */
	struct plan_ref root;		/* rootfs directory or image; absent: the machine's own root */
	struct plan_ref root_type;	/* CELL_ROOT_IMAGE: "squashfs" or "erofs" */
	struct plan_ref root_digest;	/* BLAKE2b-512 that the image must have; absent: nobody asks for signatures */
	struct plan_ref mounts;		/* struct plan_mount[] */
	struct plan_ref hostname;
	uint64_t caps;			/* kept in P, E, I, bounding and ambient */
	struct plan_ref rlimits;	/* struct plan_rlimit[] */
	struct plan_ref landlock;	/* struct plan_landlock[] */
	struct plan_ref seccomp;	/* struct sock_filter[]; equal programs are shared */
	uint64_t seccomp_sum;		/* FNV-1a of the program, for read-back */
	struct plan_ref cgroup_root;	/* absent: the machine's */
	struct plan_ref cgroup;		/* struct plan_file[]: file name in the leaf, value to write; read back */
	struct plan_ref devices;	/* CELL_DEVICES: struct device_rule[] (bpf.h); none: no device at all */
	uint32_t inet, inet_pad;	/* CELL_SOCKETS: bit 0: AF_INET is allowed, bit 1: AF_INET6 */
	struct plan_ref affinity;	/* uint64_t[]: CPU mask words */
	int32_t nice, oom_score_adj;	/* INT32_MIN: leave */
	/* its network, when CELL_NET */
	struct plan_ref links;		/* struct plan_link[]; none: loopback only */
	struct plan_ref share;		/* struct plan_dep[], none or one: whose network it has, with its links */
	struct plan_ref dirs;		/* struct plan_dir[] */
	struct plan_ref credentials;	/* struct plan_file[]: name, the file it is read from */
	struct plan_ref apparmor, selinux; /* labels for its exec; absent: whatever it would have */
	struct plan_ref runtime;	/* absolute path of the OCI runtime it runs under; absent: none */
	struct plan_ref bundle;		/* with it: its config.json, in which OCI_MARK_* are replaced at a start */
	uint32_t runtime_kind, pad_kind; /* enum oci_runtime */
	struct plan_ref note;		/* what the user should know (contained, inert capabilities); or absent */
};

/* A mapped, verified plan. */
struct plan {
	const unsigned char *at;
	const struct plan_head *head;
	size_t size;
};

#define PLAN_F_CONTAINER 1u	/* compiled for a container: machine stages do not apply */

/*
 * Map fd, a memfd sealed against change (from plan_compile(), plan_obtain() or plan_seal()), read-only and verify it.
 * The caller keeps the fd; the mapping is the plan's. EBADMSG: not a plan or damaged; EINVAL: not sealed.
 */
int plan_map(struct plan *p, int fd, struct err *e);
void plan_unmap(struct plan *p);
int plan_verify(const void *at, size_t size, struct err *e);
/* Copy a plan file's bytes to a sealed memfd, which is the caller's. Not verified yet: plan_map() does. */
int plan_seal(int file, int *fd, struct err *e);

static inline const char *plan_str(const struct plan *p, struct plan_ref r)
{
	return r.at ? (const char *)p->at + r.at : "";
}

static inline const void *plan_array(const struct plan *p, struct plan_ref r)
{
	return p->at + r.at;
}

#define PLAN_EACH(T, x, p, r) for (const T *x = PLAN_FIRST(p, r, T); x < PLAN_END(p, r, T); x++)
#define PLAN_FIRST(p, r, T) ((const T *)plan_array(p, r))
#define PLAN_END(p, r, T) ((const T *)plan_array(p, r) + (r).n)

static inline const struct plan_service *plan_service(const struct plan *p, uint32_t i)
{
	return PLAN_FIRST(p, p->head->services, struct plan_service) + i;
}

/* NULL: it has none of that. */
static inline const struct plan_care *plan_care(const struct plan *p, const struct plan_service *s)
{
	return s->care.n ? PLAN_FIRST(p, s->care, struct plan_care) : NULL;
}

/* Whose slot it is (plan_service.base); NULL: it is none. */
static inline const char *plan_base_name(const struct plan *p, const struct plan_service *s)
{
	return s->base.n ? plan_str(p, plan_service(p, PLAN_FIRST(p, s->base, struct plan_dep)->service)->name) : NULL;
}

/* Whose network s has: its own, or that of the service it shares one with. */
const struct plan_service *plan_network(const struct plan *p, const struct plan_service *s);
/* The bridge that it is on, or the machine's interface below. */
static inline const char *plan_link_on(const struct plan *p, const struct plan_link *l)
{
	return plan_str(p, l->bridge.n ? l->bridge : l->parent);
}

/* Whether one of its own interfaces is on a bridge. */
bool plan_is_bridged(const struct plan *p, const struct plan_service *s);
/* How many services there are, without the slots of those that serve each connection by one. */
uint32_t plan_named(const struct plan *p);
/* Index of a service by name, -1 when there is none. */
int plan_find(const struct plan *p, const char *name);
/* Whether this service is in plan_head.asked, in plan_head.disabled. */
bool plan_is_asked(const struct plan *p, uint32_t service);
bool plan_is_disabled(const struct plan *p, uint32_t service);
/* Whether there is the template of "name@instance", a name that a service can have. */
bool plan_has_template(const struct plan *p, const char *instance);
bool plan_has_template_itself(const struct plan *p, const char *name);	/* "name@" */
/* The same for its service, or for what was refused of that name; NULL: it was not. */
const struct plan_refused *plan_find_refused(const struct plan *p, const char *name);
