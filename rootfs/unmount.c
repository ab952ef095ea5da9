/* The end of all mounts at shutdown: see machine.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "rootfs/machine.h"
#include "rootfs/mountinfo.h"
#include <stdbool.h>
#include <string.h>

#define MOUNTINFO_MAX (1 << 18)
#define ROUNDS 16

/*
 * What must stay for reboot(2) and the last messages; what the kernel shows below proc, sys and dev holds no data.
 * Below /run, which is memory too, somebody may have mounted a disk.
 */
static const struct {
	const char *path;
	bool all_below;
} keep[] = { { "/", false }, { "/proc", true }, { "/sys", true }, { "/dev", true }, { "/run", false } };

static char mountinfo[MOUNTINFO_MAX];

static bool is_kept(const char *target)
{
	for (unsigned i = 0; i < sizeof keep / sizeof *keep; i++)
		if (!strcmp(target, keep[i].path))
			return true;
		else if (keep[i].all_below && !strncmp(target, keep[i].path, strlen(keep[i].path)) &&
			 target[strlen(keep[i].path)] == '/')
			return true;
	return false;
}

static ssize_t read_mountinfo(void)
{
	owned_fd fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = 0, got = 1;

	while (fd >= 0 && n < MOUNTINFO_MAX - 1 && got > 0) {
		got = read(fd, mountinfo + n, (size_t)(MOUNTINFO_MAX - 1 - n));
		if (got > 0)
			n += got;
	}
	mountinfo[n] = '\0';
	return n;
}

/* One round, last line first. Counts what is left and what went. */
static void round_of_unmounts(int *left, int *gone, void (*busy)(const char *, int))
{
	ssize_t n = read_mountinfo();

	*left = *gone = 0;
	while (n > 0) {
		while (n > 0 && mountinfo[n - 1] == '\n')
			mountinfo[--n] = '\0';
		while (n > 0 && mountinfo[n - 1] != '\n')
			n--;
		struct mountinfo m;
		struct err unread;

		if (mountinfo_parse(mountinfo + n, &m, &unread) < 0 || is_kept(m.target))
			continue;
		if (sys_umount2(m.target, UMOUNT_NOFOLLOW) == 0) {
			(*gone)++;
			continue;
		}
		(*left)++;
		if (busy) {
			int why = errno;

			sys_mount(NULL, m.target, NULL, MS_REMOUNT | MS_RDONLY, NULL);
			busy(m.target, why);
		}
	}
}

int machine_unmount_all(void (*busy)(const char *target, int err), bool keep_root)
{
	int left = 0, gone = 1;

	for (int i = 0; i < ROUNDS && gone > 0; i++) {
		round_of_unmounts(&left, &gone, NULL);
		gone += machine_detach_all();
		if (left == 0)
			break;
	}
	if (left > 0)
		round_of_unmounts(&left, &gone, busy);
	sync();
	if (keep_root)
		return left;
	sys_mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
	sync();
	return left;
}
