/* Places of the run directory: see run_dir.h. */
/* SPDX-License-Identifier: ISC */
#include "init/run_dir.h"
#include "init/base/text.h"
#include "init/rootless.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The places in their order. A container may have a read-only root, no /run, no right to write there. */
enum place { OF_MACHINE, OF_USER, OF_TMP, OF_SHM, PLACES };

static bool place(enum place n, char *to, size_t size)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	struct text t = { .at = to, .size = size };

	switch (n) {
	case OF_MACHINE:
		if (rootless_uid() == 0)
			text_add(&t, RUN_DIR);
		break;
	case OF_USER:
		if (rootless_uid() != 0 && xdg && *xdg)
			text_fmt(&t, "%s/prior", xdg);
		break;
	case OF_TMP:
		text_fmt(&t, "/tmp/prior-%u", rootless_uid());
		break;
	case OF_SHM:
		text_fmt(&t, "/dev/shm/prior-%u", rootless_uid());
		break;
	case PLACES:
		break;
	}
	return t.n > 0 && !t.cut;
}

/* Anybody can make something in /tmp: it counts only when it is ours, and nobody else may write there. */
static bool is_ours(const char *path, mode_t type)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       (type != S_IFDIR || !(st.st_mode & 022));
}

bool run_dir_make(char *to, size_t size)
{
	for (enum place n = 0; n < PLACES; n++)
		if (place(n, to, size) && (mkdir(to, 0755) == 0 || errno == EEXIST) && is_ours(to, S_IFDIR) &&
		    access(to, W_OK) == 0)
			return true;
	text_copy(to, size, "");
	return false;
}

/* The folders of an ordinary user's own: each is made if it can be, for nobody else. */
static bool state_dir(char *to, size_t size)
{
	static const char *const parts[] = { "/.local", "/state", "/prior" };
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	const bool own = xdg && *xdg == '/';
	struct text t = { .at = to, .size = size };

	if (rootless_uid() == 0 || (!own && (!home || *home != '/')))
		return false;
	text_add(&t, own ? xdg : home);
	for (unsigned i = own ? 2 : 0; i < sizeof parts / sizeof *parts; i++) {
		text_add(&t, parts[i]);
		if (t.cut || (mkdir(to, 0700) < 0 && errno != EEXIST))
			return false;
	}
	return is_ours(to, S_IFDIR) && access(to, W_OK) == 0;
}

void log_dir_make(char *to, size_t size)
{
	if (!state_dir(to, size))
		text_copy(to, size, LOG_DIR);
}

void run_dir_default(char *to, size_t size)
{
	enum place n = 0;

	while (!place(n, to, size))
		n++;
}

#define LOG_LINK "/log_dir"

void log_dir_leave(const char *run_dir, const char *log_dir)
{
	char link[128];
	struct text t = TEXT_IN(link);

	text_add(&t, run_dir);
	text_add(&t, LOG_LINK);
	if (t.cut || unlink(link) < 0)	/* it is made below */
		errno = 0;
	if (!t.cut && *log_dir && symlink(log_dir, link) < 0)
		errno = 0;
}

void log_dir_left(const char *run_dir, char *to, size_t size)
{
	char link[512];
	struct text t = TEXT_IN(link);

	text_add(&t, run_dir);
	text_add(&t, LOG_LINK);
	const ssize_t n = t.cut ? -1 : readlink(link, to, size - 1);

	if (n > 0 && (size_t)n < size - 1)
		to[n] = '\0';
	else
		text_copy(to, size, LOG_DIR);
}

/* The first place that has this, and it is ours: the folder, too, for in another's anything of ours can be put. */
static bool find_place(const char *name, mode_t type, char *to, size_t size)
{
	char path[512];

	for (enum place n = 0; n < PLACES; n++) {
		struct text t = TEXT_IN(path);

		if (!place(n, to, size))
			continue;
		text_add(&t, to);
		text_add(&t, name);
		if (is_ours(to, S_IFDIR) && is_ours(path, type))
			return true;
	}
	return false;
}

void run_dir_running(char *to, size_t size)
{
	if (!find_place("/control.sock", S_IFSOCK, to, size) && !find_place(LOG_LINK, S_IFLNK, to, size))
		text_copy(to, size, RUN_DIR);
}
