/* A service under an OCI runtime: its config.json, with the same keys carried over, and what cannot be, by name. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/plan/oci.h"
#include "services/spec/caps.h"
#include <stdlib.h>
#include <string.h>

/*
 * Namespaces, mounts, ids, capabilities, limits, filter: everything that config.json has a word for is in there. The
 * cgroup with its limits, the network, niceness and CPUs are prior's own: the runtime is started inside them.
 * Everything here is decided; what only a start knows (paths of the run directory, the sockets' names) is a mark that
 * the builder replaces (services/cell/oci_bundle.c).
 */
const char *const oci_runtimes[OCI_RUNTIMES] = { [OCI_NONE] = "", [OCI_RUNSC] = "runsc", [OCI_CRUN] = "crun",
						 [OCI_RUNC] = "runc" };

/* Where packages install them. Never the service's own PATH: the runtime works as root on the machine. */
static const char *const folders[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin" };

static const char *find_runtime(struct compiling *c, const char *name)
{
	for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++) {
		const char *path = compiling_fmt(c, "%s/%s", folders[i], name);
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 0111)
			return path;
	}
	return NULL;
}

static const char *string_of(const struct compiling *c, struct plan_ref r)
{
	return r.at && c->w.at ? (const char *)c->w.at + r.at : "";
}

static void put_strings(struct compiling *c, struct json_out *j, struct plan_ref list, uint32_t from)
{
	for (uint32_t i = from; i < list.n && c->w.at; i++)
		json_out_text(j, NULL, string_of(c, ((const struct plan_ref *)(c->w.at + list.at))[i]));
}

/* --- the process --- */

static void put_user(struct compiling *c, const struct work *w, struct json_out *j)
{
	json_out_open(j, "user", '{');
	json_out_unsigned(j, "uid", w->out.uid);
	json_out_unsigned(j, "gid", w->out.gid);
	json_out_unsigned(j, "umask", w->out.umask);
	json_out_open(j, "additionalGids", '[');
	for (uint32_t i = 0; i < w->out.groups.n && c->w.at; i++)
		json_out_unsigned(j, NULL, ((const uint32_t *)(c->w.at + w->out.groups.at))[i]);
	json_out_close(j, ']');
	json_out_close(j, '}');
}

static void put_caps(const struct work *w, struct json_out *j)
{
	static const char *const sets[] = { "bounding", "effective", "permitted", "inheritable", "ambient" };
	/* Without a word about capabilities root keeps all, as it does without a runtime; nobody else has any. */
	const uint64_t caps = w->out.flags & CELL_CAPS || w->out.uid ? w->out.caps : UINT64_MAX;

	json_out_open(j, "capabilities", '{');
	for (unsigned s = 0; s < sizeof sets / sizeof *sets; s++) {
		json_out_open(j, sets[s], '[');
		for (unsigned i = 0; i < CAPS_KNOWN; i++)
			if (caps >> i & 1)
				json_out_text(j, NULL, cap_name(i));
		json_out_close(j, ']');
	}
	json_out_close(j, '}');
}

static void put_rlimits(struct compiling *c, const struct work *w, struct json_out *j)
{
	static const char *const names[SPEC_RLIMITS] = {
		"RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS",
		"RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING",
		"RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
	};

	json_out_open(j, "rlimits", '[');
	for (uint32_t i = 0; i < w->out.rlimits.n && c->w.at; i++) {
		const struct plan_rlimit *l = (const struct plan_rlimit *)(c->w.at + w->out.rlimits.at) + i;

		json_out_open(j, NULL, '{');
		json_out_text(j, "type", names[l->resource]);
		json_out_unsigned(j, "soft", l->soft);
		json_out_unsigned(j, "hard", l->hard);
		json_out_close(j, '}');
	}
	json_out_close(j, ']');
}

static void put_process(struct compiling *c, const struct work *w, struct json_out *j)
{
	json_out_open(j, "process", '{');
	json_out_bool(j, "terminal", false);
	put_user(c, w, j);
	json_out_open(j, "args", '[');
	json_out_text(j, NULL, string_of(c, w->out.exe));	/* as it was found: not to be looked for again */
	put_strings(c, j, w->out.argv, 1);
	json_out_close(j, ']');
	json_out_open(j, "env", '[');
	put_strings(c, j, w->out.env, 0);
	json_out_raw(j, NULL, OCI_MARK_ENV);
	json_out_close(j, ']');
	json_out_text(j, "cwd", string_of(c, w->out.cwd));
	put_caps(w, j);
	put_rlimits(c, w, j);
	json_out_bool(j, "noNewPrivileges", w->out.flags & CELL_NNP);
	if (w->out.apparmor.n)
		json_out_text(j, "apparmorProfile", string_of(c, w->out.apparmor));
	if (w->out.selinux.n)
		json_out_text(j, "selinuxLabel", string_of(c, w->out.selinux));
	if (w->out.oom_score_adj != INT32_MIN)
		json_out_num(j, "oomScoreAdj", w->out.oom_score_adj);
	json_out_close(j, '}');
}

/* --- mounts --- */

static const struct {
	uint64_t attr;
	const char *option;
} attributes[] = {
	{ MOUNT_ATTR_RDONLY, "ro" }, { MOUNT_ATTR_NOSUID, "nosuid" }, { MOUNT_ATTR_NODEV, "nodev" },
	{ MOUNT_ATTR_NOEXEC, "noexec" },
};

/*
 * What prior lays ready for a bind has its attributes already, nosymfollow among them, which config.json has no word
 * for. A runtime that is given no word keeps them (runc); one that sets its own anyway must be told (crun, runsc).
 */
static void put_attributes(const struct work *w, struct json_out *j, const struct plan_mount *m)
{
	if (w->eff.runtime == OCI_RUNC && (m->kind == MOUNT_BIND || m->kind == MOUNT_FILE || m->kind == MOUNT_SYSFS ||
					   m->kind == MOUNT_CREDENTIALS))
		return;
	for (unsigned i = 0; i < sizeof attributes / sizeof *attributes; i++)
		if (m->attr & attributes[i].attr)
			json_out_text(j, NULL, attributes[i].option);
}

static bool is_percent(const char *option, size_t n)
{
	return n > 5 && !strncmp(option, "size=", 5) && option[n - 1] == '%';
}

/* runsc's file systems in memory know no per cent; what they take is the sandbox's, and counts in its cgroup. */
static void put_data(struct compiling *c, const struct work *w, struct json_out *j, const char *data)
{
	for (const char *o = data; *o;) {
		const size_t n = strcspn(o, ",");

		if (n && !(w->eff.runtime == OCI_RUNSC && is_percent(o, n)))
			json_out_text(j, NULL, compiling_fmt(c, "%.*s", (int)n, o));
		o += n + (o[n] == ',');
	}
}

static void put_new(struct compiling *c, const struct work *w, struct json_out *j, const struct plan_mount *m,
		    const char *type)
{
	json_out_open(j, NULL, '{');
	json_out_text(j, "destination", string_of(c, m->target));
	json_out_text(j, "type", type);
	json_out_text(j, "source", type);
	json_out_open(j, "options", '[');
	put_attributes(w, j, m);
	put_data(c, w, j, string_of(c, m->data));
	json_out_close(j, ']');
	json_out_close(j, '}');
}

/* From what the builder lays ready under the row's number: see services/cell/oci_bundle.c. */
static void put_ready(struct compiling *c, const struct work *w, struct json_out *j, const struct plan_mount *m)
{
	json_out_open(j, NULL, '{');
	json_out_text(j, "destination", string_of(c, m->target));
	json_out_text(j, "type", "bind");
	json_out_raw(j, "source", compiling_fmt(c, OCI_MARK_RUN "/oci/stage/%td", m - w->mounts));
	json_out_open(j, "options", '[');
	json_out_text(j, NULL, m->flags & MOUNT_F_REC ? "rbind" : "bind");
	put_attributes(w, j, m);
	json_out_close(j, ']');
	json_out_close(j, '}');
}

/* Whether the user's rows replace a part of a new /dev. */
static bool has_row(struct compiling *c, const struct work *w, const char *target)
{
	for (unsigned i = 0; i < w->nmounts; i++)
		if (w->mounts[i].kind != MOUNT_REMOUNT && !strcmp(string_of(c, w->mounts[i].target), target))
			return true;
	return false;
}

/* The runtime itself makes the nodes and links in it. */
static void put_dev(struct compiling *c, const struct work *w, struct json_out *j, const struct plan_mount *m)
{
	struct plan_mount dev = *m, part = { .kind = MOUNT_DEVPTS, .attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
	const char *at = string_of(c, m->target);

	dev.attr |= MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	put_new(c, w, j, &dev, "tmpfs");
	part.target = write_string(&c->w, compiling_fmt(c, "%s/pts", at));
	part.data = write_string(&c->w, "newinstance,ptmxmode=0666,mode=0620");
	if (!has_row(c, w, string_of(c, part.target)))
		put_new(c, w, j, &part, "devpts");
	part.target = write_string(&c->w, compiling_fmt(c, "%s/shm", at));
	part.data = write_string(&c->w, "mode=1777,size=64M");
	part.attr |= MOUNT_ATTR_NODEV;
	if (!has_row(c, w, string_of(c, part.target)))
		put_new(c, w, j, &part, "tmpfs");
}

static void put_mount(struct compiling *c, const struct work *w, struct json_out *j, const struct plan_mount *m)
{
	switch ((enum mount_kind)m->kind) {
	case MOUNT_BIND: case MOUNT_FILE: case MOUNT_CREDENTIALS:
		put_ready(c, w, j, m);
		return;
	case MOUNT_TMPFS:
		put_new(c, w, j, m, "tmpfs");
		return;
	case MOUNT_PROC:
		put_new(c, w, j, m, "proc");
		return;
	case MOUNT_DEVPTS:
		put_new(c, w, j, m, "devpts");
		return;
	case MOUNT_MQUEUE:
		put_new(c, w, j, m, "mqueue");
		return;
	case MOUNT_SYSFS:
		/* A new one belongs to whom the network belongs, which is not the container's user namespace. */
		if (w->eff.runtime == OCI_RUNSC)
			put_new(c, w, j, m, "sysfs");
		else
			put_ready(c, w, j, m);
		return;
	case MOUNT_CGROUP2:
		put_new(c, w, j, m, "cgroup");
		return;
	case MOUNT_DEV:
		put_dev(c, w, j, m);
		return;
	case MOUNT_REMOUNT: case MOUNT_INACCESSIBLE: case MOUNT_KINDS:
		return;
	}
}

static void put_mounts(struct compiling *c, const struct work *w, struct json_out *j)
{
	bool root_is_readonly = false;

	for (unsigned i = 0; i < w->nmounts; i++)
		root_is_readonly |= w->mounts[i].kind == MOUNT_REMOUNT && w->mounts[i].attr & MOUNT_ATTR_RDONLY &&
				    !strcmp(string_of(c, w->mounts[i].target), "/");
	json_out_open(j, "root", '{');
	json_out_raw(j, "path", OCI_MARK_RUN "/oci/stage/rootfs");
	json_out_bool(j, "readonly", root_is_readonly);
	json_out_close(j, '}');
	if (w->out.flags & CELL_UTS)
		json_out_text(j, "hostname", string_of(c, w->out.hostname));
	json_out_open(j, "mounts", '[');
	for (unsigned i = 0; i < w->nmounts; i++)
		put_mount(c, w, j, &w->mounts[i]);
	json_out_close(j, ']');
}

/* --- linux --- */

static void put_namespaces(const struct work *w, struct json_out *j)
{
	static const struct {
		uint32_t flag;
		const char *type;
	} spaces[] = {
		{ CELL_MOUNT, "mount" }, { CELL_PID, "pid" }, { CELL_IPC, "ipc" }, { CELL_UTS, "uts" },
		{ CELL_CGROUP, "cgroup" }, { CELL_USER, "user" },
	};

	json_out_open(j, "namespaces", '[');
	for (unsigned i = 0; i < sizeof spaces / sizeof *spaces; i++) {
		if (!(w->out.flags & spaces[i].flag))
			continue;
		json_out_open(j, NULL, '{');
		json_out_text(j, "type", spaces[i].type);
		json_out_close(j, '}');
	}
	json_out_close(j, ']');
}

static void put_map(struct json_out *j, uint64_t inside, uint64_t outside)
{
	json_out_open(j, NULL, '{');
	json_out_unsigned(j, "containerID", inside);
	json_out_unsigned(j, "hostID", outside);
	json_out_num(j, "size", 1);
	json_out_close(j, '}');
}

/*
 * The service's own ids, one to one. A runtime works as uid 0 of the namespace while it sets it up, so that there must
 * be one: an id that owns nothing in the machine. The machine's root is never mapped.
 */
static void put_maps(struct compiling *c, const struct work *w, struct json_out *j)
{
	const uint32_t *g = (const uint32_t *)(c->w.at + w->out.groups.at);
	uint32_t nobody = OCI_ROOT_ID;

	if (!(w->out.flags & CELL_USER) || !c->w.at)
		return;
	json_out_open(j, "uidMappings", '[');
	put_map(j, 0, w->out.uid == nobody ? nobody - 1 : nobody);
	put_map(j, w->out.uid, w->out.uid);
	json_out_close(j, ']');
	for (uint32_t i = 0; i < w->out.groups.n; i++)
		nobody -= g[i] == nobody;
	json_out_open(j, "gidMappings", '[');
	put_map(j, 0, w->out.gid == nobody ? nobody - 1 : nobody);
	put_map(j, w->out.gid, w->out.gid);
	for (uint32_t i = 0; i < w->out.groups.n; i++)
		if (g[i] != w->out.gid && g[i] != 0)
			put_map(j, g[i], g[i]);
	json_out_close(j, ']');
}

static void put_paths(struct compiling *c, const struct work *w, struct json_out *j)
{
	json_out_open(j, "maskedPaths", '[');
	for (unsigned i = 0; i < w->nmounts; i++)
		if (w->mounts[i].kind == MOUNT_INACCESSIBLE)
			json_out_text(j, NULL, string_of(c, w->mounts[i].target));
	json_out_close(j, ']');
	json_out_open(j, "readonlyPaths", '[');
	for (unsigned i = 0; i < w->nmounts; i++)
		if (w->mounts[i].kind == MOUNT_REMOUNT && w->mounts[i].attr & MOUNT_ATTR_RDONLY &&
		    strcmp(string_of(c, w->mounts[i].target), "/") != 0)
			json_out_text(j, NULL, string_of(c, w->mounts[i].target));
	json_out_close(j, ']');
}

/* runc filters devices by number: what was asked for by name must pass. */
static void put_devices(struct compiling *c, const struct work *w, struct json_out *j)
{
	json_out_open(j, "resources", '{');
	json_out_open(j, "devices", '[');
	for (unsigned i = 0; i < w->nmounts; i++) {
		struct stat st;

		if (w->mounts[i].kind != MOUNT_BIND || stat(string_of(c, w->mounts[i].source), &st) < 0 ||
		    (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)))
			continue;
		json_out_open(j, NULL, '{');
		json_out_bool(j, "allow", true);
		json_out_text(j, "type", S_ISCHR(st.st_mode) ? "c" : "b");
		json_out_num(j, "major", (int64_t)(st.st_rdev >> 8 & 0xfff));
		json_out_num(j, "minor", (int64_t)((st.st_rdev & 0xff) | (st.st_rdev >> 12 & 0xfff00)));
		json_out_text(j, "access", w->mounts[i].attr & MOUNT_ATTR_RDONLY ? "r" : "rw");
		json_out_close(j, '}');
	}
	json_out_close(j, ']');
	json_out_close(j, '}');
}

static int put_linux(struct compiling *c, struct work *w, struct json_out *j, struct err *e)
{
	struct policy *p = compiling_get(c, sizeof *p);

	json_out_open(j, "linux", '{');
	put_namespaces(w, j);
	put_maps(c, w, j);
	put_paths(c, w, j);
	if (w->eff.runtime == OCI_RUNC) {
		json_out_raw(j, "cgroupsPath", OCI_MARK_CGROUP "/" OCI_RUNC_LEAF);
		put_devices(c, w, j);
	}
	if (w->out.flags & CELL_SECCOMP && p &&
	    (filter_policy(c, w, p, e) < 0 || policy_oci(p, j, w->out.flags & CELL_SECCOMP_LOG, e) < 0))
		return -e->code;
	json_out_close(j, '}');
	return 0;
}

static int put_all(struct compiling *c, struct work *w, struct json_out *j, struct err *e)
{
	json_out_open(j, NULL, '{');
	json_out_text(j, "ociVersion", "1.0.2");
	put_process(c, w, j);
	put_mounts(c, w, j);
	if (put_linux(c, w, j, e) < 0)
		return -e->code;
	json_out_close(j, '}');
	return 0;
}

void compile_oci(struct compiling *c, struct work *w)
{
	struct json_out j = { .at = NULL };
	struct err e = { 0 };

	if (w->eff.runtime == OCI_NONE)
		return;
	const char *name = oci_runtimes[w->eff.runtime], *path = find_runtime(c, name);

	if (!path)
		refuse(c, w, runtime, "security.runtime: %s is not installed (looked in /usr/local/sbin, "
		       "/usr/local/bin, /usr/sbin, /usr/bin, /sbin and /bin)", name);
	if (!c->f->is_root || !c->f->can_namespaces || !c->f->can_mount)
		refuse(c, w, runtime, "security.runtime: %s: only root starts it, where namespaces and mounts can be "
		       "made", name);
	if (!(w->out.flags & CELL_MOUNT))
		refuse(c, w, runtime, "security.runtime: %s: a container has mounts of its own: isolation.mount must "
		       "not be false", name);
	oci_judge(c, w);
	if (w->refused)
		return;
	if (put_all(c, w, &j, &e) < 0)
		refuse(c, w, runtime, "security.runtime: %s: %s", name, e.text);
	c->no_memory |= j.failed;
	w->out.runtime = write_string(&c->w, path);
	w->out.runtime_kind = w->eff.runtime;
	w->out.bundle = write_string_n(&c->w, j.at, j.n);
	free(j.at);
}
