/* cgroup2 for the machine or the container: mounted, controllers enabled, our directory made. See machine.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/dir.h"
#include "init/base/fd.h"
#include "init/base/file.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "rootfs/machine.h"
#include <linux/magic.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Where cgroup2 may be: alone, or beside version 1 as hybrid systems have it. */
static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Our place in cgroup2, "/a/b", from the line "0::/a/b" of /proc/self/cgroup. */
static int own_place(char *at, size_t size)
{
	char lines[4096];
	struct err e;

	if (file_read(AT_FDCWD, "/proc/self/cgroup", lines, sizeof lines, &e) < 0)
		return -e.code;
	for (char *l = lines; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL)
		if (!strncmp(l, "0::", 3)) {
			char *end = strchr(l, '\n');

			if (end)
				*end = '\0';
			return text_copy(at, size, l + 3) ? 0 : -ENAMETOOLONG;
		}
	return -ENOENT;
}

/* All of them by one write, which spares the kernel to go over its cgroups for each. */
static int enable_at_once(int dir, const char *have)
{
	char words[400];
	struct text t = TEXT_IN(words);
	struct err e;

	for (size_t n; *(have += strspn(have, " \n")); have += n) {
		n = strcspn(have, " \n");
		text_add(&t, t.n ? " +" : "+");
		text_add_n(&t, have, n);
	}
	return t.cut ? -E2BIG : t.n ? file_write(dir, "cgroup.subtree_control", words, &e) : 0;
}

/* Every controller that dir has; else one by one: one that refuses must not keep the others out. Names them in note. */
static void enable_all(int dir, struct text *note)
{
	char have[256], word[64];
	struct err e;

	if (file_read(dir, "cgroup.controllers", have, sizeof have, &e) < 0 || enable_at_once(dir, have) == 0)
		return;
	for (char *save = NULL, *c = strtok_r(have, " \n", &save); c; c = strtok_r(NULL, " \n", &save)) {
		struct text t = TEXT_IN(word);

		text_fmt(&t, "+%s", c);
		if (file_write(dir, "cgroup.subtree_control", word, &e) < 0 && note)
			text_fmt(note, "%s%s (%s)", note->n ? ", " : "", c, strerror(e.code));
	}
}

/* A cgroup that is not the root cannot have both processes and controllers for its children: move to a leaf first. */
static int make_room(int dir, struct err *e)
{
	if (mkdirat(dir, "prior.init", 0755) < 0 && errno != EEXIST)
		return err_sys(e, "cgroup2: make prior.init");
	return file_write(dir, "prior.init/cgroup.procs", "0", e) < 0 ? err_in(e, "cgroup2: move to prior.init") : 0;
}

static int open_place(const char *mount, bool *is_root, struct err *e)
{
	char place[512], path[600];
	struct text t = TEXT_IN(path);

	if (own_place(place, sizeof place) < 0)
		return err_set(e, ENOENT, "cgroup2: /proc/self/cgroup has no line 0::");
	/* After a re-exec we are in our own leaf already. */
	size_t n = strlen(place), leaf = strlen("/prior.init");

	if (n >= leaf && !strcmp(place + n - leaf, "/prior.init"))
		place[n - leaf] = '\0';
	text_fmt(&t, "%s%s", mount, place);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cgroup2: open %s", path);
	/* Only the true root has no cgroup.type; a cgroup namespace's root looks like "/" and yet must be emptied. */
	*is_root = faccessat(fd, "cgroup.type", F_OK, 0) < 0;
	return fd;
}

static int find_mount(const char **mount, struct err *e)
{
	for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
		if (is_cgroup2(places[i])) {
			*mount = places[i];
			return 0;
		}
	if (sys_mount("cgroup2", places[0], "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		      "nsdelegate,memory_recursiveprot") < 0)
		return err_sys(e, "mount cgroup2 on %s", places[0]);
	*mount = places[0];
	return 0;
}

/* Of a supervisor that was killed: its lock is gone, and nobody is in the leaves (else they cannot be removed). */
static void remove_leftover(int dir, const char *name)
{
	owned_fd fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char room[1024] __attribute__((aligned(8)));
	struct dir_scan scan = { .fd = fd, .room = room, .size = sizeof room };

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	for (const struct dir_entry *d; (d = dir_next(&scan));)
		if (d->type == DIR_ENTRY_FOLDER)
			unlinkat(fd, d->name, AT_REMOVEDIR);
	unlinkat(dir, name, AT_REMOVEDIR);
}

/* Directories of our kind that nobody holds any more: "prior-N", N the number of a process. */
static void remove_leftovers(int dir)
{
	owned_fd fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char room[1024] __attribute__((aligned(8)));
	struct dir_scan scan = { .fd = fd, .room = room, .size = sizeof room };

	for (const struct dir_entry *d; fd >= 0 && (d = dir_next(&scan));) {
		const size_t n = strspn(d->name + (strncmp(d->name, "prior-", 6) ? 0 : 6), "0123456789");

		if (n && !d->name[6 + n] && kill(atoi(d->name + 6), 0) < 0 && errno == ESRCH)
			remove_leftover(dir, d->name);
	}
}

/* For those who clean up it is ours as long as we live; it may be another's of before, too. */
static int make_ours(int dir, const char *name, struct err *e)
{
	struct stat there, held;

	for (;;) {
		if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "make the directory %s", name);
		owned_fd ours = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (ours < 0 || faccessat(ours, ".", W_OK, AT_EACCESS) < 0 || flock(ours, LOCK_SH) < 0 ||
		    fstat(ours, &held) < 0)
			return err_sys(e, "write in %s", name);
		/* Somebody was cleaning up just when we made it. */
		if (fstatat(dir, name, &there, 0) == 0 && there.st_ino == held.st_ino)
			return fd_take(&ours);
	}
}

int machine_cgroup(const char *name, int *root_fd, char *note, int size, struct err *e)
{
	const char *mount = NULL;
	bool is_root;
	struct text t = { .at = note, .size = note ? (size_t)size : 0 };

	if (note)
		*note = '\0';
	if (find_mount(&mount, e) < 0)
		return -e->code;
	int rc = open_place(mount, &is_root, e);

	if (rc < 0)
		return rc;
	owned_fd dir = rc;

	if (strcmp(name, "prior") != 0)
		remove_leftovers(dir);
	owned_fd ours = make_ours(dir, name, e);

	if (ours < 0)
		return err_in(e, "cgroup2: %s", mount);
	if (!is_root && make_room(dir, e) < 0)
		return -e->code;
	enable_all(dir, note ? &t : NULL);
	/*
	 * Making a directory costs some 100 to 200 us for a controller that is enabled above it, and each page of its
	 * processes a little more, so none is enabled here: the first limit of a kind does that, see cgroup_make().
	 * What a service without one uses is added up by who asks; this directory's own memory.events tells that the
	 * kernel has killed for want of memory.
	 */
	*root_fd = fd_take(&ours);
	return 0;
}

int machine_cgroup_remove(int root_fd, struct err *e)
{
	char link[40], path[600];
	struct text t = TEXT_IN(link);

	text_fmt(&t, "/proc/self/fd/%d", root_fd);
	ssize_t n = readlink(link, path, sizeof path - 1);

	if (n < 0)
		return err_sys(e, "cgroup2: the name of our directory");
	path[n] = '\0';
	return rmdir(path) < 0 ? err_sys(e, "cgroup2: remove %s", path) : 0;
}
