/* Links below /dev: made while a device wants them, and nobody else's are touched: see inner.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/text.h"
#include "services/devices/inner.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINKS_MAX 4096		/* devices choose names: there is an end to them */
#define RECORD_MAX (1u << 20)

struct link {
	char *name;		/* below /dev */
	char *is, *wanted;	/* the device file that it leads to, and should; NULL: none */
	bool told;		/* that it cannot be made */
};

static struct {
	struct link v[LINKS_MAX];
	unsigned n;
	int dev, record;	/* from links_begin() on */
	bool changed;
} here;

static struct link *find(const char *name)
{
	for (unsigned i = 0; i < here.n; i++)
		if (!strcmp(here.v[i].name, name))
			return &here.v[i];
	if (here.n == LINKS_MAX)
		return NULL;
	here.v[here.n] = (struct link){ .name = strdup(name) };
	return here.v[here.n].name ? &here.v[here.n++] : NULL;
}

static void forget(struct link *l)
{
	free(l->name);
	free(l->is);
	free(l->wanted);
	*l = here.v[--here.n];
}

/* From the link's own folder: it holds wherever /dev is mounted. */
static bool target_of(const struct link *l, const char *node, char to[PATH_MAX])
{
	struct text t = { .at = to, .size = PATH_MAX };

	for (const char *s = strchr(l->name, '/'); s; s = strchr(s + 1, '/'))
		text_add(&t, "../");
	text_add(&t, node);
	return !t.cut;
}

/* Whether the link is there and leads to that device file. */
static bool leads_to(const struct link *l, const char *node)
{
	char want[PATH_MAX], is[PATH_MAX];
	const ssize_t n = readlinkat(here.dev, l->name, is, sizeof is - 1);

	if (n < 0 || !target_of(l, node, want))
		return false;
	is[n] = '\0';
	return !strcmp(is, want);
}

static void make_folders(const char *name)
{
	char path[PATH_MAX];

	for (const char *s = strchr(name, '/'); s; s = strchr(s + 1, '/')) {
		snprintf(path, sizeof path, "%.*s", (int)(s - name), name);
		mkdirat(here.dev, path, 0755);
	}
}

/* Folders that are empty then go with it. */
static void take_away(const struct link *l)
{
	char path[PATH_MAX];

	if (!l->is || !leads_to(l, l->is) || unlinkat(here.dev, l->name, 0) < 0)
		return;
	text_copy(path, sizeof path, l->name);
	for (char *s = strrchr(path, '/'); s; s = strrchr(path, '/')) {
		*s = '\0';
		if (unlinkat(here.dev, path, AT_REMOVEDIR) < 0)
			return;
	}
}

/* What is there and is not ours stays, and the device goes without; one that is as it should be is as good as ours. */
static void make(struct link *l)
{
	char to[PATH_MAX];

	make_folders(l->name);
	if (!target_of(l, l->wanted, to))
		return;
	const int why = symlinkat(to, here.dev, l->name) < 0 ? errno : 0;

	if (why && !leads_to(l, l->wanted)) {
		if (!l->told)
			fprintf(stderr, "prior: devices: /dev/%s, a link to %s: %s\n", l->name, l->wanted,
				strerror(why));
		l->told = true;
		return;
	}
	l->is = strdup(l->wanted);
	here.changed = true;
}

static void settle_one(struct link *l)
{
	if (l->is && l->wanted && !strcmp(l->is, l->wanted) && leads_to(l, l->is))
		return;
	if (l->is) {
		take_away(l);
		free(l->is);
		l->is = NULL;
		here.changed = true;
	}
	if (l->wanted)
		make(l);
}

static void write_record(void)
{
	char line[2 * PATH_MAX];
	off_t at = 0;

	for (unsigned i = 0; i < here.n; i++) {
		if (!here.v[i].is)
			continue;
		const int n = snprintf(line, sizeof line, "%s %s\n", here.v[i].name, here.v[i].is);

		if (pwrite(here.record, line, (size_t)n, at) != n)
			return;
		at += n;
	}
	if (ftruncate(here.record, at) == 0)
		here.changed = false;
}

static void read_line(char *line)
{
	char *blank = strchr(line, ' ');
	struct link *l = NULL;

	if (blank && blank[1] && !strstr(line, "..") && *line != '/') {
		*blank = '\0';
		l = find(line);
	}
	if (l && !l->is)
		l->is = strdup(blank + 1);
}

void links_begin(int dev, int record)
{
	struct stat st;

	here.dev = dev;
	here.record = record;
	if (fstat(record, &st) < 0 || st.st_size <= 0 || st.st_size > RECORD_MAX)
		return;
	char *all = malloc((size_t)st.st_size + 1), *save = NULL;
	const ssize_t n = all ? pread(record, all, (size_t)st.st_size, 0) : 0;

	for (char *s = n > 0 ? (all[n] = '\0', strtok_r(all, "\n", &save)) : NULL; s; s = strtok_r(NULL, "\n", &save))
		read_line(s);
	free(all);
}

void links_collect(void)
{
	for (unsigned i = 0; i < here.n; i++) {
		free(here.v[i].wanted);
		here.v[i].wanted = NULL;
	}
}

/* Of two devices the one that has it keeps it; else the first. */
void links_want(const char *link, const char *node)
{
	struct link *l = find(link);

	if (!l || (l->wanted && (!l->is || strcmp(l->is, node) != 0)))
		return;
	free(l->wanted);
	l->wanted = strdup(node);
}

void links_settle(void)
{
	for (unsigned i = 0; i < here.n; i++)
		settle_one(&here.v[i]);
	if (here.changed)
		write_record();
	for (unsigned i = here.n; i-- > 0;)
		if (!here.v[i].is && !here.v[i].wanted)
			forget(&here.v[i]);
}
