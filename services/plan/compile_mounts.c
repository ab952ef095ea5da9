/* What the service sees of file systems: the rows of its mount plan, in the order in which they are made. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/text.h"
#include "services/plan/compile_mounts.h"
#include <string.h>

/*
 * The order: first what makes the root read-only (the machine's own, which is never written to), then the preset's and
 * the keys' own mounts, then the user's, parents before children, then what changes attributes of all that.
 * Where a user mounts something himself, the preset's own mount of that place is left out.
 */

int mount_make_flag(const struct work *w, const struct found *f)
{
	const struct seat *last = NULL;

	if (f->mode)
		return 0;
	for (const struct seat *s = w->seats; s < w->seats + w->nseats; s++)
		if (path_is_below(f->path, s->target))
			last = s;
	if (last)
		return last->empty ? (int)MOUNT_F_CREATE : -1;
	return *w->root_path && w->root_writable ? (int)MOUNT_F_CREATE : -1;
}

bool mount_add(struct compiling *c, struct work *w, struct plan_mount m, const char *target, struct seat seat)
{
	if (w->nmounts == WORK_MOUNTS) {
		refuse(c, w, volumes, "isolation: more than %d mounts", WORK_MOUNTS);
		fd_drop(&seat.fd);
		return false;
	}
	m.target = write_string(&c->w, target);
	w->mounts[w->nmounts++] = m;
	if (m.kind == MOUNT_REMOUNT)
		return true;
	seat.target = target;
	w->seats[w->nseats++] = seat;
	return true;
}

static bool user_mounts_on(struct compiling *c, struct work *w, const char *path)
{
	for (unsigned i = 0; i < w->eff.tmpfs.n; i++)
		if (!strcmp(path_plain(c, w->eff.tmpfs.v[i].key), path))
			return true;
	for (unsigned i = 0; i < w->eff.volumes.n; i++)
		if (!strcmp(volume_target(c, w->eff.volumes.v[i]), path))
			return true;
	return false;
}

static bool user_mounts_below(struct compiling *c, struct work *w, const char *path)
{
	for (unsigned i = 0; i < w->eff.tmpfs.n; i++)
		if (path_is_below(path_plain(c, w->eff.tmpfs.v[i].key), path))
			return true;
	for (unsigned i = 0; i < w->eff.volumes.n; i++)
		if (path_is_below(volume_target(c, w->eff.volumes.v[i]), path))
			return true;
	return false;
}

/*
 * A mount that a preset or a key implies. A place that is missing is made where it can be; where it cannot, the
 * mount is left out, or the service is refused with `why` in front when there is one. IF_THERE: nothing is made
 * for it.
 */
void mount_own(struct compiling *c, struct work *w, struct plan_mount m, const char *path, enum mount_need need,
	       struct seat seat)
{
	struct found f;

	if (user_mounts_on(c, w, path))
		return;
	int ret = look(c, w, path, &f), flag = ret == -ENOENT || ret == 0 ? mount_make_flag(w, &f) : -1;

	if (flag == 0 || (flag > 0 && need != IF_THERE)) {
		m.flags |= (uint32_t)flag;
		mount_add(c, w, m, f.path, seat);
	} else if (need == NEEDED) {
		refuse(c, w, rootfs, "%s has no %s (%s), and it cannot be made: make it in the image",
		       *w->root_path ? w->root_path : "the machine's root", path, strerror(-ret));
	}
}

#define QUIET (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static struct plan_mount row(struct compiling *c, enum mount_kind kind, const char *data, uint64_t attr)
{
	return (struct plan_mount){ .kind = kind, .attr = attr, .data = write_string(&c->w, data) };
}

static const struct seat no_seat = { .fd = FD_NONE };

/* Writable memory must not become executable by the way over a file: see memory_deny_write_execute. */
bool mount_writable_noexec(const struct work *w)
{
	return w->eff.memory_deny_write_execute || w->eff.preset == PRESET_STRICT;
}

/* The machine's own root, made read-only for this service before anything is laid over it; an image always is. */
static bool machine_is_readonly(const struct work *w)
{
	return !*w->root_path && (w->eff.readonly_rootfs || w->eff.protect_system == PROTECT_SYSTEM_STRICT);
}

/* The machine's own mounts at and below a place, with the attributes that they have there. */
static void as_it_is(struct compiling *c, struct work *w, const char *path)
{
	struct plan_mount m = row(c, MOUNT_BIND, NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	struct found f;

	m.source = write_string(&c->w, path);
	m.flags = MOUNT_F_REC | MOUNT_F_OPTIONAL;
	if (look(c, w, path, &f) == 0 && !strcmp(f.path, path))
		mount_add(c, w, m, path, (struct seat){ .fd = look_path(w, path) });
}

static void root_first(struct compiling *c, struct work *w)
{
	uint64_t attr = (w->eff.no_new_privileges ? MOUNT_ATTR_NOSUID : 0) |
			(w->eff.private_devices || *w->root_path ? MOUNT_ATTR_NODEV : 0);
	bool readonly = machine_is_readonly(w) || w->root_type;
	struct plan_mount m = row(c, MOUNT_REMOUNT, NULL, attr | (readonly ? MOUNT_ATTR_RDONLY : 0));

	m.flags = MOUNT_F_REC;
	if (m.attr)
		mount_add(c, w, m, "/", no_seat);
	w->root_is_writable = !readonly;
	/* As with systemd, the kernel's own file systems are the business of other keys: they stay as they are. */
	if (readonly && !*w->root_path) {
		if (!w->eff.private_devices)
			as_it_is(c, w, "/dev");
		if (!w->eff.protect_kernel_tunables && !w->eff.network.mode)
			as_it_is(c, w, "/sys");
	}
}

static const char *proc_data(const struct work *w)
{
	static const char *const hide[] = { "", "hidepid=noaccess", "hidepid=invisible", "hidepid=ptraceable" };
	static const char *const both[] = { "subset=pid", "subset=pid,hidepid=noaccess", "subset=pid,hidepid=invisible",
					    "subset=pid,hidepid=ptraceable" };
	unsigned i = w->eff.protect_proc & 3;

	return w->eff.proc_subset == SUBSET_PID ? both[i] : hide[i];
}

/* Parts of /proc that change or tell about the machine; with subset=pid they are not there at all. */
static void proc_tunables(struct compiling *c, struct work *w)
{
	static const char *const readonly[] = {
		"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi", "/proc/scsi",
		"/proc/mtrr", "/proc/asound", "/proc/latency_stats", "/proc/timer_stats", "/proc/apm", NULL };
	static const char *const hidden[] = { "/proc/kallsyms", "/proc/kcore", NULL };

	if (w->eff.proc_subset == SUBSET_PID)
		return;
	for (unsigned i = 0; w->eff.protect_kernel_tunables && readonly[i]; i++) {
		struct plan_mount m = row(c, MOUNT_REMOUNT, NULL, MOUNT_ATTR_RDONLY | QUIET);

		m.flags = MOUNT_F_OPTIONAL;
		mount_add(c, w, m, readonly[i], no_seat);
	}
	for (unsigned i = 0; w->eff.protect_kernel_tunables && hidden[i]; i++) {
		struct plan_mount m = row(c, MOUNT_INACCESSIBLE, NULL, 0);

		m.flags = MOUNT_F_OPTIONAL;
		mount_add(c, w, m, hidden[i], no_seat);
	}
	if (w->eff.protect_kernel_logs) {
		struct plan_mount m = row(c, MOUNT_INACCESSIBLE, NULL, 0);

		m.flags = MOUNT_F_OPTIONAL;
		mount_add(c, w, m, "/proc/kmsg", no_seat);
	}
}

static void mount_proc(struct compiling *c, struct work *w)
{
	const struct spec_service *e = &w->eff;
	bool own = *w->root_path || e->ns_pid || e->protect_proc || e->proc_subset == SUBSET_PID ||
		   e->memory_deny_write_execute || machine_is_readonly(w);
	/* /proc/self/mem writes where the memory itself cannot be written: into the program. */
	const uint64_t attr = QUIET | (e->memory_deny_write_execute ? MOUNT_ATTR_RDONLY : 0);

	if (own)
		mount_own(c, w, row(c, MOUNT_PROC, proc_data(w), attr), "/proc", NEEDED, no_seat);
	proc_tunables(c, w);
}

static void mount_dev(struct compiling *c, struct work *w)
{
	struct seat dev = { .fd = FD_NONE, .empty = true };
	char size[64];
	struct text t = TEXT_IN(size);

	if (w->eff.private_devices || *w->root_path) {
		mount_own(c, w, row(c, MOUNT_DEV, "mode=0755,size=1M,nr_inodes=256", 0), "/dev", NEEDED, dev);
		w->has_dev = true;
	} else if (w->eff.protect_kernel_logs) {
		struct plan_mount m = row(c, MOUNT_INACCESSIBLE, NULL, 0);

		m.flags = MOUNT_F_OPTIONAL;
		mount_add(c, w, m, "/dev/kmsg", no_seat);
	}
	text_fmt(&t, "mode=1777,size=%llu", (unsigned long long)w->eff.shm_size);
	if (w->eff.shm_size)
		mount_own(c, w, row(c, MOUNT_TMPFS, size, QUIET), "/dev/shm", NEEDED,
			  (struct seat){ .fd = FD_NONE, .empty = true, .writable = true });
	if (w->has_dev && w->eff.ns_ipc)
		mount_own(c, w, row(c, MOUNT_MQUEUE, NULL, QUIET), "/dev/mqueue", NEEDED,
			  (struct seat){ .fd = FD_NONE, .writable = true });
}

/* A sysfs of its own shows a private network's interfaces, not the machine's; it is read-only always. */
static void mount_sys(struct compiling *c, struct work *w)
{
	const struct spec_service *e = &w->eff;
	/* A sysfs belongs to who owns the network that it shows. */
	bool can = e->network.mode || !c->f->in_userns;
	bool own = can && *w->root_path ? e->preset != PRESET_STRICT : e->network.mode && e->protect_kernel_tunables;
	struct plan_mount m = row(c, MOUNT_REMOUNT, NULL, MOUNT_ATTR_RDONLY);

	if (own) {
		mount_own(c, w, row(c, MOUNT_SYSFS, NULL, QUIET | MOUNT_ATTR_RDONLY), "/sys", IF_THERE, no_seat);
		return;
	}
	if (*w->root_path || (machine_is_readonly(w) && e->protect_kernel_tunables))
		return;
	m.flags = MOUNT_F_REC | MOUNT_F_OPTIONAL;
	if (e->protect_kernel_tunables)
		mount_add(c, w, m, "/sys", no_seat);
	else if (e->protect_control_groups)
		mount_add(c, w, m, "/sys/fs/cgroup", no_seat);
}

static void mount_tmp(struct compiling *c, struct work *w)
{
	static const char *const places[] = { "/tmp", "/var/tmp" };
	uint64_t attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (mount_writable_noexec(w) ? MOUNT_ATTR_NOEXEC : 0);
	struct seat seat = { .fd = FD_NONE, .empty = true, .writable = true, .exec = !mount_writable_noexec(w) };

	for (unsigned i = 0; w->eff.private_tmp && i < 2; i++)
		mount_own(c, w, row(c, MOUNT_TMPFS, tmp_options(c, w), attr), places[i], IF_THERE, seat);
}

/* A place that is covered by nothing, unless the user has put something below it: then by an empty folder. */
static void hide(struct compiling *c, struct work *w, const char *path)
{
	struct seat seat = { .fd = FD_NONE, .empty = true };

	if (user_mounts_below(c, w, path))
		mount_own(c, w, row(c, MOUNT_TMPFS, "mode=0755,size=1M,nr_inodes=1k", QUIET), path, IF_THERE, seat);
	else
		mount_own(c, w, row(c, MOUNT_INACCESSIBLE, NULL, 0), path, IF_THERE, no_seat);
}

static void mount_home(struct compiling *c, struct work *w)
{
	static const char *const places[] = { "/home", "/root", "/run/user" };

	for (unsigned i = 0; i < 3; i++) {
		struct plan_mount m = row(c, MOUNT_REMOUNT, NULL, MOUNT_ATTR_RDONLY);
		struct seat seat = { .fd = FD_NONE, .empty = true };

		m.flags = MOUNT_F_REC | MOUNT_F_OPTIONAL;
		switch ((enum protect_home)w->eff.protect_home) {
		case PROTECT_HOME_NO:
			break;
		case PROTECT_HOME_YES:
			hide(c, w, places[i]);
			break;
		case PROTECT_HOME_READ_ONLY:
			mount_own(c, w, m, places[i], IF_THERE, no_seat);
			break;
		case PROTECT_HOME_TMPFS:
			mount_own(c, w, row(c, MOUNT_TMPFS, "mode=0755,size=1M", QUIET), places[i], IF_THERE, seat);
			break;
		}
	}
}

/* yes and full; strict has been dealt with as a whole. */
static void mount_system(struct compiling *c, struct work *w)
{
	static const char *const places[] = { "/usr", "/boot", "/efi", "/etc" };
	unsigned n = w->eff.protect_system == PROTECT_SYSTEM_FULL ? 4 :
		     w->eff.protect_system == PROTECT_SYSTEM_YES ? 3 : 0;
	struct plan_mount m = row(c, MOUNT_REMOUNT, NULL, MOUNT_ATTR_RDONLY);

	m.flags = MOUNT_F_REC | MOUNT_F_OPTIONAL;
	for (unsigned i = 0; i < n; i++)
		mount_own(c, w, m, places[i], IF_THERE, no_seat);
}

static void mount_modules(struct compiling *c, struct work *w)
{
	struct found f;

	if (!w->eff.protect_kernel_modules)
		return;
	/* /lib is a link to usr/lib nearly everywhere: then the two are one place. */
	if (look(c, w, "/lib/modules", &f) == 0 && strcmp(f.path, "/usr/lib/modules") != 0)
		mount_own(c, w, row(c, MOUNT_INACCESSIBLE, NULL, 0), f.path, IF_THERE, no_seat);
	mount_own(c, w, row(c, MOUNT_INACCESSIBLE, NULL, 0), "/usr/lib/modules", IF_THERE, no_seat);
}

/* Last: the root of an image, in which mount points may have been made just now. */
static void root_last(struct compiling *c, struct work *w)
{
	bool wanted = w->eff.readonly_rootfs || (w->eff.protect_system == PROTECT_SYSTEM_STRICT &&
						 (!is_asked(w, readonly_rootfs) || is_asked(w, protect_system)));

	if (!wanted || !*w->root_path || w->root_type)
		return;
	mount_add(c, w, row(c, MOUNT_REMOUNT, NULL, MOUNT_ATTR_RDONLY), "/", no_seat);
	w->root_is_writable = false;
}

void compile_mounts(struct compiling *c, struct work *w)
{
	w->root_is_writable = true;
	if (w->eff.ns_mount) {
		root_first(c, w);
		mount_proc(c, w);
		mount_sys(c, w);
		mount_dev(c, w);
		mount_tmp(c, w);
		mount_home(c, w);
		mount_system(c, w);
		mount_modules(c, w);
		mount_users(c, w);
		mount_names(c, w);
		mount_credentials(c, w);
		mount_notify(c, w);
		root_last(c, w);
		w->out.flags |= CELL_MOUNT;
	}
	if (*w->root_path) {
		w->out.flags |= CELL_ROOT_TREE;
		w->out.root = write_string(&c->w, w->root_path);
		w->out.flags |= w->root_type ? CELL_ROOT_IMAGE : 0;
		w->out.root_type = write_string(&c->w, w->root_type);
		w->out.root_digest = write_string(&c->w, w->root_digest);
	}
	w->out.mounts = write_table(&c->w, w->mounts, w->nmounts, sizeof *w->mounts);
}
