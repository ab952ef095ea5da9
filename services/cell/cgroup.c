/* The leaf: a service's own cgroup2 directory, its limits, its end. All by descriptor. */
/* SPDX-License-Identifier: ISC */
#include "init/base/dir.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/cell/inner.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

int cgroup_open_root(const char *path, int *root_fd, struct err *e)
{
	owned_fd fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return err_sys(e, "cgroup %s", path);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return err_set(e, ENODEV, "cgroup %s: not a cgroup2 file system", path);
	if (faccessat(fd, "cgroup.procs", W_OK, 0) < 0)
		return err_sys(e, "cgroup %s: not ours to write", path);
	*root_fd = fd_take(&fd);
	return 0;
}

/* The kernel rounds bytes down to pages, and prefixes some values with "default". Anything else is another limit. */
bool cgroup_took(const char *want, const char *got)
{
	char *end_want, *end_got;

	if (!strcmp(want, got))
		return true;
	if (!strncmp(got, "default ", 8))
		return cgroup_took(want, got + 8);
	const unsigned long long w = strtoull(want, &end_want, 10), g = strtoull(got, &end_got, 10);

	return end_want != want && end_got != got && !*end_want && !*end_got && g <= w &&
	       w - g < (unsigned long long)sysconf(_SC_PAGESIZE);
}

/* "+cpu" for "cpu.max" into the directory above: the first limit of its kind brings its controller. */
static int enable_for(int root_fd, const char *file)
{
	char word[32];
	struct text t = TEXT_IN(word);
	struct err unused;

	text_add(&t, "+");
	text_add_n(&t, file, strcspn(file, "."));
	return file_write(root_fd, "cgroup.subtree_control", word, &unused);
}

static int write_limit(int root_fd, int leaf, const char *file, const char *value, struct err *e)
{
	char got[256];
	int rc = file_write(leaf, file, value, e);

	if (rc == -ENOENT && enable_for(root_fd, file) == 0)
		rc = file_write(leaf, file, value, e);
	if (rc < 0)
		return e->code == ENOENT ? err_set(e, ENOENT, "%s: no such limit here: this cgroup2 does not "
						   "delegate the controller", file) : -e->code;
	const ssize_t n = file_read(leaf, file, got, sizeof got, e);

	if (n < 0)
		return (int)n;
	if (n > 0 && got[n - 1] == '\n')
		got[n - 1] = '\0';
	if (!cgroup_took(value, got))
		return err_set(e, EINVAL, "%s: wrote '%.60s', the kernel says '%.60s'", file, value, got);
	return 0;
}

/* A leaf of that name is one that a stopped service left; one with processes in it is not ours to take. */
static int make_leaf(int root_fd, const char *name, struct err *e)
{
	if (mkdirat(root_fd, name, 0755) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "make it");
	if (cgroup_remove(root_fd, name, e) < 0)
		return err_in(e, "it exists already");
	return mkdirat(root_fd, name, 0755) < 0 ? err_sys(e, "make it") : 0;
}

int cgroup_make(int root_fd, const char *name, const struct plan *p, struct plan_ref files, int *leaf_fd, struct err *e)
{
	if (make_leaf(root_fd, name, e) < 0)
		return err_in(e, "cgroup %s", name);
	owned_fd leaf = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct err gone;

	if (leaf < 0) {
		err_sys(e, "cgroup %s", name);
		cgroup_remove(root_fd, name, &gone);
		return -e->code;
	}
	PLAN_EACH(struct plan_file, f, p, files)
		if (write_limit(root_fd, leaf, plan_str(p, f->path), plan_str(p, f->value), e) < 0) {
			cgroup_remove(root_fd, name, &gone);
			return err_in(e, "cgroup %s", name);
		}
	*leaf_fd = fd_take(&leaf);
	return 0;
}

/* Only bytes are rounded, to whole pages: nothing else need be read once more. */
void cgroup_rounded(int leaf_fd, const struct plan *p, struct plan_ref files, struct text *t)
{
	const unsigned long long page = (unsigned long long)sysconf(_SC_PAGESIZE);
	struct err lost;
	char got[64], *end;

	PLAN_EACH(struct plan_file, f, p, files) {
		const char *file = plan_str(p, f->path), *want = plan_str(p, f->value);

		if (strncmp(file, "memory.", 7) != 0 || strtoull(want, &end, 10) % page == 0 || *end)
			continue;
		if (file_read(leaf_fd, file, got, sizeof got, &lost) <= 0)
			continue;
		got[strcspn(got, "\n")] = '\0';
		text_fmt(t, "%s%s: %s became %s", t->n ? ", " : "", file, want, got);
	}
}

int cgroup_kill(int leaf_fd, struct err *e)
{
	return file_write(leaf_fd, "cgroup.kill", "1", e);
}

int cgroup_populated(int leaf_fd, struct err *e)
{
	char text[256];

	if (file_read(leaf_fd, "cgroup.events", text, sizeof text, e) < 0)
		return -e->code;
	return strstr(text, "populated 1") != NULL;
}

int cgroup_watch(int leaf_fd, int *events_fd, struct err *e)
{
	const int fd = openat(leaf_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cgroup.events");
	*events_fd = fd;
	return 0;
}

/* The first directory in dir; false when there is none. */
static bool first_folder(int dir, char name[NAME_MAX + 1])
{
	char buf[8192] __attribute__((aligned(8)));
	struct dir_scan s = { .fd = dir, .room = buf, .size = sizeof buf };
	const struct dir_entry *d;

	while ((d = dir_next(&s))) {
		if (d->type != DIR_ENTRY_FOLDER)
			continue;
		strncpy(name, d->name, NAME_MAX);
		name[NAME_MAX] = '\0';
		return true;
	}
	return false;
}

/* Remove the first directory below top that has none in it. 1: done, 0: none. Depth costs time, never stack. */
static int remove_one_below(int root_fd, const char *top, struct err *e)
{
	char name[NAME_MAX + 1], next[NAME_MAX + 1];
	owned_fd above = openat(root_fd, top, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (above < 0 || !first_folder(above, name))
		return 0;
	for (;;) {
		owned_fd dir = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (dir < 0 || !first_folder(dir, next))
			break;
		fd_put(&above, fd_take(&dir));
		memcpy(name, next, sizeof name);
	}
	return unlinkat(above, name, AT_REMOVEDIR) < 0 ? err_sys(e, "%s", name) : 1;
}

int cgroup_remove(int root_fd, const char *name, struct err *e)
{
	if (unlinkat(root_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	for (;;) {
		const int more = remove_one_below(root_fd, name, e);

		if (more < 0)
			return err_in(e, "remove cgroup %s", name);
		if (more == 0)
			break;
	}
	if (unlinkat(root_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, "remove cgroup %s", name);
	return 0;
}

int cgroup_read_u64(int leaf_fd, const char *file, uint64_t *v)
{
	char path[64], text[4096];
	const size_t n = strcspn(file, ":");
	struct err e;

	if (n >= sizeof path)
		return -EINVAL;
	memcpy(path, file, n);
	path[n] = '\0';
	if (file_read(leaf_fd, path, text, sizeof text, &e) < 0)
		return -e.code;
	const char *at = text;

	if (file[n]) {
		const size_t len = strlen(file + n + 1);

		for (at = text; at && (strncmp(at, file + n + 1, len) || at[len] != ' ');)
			at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
		if (!at)
			return -ENOENT;
		at += len + 1;
	}
	*v = !strncmp(at, "max", 3) ? UINT64_MAX : strtoull(at, NULL, 10);
	return 0;
}
