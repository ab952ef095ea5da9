/* Coldplug by modalias: see coldplug.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/coldplug.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include "rootfs/modules.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ALIASES 2048
#define DEPTH 24
#define ROUNDS 4	/* a bus brings devices, those bring others */

static char *aliases[ALIASES];
static unsigned known, seen_before;

static void add_alias(int dir)
{
	char text[512];
	owned_fd fd = openat(dir, "modalias", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (n <= 1 || known == ALIASES)
		return;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	for (unsigned i = 0; i < known; i++)
		if (!strcmp(aliases[i], text))
			return;
	aliases[known] = strdup(text);
	known += aliases[known] != NULL;
}

static void walk(int dir, int depth)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (!d) {
		fd_drop(&copy);
		return;
	}
	add_alias(dir);
	for (struct dirent *n; depth < DEPTH && (n = readdir(d));) {
		if (n->d_name[0] == '.' || n->d_type != DT_DIR)
			continue;
		owned_fd below = openat(dir, n->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

		if (below >= 0)
			walk(below, depth + 1);
	}
	closedir(d);
}

/* "alias PATTERN MODULE", cut up in place; false: something else. */
static bool cut_line(char *line, char **pattern, char **module)
{
	char *save = NULL, *word = strtok_r(line, " ", &save);

	if (!word || strcmp(word, "alias") != 0)
		return false;
	*pattern = strtok_r(NULL, " ", &save);
	*module = strtok_r(NULL, " ", &save);
	return *pattern && *module;
}

static bool matches(const char *pattern, size_t fixed, const char *const *of, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!strncmp(pattern, of[i], fixed) && fnmatch(pattern, of[i], 0) == 0)
			return true;
	return false;
}

void coldplug_match(const char *table, const char *const *of, unsigned n, void (*load)(const char *module))
{
	char line[1024], *pattern, *module;

	for (const char *at = table; *at;) {
		size_t len = strcspn(at, "\n");

		if (len < sizeof line) {
			memcpy(line, at, len);
			line[len] = '\0';
			/* Most lines go by their first letters. */
			if (cut_line(line, &pattern, &module) && matches(pattern, strcspn(pattern, "*?["), of, n))
				load(module);
		}
		at += len + (at[len] == '\n');
	}
}

/* Built in, or loaded with all that it needs. */
static bool is_there(const char *module)
{
	char path[100];
	struct text t = TEXT_IN(path);

	text_fmt(&t, "/sys/module/%s", module);
	for (char *s = path; *s; s++)
		*s = *s == '-' ? '_' : *s;
	return !t.cut && access(path, F_OK) == 0;
}

static void load(const char *module)
{
	struct err passed_over;

	if (!is_there(module))
		module_load("", module, module_insert, &passed_over);
}

static void table_path(char *path, size_t size)
{
	struct text t = { .at = path, .size = size };
	struct utsname u;

	uname(&u);
	text_fmt(&t, "/lib/modules/%s/modules.alias", u.release);
}

bool coldplug_is_needed(void)
{
	char path[200];

	table_path(path, sizeof path);
	return access(path, F_OK) == 0 || errno != ENOENT;
}

static char *read_table(struct err *e)
{
	struct stat st;
	char path[200];

	table_path(path, sizeof path);
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char *table = fd >= 0 && fstat(fd, &st) == 0 ? malloc((size_t)st.st_size + 1) : NULL;
	size_t n = 0;

	if (fd < 0 || !table) {
		err_sys(e, "read %s", path);
		return NULL;
	}
	for (ssize_t got = 1; got > 0 && n < (size_t)st.st_size; n += got > 0 ? (size_t)got : 0)
		got = read(fd, table + n, (size_t)st.st_size - n);
	table[n] = '\0';
	return table;
}

int coldplug(struct err *e)
{
	char *table = read_table(e);

	if (!table)
		return e->code == ENOENT ? 0 : -e->code;
	for (int round = 0; round < ROUNDS; round++) {
		owned_fd devices = open("/sys/devices", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		seen_before = known;
		if (devices >= 0)
			walk(devices, 0);
		if (known == seen_before)
			break;
		coldplug_match(table, (const char *const *)aliases + seen_before, known - seen_before, load);
	}
	free(table);
	return 0;
}
