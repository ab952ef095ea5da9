/* Interfaces that get their name from the configuration: found by what sysfs says of them, then renamed. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/file.h"
#include "init/base/sysfs.h"
#include "init/base/text.h"
#include "netns/own.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CLASS "/sys/class/net"
#define ASIDE "prior-aside"	/* a name for the moment in which two change theirs */

static bool driver_is(const char *name, const char *pattern)
{
	char path[96];
	struct text t = TEXT_IN(path);

	text_fmt(&t, CLASS "/%s/device/driver", name);
	return sysfs_link_fits(AT_FDCWD, path, pattern);
}

static bool path_is(const char *name, const char *pattern)
{
	static const char devices[] = "/sys/devices/";
	char path[96], real[PATH_MAX];
	struct text t = TEXT_IN(path);

	text_fmt(&t, CLASS "/%s/device", name);
	return realpath(path, real) && !strncmp(real, devices, sizeof devices - 1) &&
	       fnmatch(pattern, real + sizeof devices - 1, 0) == 0;
}

/* A bridge or a VLAN has the MAC of what is below it. */
static bool mac_is(const char *name, const char *mac)
{
	char path[96], has[32];
	struct text t = TEXT_IN(path);
	struct err ignored;

	text_fmt(&t, CLASS "/%s/device", name);
	if (access(path, F_OK) < 0)
		return false;
	t.n = 0;
	text_fmt(&t, CLASS "/%s/address", name);
	return file_line(path, has, sizeof has, &ignored) == 0 && !strcasecmp(has, mac);
}

static bool is_it(const char *name, const struct net_match *m)
{
	return (!m->name || fnmatch(m->name, name, 0) == 0) && (!m->mac || mac_is(name, m->mac)) &&
	       (!m->driver || driver_is(name, m->driver)) && (!m->path || path_is(name, m->path));
}

int net_find(const struct net_match *m, struct err *e)
{
	char found[IF_NAMESIZE] = "", there[160] = "";
	struct text t = TEXT_IN(there);
	DIR *d = opendir(CLASS);

	if (!d)
		return err_sys(e, "interfaces: " CLASS);
	err_set(e, 0, "%s", "");
	for (struct dirent *n; e->code == 0 && (n = readdir(d));) {
		if (n->d_type != DT_LNK || !strcmp(n->d_name, "lo"))	/* bonding_masters is a file */
			continue;
		text_fmt(&t, "%s%s", t.n ? ", " : "", n->d_name);
		if (!is_it(n->d_name, m))
			continue;
		if (*found)
			err_set(e, ENOTUNIQ, "both %s and %s match", found, n->d_name);
		text_copy(found, sizeof found, n->d_name);
	}
	closedir(d);
	if (e->code)
		return -e->code;
	const int index = *found ? (int)if_nametoindex(found) : 0;

	return index ? index : err_set(e, ENODEV, "none matches; there %s %s", t.n ? "are" : "is",
				       t.n ? there : "none at all");
}

/* Older kernels give no new name to one that is up. */
static int change(struct net *n, int index, const char *name)
{
	int r = link_set_name(n, index, name);

	if (r != -EBUSY || link_set_up(n, index, false) < 0)
		return r;
	r = link_set_name(n, index, name);
	link_set_up(n, index, true);
	return r;
}

int net_rename(struct net *n, int index, const char *name, struct err *e)
{
	char was[IF_NAMESIZE];
	struct net_link holder;

	if (net_name_ok(name, e) < 0)
		return -e->code;
	if (!if_indextoname((unsigned)index, was))
		return err_sys(e, "interface %s: it was number %d, and is gone", name, index);
	if (!strcmp(was, name))
		return 0;
	const int r = link_get(n, name, &holder);
	const bool held = r == 0;

	if (r < 0 && r != -ENODEV)
		return net_fail(n, e, "interface %s: find out who has this name", name);
	if (held && change(n, holder.index, ASIDE) < 0)
		return net_fail(n, e, "interface %s: move the one that has this name out of the way of %s", name, was);
	if (change(n, index, name) < 0) {
		net_fail(n, e, "interface %s: give this name to %s", name, was);
		if (held)
			change(n, holder.index, name);
		return -e->code;
	}
	if (!held || change(n, holder.index, was) == 0)
		return 0;
	net_fail(n, e, "interface %s: give this name to the one that was %s", was, name);
	change(n, index, was);
	change(n, holder.index, name);
	return -e->code;
}
