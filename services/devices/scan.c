/* Looking at all devices, and giving new device files what the rules have for them: see inner.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/text.h"
#include "services/devices/inner.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define KNOWN_MAX 16384
#define LINKS_MAX 32	/* of one device, of all rules that fit */

/* One that was looked at: while its file is the same, nothing about it is asked again but its links. */
struct known {
	dev_t number;
	mode_t kind;		/* S_IFBLK or S_IFCHR */
	ino_t file;		/* of the device file: another one with this number is another device */
	bool here;		/* in this scan */
	bool told;		/* that it would have more links */
	char *node;		/* below /dev */
	char *links[LINKS_MAX];
	unsigned nlinks;
};

static struct known *known[KNOWN_MAX];
static unsigned nknown;

static void drop(struct known *k)
{
	for (unsigned i = 0; i < k->nlinks; i++)
		free(k->links[i]);
	free(k->node);
	free(k);
}

static struct known *find(dev_t number, mode_t kind)
{
	for (unsigned i = 0; i < nknown; i++)
		if (known[i]->number == number && known[i]->kind == kind)
			return known[i];
	return NULL;
}

/* The device file, if it is the one that sysfs means. */
static int open_node(int dev, const char *node, dev_t number, mode_t kind, struct stat *st)
{
	owned_fd fd = openat(dev, node, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, st) < 0 || (st->st_mode & S_IFMT) != kind || st->st_rdev != number)
		return FD_NONE;
	return fd_take(&fd);
}

static void give(int fd, const char *node, const struct plan_device_rule *what)
{
	char path[40];
	struct text t = TEXT_IN(path);

	text_fmt(&t, "/proc/self/fd/%d", fd);
	if (what->flags & (DEVICE_RULE_UID | DEVICE_RULE_GID) &&
	    fchownat(fd, "", what->flags & DEVICE_RULE_UID ? what->uid : (uid_t)-1,
		     what->flags & DEVICE_RULE_GID ? what->gid : (gid_t)-1, AT_EMPTY_PATH) < 0)
		fprintf(stderr, "prior: devices: /dev/%s: its owner: %s\n", node, strerror(errno));
	if (what->flags & DEVICE_RULE_MODE && fchmodat(AT_FDCWD, path, what->mode, 0) < 0)
		fprintf(stderr, "prior: devices: /dev/%s: its mode: %s\n", node, strerror(errno));
}

static void add_links(const struct plan *p, const struct plan_device_rule *r, const struct device_seen *d,
		      struct known *k)
{
	char name[PATH_MAX];

	PLAN_EACH(struct plan_ref, l, p, r->links) {
		if (!device_link_name(plan_str(p, *l), d, name, sizeof name))
			continue;
		if (k->nlinks < LINKS_MAX && (k->links[k->nlinks] = strdup(name)))
			k->nlinks++;
		else if (k->nlinks == LINKS_MAX && !k->told) {
			k->told = true;
			fprintf(stderr, "prior: devices: /dev/%s: it has %d links, and gets no more: not /dev/%s\n",
				k->node, LINKS_MAX, name);
		}
	}
}

/* Of all rules that fit, the last one's owner, group and mode, and everybody's links. */
static void follow_rules(const struct plan *p, const struct device_seen *d, int node, struct known *k)
{
	struct plan_device_rule all = { .flags = 0 };

	PLAN_EACH(struct plan_device_rule, r, p, p->head->device_rules) {
		if (!device_fits(p, r, d))
			continue;
		all.flags |= r->flags;
		all.uid = r->flags & DEVICE_RULE_UID ? r->uid : all.uid;
		all.gid = r->flags & DEVICE_RULE_GID ? r->gid : all.gid;
		all.mode = r->flags & DEVICE_RULE_MODE ? r->mode : all.mode;
		add_links(p, r, d, k);
	}
	give(node, k->node, &all);
}

static void forget(struct known *k)
{
	for (unsigned i = 0; i < nknown; i++)
		if (known[i] == k)
			known[i] = known[--nknown];
	drop(k);
}

/* path: below /sys. */
static void look(const struct plan *p, int sys, int dev, const char *path, dev_t number, mode_t kind)
{
	const struct device_seen d = { sys, path };
	struct known *k = find(number, kind);
	char node[DEVICE_VALUE];
	struct stat st;

	if (k && fstatat(dev, k->node, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == k->file &&
	    st.st_rdev == number) {
		k->here = true;
		return;
	}
	if (k)
		forget(k);
	if (nknown == KNOWN_MAX || !device_property(&d, "DEVNAME", node))
		return;
	owned_fd fd = open_node(dev, node, number, kind, &st);

	k = fd < 0 ? NULL : calloc(1, sizeof *k);
	if (!k || !(k->node = strdup(node)))
		return free(k);
	k->number = number;
	k->kind = kind;
	k->file = st.st_ino;
	k->here = true;
	follow_rules(p, &d, fd, k);
	known[nknown++] = k;
}

/* "8:1" is a link to "../../devices/pci0000:00/.../sda1". */
static void look_at_entry(const struct plan *p, int sys, int dev, int folder, const char *name, mode_t kind)
{
	char to[PATH_MAX];
	unsigned major_number, minor_number;
	const ssize_t n = readlinkat(folder, name, to, sizeof to - 1);
	const char *path = to;

	if (n <= 0 || sscanf(name, "%u:%u", &major_number, &minor_number) != 2)
		return;
	to[n] = '\0';
	while (!strncmp(path, "../", 3))
		path += 3;
	if (!strncmp(path, "devices/", strlen("devices/")))
		look(p, sys, dev, path, makedev(major_number, minor_number), kind);
}

static int look_at_all(const struct plan *p, int sys, int dev, const char *place, mode_t kind, struct err *e)
{
	owned_fd folder = openat(sys, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int copy = folder < 0 ? -1 : openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (!d)
		return err_sys(e, "devices: /sys/%s", place);
	for (struct dirent *n; (n = readdir(d));)
		if (n->d_name[0] != '.')
			look_at_entry(p, sys, dev, folder, n->d_name, kind);
	closedir(d);
	return 0;
}

int devices_scan(const struct plan *p, int sys, int dev, struct err *e)
{
	for (unsigned i = 0; i < nknown; i++)
		known[i]->here = false;
	if (look_at_all(p, sys, dev, "dev/block", S_IFBLK, e) < 0 ||
	    look_at_all(p, sys, dev, "dev/char", S_IFCHR, e) < 0)
		return -e->code;
	links_collect();
	for (unsigned i = nknown; i-- > 0;) {
		if (!known[i]->here) {
			forget(known[i]);
			continue;
		}
		for (unsigned l = 0; l < known[i]->nlinks; l++)
			links_want(known[i]->links[l], known[i]->node);
	}
	links_settle();
	return 0;
}
