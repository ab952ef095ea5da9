/* The second wall around devices and internet sockets: programs on the service's cgroup. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "services/plan/compile_mounts.h"
#include "services/spec/families.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define RW (DEVICE_READ | DEVICE_WRITE)

/*
 * Where the service has a /dev of its own, its nodes are these; a node of another device, wherever it comes from,
 * cannot be opened, and none can be made.
 */
static const struct device_rule standard[] = {
	{ DEVICE_CHARACTER, 1, 3, RW },		/* null */
	{ DEVICE_CHARACTER, 1, 5, RW },		/* zero */
	{ DEVICE_CHARACTER, 1, 7, RW },		/* full */
	{ DEVICE_CHARACTER, 1, 8, RW },		/* random */
	{ DEVICE_CHARACTER, 1, 9, RW },		/* urandom */
	{ DEVICE_CHARACTER, 5, 0, RW },		/* tty */
	{ DEVICE_CHARACTER, 5, 2, RW },		/* ptmx */
	{ DEVICE_CHARACTER, 136, DEVICE_ANY, RW }, /* pts/N */
};
#define NO_POLICY "no cgroup2 can be written here, or the kernel takes no program for one"
#define STANDARD (sizeof standard / sizeof *standard)

static bool has_room(struct compiling *c, struct work *w)
{
	if (!w->devices)
		w->devices = compiling_get(c, DEVICE_RULES_MAX * sizeof *w->devices);
	return w->devices;
}

const char *policy_device(struct compiling *c, struct work *w, int fd, const char *mode)
{
	struct device_rule r = { .access = 0 };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (w->ndevices == DEVICE_RULES_MAX - STANDARD)
		return "is one too many";
	if (!has_room(c, w))
		return "finds no memory";
	r.type = S_ISBLK(st.st_mode) ? DEVICE_BLOCK : DEVICE_CHARACTER;
	r.major = major(st.st_rdev);
	r.minor = minor(st.st_rdev);
	for (const char *m = *mode ? mode : "rw"; *m; m++)
		r.access |= *m == 'r' ? DEVICE_READ : *m == 'w' ? DEVICE_WRITE : DEVICE_MKNOD;
	if ((r.access & RW) != RW && !w->has_dev)
		return compiling_fmt(c, "'%s' needs a /dev of the service's own: private_devices: true", mode);
	if ((r.access & RW) != RW && !c->f->can_policy)
		return compiling_fmt(c, "only rw can be had: '%s' takes a program on a cgroup, and " NO_POLICY, mode);
	w->devices[w->ndevices++] = r;
	return NULL;
}

/* What a file says of a device goes before what all have. */
static bool is_named(const struct work *w, const struct device_rule *r)
{
	for (unsigned i = 0; i < w->ndevices; i++)
		if (w->devices[i].type == r->type && w->devices[i].major == r->major && w->devices[i].minor == r->minor)
			return true;
	return false;
}

static void compile_devices(struct compiling *c, struct work *w)
{
	if (!w->has_dev)
		return;
	if (!c->f->can_policy) {
		if (c->f->is_root)
			tell(c, w, private_devices, "no device policy: " NO_POLICY "; its own /dev, nodev mounts and "
			     "no right to make nodes are the walls");
		return;
	}
	unsigned n = w->ndevices;

	if (!has_room(c, w))
		return;
	for (unsigned i = 0; i < STANDARD; i++)
		if (!is_named(w, standard + i))
			w->devices[n++] = standard[i];
	w->out.flags |= CELL_DEVICES;
	w->out.devices = write_table(&c->w, w->devices, n, sizeof *w->devices);
}

/* The kernel asks a cgroup's program about internet sockets only; of other families the filter is the one wall. */
static void compile_sockets(struct compiling *c, struct work *w)
{
	const struct str_list *l = &w->eff.restrict_address_families;
	uint32_t inet = 0;

	for (unsigned i = 0; i < l->n; i++) {
		const int n = family_number(l->v[i]);

		inet |= n == AF_INET ? 1 : n == AF_INET6 ? 2 : 0;
	}
	if (!l->n || inet == 3)
		return;
	if (!c->f->can_policy) {
		if (c->f->is_root)
			tell(c, w, restrict_address_families, "no socket policy: " NO_POLICY "; the system call filter "
			     "is the one wall");
		return;
	}
	w->out.flags |= CELL_SOCKETS;
	w->out.inet = inet;
}

void compile_policies(struct compiling *c, struct work *w)
{
	compile_devices(c, w);
	compile_sockets(c, w);
}
