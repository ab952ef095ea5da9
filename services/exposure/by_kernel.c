/* What the kernel says about the exposure of a running process. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "init/base/text.h"
#include "rootfs/mount.h"
#include "rootfs/mountinfo.h"
#include "services/cell/attest_inner.h"
#include "services/cell/root.h"
#include "services/exposure/exposure.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define MOUNTS_MAX 4608
#define STRINGS_MAX (1u << 20)

/* One look under way. */
struct look {
	struct exposed *x;
	pid_t pid;
	int dir, self;			/* O_PATH: procfs/PID, procfs/self */
	char *room;			/* FILE_ROOM bytes */
	struct text strings;		/* what the mounts point into */
	struct mount_id {
		unsigned major, minor;
		const char *root;
	} *ids;				/* of each mount */
};

static uint64_t number(const char *status, const char *key, unsigned base)
{
	size_t n;
	const char *v = status_find(status, status, key, &n);

	return v ? digits(&v, base) : 0;
}

static void status_facts(struct exposed *x, const char *status)
{
	size_t n = 0;
	const char *groups = status_find(status, status, "Groups", &n), *end = groups ? groups + n : NULL;

	x->uid = (uint32_t)number(status, "Uid", 10);
	x->gid = (uint32_t)number(status, "Gid", 10);
	x->umask = (uint32_t)number(status, "Umask", 8);
	x->bounding = number(status, "CapBnd", 16);
	x->ambient = number(status, "CapAmb", 16);
	x->no_new_privs = number(status, "NoNewPrivs", 10);
	while (groups && groups < end)
		x->more_groups |= digits(&groups, 10) != x->gid;
}

/* Ours, as the service was started under it. When it may not be read, it counts as none. */
static int filter_facts(struct look *l, const char *status, int before, struct err *e)
{
	struct sock_filter *f = (void *)l->room;
	const int n = number(status, "Seccomp", 10) == 2 ? filter_read_running(l->pid, before, f) : 0;

	if (n <= 0)
		return 0;
	l->x->filter = l->x->owned[0] = malloc((size_t)n * sizeof *f);
	if (!l->x->filter)
		return err_set(e, ENOMEM, "memory for a filter");
	memcpy(l->x->owned[0], f, (size_t)n * sizeof *f);
	l->x->nfilter = (unsigned)n;
	return 0;
}

static int each_own(void *ctx, const struct mountinfo *m, struct err *e)
{
	struct look *l = ctx;
	struct exposed_mount *to = &l->x->mounts[l->x->nmounts];

	if (l->x->nmounts == MOUNTS_MAX)
		return err_set(e, EOVERFLOW, "more than %d mounts", MOUNTS_MAX);
	*to = (struct exposed_mount){ .target = text_keep(&l->strings, m->target),
				      .type = text_keep(&l->strings, m->type),
				      .options = text_keep(&l->strings, m->options), .attr = m->attr };
	l->ids[l->x->nmounts] = (struct mount_id){ m->major, m->minor, text_keep(&l->strings, m->root) };
	if (!l->ids[l->x->nmounts].root)
		return err_set(e, EOVERFLOW, "the mounts' names are longer than %u bytes", STRINGS_MAX);
	l->x->nmounts++;
	return 0;
}

static bool is_device_node(const char *target)
{
	for (const char *const *n = dev_nodes; *n; n++)
		if (!strncmp(target, "/dev/", 5) && !strcmp(target + 5, *n))
			return true;
	return false;
}

/* What comes behind dir in a path at or below it; "": nothing. */
static const char *behind(const char *path, const char *dir)
{
	const char *rest = path + (strcmp(dir, "/") ? strlen(dir) : 0);

	return strcmp(rest, "/") ? rest : "";
}

/* Does part `own` of a file system, on target, show what the machine's mount of `part` on `at` shows there? */
static bool is_same_place(const char *target, const char *own, const char *at, const char *part)
{
	return path_is_at_or_below(target, at) && path_is_at_or_below(own, part) &&
	       !strcmp(behind(target, at), behind(own, part));
}

/* The machine has the same there; or another part of the same file system, which then was brought in. */
static int each_machines(void *ctx, const struct mountinfo *m, struct err *e)
{
	struct look *l = ctx;

	(void)e;
	for (unsigned i = 0; i < l->x->nmounts; i++) {
		struct exposed_mount *own = &l->x->mounts[i];

		if (l->ids[i].major != m->major || l->ids[i].minor != m->minor)
			continue;
		own->machines |= is_same_place(own->target, l->ids[i].root, m->target, m->root);
		own->volume |= strcmp(own->target, "/") != 0 && !is_device_node(own->target);
	}
	return 0;
}

/* A folder or file without any permission, in the service's root. */
static bool is_cover(int root, const char *path)
{
	owned_fd fd = sys_openat2(root, path, O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && !(st.st_mode & 0777);
}

static int each_of(struct look *l, int dir, mountinfo_fn *each, struct err *e)
{
	owned_fd fd = openat(dir, "mountinfo", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "mountinfo") : mountinfo_in(fd, l->room, FILE_ROOM, each, l, e);
}

static int mount_facts(struct look *l, struct err *e)
{
	struct exposed *x = l->x;

	x->mounts = x->owned[1] = calloc(MOUNTS_MAX, sizeof *x->mounts);
	l->strings = (struct text){ .at = x->owned[2] = malloc(STRINGS_MAX), .size = STRINGS_MAX };
	if (!x->mounts || !l->strings.at)
		return err_set(e, ENOMEM, "memory for mounts");
	if (each_of(l, l->dir, each_own, e) < 0 || each_of(l, l->self, each_machines, e) < 0)
		return -e->code;
	for (struct exposed_mount *m = x->mounts; m < x->mounts + x->nmounts; m++) {
		m->covered = !m->machines && strcmp(m->target, "/") != 0 && is_cover(x->root, m->target);
		m->volume &= !m->machines && !m->covered;
	}
	const struct exposed_mount *root = exposed_at(x, "/");

	x->root_tree = root && !root->machines;
	return 0;
}

/* "  lo: 0 0 ..." after two lines of headings. */
static bool has_only_loopback(struct look *l)
{
	struct err e;
	const char *line = l->room;

	if (file_read(l->dir, "net/dev", l->room, FILE_ROOM, &e) < 0)
		return false;
	for (int n = 0; *line; n++, line += strcspn(line, "\n"), line += *line == '\n')
		if (n >= 2 && strncmp(line + strspn(line, " "), "lo:", 3) != 0)
			return false;
	return true;
}

static bool maps_root(struct look *l)
{
	struct err e;
	unsigned inside, outside, count;
	char *save = NULL;

	if (file_read(l->dir, "uid_map", l->room, FILE_ROOM, &e) < 0)
		return true;
	for (char *line = strtok_r(l->room, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%u %u %u", &inside, &outside, &count) != 3 || outside == 0)
			return true;
	return false;
}

/* None of its namespaces belongs to its own user namespace. */
static bool caps_are_inert(struct look *l)
{
	static const char *const others[] = { "ns/mnt", "ns/pid", "ns/net", "ns/ipc", "ns/uts", "ns/cgroup" };
	struct stat user, owner;

	if (fstatat(l->dir, "ns/user", &user, 0) < 0)
		return false;
	for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
		owned_fd ns = openat(l->dir, others[i], O_RDONLY | O_CLOEXEC);
		owned_fd of = ns < 0 ? FD_NONE : ioctl(ns, NS_GET_USERNS);

		if (of < 0 || fstat(of, &owner) < 0 || owner.st_ino == user.st_ino)
			return false;
	}
	return true;
}

static bool is_limited(int leaf, const char *file)
{
	struct err e;
	char text[64];

	return file_read(leaf, file, text, sizeof text, &e) > 0 && strncmp(text, "max", 3) != 0;
}

/* Some program is asked about devices, here or further up. */
static bool has_device_program(int leaf)
{
	union bpf_attr a;

	memset(&a, 0, sizeof a);
	a.query.target_fd = (uint32_t)leaf;
	a.query.attach_type = BPF_CGROUP_DEVICE;
	a.query.query_flags = BPF_F_QUERY_EFFECTIVE;
	return syscall(SYS_bpf, BPF_PROG_QUERY, &a, sizeof a) == 0 && a.query.prog_cnt > 0;
}

static void cgroup_facts(struct look *l, const char *root)
{
	char path[4600];
	struct err e;
	struct stat st;

	if (file_read(l->dir, "cgroup", l->room, FILE_ROOM, &e) < 0)
		return;
	const char *line = strstr(l->room, "0::");

	while (line && line != l->room && line[-1] != '\n')
		line = strstr(line + 1, "0::");
	if (!line || snprintf(path, sizeof path, "%s%.*s", root, (int)strcspn(line + 3, "\n"), line + 3) >=
	    (int)sizeof path)
		return;
	owned_fd leaf = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (leaf < 0)
		return;
	l->x->owns_cgroup = l->x->uid != 0 && fstatat(leaf, "cgroup.procs", &st, 0) == 0 && st.st_uid == l->x->uid;
	l->x->pids_limit = is_limited(leaf, "pids.max");
	l->x->memory_limit = is_limited(leaf, "memory.max");
	l->x->device_program = has_device_program(leaf);
}

/* From the table: asking about one limit takes a capability that not everybody has. */
static bool dumps_core(struct look *l)
{
	static const char name[] = "Max core file size";
	struct err e;
	const char *line = file_read(l->dir, "limits", l->room, FILE_ROOM, &e) < 0 ? NULL : strstr(l->room, name);

	if (!line)
		return true;
	line += sizeof name - 1;
	line += strspn(line, " ");
	return line[0] != '0' || line[1] != ' ';
}

static int look_at(struct look *l, const struct plan *p, const struct plan_service *s, struct err *e)
{
	struct exposed *x = l->x;
	struct attest_ref machine = { .filled = false };
	uint64_t theirs[SPACES];
	char status[STATUS_ROOM];

	if (attest_look(&machine, l->self, e) < 0 || spaces_of(l->dir, theirs, e) < 0 ||
	    file_read(l->dir, "status", status, sizeof status, e) < 0)
		return -e->code;
	status_facts(x, status);
	x->spaces = spaces_own(theirs, machine.machine);
	x->root = x->owned_root = openat(l->dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (x->root < 0)
		return err_sys(e, "its root");
	if (filter_facts(l, status, machine.filters, e) < 0 || mount_facts(l, e) < 0)
		return -e->code;
	x->only_loopback = has_only_loopback(l);
	x->maps_root = maps_root(l);
	x->inert_caps = x->spaces & CELL_USER && caps_are_inert(l);
	x->core_dumps = dumps_core(l);
	cgroup_facts(l, s->cgroup_root.at ? plan_str(p, s->cgroup_root) : "/sys/fs/cgroup");
	return 0;
}

int exposed_by_kernel(struct exposed *x, const struct plan *p, const struct plan_service *s, pid_t pid, int procfs,
		      struct err *e)
{
	struct look l = { .x = x, .pid = pid };
	char name[16];

	*x = (struct exposed){ .arch = p->head->arch, .any_may_notify = any_may_notify(s), .seen = true,
			       .root = FD_NONE, .owned_root = FD_NONE };
	snprintf(name, sizeof name, "%d", (int)pid);
	owned_fd dir = openat(procfs, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	owned_fd self = openat(procfs, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || self < 0)
		return err_sys(e, "procfs of pid %s", name);
	l.dir = dir;
	l.self = self;
	l.room = malloc(FILE_ROOM);
	l.ids = calloc(MOUNTS_MAX, sizeof *l.ids);
	int ret = l.room && l.ids ? look_at(&l, p, s, e) : err_set(e, ENOMEM, "memory to look at pid %s", name);

	free(l.room);
	free(l.ids);
	if (ret < 0)
		exposed_free(x);
	return ret;
}
