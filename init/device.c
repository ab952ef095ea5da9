/* Looking at every block device in a confined child, again at each uevent: see device.h. */
/* SPDX-License-Identifier: ISC */
#include "init/device.h"
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/base/text.h"
#include "init/child.h"
#include "rootfs/coldplug.h"
#include "rootfs/superblock.h"
#include "services/plan/confine.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define DEVICES 256	/* that are looked at */
#define SCAN_MS 20000
#define QUIET_MS 1000	/* so long nobody need be told that something is waited for */

static const struct {
	const char *prefix;
	enum by { BY_LABEL, BY_UUID, BY_PARTUUID, BY_PARTLABEL, BY_PATH } by;
} forms[] = {
	{ "LABEL=", BY_LABEL }, { "UUID=", BY_UUID }, { "PARTUUID=", BY_PARTUUID }, { "PARTLABEL=", BY_PARTLABEL },
	{ "/dev/", BY_PATH },
};

static int form_of(const char *source)
{
	for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++)
		if (!strncmp(source, forms[i].prefix, strlen(forms[i].prefix)))
			return (int)i;
	return -1;
}

bool device_is_named(const char *source)
{
	return form_of(source) >= 0;
}

/* One candidate; of a partition, also its number and the place of its disk in the table. */
struct candidate {
	char name[56];
	char disk[56];
	unsigned number;
	int fd;
};

struct scan {
	const char *source;
	struct device *found;	/* in memory that the child shares */
};

static struct candidate table[DEVICES];
static unsigned candidates;
static unsigned char head[SUPERBLOCK_BYTES];

/* "/sys/class/block/vda1" leads to ".../vda/vda1". */
static void look_at_partition(struct candidate *c)
{
	char path[96], link[512], number[16] = "";
	struct text t = TEXT_IN(path);

	text_fmt(&t, "/sys/class/block/%s/partition", c->name);
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, number, sizeof number - 1) <= 0)
		return;
	path[t.n - strlen("/partition")] = '\0';
	ssize_t n = readlink(path, link, sizeof link - 1);

	if (n <= 0)
		return;
	link[n] = '\0';
	char *last = strrchr(link, '/'), *before = NULL;

	if (last) {
		*last = '\0';
		before = strrchr(link, '/');
	}
	if (before && text_copy(c->disk, sizeof c->disk, before + 1))
		c->number = (unsigned)strtoul(number, NULL, 10);
}

static void add_candidate(const char *name)
{
	struct candidate *c = &table[candidates];
	char path[64];
	struct text t = TEXT_IN(path);

	if (candidates == DEVICES || !text_copy(c->name, sizeof c->name, name))
		return;
	text_fmt(&t, "/dev/%s", name);
	for (char *p = path; *p; p++)	/* sysfs writes cciss!c0d0 for cciss/c0d0 */
		*p = *p == '!' ? '/' : *p;
	c->disk[0] = '\0';
	c->number = 0;
	c->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (c->fd < 0)
		return;
	look_at_partition(c);
	candidates++;
}

static void gather(enum by by, const char *source)
{
	DIR *d = by == BY_PATH ? NULL : opendir("/sys/class/block");

	candidates = 0;
	if (by == BY_PATH)
		add_candidate(source + strlen("/dev/"));
	for (struct dirent *n; d && (n = readdir(d));)
		if (n->d_name[0] != '.')
			add_candidate(n->d_name);
	if (d)
		closedir(d);
}

static bool read_partition(const struct candidate *c, struct partition *p)
{
	static const unsigned sectors[] = { 512, 4096 };
	unsigned char block[512];
	uint64_t at;

	for (unsigned i = 0; c->number && i < candidates; i++) {
		if (strcmp(table[i].name, c->disk) != 0)
			continue;
		for (unsigned k = 0; k < 2; k++)
			if (pread(table[i].fd, block, sizeof block, sectors[k]) == sizeof block &&
			    gpt_entry_at(block, sizeof block, c->number, sectors[k], &at) &&
			    pread(table[i].fd, block, 128, (off_t)at) == 128)
				return gpt_entry_read(block, 128, p);
		return pread(table[i].fd, block, sizeof block, 0) == sizeof block &&
		       mbr_partition(block, sizeof block, c->number, p);
	}
	return false;
}

static bool is_it(enum by by, const char *value, const struct candidate *c, const struct superblock *s)
{
	struct partition p = { "", "" };

	switch (by) {
	case BY_LABEL:
		return s->type && !strcmp(s->label, value);
	case BY_UUID:
		return s->type && *s->uuid && !strcasecmp(s->uuid, value);
	case BY_PARTUUID:
		return read_partition(c, &p) && !strcasecmp(p.uuid, value);
	case BY_PARTLABEL:
		return read_partition(c, &p) && !strcmp(p.label, value);
	case BY_PATH:
		return true;
	}
	return false;
}

/* The child: what it may need is open; from the confinement on it reads bytes that anybody may have written. */
static int scan(void *ctx, struct err *e)
{
	const struct scan *s = ctx;
	const int form = form_of(s->source);
	const char *value = s->source + strlen(forms[form].prefix);

	gather(forms[form].by, s->source);
	if (confine_compiler(e) < 0)
		return -e->code;
	for (unsigned i = 0; i < candidates; i++) {
		ssize_t n = pread(table[i].fd, head, sizeof head, 0);
		struct superblock super = { 0 };
		struct text t = TEXT_IN(s->found->path);

		superblock_read(head, n > 0 ? (size_t)n : 0, &super);
		if (!is_it(forms[form].by, value, &table[i], &super))
			continue;
		text_fmt(&t, "/dev/%s", table[i].name);
		text_copy(s->found->type, sizeof s->found->type, super.type ? super.type : "");
		s->found->size = super.size;
		n = super.size ? pread(table[i].fd, head, VERITY_BYTES, (off_t)super.size) : 0;
		verity_read(head, n > 0 ? (size_t)n : 0, &s->found->verity);
		return 0;
	}
	return err_set(e, ENOENT, "%s: there is no such device", s->source);
}

static int open_uevents(struct err *e)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		err_sys(e, "listen to uevents");
		fd_drop(&fd);
		return -e->code;
	}
	return fd;
}

/* To who looks at the console, which is our standard error, and wonders. */
static void say_waiting(const char *source, int64_t left)
{
	char line[200];
	struct text t = TEXT_IN(line);

	text_fmt(&t, "prior: %s: there is no such device yet; waiting for it, %d s at most\n", source,
		 (int)(left / 1000));
	ssize_t ignored = write(2, line, t.n);

	(void)ignored;
}

/* Something has come or gone: what it was is of no interest, all is looked at again. False: the time is over. */
static bool wait_for_uevent(int fd, int64_t end, const char *source, int64_t *say_at)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	const int64_t quiet = *say_at - mono_now().ms;
	int64_t left;
	char some[64];

	if (*say_at < end && (quiet <= 0 || poll(&p, 1, (int)quiet) == 0)) {
		say_waiting(source, end - mono_now().ms);
		*say_at = end;	/* once */
	}
	left = end - mono_now().ms;
	if (left <= 0 || poll(&p, 1, (int)left) <= 0)
		return false;
	while (recv(fd, some, sizeof some, MSG_DONTWAIT) >= 0)
		;
	return true;
}

static int load_drivers(void *ctx, struct err *e)
{
	(void)ctx;
	return coldplug(e);
}

int device_find(const char *source, int wait_ms, struct device *d, struct err *e)
{
	const int64_t begun = mono_now().ms, end = begun + wait_ms;
	owned_fd uevents = open_uevents(e);
	struct device *found = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct scan s = { source, found };
	struct err ignored;
	int64_t say_at = begun + QUIET_MS;
	int rc;

	if (uevents < 0)
		return uevents;
	if (found == MAP_FAILED)
		return err_sys(e, "memory for a device's name");
	while ((rc = child_run(scan, &s, SCAN_MS, e)) == -ENOENT && wait_for_uevent(uevents, end, source, &say_at))
		child_run(load_drivers, NULL, SCAN_MS, &ignored);
	if (rc == 0)
		*d = *found;
	munmap(found, sizeof *found);
	if (rc == -ENOENT && wait_ms)
		return err_set(e, ENOENT, "%s: no such device came within %d ms", source, wait_ms);
	return rc < 0 ? rc : 0;
}
