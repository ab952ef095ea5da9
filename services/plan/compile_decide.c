/* What of a service's wishes is possible here, and what follows from what: the namespaces and their flags. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compiling.h"
#include "services/spec/promises.h"
#include <string.h>

/* Keys that need something of the machine. One row per key; what is active and impossible is refused or taken out. */
enum need { NEED_SPACES = 1, NEED_USER = 2, NEED_MOUNT = 4, NEED_ROOT = 8 };
enum shape { IS_BOOL, IS_WORD, IS_LIST, IS_PATH };

struct wish {
	const char *key;
	size_t at;
	enum shape shape;
	unsigned needs;
};
#define WISH(name, f, kind, what) { name, offsetof(struct spec_service, f), kind, what }

static const struct wish wishes[] = {
	/* It is told apart from the machine's by its own procfs and mounts: without those there is no such cell. */
	WISH("isolation.user", ns_user, IS_WORD, NEED_USER | NEED_SPACES | NEED_MOUNT),
	WISH("isolation.pid", ns_pid, IS_BOOL, NEED_SPACES),
	WISH("isolation.network", network.mode, IS_WORD, NEED_SPACES),
	WISH("isolation.ipc", ns_ipc, IS_BOOL, NEED_SPACES),
	WISH("isolation.uts", ns_uts, IS_BOOL, NEED_SPACES),
	WISH("isolation.cgroup", ns_cgroup, IS_BOOL, NEED_SPACES),
	WISH("isolation.time", ns_time, IS_BOOL, NEED_SPACES),
	WISH("isolation.private_ipc", private_ipc, IS_BOOL, NEED_SPACES),
	WISH("isolation.hostname", hostname, IS_PATH, NEED_SPACES),
	WISH("isolation.mount", ns_mount, IS_BOOL, NEED_SPACES | NEED_MOUNT),
	WISH("isolation.rootfs", rootfs, IS_PATH, NEED_MOUNT),
	WISH("isolation.readonly_rootfs", readonly_rootfs, IS_BOOL, NEED_MOUNT),
	WISH("isolation.volumes", volumes, IS_LIST, NEED_MOUNT),
	WISH("isolation.tmpfs", tmpfs, IS_LIST, NEED_MOUNT),
	WISH("isolation.devices", devices, IS_LIST, NEED_MOUNT),
	WISH("isolation.read_only_paths", read_only_paths, IS_LIST, NEED_MOUNT),
	WISH("isolation.inaccessible_paths", inaccessible_paths, IS_LIST, NEED_MOUNT),
	WISH("isolation.private_tmp", private_tmp, IS_BOOL, NEED_MOUNT),
	WISH("isolation.private_devices", private_devices, IS_BOOL, NEED_MOUNT),
	WISH("isolation.protect_system", protect_system, IS_WORD, NEED_MOUNT),
	WISH("isolation.protect_home", protect_home, IS_WORD, NEED_MOUNT),
	WISH("isolation.protect_proc", protect_proc, IS_WORD, NEED_MOUNT),
	WISH("isolation.proc_subset", proc_subset, IS_WORD, NEED_MOUNT),
	WISH("isolation.protect_kernel_tunables", protect_kernel_tunables, IS_BOOL, NEED_MOUNT),
	WISH("isolation.protect_control_groups", protect_control_groups, IS_BOOL, NEED_MOUNT),
	WISH("limits.shm_size", shm_size, IS_PATH, NEED_MOUNT),
	WISH("credentials", credentials, IS_LIST, NEED_MOUNT),
	WISH("security.dynamic_user", dynamic_user, IS_BOOL, NEED_ROOT),
	WISH("security.cap_add", cap_add, IS_LIST, NEED_ROOT),
	WISH("supplementary_groups", supplementary_groups, IS_LIST, NEED_ROOT),
};
#define WISHES (sizeof wishes / sizeof *wishes)

_Static_assert(sizeof(struct str_list) == 16 && offsetof(struct str_list, n) == offsetof(struct pair_list, n),
	       "lists are cleared by their number");

/* A list's or a pointer's first word is not zero exactly when it is given; sizes are 0 when they are not. */
static bool is_active(const struct work *w, const struct wish *x)
{
	const char *field = (const char *)&w->eff + x->at;
	uint64_t word = 0;

	switch (x->shape) {
	case IS_BOOL:
		return *(const bool *)field;
	case IS_WORD:
		return *(const unsigned *)field != 0;
	case IS_LIST:
		return ((const struct str_list *)field)->n != 0;
	case IS_PATH:
		memcpy(&word, field, sizeof word);
		return word != 0;
	}
	return false;
}

static void take_out(struct work *w, const struct wish *x)
{
	char *field = (char *)&w->eff + x->at;

	switch (x->shape) {
	case IS_BOOL:
		*(bool *)field = false;
		break;
	case IS_WORD:
		*(unsigned *)field = 0;
		break;
	case IS_LIST:
		((struct str_list *)field)->n = 0;
		break;
	case IS_PATH:
		memset(field, 0, 8);
		break;
	}
}

static enum origin_kind wish_from(const struct work *w, const struct wish *x)
{
	return spec_from(w->svc, (const char *)w->svc + x->at).kind;
}

static const char *lacking(const struct machine_facts *f, unsigned needs)
{
	if (f->one_id && !(needs & (NEED_SPACES | NEED_MOUNT)))
		return "an ordinary user has no id but its own here (a range in /etc/subuid and /etc/subgid, and "
		       "newuidmap and newgidmap, give it others)";
	if (needs & NEED_SPACES)
		return "no namespace can be made here (it takes root; a container needs --cap-add SYS_ADMIN and "
		       "--security-opt seccomp=unconfined)";
	if (needs & NEED_MOUNT)
		return "nothing can be mounted here (it takes root; a container needs --cap-add SYS_ADMIN and "
		       "--security-opt seccomp=unconfined)";
	if (needs & NEED_USER)
		return "no user namespace can be made here (is user.max_user_namespaces 0, or this a chroot?)";
	return "only root with CAP_SETUID, CAP_SETGID and CAP_SETPCAP can do that";
}

/*
 * What a file asks for by name is enforced or the service is refused; so is a preset that is named. Only the default
 * preset gives way: all of it that needs none of what is missing is the preset `contained`.
 */
static void without(struct compiling *c, struct work *w, unsigned missing)
{
	const bool firm = w->svc->preset_given && w->eff.required;
	unsigned taken = 0;

	w->protect_system = w->eff.protect_system;
	w->protect_home = w->eff.protect_home;
	for (const struct wish *x = wishes; x < wishes + WISHES; x++) {
		if (!(x->needs & missing) || !is_active(w, x))
			continue;
		if (wish_from(w, x) == FROM_DEFAULT) {	/* nobody's wish: the host name that a uts namespace has */
			take_out(w, x);
			continue;
		}
		if (w->eff.required && wish_from(w, x) == FROM_FILE) {
			refuse_at(c, w, spec_from(w->svc, (const char *)w->svc + x->at),
				  "%s: %s; or isolation.required: false lets it run with less", x->key,
				  lacking(c->f, x->needs & missing));
		} else if (firm) {
			refuse(c, w, preset, "isolation.preset: %s: %s; 'preset: contained' is all of 'server' "
			       "that needs none, and isolation.required: false lets it run with less",
			       preset_names[w->eff.preset], lacking(c->f, missing));
			return;
		} else {
			if (wish_from(w, x) == FROM_FILE)
				tell_at(c, w, spec_from(w->svc, (const char *)w->svc + x->at),
					"%s: not in effect: %s", x->key, lacking(c->f, x->needs & missing));
			taken++;
		}
		take_out(w, x);
	}
	if (!taken)
		return;
	w->contained = true;
	w->out.flags |= CELL_CONTAINED;
	if (missing & (NEED_SPACES | NEED_MOUNT)) {
		w->eff.preset = w->svc->preset_given ? w->eff.preset : PRESET_CONTAINED;
		tell(c, w, preset, "contained: %s%s; the rest of preset '%s' holds", lacking(c->f, missing),
		     missing & NEED_ROOT ? ", and it keeps our user and groups, for only root with CAP_SETUID, "
		     "CAP_SETGID and CAP_SETPCAP can give it others" : "", preset_names[w->svc->preset]);
	} else {
		tell(c, w, preset, "%s; the rest of preset '%s' holds", lacking(c->f, missing),
		     preset_names[w->svc->preset]);
	}
}

/* Keys about mounts need a mount namespace of the service's own: they bring it, unless a file says no to that. */
static void imply_mounts(struct compiling *c, struct work *w)
{
	const bool denied = !w->eff.ns_mount && is_asked(w, ns_mount);

	for (const struct wish *x = wishes; x < wishes + WISHES; x++) {
		if (x->needs != NEED_MOUNT || !is_active(w, x) || w->eff.ns_mount)
			continue;
		if (!denied) {
			w->eff.ns_mount = true;
			return;
		}
		if (wish_from(w, x) == FROM_FILE)
			refuse_at(c, w, spec_from(w->svc, (const char *)w->svc + x->at),
				  "%s: needs isolation.mount, which is false", x->key);
		take_out(w, x);
	}
}

/* up --drop-privileges: root is for who names it. */
static void drop_to_invoker(struct compiling *c, struct work *w)
{
	struct spec_service *e = &w->eff;

	if (!c->f->drop || e->user || (e->dynamic_user && is_asked(w, dynamic_user)))
		return;
	e->dynamic_user = !c->f->drop_uid;
	if (e->dynamic_user)
		return;
	e->user = compiling_fmt(c, "%u", c->f->drop_uid);
	if (!e->group)
		e->group = compiling_fmt(c, "%u", c->f->drop_gid);
	tell(c, w, user, "user %u, who invoked us: up --drop-privileges", c->f->drop_uid);
}

/*
 * An id that is given to somebody else one day may own nothing by then: what systemd's DynamicUser implies is implied
 * here, unless a file says otherwise (then prior remembers whose id it is: compile_uids.c).
 */
static void imply_dynamic(struct compiling *c, struct work *w)
{
	struct spec_service *e = &w->eff;
	const bool can = c->f->can_namespaces && c->f->can_mount;

	if (!e->dynamic_user || e->user)
		return;
	e->no_new_privileges = e->no_new_privileges || !is_asked(w, no_new_privileges);
	e->restrict_suid_sgid = e->restrict_suid_sgid || (!is_asked(w, restrict_suid_sgid) && e->no_new_privileges);
	if (!can || (!e->ns_mount && is_asked(w, ns_mount)))
		return;
	e->private_tmp = e->private_tmp || !is_asked(w, private_tmp);
	e->ns_ipc = e->ns_ipc || !is_asked(w, ns_ipc);
	if (!e->protect_system && !is_asked(w, protect_system))
		e->protect_system = PROTECT_SYSTEM_STRICT;
	if (!e->protect_home && !is_asked(w, protect_home))
		e->protect_home = PROTECT_HOME_READ_ONLY;
}

/* Whether memory may become executable is a promise, too; a key in the file has the last word. */
static void imply_pledge(struct compiling *c, struct work *w)
{
	struct err e = { 0 };

	if (!w->eff.pledge)
		return;
	if (promises_read(w->eff.pledge, &w->promises, &e) < 0)
		refuse(c, w, pledge, "security.pledge: %s", e.text);
	if (!is_asked(w, memory_deny_write_execute))
		w->eff.memory_deny_write_execute = !PROMISED(w->promises, PROT_EXEC);
	if (is_asked(w, seccomp) && w->eff.seccomp != SECCOMP_NONE)
		refuse(c, w, seccomp, "security.seccomp: a pledge takes the profile's place: leave one of them out");
	if (PROMISED(w->promises, SETTIME) && w->eff.protect_clock)
		refuse(c, w, pledge, "security.pledge: 'settime' needs isolation.protect_clock: false");
}

static void imply_others(struct compiling *c, struct work *w)
{
	struct spec_service *e = &w->eff;

	if (e->private_ipc && !e->ns_ipc) {
		if (is_asked(w, ns_ipc) && is_asked(w, private_ipc))
			refuse(c, w, private_ipc, "isolation.private_ipc: needs isolation.ipc, which is false");
		e->ns_ipc = !is_asked(w, ns_ipc);
	}
	if ((e->hostname || e->protect_hostname) && !e->ns_uts) {
		if (is_asked(w, ns_uts) && e->hostname)
			refuse(c, w, hostname, "isolation.hostname: needs isolation.uts, which is false");
		/* protect_hostname alone is the filter's business where no namespace can be made. */
		e->ns_uts = !is_asked(w, ns_uts) && c->f->can_namespaces;
	}
	/* Whoever asks for one of these and cannot have it is not put into the machine's network instead. */
	if (spec_links(&e->network) && !e->network.mode)
		refuse(c, w, network.link.bridge, "isolation.network.bridge: needs a private network");
	if (e->network.service && !e->network.mode)
		refuse(c, w, network.service, "isolation.network.service: needs a private network");
}

/* Where nothing else is its own, or an OCI runtime has its own order, first and last are the same. */
static uint32_t user_flag(const struct spec_service *e)
{
	const bool others = e->ns_mount || e->ns_pid || e->ns_ipc || e->ns_uts || e->ns_cgroup || e->ns_time ||
			    e->network.mode;

	if (e->ns_user == USER_NS_NO)
		return 0;
	return e->ns_user == USER_NS_FIRST && others && !e->runtime ? CELL_USER_FIRST : CELL_USER;
}

/*
 * In a user namespace of our own the kernel mounts a procfs only for who owns the pid namespace that it shows; and all
 * the machine's mounts come along into a cell, so that its /proc must be laid over.
 */
static void imply_pid(struct compiling *c, struct work *w)
{
	struct spec_service *e = &w->eff;

	if (!c->f->in_userns || !e->ns_mount || e->ns_pid)
		return;
	if (is_asked(w, ns_pid))
		refuse(c, w, ns_pid, "isolation.pid: false, with mounts of its own: in a user namespace the two go "
		       "together: leave it out, or start prior as root");
	e->ns_pid = true;
}

static void write_spaces(struct compiling *c, struct work *w)
{
	const struct spec_service *e = &w->eff;

	w->out.flags |= user_flag(e) | (e->ns_pid ? CELL_PID : 0) |
			(e->ns_ipc ? CELL_IPC : 0) | (e->ns_uts ? CELL_UTS : 0) | (e->ns_cgroup ? CELL_CGROUP : 0) |
			(e->ns_time ? CELL_TIME : 0) | (e->network.mode ? CELL_NET : 0) |
			(e->network.mode && e->network.keep ? CELL_NET_KEEP : 0);
	if (e->ns_uts)
		w->out.hostname = write_string(&c->w, e->hostname ? e->hostname : e->name);
	if (e->preset != PRESET_NONE)
		w->out.flags |= CELL_KEYRING | CELL_ATTEST;
}

void decide(struct compiling *c, struct work *w)
{
	const unsigned missing = (c->f->can_namespaces ? 0 : NEED_SPACES) |
				 (c->f->can_userns && c->f->is_root ? 0 : NEED_USER) |
				 (c->f->can_namespaces && c->f->can_mount ? 0 : NEED_MOUNT) |
				 (c->f->is_root ? 0 : NEED_ROOT);

	drop_to_invoker(c, w);
	imply_dynamic(c, w);
	w->protect_system = w->eff.protect_system;
	w->protect_home = w->eff.protect_home;
	if (missing)
		without(c, w, missing);
	imply_pledge(c, w);
	imply_mounts(c, w);
	imply_others(c, w);
	imply_pid(c, w);
	write_spaces(c, w);
}
