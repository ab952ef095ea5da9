/* The random seed: see seed.h. */
/* SPDX-License-Identifier: ISC */
#include "init/seed.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include "init/child.h"
#include "init/folder.h"
#include "init/stages.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED 512
#define SEED_MS 20000

static int open_folder(const char *path, struct err *e)
{
	int fd = folder_open(path, e);

	return fd < 0 ? err_in(e, "random seed") : fd;
}

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

int seed_save(const char *path, struct err *e)
{
	unsigned char bytes[SEED];
	char part[128];
	struct text t = TEXT_IN(part);
	owned_fd folder = open_folder(path, e);

	if (folder < 0)
		return folder;
	text_fmt(&t, "%s.new", name_of(path));
	if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != sizeof bytes)
		return err_sys(e, "random seed: the kernel has no randomness to keep yet");
	owned_fd fd = openat(folder, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || fchmod(fd, 0600) < 0 || write(fd, bytes, sizeof bytes) != sizeof bytes || fsync(fd) < 0 ||
	    renameat(folder, part, folder, name_of(path)) < 0 || fsync(folder) < 0)
		return err_sys(e, "random seed: write %s", path);
	return 0;
}

struct credit {
	struct rand_pool_info info;
	unsigned char bytes[SEED];
};

static int give(const unsigned char *bytes, bool credited, struct err *e)
{
	struct credit c = { .info = { .entropy_count = credited ? 256 : 0, .buf_size = SEED } };
	owned_fd fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

	memcpy(c.bytes, bytes, SEED);
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &c) < 0)
		return err_sys(e, "random seed: give it to the kernel");
	return 0;
}

int seed_take(const char *path, struct err *e)
{
	unsigned char bytes[SEED];
	struct stat st;
	owned_fd folder = open_folder(path, e);

	if (folder < 0)
		return folder;
	owned_fd fd = openat(folder, name_of(path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)	/* the first boot, or the last one was cut off: the end of this one makes one */
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "random seed: open %s", path);
	bool ours = S_ISREG(st.st_mode) && st.st_uid == 0 && !(st.st_mode & 077) && st.st_size == SEED;
	const bool whole = read(fd, bytes, sizeof bytes) == sizeof bytes;
	const bool gone = unlinkat(folder, name_of(path), 0) == 0 && fsync(folder) == 0;

	if (!whole)
		return err_set(e, EBADMSG, "random seed %s: not %d bytes; it is not used", path, SEED);
	if (give(bytes, ours && gone, e) < 0)
		return -e->code;
	if (!ours || !gone)
		return err_set(e, EPERM, "random seed %s: %s: mixed in, but not counted", path,
			       gone ? "not root's alone" : "it cannot be removed");
	return seed_save(path, e);
}

static int take(void *ctx, struct err *e)
{
	return seed_take(ctx, e);
}

int stage_seed(struct boot *b, struct err *e)
{
	const char *path = plan_str(&b->plan, b->plan.head->random_seed);

	return *path ? child_run(take, (void *)(uintptr_t)path, SEED_MS, e) : 0;
}
