/* A directory of answers to one question: see enabled.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/enabled.h"
#include "init/base/dir.h"
#include "init/base/fd.h"
#include "init/base/sum.h"
#include "init/base/text.h"
#include "services/plan/write.h"
#include "services/spec/spec.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ROWS_MAX PLAN_SERVICES_MAX

static int open_dir(const char *state_dir)
{
	owned_fd state = state_dir && *state_dir ? open(state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : FD_NONE;

	return state < 0 ? FD_NONE : openat(state, "enabled", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* 1, 0, or -1 when the file is not there or says something else. */
static int read_one(int dir, const char *name)
{
	owned_fd fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	char text[8] = "";
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || read(fd, text, sizeof text - 1) < 0)
		return -1;
	return !strcmp(text, "yes\n") ? 1 : !strcmp(text, "no\n") ? 0 : -1;
}

static bool is_name(const char *s)
{
	enum name_kind kind = spec_name_kind(s);

	return kind == NAME_SERVICE || kind == NAME_INSTANCE;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct enabled_row *)a)->name, ((const struct enabled_row *)b)->name);
}

int enabled_read(struct enabled *to, const char *state_dir, struct err *e)
{
	_Alignas(8) char room[4096];
	owned_fd dir = open_dir(state_dir);
	struct dir_scan scan = { .fd = dir, .room = room, .size = sizeof room };
	const struct dir_entry *d;

	*to = (struct enabled){ 0 };
	if (dir < 0)
		return 0;
	while ((d = dir_next(&scan))) {
		int on = is_name(d->name) ? read_one(dir, d->name) : -1;

		if (on < 0)
			continue;
		if (to->n % 64 == 0) {
			struct enabled_row *more = to->n < ROWS_MAX ?
						   realloc(to->v, (to->n + 64) * sizeof *more) : NULL;

			if (!more) {
				enabled_free(to);
				return err_set(e, E2BIG, "%s/enabled: more than %d files", state_dir, ROWS_MAX);
			}
			to->v = more;
		}
		to->v[to->n].on = on;
		text_copy(to->v[to->n++].name, sizeof to->v->name, d->name);
	}
	if (scan.n < 0) {
		enabled_free(to);
		return err_sys(e, "read %s/enabled", state_dir);
	}
	if (to->n)
		qsort(to->v, to->n, sizeof *to->v, by_name);
	return 0;
}

void enabled_free(struct enabled *x)
{
	free(x->v);
	*x = (struct enabled){ 0 };
}

int enabled_of(const struct enabled *x, const char *name)
{
	struct enabled_row key;
	const struct enabled_row *row;

	if (!x || !x->n || !text_copy(key.name, sizeof key.name, name))
		return -1;
	row = bsearch(&key, x->v, x->n, sizeof key, by_name);
	return row ? row->on : -1;
}

int enabled_look(const char *state_dir, const char *name)
{
	owned_fd dir = is_name(name) ? open_dir(state_dir) : FD_NONE;

	return dir < 0 ? -1 : read_one(dir, name);
}

bool enabled_is_used(const char *state_dir)
{
	owned_fd dir = open_dir(state_dir);

	return dir >= 0;
}

/* --- writing --- */

static int fill(int dir, const char *temp, const char *text, struct err *e)
{
	owned_fd fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	size_t n = strlen(text);

	if (fd < 0)
		return err_sys(e, "make a file");
	if (write(fd, text, n) != (ssize_t)n || fsync(fd) < 0)
		return err_sys(e, "write %zu bytes", n);
	return 0;
}

/* A reader sees the old answer or the new one, after a power failure too. */
static int replace(int dir, const char *name, bool on, struct err *e)
{
	char temp[32];

	snprintf(temp, sizeof temp, ".new-%d", (int)getpid());	/* no service is called so */
	unlinkat(dir, temp, 0);
	int ret = fill(dir, temp, on ? "yes\n" : "no\n", e);

	if (ret == 0 && renameat(dir, temp, dir, name) < 0)
		ret = err_sys(e, "put it into place");
	if (ret < 0)
		unlinkat(dir, temp, 0);
	else if (fsync(dir) < 0)
		ret = err_sys(e, "bring the directory to the disk");
	return ret;
}

int enabled_write(const char *state_dir, const char *name, bool on, struct err *e)
{
	char path[160];
	struct text t = TEXT_IN(path);

	text_fmt(&t, "%s/enabled", state_dir);
	if (t.cut || !is_name(name))
		return err_set(e, EINVAL, "%s/enabled/%s: no place for a service's state", state_dir, name);
	if ((mkdir(state_dir, 0755) < 0 && errno != EEXIST) || (mkdir(path, 0755) < 0 && errno != EEXIST))
		return err_sys(e, "keep it in %s", path);
	owned_fd dir = open_dir(state_dir);

	if (dir < 0)
		return err_sys(e, "keep it in %s", path);
	return replace(dir, name, on, e) < 0 ? err_in(e, "keep it in %s", path) : 0;
}

/* --- into a plan that is there already --- */

static uint32_t decide(const struct plan *p, const struct enabled *x, uint32_t *disabled)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->head->services.n; i++) {
		int said = enabled_of(x, plan_str(p, plan_service(p, i)->name));

		if (said < 0 ? plan_is_disabled(p, i) : !said)
			disabled[n++] = i;
	}
	return n;
}

/* The table is put behind all that is there: nothing that refers to anything moves. */
int enabled_apply(const struct plan *p, const struct enabled *x, int *fd, struct err *e)
{
	const size_t at = (p->size + 7) & ~(size_t)7, summed = offsetof(struct plan_head, sum) + sizeof p->head->sum;
	unsigned char *bytes = calloc(1, at + (p->head->services.n + 2) * sizeof(uint32_t));

	if (!bytes)
		return err_set(e, ENOMEM, "there is not enough memory for another plan of %zu bytes", p->size);
	memcpy(bytes, p->at, p->size);
	struct plan_head *h = (struct plan_head *)bytes;
	uint32_t n = decide(p, x, (uint32_t *)(bytes + at));
	size_t size = (at + n * sizeof(uint32_t) + 7) & ~(size_t)7;

	h->disabled = (struct plan_ref){ n ? (uint32_t)at : 0, n };
	h->size = (uint32_t)size;
	h->sum = sum_long(SUM_START, bytes + summed, size - summed);
	int ret = size > PLAN_MAX ? err_set(e, EFBIG, "the plan would be larger than 16 MiB") :
				    plan_seal_bytes(bytes, size, fd, e);

	free(bytes);
	return ret;
}
