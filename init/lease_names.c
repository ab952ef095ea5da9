/* Name servers of several leases in one resolv.conf: see lease_names.h. */
/* SPDX-License-Identifier: ISC */
#include "init/lease_names.h"
#include "init/base/fd.h"
#include "init/base/mono.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#define OF_ONE "lease-"	/* and the interface; first line: when it is over, in ms since boot */

static void put_names(FILE *f, const char *text)
{
	char one[64];
	int n;

	for (; sscanf(text, " %63s%n", one, &n) == 1; text += n)
		fprintf(f, "nameserver %s\n", one);
}

static int finish(FILE *f, const char *fresh, const char *path, struct err *e)
{
	if (fclose(f) == 0 && rename(fresh, path) == 0)
		return 0;
	err_sys(e, "write %s", path);
	unlink(fresh);
	return -e->code;
}

static int write_one(const char *path, const char *fresh, const struct net_lease *l, struct err *e)
{
	static const uint8_t none[4];
	char text[INET_ADDRSTRLEN];

	if (!l->is_there)
		return unlink(path) == 0 || errno == ENOENT ? 0 : err_sys(e, "remove %s", path);
	FILE *f = fopen(fresh, "we");

	if (!f)
		return err_sys(e, "write %s", fresh);
	fprintf(f, "%" PRId64 "\n", mono_now().ms + (int64_t)l->seconds * 1000);
	for (unsigned i = 0; i < 4 && memcmp(l->names[i], none, 4) != 0; i++)
		fprintf(f, "nameserver %s\n", inet_ntop(AF_INET, l->names[i], text, sizeof text));
	return finish(f, fresh, path, e);
}

/* Of a client that has ended, or of an interface that is none any more, nobody says that the lease is over. */
static void put_lent(FILE *f, const char *dir, const char *file)
{
	char path[PATH_MAX], line[80];

	snprintf(path, sizeof path, "%s/%s", dir, file);
	FILE *from = fopen(path, "re");

	if (!from)
		return;
	if (fgets(line, sizeof line, from) && strtoll(line, NULL, 10) > mono_now().ms)
		while (fgets(line, sizeof line, from))
			fputs(line, f);
	fclose(from);
}

static int is_of_one(const struct dirent *d)
{
	return !strncmp(d->d_name, OF_ONE, strlen(OF_ONE));
}

static int join(const char *dir, const char *fresh, const char *own, struct err *e)
{
	struct dirent **v = NULL;
	char path[PATH_MAX];
	const int n = scandir(dir, &v, is_of_one, alphasort);
	FILE *f = n < 0 ? NULL : fopen(fresh, "we");
	const int ret = f ? 0 : err_sys(e, "%s %s", n < 0 ? "list" : "write", n < 0 ? dir : fresh);

	if (f)
		put_names(f, own);
	for (int i = 0; i < n; i++) {
		if (f)
			put_lent(f, dir, v[i]->d_name);
		free(v[i]);
	}
	free(v);
	snprintf(path, sizeof path, "%s/resolv.conf", dir);
	return f ? finish(f, fresh, path, e) : ret;
}

int lease_names(const char *dir, const char *name, const char *own, const struct net_lease *l, struct err *e)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	/* Else two at once would each leave out what the other has just written. Anybody could lock the folder. */
	snprintf(path, sizeof path, "%s/lock", dir);
	owned_fd lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return err_sys(e, "lock %s", path);
	snprintf(path, sizeof path, "%s/" OF_ONE "%s", dir, name);
	snprintf(fresh, sizeof fresh, "%s/new-%s", dir, name);
	return write_one(path, fresh, l, e) < 0 || join(dir, fresh, own, e) < 0 ? -e->code : 0;
}
