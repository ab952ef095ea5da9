/* Somebody who exchanges a directory and a link while root makes, gives away and removes it: nothing else changes. */
/* SPDX-License-Identifier: ISC */
#include "tests/cells/harness.h"
#include "tests/cells/image.h"
#include "rootfs/tree.h"
#include <pthread.h>
#include <stdatomic.h>

#define ROUNDS 1000
#define SOMEBODY 4321
#define OTHER 4322

static atomic_bool over;
static atomic_uint exchanges;

/* state/sub is a directory one moment and a link to the precious one the next; so is state/deep/sub. */
static void *racer(void *unused)
{
	(void)unused;
	while (!over) {
		syscall(SYS_renameat2, AT_FDCWD, "/mnt/base/state/sub", AT_FDCWD, "/mnt/base/state/link", 2u);
		syscall(SYS_renameat2, AT_FDCWD, "/mnt/base/state/deep/sub", AT_FDCWD, "/mnt/base/state/deep/link", 2u);
		exchanges++;
	}
	return NULL;
}

static void make(const char *path)
{
	image_must(mkdir(path, 0755) == 0 || errno == EEXIST, path);
}

static void plant(uid_t owner)
{
	static const char *const folders[] = { "", "/sub", "/deep", "/deep/sub" };
	static const char *const links[] = { "/link", "/deep/link" };
	char path[128];

	for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(path, sizeof path, "/mnt/base/state%s", folders[i]);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			continue;	/* the racer was here */
		image_must(lchown(path, owner, owner) == 0 || errno == ENOENT, path);
	}
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "/mnt/base/state%s", links[i]);
		if (symlink("/mnt/precious", path) == 0)
			image_must(lchown(path, owner, owner) == 0, path);
	}
}

static bool precious_is_untouched(void)
{
	struct stat folder, file;

	return stat("/mnt/precious", &folder) == 0 && stat("/mnt/precious/file", &file) == 0 && folder.st_uid == 0 &&
	       file.st_uid == 0 && (folder.st_mode & 07777) == 0755 && file.st_size == 4;
}

/* Each round another owner, as when a service changes its user. */
static unsigned give(int base)
{
	struct err e;
	unsigned done = 0;

	for (unsigned i = 0; i < ROUNDS && precious_is_untouched(); i++) {
		owned_fd dir = tree_make(base, "state", &e);
		const uid_t uid = i % 2 ? SOMEBODY : OTHER;

		done += dir >= 0 && tree_give(dir, uid, uid, &e) == 0;
	}
	return done;
}

static unsigned make_below(int base)
{
	struct err e;
	unsigned refused = 0;

	for (unsigned i = 0; i < ROUNDS && precious_is_untouched(); i++) {
		owned_fd dir = tree_make(base, "state/sub/below", &e);

		refused += dir < 0;
	}
	return refused;
}

static unsigned take_away(int base)
{
	struct err e;
	unsigned done = 0;

	for (unsigned i = 0; i < ROUNDS / 10 && precious_is_untouched(); i++) {
		plant(OTHER);
		done += tree_remove(base, "state", &e) == 0;
	}
	return done;
}

int main(void)
{
	pthread_t t;
	unsigned n;

	group = "racer";
	image_make("/bin/inside");
	make("/mnt/precious");
	make("/mnt/base");
	owned_fd file = open("/mnt/precious/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	image_must(file >= 0 && write(file, "rare", 4) == 4, "/mnt/precious/file");
	plant(SOMEBODY);
	owned_fd base = open("/mnt/base", O_PATH | O_DIRECTORY | O_CLOEXEC);

	image_must(pthread_create(&t, NULL, racer, NULL) == 0, "a racer");
	n = give(base);
	check(precious_is_untouched(), "CVE-2018-15687: a racer gains nothing while a tree changes hands", "round %u",
	      n);
	check(n > ROUNDS / 2, "and the tree does change hands", "%u of %d", n, ROUNDS);
	n = make_below(base);
	check(precious_is_untouched() && access("/mnt/precious/below", F_OK) < 0,
	      "CVE-2024-45310: nothing is made behind a link that comes and goes", "%u were refused", n);
	n = take_away(base);
	check(precious_is_untouched(), "CVE-2018-6954: nothing behind it is removed", "round %u", n);
	over = true;
	pthread_join(t, NULL);
	printf("# %u exchanges\n", (unsigned)exchanges);
	return failures > 0;
}
