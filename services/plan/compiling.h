/* Inside of the compiler: what its parts share while a plan is made of a spec. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/bpf.h"
#include "services/plan/compile.h"
#include "services/plan/write.h"
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>

/*
 * For the compiler child and the control tool, which exits soon: small memory comes from the spec's arena. A part tells
 * of a problem with refuse() and goes on where it can, so that one run names all of them.
 */
struct user_base;
struct filter_made;
struct profile;
struct spot;
struct image_root;

struct compiling {
	struct spec *s;
	const struct machine_facts *f;
	struct writer w;
	struct work *work;	/* one per service, in name order */
	unsigned n;
	struct plan_mount *mounts; /* WORK_MOUNTS of each, for one service after the other; owned */
	struct seat *seats;
	struct filter_made *filters;
	struct profile *profiles;
	struct spot *spots;	/* what is at paths that were looked at; open addressing, owned */
	unsigned nspots;
	struct user_base *bases; /* passwd and group files read so far */
	uint8_t uid_taken[542];	/* one bit for each id of the private range, once uids_known */
	bool uids_known;
	struct kept_ids *kept;	/* ids that were given before; NULL: not looked for yet */
	int machine_root;	/* O_PATH of "/"; owned */
	struct image_root *images; /* that were looked into so far; owned */
	unsigned *order, norder; /* work numbers, dependencies first */
	bool no_memory;
};

#define WORK_MOUNTS 512
#define WORK_PROGRAMS (1 + CARE_COMMANDS)
#define WORK_DIRS 132
#define WORK_ADDRS 16	/* of one interface */
#define WORK_KEPT (PLAN_LINKS_MAX * WORK_ADDRS)

/* One directory that prior makes for the service. */
struct own_dir {
	struct plan_dir row;
	const char *path;	/* in the machine's root */
	const char *shown;	/* in the service's: what it is told in its environment */
};

/* A file system to come, seen from inside the cell. */
struct seat {
	const char *target;	/* canonical inside the cell's root */
	int fd;			/* O_PATH of what a bind shows there; FD_NONE: an empty or a kernel file system */
	bool file;		/* a file, where there is no descriptor to say so */
	bool empty;		/* a file system of our own: mount points can be made in it */
	bool writable, exec;	/* by and for the service */
};

/* One of its interfaces. */
struct work_link {
	const struct spec_link *spec;
	const char *ifname;	/* the machine's end of its veth pair; NULL: it has none */
	struct plan_addr *addrs; /* WORK_ADDRS of them; the arena's */
	struct plan_port *ports; /* the arena's */
	unsigned naddrs, nports;
	struct plan_link out;
};

static inline struct plan_addr *link_gateway(struct plan_link *l, uint8_t family)
{
	return family == AF_INET ? &l->gw4 : &l->gw6;
}

/* One service being planned. */
struct work {
	struct spec_service *svc;	/* as written: ask this one where a value comes from */
	struct spec_service eff;	/* in effect: what cannot or need not be is taken out */
	struct plan_service out;
	bool refused;
	uint32_t exit_code;	/* 126, 127: its program cannot be run, is not there */
	const char *why;	/* the first problem, "FILE:LINE:COL: ..." */
	const char *notes;	/* NULL, or sentences joined by "; " */
	int root;		/* O_PATH of the cell's root while the service is planned; owned */
	const char *root_path;	/* "" for the machine's own, else the rootfs directory */
	const char *root_type;	/* of an image: its file system; else NULL */
	const char *root_digest; /* of an image, where signatures are asked for; else NULL */
	bool root_writable;	/* missing mount points can be made in the rootfs directory */
	bool root_is_writable;	/* for the service, in the end */
	bool has_dev;		/* a /dev of its own */
	bool contained;		/* no namespace here: what needs one was taken out */
	unsigned protect_system, protect_home; /* as wanted, before `contained` took them out of eff */
	struct own_dir *dirs;	/* WORK_DIRS of them once there is one; the arena's */
	unsigned ndirs;
	const char *credentials; /* where the service sees its secrets; NULL: it has none */
	const char *user_name, *home, *shell; /* of the passwd entry; NULL: there is none */
	const char *exe;	/* canonical; NULL: not found */
	const char *programs[WORK_PROGRAMS]; /* the same of all that is run in the cell: exe first */
	unsigned nprograms;
	struct plan_care care;
	bool has_care;
	bool loads;		/* it has a dynamic loader, or an interpreter */
	uint64_t promises;	/* of its pledge; 0: it has none */
	struct seat *seats;	/* the cell's own mounts in their order; c->seats while the service is planned */
	unsigned nseats;
	struct plan_mount *mounts; /* c->mounts while the service is planned */
	unsigned nmounts;
	struct device_rule *devices;	/* of isolation.devices; DEVICE_RULES_MAX once there is one; the arena's */
	unsigned ndevices;
	struct work_link *links; /* its interfaces; the arena's */
	const char *hosts;	/* whose /etc/hosts it gets, as in plan_head.hosts; NULL: it is on no bridge */
	struct plan_addr *kept;	/* WORK_KEPT addresses that it had before, once there is one; the arena's */
	unsigned nlinks, nkept;
	/* the graph */
	unsigned index;		/* in the plan */
	unsigned *edges, nedges; /* work numbers that must start before */
	unsigned *needs, nneeds; /* those of them without which it cannot be */
	unsigned *rivals, nrivals; /* work numbers that it conflicts with, whoever says so */
	unsigned *before, nbefore; /* those of them that say `before: this one` themselves */
};

/* A problem with a service, at the place of a field of w->svc; the service is refused. */
#define refuse(c, w, field, ...) refuse_at(c, w, spec_from((w)->svc, &(w)->svc->field), __VA_ARGS__)
void refuse_at(struct compiling *c, struct work *w, struct origin at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The same at a key of its interface i. */
#define refuse_link(c, w, i, field, ...) \
	refuse_at(c, w, (i) ? spec_link(&(w)->svc->network, i)->from : \
		  spec_from((w)->svc, &(w)->svc->network.link.field), __VA_ARGS__)
/* Something the user should know; in `check`, in `status`, in the plan. */
#define tell(c, w, field, ...) tell_at(c, w, spec_from((w)->svc, &(w)->svc->field), __VA_ARGS__)
void tell_at(struct compiling *c, struct work *w, struct origin at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Whether a file says so, not a preset or a default. */
#define is_asked(w, field) (spec_from((w)->svc, &(w)->svc->field).kind == FROM_FILE)

bool path_is_below(const char *path, const char *dir);	/* or dir itself */
/* Zeroed, in the spec's arena; NULL sets c->no_memory. */
void *compiling_get(struct compiling *c, size_t n);
/* In the spec's arena, never NULL ("" when memory is out). */
const char *compiling_fmt(struct compiling *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *compiling_copy(struct compiling *c, const char *text);	/* the same of "%s", for what is often done */
struct plan_ref write_words(struct compiling *c, const struct str_list *l);
/* The work of a service by name; NULL: none. */
struct work *work_find(struct compiling *c, const char *name);

/* compile_look.c: paths inside the cell's root, as the service will see them. */
struct found {
	mode_t mode;		/* 0: missing */
	const char *path;	/* canonical: no symbolic link left; when missing, of what is there plus the rest */
	int fd;			/* look_source() only: O_PATH; the caller's */
};
/* 0; -ENOENT: missing, but path is where it would be; else -errno and path is NULL. */
int look(struct compiling *c, struct work *w, const char *path, struct found *f);
/* Open for reading what look() found at this canonical path. */
int look_open(const struct work *w, const char *path);
int look_path(const struct work *w, const char *path);	/* the same, O_PATH */
/* A path of the machine that may not lead astray: see compile_look.c. *why says what is wrong with it. */
int look_source(struct compiling *c, const char *path, struct found *f, const char **why);
int look_root(struct compiling *c, struct work *w);
/* O_PATH of a root by its root_path, "" for the machine's; the caller's. */
int look_root_again(struct compiling *c, const char *root_path);
void look_forget(struct compiling *c);		/* images */
/* Read a whole regular file below root (O_PATH), at most max bytes; NULL with errno. In the spec's arena, NUL-ended. */
char *look_read(struct compiling *c, int root, const char *path, size_t max, size_t *n);
/* EKEYREJECTED: signatures are asked for, and what was read from this file has none that is good for this service. */
int look_signed(const struct compiling *c, const struct work *w, const char *path, const char *text, size_t n,
		struct err *e);

/* For all services first: what is possible here; then the networks, so that each knows the others' addresses. */
void decide(struct compiling *c, struct work *w);		/* compile_decide.c */
/* compile_net.c */
void compile_networks(struct compiling *c, struct plan_head *h);
/* compile_ports.c: those of interface i of a service; then, of all services, what is published twice. */
void compile_ports(struct compiling *c, struct work *w, unsigned i);
void compile_egress(struct compiling *c, struct work *w, unsigned i);
void judge_ports(struct compiling *c, struct work *w, unsigned i);	/* once its default route is known */
void check_ports(struct compiling *c);

/* The parts, in the order in which they run for each service. */
void compile_ids(struct compiling *c, struct work *w);		/* compile_ids.c */
void compile_dirs(struct compiling *c, struct work *w);		/* compile_dirs.c: state, cache, runtime, logs */
void compile_mounts(struct compiling *c, struct work *w);	/* compile_mounts.c */
void compile_process(struct compiling *c, struct work *w);	/* compile_process.c: argv, exe, env, cwd */
void compile_policies(struct compiling *c, struct work *w);	/* compile_policies.c: devices, sockets */
/* A command beside the service's own; key and at are for what is said about it. */
void compile_command(struct compiling *c, struct work *w, const char *key, struct origin at, const struct str_list *l,
		     struct plan_command *out);
void compile_care(struct compiling *c, struct work *w);		/* compile_care.c: hooks, checks, watchdog */
void compile_environment(struct compiling *c, struct work *w);	/* compile_env.c */
const char *environment_get(const struct work *w, const char *key);
void compile_landlock(struct compiling *c, struct work *w);	/* compile_landlock.c */
void compile_limits(struct compiling *c, struct work *w);	/* compile_limits.c: rlimits, cgroup, scheduling */
void compile_listen(struct compiling *c, struct work *w);	/* compile_listen.c */
/* compile_share.c: whose network cannot be shared or kept; when all are decided. */
void compile_shares(struct compiling *c);
/* What cannot be beside each other on one interface of the machine is refused. */
void compile_uppers(struct compiling *c);
void compile_clash(struct compiling *c);	/* compile_clash.c: who listens where another does */
void compile_trust(struct compiling *c, struct work *w);	/* compile_trust.c: who else can write all that */
void compile_filter(struct compiling *c, struct work *w);	/* compile_filter.c: seccomp */
void compile_privilege(struct compiling *c, struct work *w);	/* compile_privilege.c: user namespace, capabilities */
void compile_oci(struct compiling *c, struct work *w);	/* compile_oci.c: last, of what the others decided */
void compile_timer(struct compiling *c, struct work *w);		/* compile_timer.c */
/* compile_graph.c: cycles and missing services are refused; then indices, tables of deps, the order. */
void graph_make(struct compiling *c);
void graph_write(struct compiling *c, struct plan_head *h);
/* compile_slots.c: the services in name order, with the slots of those that take connections; sets their indices. */
void slots_write(struct compiling *c, struct plan_head *h, void (*finish)(struct compiling *, struct work *));
/* compile_machine.c */
void compile_boot_slots(struct compiling *c, struct plan_head *h);	/* compile_boot.c */
/* compile_devices.c */
void compile_device_rules(struct compiling *c, struct plan_head *h);
void compile_needs_devices(struct compiling *c, struct work *w);
bool device_is_awaited(const struct work *w, const char *path);	/* by needs_device: it may come later */
void compile_machine(struct compiling *c, struct plan_head *h);

/* compile_ids.c, for sockets: in the machine's files. False: *why says why not. */
bool find_user(struct compiling *c, const char *root, const char *name, uint32_t *uid, const char **why);
bool find_group(struct compiling *c, const char *root, const char *name, uint32_t *gid, const char **why);
void user_bases_free(struct compiling *c);

/* compile_dirs.c: this path, as the service sees it, is or lies in a directory that prior will have made. */
bool own_dir_at(const struct work *w, const char *path);
void dirs_environment(struct compiling *c, const struct work *w,
		      void (*set)(void *ctx, const char *key, const char *value), void *ctx);

/* compile_uids.c: ids of the private range that were given to a name before, and may have files. */
struct kept_ids;
uint32_t kept_id_of(struct compiling *c, const struct work *w, bool (*is_free)(struct compiling *, const struct work *,
									       uint32_t uid));	/* 0: none */
bool id_is_anothers(struct compiling *c, const struct work *w, uint32_t uid);

/* addresses.c: "10.0.0.1/24", "fd00::1"; without a prefix length it is the family's longest. */
bool parse_address(const char *text, struct plan_addr *out);
