/* The bundle on disk, and what it names laid ready in the builder's own mounts: see oci.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sum.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "rootfs/mount.h"
#include "services/cell/oci.h"
#include "services/cell/root.h"
#include "services/cell/steps.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int oci_paths(struct oci_paths *o, const char *run_dir, const char *service, struct err *e)
{
	const struct {
		char *at;
		const char *below, *name;
	} rows[] = {
		{ o->run, "", "" }, { o->state, "/oci/state", "" }, { o->bundle, "/bundles/", service },
	};

	for (const char *p = run_dir; p == run_dir || *p; p++)
		if (*run_dir != '/' || *p == '"' || *p == '\\' || (unsigned char)*p < ' ' || (unsigned char)*p > '~')
			return err_set(e, EINVAL, "the run directory %s: for an OCI runtime it must be an absolute "
				       "path of plain characters", run_dir);
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct text t = { .at = rows[i].at, .size = OCI_PATH };

		text_fmt(&t, "%s%s%s", run_dir, rows[i].below, rows[i].name);
		if (t.cut || t.n > OCI_PATH - 16)
			return err_set(e, ENAMETOOLONG, "the run directory %s: too long", run_dir);
	}
	snprintf(o->log, OCI_PATH, "%.240s/log", o->bundle);
	snprintf(o->pid_file, OCI_PATH, "%.240s/pid", o->bundle);
	/* runsc's names of sockets are the machine's: two supervisors may each have a service of this name. */
	snprintf(o->id, sizeof o->id, "%.64s-%08x", service, (unsigned)sum_more(SUM_START, run_dir, strlen(run_dir)));
	for (char *at = o->id; *at; at++)	/* a template's instance: runtimes take no '@' in a name */
		if (*at == '@')
			*at = '+';
	return 0;
}

static int make_dir(const char *run, const char *below, mode_t mode, struct err *e)
{
	char path[OCI_PATH + 32];
	struct stat st;

	snprintf(path, sizeof path, "%s%s", run, below);
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", path);
	if (lstat(path, &st) < 0 || chmod(path, mode) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return err_set(e, EPERM, "%s: not a directory of root's", path);
	return 0;
}

static int make_dirs(const struct oci_paths *o, struct err *e)
{
	/* A user namespace's root must get to the stage, and nowhere else. */
	if (make_dir(o->run, "/oci", 0711, e) < 0 || make_dir(o->run, "/oci/state", 0700, e) < 0 ||
	    make_dir(o->run, "/oci/stage", 0755, e) < 0 || make_dir(o->run, "/bundles", 0700, e) < 0)
		return -e->code;
	return make_dir(o->bundle, "", 0700, e);
}

static int open_stage(struct cell *c, const struct oci_paths *o, struct err *e)
{
	char path[OCI_PATH + 32];

	snprintf(path, sizeof path, "%s/oci/stage", o->run);
	owned_fd at = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	owned_fd fd = at < 0 ? FD_NONE : mount_new("tmpfs", "size=1M,mode=0755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
						   e);

	if (at < 0)
		return err_sys(e, "%s", path);
	if (fd < 0 || mount_attach(fd, at, path, e) < 0)
		return -e->code;
	c->scratch = fd_take(&fd);
	return 0;
}

/* The root of the service as one mount at stage/rootfs, with the machine's mounts when it is the machine's. */
static int stage_root(struct cell *c, struct err *e)
{
	const char *path = has(c, CELL_ROOT_TREE) ? plan_str(c->plan, c->svc->root) : "/";
	owned_fd root = has(c, CELL_ROOT_IMAGE) ? root_from_image(c, e) : root_of(path, e);
	struct stat st;

	if (root < 0)
		return root;
	if (mkdirat(c->scratch, "rootfs", 0755) < 0 || sys_fstat(root, &st) < 0)
		return err_sys(e, "root %s", path);
	c->root_id = (struct file_id){ st.st_dev, st.st_ino };
	owned_fd place = openat(c->scratch, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (mount_attach(root, place, "the stage", e) < 0)
		return err_in(e, "root %s", path);
	c->root = fd_take(&root);
	return has(c, CELL_ROOT_TREE) ? 0 : root_copy_machine(c, e);
}

/* What is laid over a place by the bundle gets its attributes there. */
static bool is_covered_before(const struct cell *c, const struct plan_mount *row)
{
	for (const struct plan_mount *m = PLAN_FIRST(c->plan, c->svc->mounts, struct plan_mount); m < row; m++)
		if (m->kind != MOUNT_REMOUNT &&
		    path_is_at_or_below(plan_str(c->plan, row->target), plan_str(c->plan, m->target)))
			return true;
	return false;
}

/* A row that changes attributes of the root, recursively as config.json cannot. */
static int stage_attributes(struct cell *c, const struct plan_mount *m, struct err *e)
{
	struct plan_mount row = *m;
	const char *path = plan_str(c->plan, m->target);

	/* An image becomes read-only when the runtime has made the mount points that it lacks. */
	if (has(c, CELL_ROOT_TREE) && !strcmp(path, "/"))
		row.attr &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	if (is_covered_before(c, m) || (!row.attr && !row.clear))
		return 0;
	owned_fd target = below_open(c->root, path, e);

	if (target < 0)
		return e->code == ENOENT && m->flags & MOUNT_F_OPTIONAL ? 0 : target;
	return root_remount(c, &row, target, e);
}

/* Runtimes cover with what can be listed, and runsc not at all: what lies in the root is covered here. */
static int stage_cover(struct cell *c, const struct plan_mount *m, struct err *e)
{
	const char *path = plan_str(c->plan, m->target);

	if (is_covered_before(c, m))
		return 0;
	owned_fd target = below_open(c->root, path, e);

	if (target < 0)
		return e->code == ENOENT && m->flags & MOUNT_F_OPTIONAL ? 0 : target;
	owned_fd cover = root_cover(c, m, target, e);

	return cover < 0 ? cover : mount_attach(cover, target, path, e);
}

static int stage_bind(struct cell *c, const struct plan_mount *m, const char *name, struct err *e)
{
	owned_fd source = root_open_source(c, m, e);
	struct stat st;

	if (source < 0)
		return source;
	if (sys_fstat(source, &st) < 0)
		return err_sys(e, "source %s", plan_str(c->plan, m->source));
	if (S_ISDIR(st.st_mode) ? mkdirat(c->scratch, name, 0755) < 0
				: mknodat(c->scratch, name, S_IFREG | 0444, 0) < 0)
		return err_sys(e, "stage %s", name);
	owned_fd place = openat(c->scratch, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	owned_fd copy = place < 0 ? FD_NONE : mount_copy(source, m->flags & MOUNT_F_REC, m->attr, e);

	if (place < 0)
		return err_sys(e, "stage %s", name);
	return copy < 0 ? copy : mount_attach(copy, place, name, e);
}

/* A sysfs is made here, where the network is the service's already; the secrets are prior's to read. */
static int stage_new(struct cell *c, const struct plan_mount *m, const char *name, struct err *e)
{
	if (mkdirat(c->scratch, name, 0755) < 0)
		return err_sys(e, "stage %s", name);
	owned_fd place = openat(c->scratch, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (place < 0)
		return err_sys(e, "stage %s", name);
	owned_fd fd = m->kind == MOUNT_SYSFS ? mount_new("sysfs", NULL, m->attr, e) : root_secrets(c, m, place, e);

	return fd < 0 ? fd : mount_attach(fd, place, name, e);
}

static int stage_file(struct cell *c, const struct plan_mount *m, const char *name, struct err *e)
{
	owned_fd fd = openat(c->scratch, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const char *text = plan_str(c->plan, m->data);

	if (fd < 0 || write(fd, text, m->data.n) != (ssize_t)m->data.n || fchmod(fd, 0444) < 0)
		return err_sys(e, "stage %s", name);
	return 0;
}

static int stage_row(struct cell *c, const struct plan_mount *m, struct err *e)
{
	char name[24];

	snprintf(name, sizeof name, "%td", m - PLAN_FIRST(c->plan, c->svc->mounts, struct plan_mount));
	switch ((enum mount_kind)m->kind) {
	case MOUNT_REMOUNT:
		return stage_attributes(c, m, e);
	case MOUNT_INACCESSIBLE:
		return stage_cover(c, m, e);
	case MOUNT_BIND:
		return stage_bind(c, m, name, e);
	case MOUNT_FILE:
		return stage_file(c, m, name, e);
	case MOUNT_SYSFS:
		return c->svc->runtime_kind == OCI_RUNSC ? 0 : stage_new(c, m, name, e);
	case MOUNT_CREDENTIALS:
		return stage_new(c, m, name, e);
	case MOUNT_TMPFS: case MOUNT_PROC: case MOUNT_DEVPTS: case MOUNT_MQUEUE: case MOUNT_DEV: case MOUNT_CGROUP2:
	case MOUNT_KINDS:
		return 0;	/* the runtime's to make */
	}
	return 0;
}

int oci_stage(struct cell *c, const struct oci_paths *o, struct err *e)
{
	if (make_dirs(o, e) < 0 || step_private(c, e) < 0 || open_stage(c, o, e) < 0 || stage_root(c, e) < 0)
		return -e->code;
	PLAN_EACH(struct plan_mount, m, c->plan, c->svc->mounts)
		if (stage_row(c, m, e) < 0)
			return err_in(e, "%s on %s", mount_kinds[m->kind].name, plan_str(c->plan, m->target));
	return 0;
}

/* --- config.json --- */

static int put(int fd, const char *at, size_t n, struct err *e)
{
	while (n) {
		const ssize_t did = write(fd, at, n);

		if (did < 0)
			return err_sys(e, "config.json");
		at += did;
		n -= (size_t)did;
	}
	return 0;
}

/* The leaf, as the machine's cgroup2 calls it. */
static int put_cgroup(struct cell *c, int fd, struct err *e)
{
	char text[4096];

	if (file_read(c->machine_proc, "self/cgroup", text, sizeof text, e) < 0)
		return -e->code;
	char *line = !strncmp(text, "0::", 3) ? text : strstr(text, "\n0::");

	if (!line)
		return 0;
	line += line == text ? 3 : 4;
	const size_t n = strcspn(line, "\n");

	return n == 1 ? 0 : put(fd, line, n, e);
}

/* KEY=VALUE as further strings of a list that we are in, inside the first one's quotes. */
static int put_variables(struct cell *c, int fd, struct err *e)
{
	static const char *const kinds[OCI_RUNTIMES] = { "", "container=runsc", "container=crun", "container=runc" };
	char own[OWN_TEXT], quoted[6 * CELL_FDS_MAX * 256 + 64], *v[OWN_VARIABLES + 1] = { NULL };
	const char *kind = kinds[c->svc->runtime_kind];

	own_variables(c, 1, own, v);
	if (put(fd, kind, strlen(kind), e) < 0)
		return -e->code;
	for (unsigned i = 0; v[i]; i++) {
		struct text t = TEXT_IN(quoted);

		text_add(&t, "\", ");
		text_json(&t, v[i], strlen(v[i]));
		if (t.cut || put(fd, quoted, t.n - 1, e) < 0)
			return t.cut ? err_set(e, ENAMETOOLONG, "the names of its sockets are too long") : -e->code;
	}
	return 0;
}

static int put_mark(struct cell *c, const struct oci_paths *o, int fd, char mark, struct err *e)
{
	if (mark == OCI_MARK_RUN[0])
		return put(fd, o->run, strlen(o->run), e);
	return mark == OCI_MARK_CGROUP[0] ? put_cgroup(c, fd, e) : put_variables(c, fd, e);
}

int oci_write(struct cell *c, const struct oci_paths *o, struct err *e)
{
	const char *at = plan_str(c->plan, c->svc->bundle), *end = at + c->svc->bundle.n;
	char path[OCI_PATH + 16];

	snprintf(path, sizeof path, "%s/config.json", o->bundle);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(e, "%s", path);
	owned_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "%s", path);
	while (at < end) {
		const size_t n = strcspn(at, OCI_MARK_RUN OCI_MARK_CGROUP OCI_MARK_ENV);

		if (put(fd, at, n, e) < 0 || (at + n < end && put_mark(c, o, fd, at[n], e) < 0))
			return err_in(e, "%s", o->bundle);
		at += n + 1;
	}
	return 0;
}
