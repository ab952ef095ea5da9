/* What the user mounts into a cell: volumes, tmpfs, devices; and the small files that prior writes for a network. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/text.h"
#include "services/plan/compile_mounts.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ALWAYS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSYMFOLLOW)

/* One thing to mount, before it is known in which order. */
struct item {
	struct plan_mount m;
	struct seat seat;
	const char *target;	/* as written, without double slashes */
	const char *key;	/* for messages */
	struct origin at;
	unsigned depth, number;
	bool own;		/* its place is made by prior before the mounts */
};

const char *path_plain(struct compiling *c, const char *path)
{
	char *out = compiling_get(c, strlen(path) + 2);
	size_t n = 0;

	if (!out)
		return path;
	for (const char *p = path; *p; p++)
		if (*p != '/' || (n && out[n - 1] != '/') || !n)
			out[n++] = *p;
	while (n > 1 && out[n - 1] == '/')
		n--;
	out[n] = '\0';
	return out;
}

/* The second of the fields that stand between colons; "" when there is none. */
static const char *colon_field(struct compiling *c, const char *s, unsigned i)
{
	for (; i; i--) {
		s += strcspn(s, ":");
		if (!*s++)
			return "";
	}
	return compiling_fmt(c, "%.*s", (int)strcspn(s, ":"), s);
}

const char *volume_target(struct compiling *c, const char *volume)
{
	return path_plain(c, colon_field(c, volume, 1));
}

const char *tmp_options(struct compiling *c, const struct work *w)
{
	uint64_t max = w->eff.memory_max;

	/* Its pages are charged to the service: more than that limit could never be used. */
	return max && max != UINT64_MAX ? compiling_fmt(c, "mode=1777,size=%llu", (unsigned long long)max)
					: "mode=1777,size=25%";
}

static unsigned depth_of(const char *path)
{
	unsigned n = 0;

	for (; *path; path++)
		n += *path == '/' && path[1];
	return n;
}

static int by_depth(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->depth != y->depth ? (x->depth > y->depth) - (x->depth < y->depth)
				    : (x->number > y->number) - (x->number < y->number);
}

static struct item item(const char *key, const char *target, struct origin at)
{
	return (struct item){ .target = target, .key = key, .at = at, .seat = { .fd = FD_NONE } };
}

/* SOURCE:TARGET[:ro|:rw], with what is mounted below the source, which gets the same attributes. */
static bool volume_item(struct compiling *c, struct work *w, const char *text, struct item *i)
{
	const char *source = path_plain(c, colon_field(c, text, 0)), *mode = colon_field(c, text, 2), *why;
	bool writable = !strcmp(mode, "rw");
	struct found f;

	*i = item("isolation.volumes", volume_target(c, text), spec_from(w->svc, &w->svc->volumes));
	if (look_source(c, source, &f, &why) < 0) {
		refuse(c, w, volumes, "isolation.volumes: %s: %s", source, why);
		return false;
	}
	i->seat = (struct seat){ .fd = f.fd, .writable = writable, .exec = !writable || !mount_writable_noexec(w) };
	i->m = (struct plan_mount){ .kind = MOUNT_BIND, .source = write_string(&c->w, f.path), .attr = ALWAYS };
	i->m.flags = S_ISDIR(f.mode) ? MOUNT_F_REC : 0;
	i->m.attr |= (writable ? 0 : MOUNT_ATTR_RDONLY) | (i->seat.exec ? 0 : MOUNT_ATTR_NOEXEC);
	return true;
}

/* Options that are attributes of the mount, as Docker's users write them; the rest is for the file system. */
static const struct {
	const char *word;
	uint64_t set, clear;
} attribute_words[] = {
	{ "ro", MOUNT_ATTR_RDONLY, 0 },		{ "rw", 0, MOUNT_ATTR_RDONLY },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0 },	{ "exec", 0, MOUNT_ATTR_NOEXEC },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0 },	{ "nodev", MOUNT_ATTR_NODEV, 0 },
	{ "noatime", MOUNT_ATTR_NOATIME, 0 },	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0 },
};
static const char *const tmpfs_words[] = { "size=", "mode=", "nr_inodes=", "nr_blocks=", "uid=", "gid=", "huge=" };

/* false: neither an attribute nor an option of tmpfs. */
static bool tmpfs_word(struct text *left, uint64_t *attr, const char *word, size_t n)
{
	for (unsigned i = 0; i < sizeof attribute_words / sizeof *attribute_words; i++)
		if (strlen(attribute_words[i].word) == n && !strncmp(word, attribute_words[i].word, n)) {
			*attr = (*attr | attribute_words[i].set) & ~attribute_words[i].clear;
			return true;
		}
	for (unsigned i = 0; i < sizeof tmpfs_words / sizeof *tmpfs_words; i++)
		if (!strncmp(word, tmpfs_words[i], strlen(tmpfs_words[i]))) {
			text_add(left, left->n ? "," : "");
			text_add_n(left, word, n);
			return true;
		}
	return false;
}

static bool tmpfs_item(struct compiling *c, struct work *w, const struct str_pair *p, struct item *i)
{
	char options[256] = "";
	struct text left = TEXT_IN(options);
	uint64_t attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (mount_writable_noexec(w) ? MOUNT_ATTR_NOEXEC : 0);

	*i = item("isolation.tmpfs", path_plain(c, p->key), spec_from(w->svc, &w->svc->tmpfs));
	for (const char *o = p->value ? p->value : ""; *o;) {
		size_t n = strcspn(o, ",");

		if (n && !tmpfs_word(&left, &attr, o, n)) {
			refuse(c, w, tmpfs, "isolation.tmpfs: %s: '%.*s' is no option of tmpfs", p->key, (int)n, o);
			return false;
		}
		o += n + (o[n] == ',');
	}
	if (!strstr(options, "size="))
		text_fmt(&left, "%s%s", left.n ? "," : "", strchr(tmp_options(c, w), ',') + 1);
	if (!strstr(options, "mode="))
		text_add(&left, ",mode=1777");
	i->m = (struct plan_mount){ .kind = MOUNT_TMPFS, .attr = attr, .data = write_string(&c->w, options) };
	i->seat.empty = true;
	i->seat.writable = !(attr & MOUNT_ATTR_RDONLY);
	i->seat.exec = !(attr & MOUNT_ATTR_NOEXEC);
	return true;
}

/* One that may come after the plan: the start finds out what it is. */
static bool awaited_item(struct compiling *c, struct work *w, const char *source, const char *mode, struct item *i)
{
	const char *why = mode[strspn(mode, "rw")] ? "only r and w can be had of a device that it waits for" :
			  !w->has_dev ? "one that it waits for takes a /dev of the service's own (private_devices)" :
			  w->eff.runtime ? "an OCI runtime must know its devices beforehand" : NULL;

	if (why)
		refuse(c, w, devices, "isolation.devices: %s: %s", source, why);
	i->m = (struct plan_mount){ .kind = MOUNT_BIND, .source = write_string(&c->w, source),
				    .flags = MOUNT_F_DEVICE, .data = write_string(&c->w, *mode ? mode : "rw"),
				    .attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
	i->seat.file = i->seat.writable = true;
	return !why;
}

/* /dev/x[:/dev/y][:rwm]: the node itself, in a /dev of the service's own. */
static bool device_item(struct compiling *c, struct work *w, const char *text, struct item *i)
{
	const char *source = path_plain(c, colon_field(c, text, 0)), *second = colon_field(c, text, 1), *why;
	const char *target = *second == '/' ? path_plain(c, second) : source;
	const char *mode = *second == '/' ? colon_field(c, text, 2) : second;
	struct found f;

	*i = item("isolation.devices", target, spec_from(w->svc, &w->svc->devices));
	if (device_is_awaited(w, source))
		return awaited_item(c, w, source, mode, i);
	if (look_source(c, source, &f, &why) < 0) {
		refuse(c, w, devices, "isolation.devices: %s: %s", source, why);
		return false;
	}
	i->seat.fd = f.fd;
	if (!S_ISCHR(f.mode) && !S_ISBLK(f.mode))
		why = "is not a device";
	else
		why = policy_device(c, w, i->seat.fd, mode);
	if (why) {
		refuse(c, w, devices, "isolation.devices: %s: %s", source, why);
		fd_drop(&i->seat.fd);
		return false;
	}
	i->m = (struct plan_mount){ .kind = MOUNT_BIND, .source = write_string(&c->w, f.path),
				    .attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
	i->seat.writable = true;
	return true;
}

/* "/var/lib/private" of "/var/lib/private/web". */
static const char *private_parent(struct compiling *c, const char *path)
{
	const char *at = strstr(path, "/private/");

	return at ? compiling_fmt(c, "%.*s/private", (int)(at - path), path) : path;
}

/* Directories that prior makes at the start: nothing of them need be there yet. */
static unsigned own_items(struct compiling *c, struct work *w, struct item *items)
{
	const uint64_t attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			      (mount_writable_noexec(w) ? MOUNT_ATTR_NOEXEC : 0);
	unsigned n = 0;

	for (unsigned k = 0; k < w->ndirs; k++) {
		const struct own_dir *d = &w->dirs[k];
		const bool hidden = d->row.flags & DIR_F_PRIVATE && !*w->root_path;
		const char *parent = hidden ? private_parent(c, d->path) : NULL;
		bool is_new = parent != NULL;

		if (d->row.kind > DIR_RUNTIME)
			continue;
		/* Others' are not to be seen, and who may not enter the real one can enter this. */
		for (unsigned i = 0; is_new && i < n; i++)
			is_new = strcmp(items[i].target, parent) != 0;
		if (is_new) {
			items[n] = item("a private directory", parent, w->svc->from);
			items[n].m = (struct plan_mount){ .kind = MOUNT_TMPFS, .attr = attr | MOUNT_ATTR_NOEXEC,
							  .data = write_string(&c->w, "mode=0755,size=64k") };
			items[n].seat.empty = items[n].own = true;
			n++;
		}
		items[n] = item("a directory of its own", d->shown, w->svc->from);
		items[n].m = (struct plan_mount){ .kind = MOUNT_BIND, .attr = attr, .flags = MOUNT_F_OWN,
						  .source = write_string(&c->w, d->path) };
		items[n].seat.empty = items[n].seat.writable = true;
		items[n].seat.exec = !mount_writable_noexec(w);
		items[n++].own = !*w->root_path;
	}
	return n;
}

/* Where exactly it goes: only now is known what lies under it. */
static void place_item(struct compiling *c, struct work *w, struct item *i)
{
	if (i->own) {
		i->m.flags |= MOUNT_F_CREATE;
		mount_add(c, w, i->m, i->target, i->seat);
		return;
	}
	struct found f;
	int ret = look(c, w, i->target, &f), flag = ret == -ENOENT || ret == 0 ? mount_make_flag(w, &f) : -1;
	bool is_dir = S_ISDIR(f.mode), same = true;

	if (f.mode && i->seat.fd >= 0) {
		struct stat st;

		same = fstat(i->seat.fd, &st) == 0 && S_ISDIR(st.st_mode) == is_dir;
	} else if (f.mode) {
		same = is_dir;
	}
	if (flag >= 0 && same && strcmp(f.path, "/") != 0) {
		i->m.flags |= (uint32_t)flag;
		mount_add(c, w, i->m, f.path, i->seat);
		return;
	}
	fd_drop(&i->seat.fd);
	if (!same)
		refuse_at(c, w, i->at, "%s: %s: a directory goes on a directory, a file on a file", i->key, i->target);
	else if (flag >= 0)
		refuse_at(c, w, i->at, "%s: nothing can be mounted on /: see isolation.rootfs", i->key);
	else
		refuse_at(c, w, i->at, "%s: %s is missing in %s and cannot be made there (%s): make it before", i->key,
			  i->target, *w->root_path ? w->root_path : "the machine's root", strerror(-ret));
}

/* Two mounts on one place: the second would hide the first. */
static void refuse_doubles(struct compiling *c, struct work *w, const struct item *items, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		for (unsigned j = i; j-- > 0 && items[j].depth == items[i].depth;)
			if (!strcmp(items[i].target, items[j].target))
				refuse_at(c, w, items[i].at, "%s: %s: %s mounts there too", items[i].key,
					  items[i].target, items[j].key);
}

void mount_users(struct compiling *c, struct work *w)
{
	const struct spec_service *e = &w->eff;
	unsigned most = e->volumes.n + e->tmpfs.n + e->devices.n + 2 * w->ndirs, n = 0;
	struct item *items = most && most <= WORK_MOUNTS ? compiling_get(c, most * sizeof *items) : NULL;

	if (most > WORK_MOUNTS)
		refuse(c, w, volumes, "isolation: more than %d mounts", WORK_MOUNTS);
	n += items ? own_items(c, w, items) : 0;
	for (unsigned i = 0; items && i < e->volumes.n; i++)
		n += volume_item(c, w, e->volumes.v[i], items + n);
	for (unsigned i = 0; items && i < e->tmpfs.n; i++)
		n += tmpfs_item(c, w, e->tmpfs.v + i, items + n);
	for (unsigned i = 0; items && i < e->devices.n; i++)
		n += device_item(c, w, e->devices.v[i], items + n);
	for (unsigned i = 0; i < n; i++) {
		items[i].depth = depth_of(items[i].target);
		items[i].number = i;
	}
	if (n)
		qsort(items, n, sizeof *items, by_depth);
	refuse_doubles(c, w, items, n);
	for (unsigned i = 0; i < n; i++)
		place_item(c, w, items + i);
	mount_paths(c, w);
}

/* read_only_paths and inaccessible_paths: over all that was mounted before. */
void mount_paths(struct compiling *c, struct work *w)
{
	const struct str_list *ro = &w->eff.read_only_paths, *hidden = &w->eff.inaccessible_paths;
	struct seat none = { .fd = FD_NONE };
	struct found f;
	int ret;

	for (unsigned i = 0; i < ro->n + hidden->n; i++) {
		bool hide = i >= ro->n;
		const char *path = hide ? hidden->v[i - ro->n] : ro->v[i];
		struct plan_mount m = { .kind = hide ? MOUNT_INACCESSIBLE : MOUNT_REMOUNT,
					.attr = hide ? 0 : MOUNT_ATTR_RDONLY, .flags = hide ? 0 : MOUNT_F_REC };

		if ((ret = look(c, w, path, &f)) == 0)
			mount_add(c, w, m, f.path, none);
		else if (hide)
			refuse(c, w, inaccessible_paths, "isolation.inaccessible_paths: %s: %s", path, strerror(-ret));
		else
			refuse(c, w, read_only_paths, "isolation.read_only_paths: %s: %s", path, strerror(-ret));
	}
}

/* Its secrets: in its own /dev, which is always there and nobody's image, or where prior has made a place in /run. */
void mount_credentials(struct compiling *c, struct work *w)
{
	struct plan_mount m = { .kind = MOUNT_CREDENTIALS, .flags = MOUNT_F_CREATE };

	if (w->credentials)
		mount_add(c, w, m, w->credentials, (struct seat){ .fd = FD_NONE });
}

/*
 * All names of its bridge in one file of the machine, which is written anew in place when one changes: no cell has to
 * be made again for that.
 */
void mount_names(struct compiling *c, struct work *w)
{
	struct plan_mount hosts = { .kind = MOUNT_BIND, .flags = MOUNT_F_HOSTS,
				    .attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
					    MOUNT_ATTR_RDONLY };
	struct plan_mount m = { .kind = MOUNT_FILE };
	struct seat seat = { .fd = FD_NONE, .file = true };
	/* Who shares the network of a bridge's service has its hosts already: compile_net.c. */
	const struct work *o = w->eff.network.service ? work_find(c, w->eff.network.service) : w;
	const char *text = "";
	unsigned before;

	if (!w->hosts && !(o && o->nlinks))
		return;
	if (w->hosts) {
		hosts.source = write_string(&c->w, compiling_fmt(c, HOSTS_DIR "%s", w->hosts));
		mount_own(c, w, hosts, "/etc/hosts", IF_POSSIBLE, seat);
	}
	for (unsigned i = 0; i < c->s->nameservers.n; i++)
		text = compiling_fmt(c, "%snameserver %s\n", text, c->s->nameservers.v[i]);
	if (!*text)
		return;
	m.data = write_string(&c->w, text);
	before = w->nmounts;
	mount_own(c, w, m, "/etc/resolv.conf", IF_POSSIBLE, seat);
	if (w->nmounts == before)
		tell(c, w, network, "there is no /etc/resolv.conf in %s, so it gets no nameservers",
		     *w->root_path ? w->root_path : "the machine's root");
}

/*
 * The notify socket, where the service would not see the machine's /run. Its place is the cell's own /dev: that is
 * always there and belongs to nobody's image.
 */
void mount_notify(struct compiling *c, struct work *w)
{
	const char *source = compiling_fmt(c, "/run/prior/notify/%s", w->svc->name);
	struct plan_mount m = { .kind = MOUNT_BIND, .flags = MOUNT_F_RUNTIME | MOUNT_F_CREATE,
				.attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };
	bool covered = *w->root_path;

	for (unsigned i = 0; i < w->nseats; i++)
		covered = covered || path_is_below(source, w->seats[i].target);
	if (!(w->out.flags & CELL_NOTIFY) || !covered)
		return;
	m.source = write_string(&c->w, source);
	mount_add(c, w, m, w->has_dev ? "/dev/prior-notify" : "/run/prior/notify", (struct seat){ .fd = FD_NONE });
}
