/* Name servers of several sources in one resolv.conf: see name_servers.h. */
/* SPDX-License-Identifier: ISC */
#include "init/name_servers.h"
#include "init/base/fd.h"
#include "init/base/mono.h"
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

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

static int write_one(const char *path, const char *fresh, const struct name_server *v, unsigned n, struct err *e)
{
	if (!n)
		return unlink(path) == 0 || errno == ENOENT ? 0 : err_sys(e, "remove %s", path);
	FILE *f = fopen(fresh, "we");

	if (!f)
		return err_sys(e, "write %s", fresh);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "%" PRId64 " %s\n", v[i].until_ms, v[i].address);
	return finish(f, fresh, path, e);
}

unsigned name_servers_of(const char *dir, const char *source, struct name_server *v)
{
	const int64_t now = mono_now().ms;
	char path[PATH_MAX];
	unsigned n = 0;

	snprintf(path, sizeof path, "%s/%s", dir, source);
	FILE *f = fopen(path, "re");

	if (!f)
		return 0;
	while (n < NAME_SERVERS_MAX && fscanf(f, "%" SCNd64 " %63s", &v[n].until_ms, v[n].address) == 2)
		n += v[n].until_ms > now;
	fclose(f);
	return n;
}

static int is_source(const struct dirent *d)
{
	return !strncmp(d->d_name, "lease-", 6) || !strncmp(d->d_name, "router-", 7);
}

/* Of a client that has ended, or of an interface that is none any more, nobody says that what it brought is over. */
static void put_brought(FILE *f, const char *dir, const char *source, int64_t *next_ms)
{
	struct name_server v[NAME_SERVERS_MAX];
	const unsigned n = name_servers_of(dir, source, v);

	for (unsigned i = 0; i < n; i++) {
		put_names(f, v[i].address);
		if (next_ms && (!*next_ms || v[i].until_ms < *next_ms))
			*next_ms = v[i].until_ms;
	}
}

static int join(const char *dir, const char *fresh, const char *own, int64_t *next_ms, struct err *e)
{
	struct dirent **v = NULL;
	char path[PATH_MAX];
	const int n = scandir(dir, &v, is_source, alphasort);
	FILE *f = n < 0 ? NULL : fopen(fresh, "we");
	const int ret = f ? 0 : err_sys(e, "%s %s", n < 0 ? "list" : "write", n < 0 ? dir : fresh);

	if (f)
		put_names(f, own);
	for (int i = 0; i < n; i++) {
		if (f)
			put_brought(f, dir, v[i]->d_name, next_ms);
		free(v[i]);
	}
	free(v);
	snprintf(path, sizeof path, "%s/resolv.conf", dir);
	return f ? finish(f, fresh, path, e) : ret;
}

int name_servers_tell(const char *dir, const char *source, const char *own, const struct name_server *v, unsigned n,
		      int64_t *next_ms, struct err *e)
{
	char path[PATH_MAX], fresh[PATH_MAX];

	if (next_ms)
		*next_ms = 0;
	/* Else two at once would each leave out what the other has just written. Anybody could lock the folder. */
	snprintf(path, sizeof path, "%s/lock", dir);
	owned_fd lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return err_sys(e, "lock %s", path);
	snprintf(path, sizeof path, "%s/%s", dir, source ? source : "");
	snprintf(fresh, sizeof fresh, "%s/new", dir);
	if (source && write_one(path, fresh, v, n, e) < 0)
		return -e->code;
	return join(dir, fresh, own, next_ms, e);
}
