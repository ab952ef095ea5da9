/* Name servers of several sources in one resolv.conf: see name_servers.h. */
/* SPDX-License-Identifier: ISC */
#include "init/name_servers.h"
#include "init/base/fd.h"
#include "init/base/mono.h"
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOCK_TRIES 10
#define LOCK_PAUSE_MS 50

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

/* What is in the way, or stands there for another file, goes: one of those who write here may mean harm. */
static FILE *begin(const char *fresh)
{
	owned_fd fd = -1;

	if (unlink(fresh) < 0 && errno != ENOENT)
		return NULL;
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (f)
		fd_take(&fd);
	return f;
}

static int write_one(const char *path, const char *fresh, const struct name_server *v, unsigned n, struct err *e)
{
	if (!n)
		return unlink(path) == 0 || errno == ENOENT ? 0 : err_sys(e, "remove %s", path);
	FILE *f = begin(fresh);

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
	struct stat st;
	unsigned n = 0;

	snprintf(path, sizeof path, "%s/%s", dir, source);
	/* A pipe would make us wait. */
	owned_fd fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	FILE *f = fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ? NULL : fdopen(fd, "r");

	if (!f)
		return 0;
	fd_take(&fd);
	while (n < NAME_SERVERS_MAX && fscanf(f, "%" SCNd64 " %63s", &v[n].until_ms, v[n].address) == 2)
		n += v[n].until_ms > now;
	fclose(f);
	return n;
}

unsigned name_servers_put(struct name_server *v, unsigned n, const char *address, uint32_t seconds)
{
	unsigned i = 0, first = 0;

	for (; i < n && strcmp(v[i].address, address) != 0; i++)
		if (v[i].until_ms < v[first].until_ms)
			first = i;
	if (!seconds && i == n)
		return n;
	if (!seconds) {
		memmove(v + i, v + i + 1, (n - i - 1) * sizeof *v);
		return n - 1;
	}
	if (i == NAME_SERVERS_MAX)
		i = first;
	v[i].until_ms = mono_now().ms + (int64_t)(seconds < NAME_SERVER_S ? seconds : NAME_SERVER_S) * 1000;
	snprintf(v[i].address, sizeof v[i].address, "%s", address);
	return i == n ? n + 1 : n;
}

static int is_source(const struct dirent *d)
{
	return !strncmp(d->d_name, SOURCE_LEASE, strlen(SOURCE_LEASE)) ||
	       !strncmp(d->d_name, SOURCE_ROUTER, strlen(SOURCE_ROUTER));
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
	FILE *f = n < 0 ? NULL : begin(fresh);
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

/* Who keeps it holds up nobody: what two write at once is whole all the same, and the next one has what is left out. */
static int lock_in(const char *dir, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/lock", dir);
	owned_fd lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (lock < 0)
		return err_sys(e, "lock %s", path);
	for (unsigned i = 0; i < LOCK_TRIES && flock(lock, LOCK_EX | LOCK_NB) < 0; i++)
		poll(NULL, 0, LOCK_PAUSE_MS);
	return fd_take(&lock);
}

int name_servers_tell(const char *dir, const char *source, const char *own, const struct name_server *v, unsigned n,
		      int64_t *next_ms, struct err *e)
{
	char path[PATH_MAX], fresh[PATH_MAX];

	if (next_ms)
		*next_ms = 0;
	/* Else two at once would each leave out what the other has just written. Anybody could lock the folder. */
	owned_fd lock = lock_in(dir, e);

	if (lock < 0)
		return -e->code;
	snprintf(path, sizeof path, "%s/%s", dir, source ? source : "");
	snprintf(fresh, sizeof fresh, "%s/new-%s", dir, source ? source : "");
	if (source && write_one(path, fresh, v, n, e) < 0)
		return -e->code;
	return join(dir, fresh, own, next_ms, e);
}
