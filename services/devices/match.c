/* Which rules a device fits, and what its links are called: see inner.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sysfs.h"
#include "init/base/text.h"
#include "services/devices/inner.h"
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

const char *device_name(const struct device_seen *d)
{
	const char *slash = strrchr(d->path, '/');

	return slash ? slash + 1 : d->path;
}

/* The path's first n bytes and "/FILE": a file of the device, or of one that it is on. */
static bool path_of(const struct device_seen *d, size_t n, const char *file, char *to, size_t size)
{
	struct text t = { .at = to, .size = size };

	text_add_n(&t, d->path, n);
	text_fmt(&t, "/%s", file);
	return !t.cut;
}

/* How long the path of the one is that the first n bytes' device is on; 0: that was the last. */
static size_t above(const struct device_seen *d, size_t n)
{
	while (n > 0 && d->path[n - 1] != '/')
		n--;
	return n > strlen("devices/") ? n - 1 : 0;
}

static bool read_at(const struct device_seen *d, size_t n, const char *key, char to[DEVICE_VALUE])
{
	char path[PATH_MAX];
	owned_fd fd = path_of(d, n, key, path, sizeof path) ? openat(d->sys, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
								     O_NONBLOCK) : FD_NONE;
	ssize_t got = fd < 0 ? -1 : read(fd, to, DEVICE_VALUE - 1);

	if (got < 0)
		return false;
	while (got > 0 && (to[got - 1] == '\n' || to[got - 1] == ' '))
		got--;
	to[got] = '\0';
	return strlen(to) == (size_t)got;	/* binary ones say nothing to a glob */
}

bool device_attribute(const struct device_seen *d, const char *key, char to[DEVICE_VALUE])
{
	for (size_t n = strlen(d->path); n; n = above(d, n))
		if (read_at(d, n, key, to))
			return true;
	return false;
}

bool device_property(const struct device_seen *d, const char *key, char to[DEVICE_VALUE])
{
	char path[PATH_MAX], all[4096], *save = NULL;
	const size_t len = strlen(key);
	owned_fd fd = path_of(d, strlen(d->path), "uevent", path, sizeof path) ?
		      openat(d->sys, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : FD_NONE;
	const ssize_t n = fd < 0 ? -1 : read(fd, all, sizeof all - 1);

	all[n > 0 ? n : 0] = '\0';
	for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, key, len) && line[len] == '=')
			return text_copy(to, DEVICE_VALUE, line + len + 1);
	return false;
}

static bool link_fits(const struct device_seen *d, size_t n, const char *link, const char *glob)
{
	char path[PATH_MAX];

	return path_of(d, n, link, path, sizeof path) && sysfs_link_fits(d->sys, path, glob);
}

static bool driver_fits(const struct device_seen *d, const char *glob)
{
	for (size_t n = strlen(d->path); n; n = above(d, n))
		if (link_fits(d, n, "driver", glob))
			return true;
	return false;
}

static bool all_fit_at(const struct plan *p, struct plan_ref r, const struct device_seen *d, size_t n)
{
	char value[DEVICE_VALUE];

	PLAN_EACH(struct plan_file, f, p, r)
		if (!read_at(d, n, plan_str(p, f->path), value) || fnmatch(plan_str(p, f->value), value, 0) != 0)
			return false;
	return true;
}

/* All of one device: a hub has a number, too, and another one. */
static bool attributes_fit(const struct plan *p, struct plan_ref r, const struct device_seen *d)
{
	for (size_t n = strlen(d->path); n; n = above(d, n))
		if (all_fit_at(p, r, d, n))
			return true;
	return false;
}

static bool properties_fit(const struct plan *p, struct plan_ref r, const struct device_seen *d)
{
	char value[DEVICE_VALUE];

	PLAN_EACH(struct plan_file, f, p, r)
		if (!device_property(d, plan_str(p, f->path), value) || fnmatch(plan_str(p, f->value), value, 0) != 0)
			return false;
	return true;
}

bool device_fits(const struct plan *p, const struct plan_device_rule *r, const struct device_seen *d)
{
	if (r->name.n && fnmatch(plan_str(p, r->name), device_name(d), 0) != 0)
		return false;
	if (r->subsystem.n && !link_fits(d, strlen(d->path), "subsystem", plan_str(p, r->subsystem)))
		return false;
	return (!r->driver.n || driver_fits(d, plan_str(p, r->driver))) && properties_fit(p, r->properties, d) &&
	       (!r->attributes.n || attributes_fit(p, r->attributes, d));
}

static const char *number_at_end(const char *name)
{
	size_t n = strlen(name);

	while (n > 0 && name[n - 1] >= '0' && name[n - 1] <= '9')
		n--;
	return name + n;
}

/* What devices say of themselves has no slash in it, and nothing else that a name should not have. */
static void add_tame(struct text *t, const char *value)
{
	char one[DEVICE_VALUE];

	text_copy(one, sizeof one, value);
	for (char *s = one; *s; s++)
		if (!strchr(SYSFS_NAME_BYTES, *s))
			*s = '_';
	text_add(t, one);
}

/* One % of a link; *s goes behind it. */
static bool add_part(const char **s, const struct device_seen *d, struct text *t)
{
	char key[DEVICE_VALUE], value[DEVICE_VALUE];
	const char how = (*s)[1], *close = strchr(*s, '}');

	if (how == 'k' || how == 'n') {
		*s += 2;
		add_tame(t, how == 'k' ? device_name(d) : number_at_end(device_name(d)));
		return true;
	}
	if ((how != 's' && how != 'e') || (*s)[2] != '{' || !close || (size_t)(close - *s) > sizeof key)
		return false;
	memcpy(key, *s + 3, (size_t)(close - *s - 3));
	key[close - *s - 3] = '\0';
	*s = close + 1;
	if (!(how == 's' ? device_attribute(d, key, value) : device_property(d, key, value)) || !*value)
		return false;
	add_tame(t, value);
	return true;
}

bool device_link_name(const char *link, const struct device_seen *d, char *to, size_t size)
{
	struct text t = { .at = to, .size = size };

	while (*link)
		if (*link != '%')
			text_add_n(&t, link++, 1);
		else if (!add_part(&link, d, &t))
			return false;
	return t.n && !t.cut && sysfs_path_is_clean(to, t.n, SYSFS_NAME_BYTES);
}
