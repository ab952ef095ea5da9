/* The end of all mounts at shutdown: see machine.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "rootfs/machine.h"
#include <stdbool.h>
#include <string.h>

#define MOUNTINFO_MAX (1 << 18)
#define ROUNDS 16

/* What must stay for reboot(2) and the last messages. Everything below them that is not one of them goes. */
static const char *const keep[] = { "/", "/proc", "/sys", "/dev", "/run" };

static char mountinfo[MOUNTINFO_MAX];

static bool is_kept(const char *target)
{
	for (unsigned i = 0; i < sizeof keep / sizeof *keep; i++)
		if (!strcmp(target, keep[i]))
			return true;
	return false;
}

/* "\040" and its like back to bytes, in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	*to = '\0';
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

/* The fifth field of a line, cut out in place. */
static char *target_of(char *line)
{
	for (int i = 0; i < 4 && line; i++)
		line = strchr(line, ' ') ? strchr(line, ' ') + 1 : NULL;
	if (line && strchr(line, ' '))
		*strchr(line, ' ') = '\0';
	if (line)
		unescape(line);
	return line;
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
		char *target = target_of(mountinfo + n);

		if (!target || is_kept(target))
			continue;
		if (sys_umount2(target, UMOUNT_NOFOLLOW) == 0) {
			(*gone)++;
			continue;
		}
		(*left)++;
		if (busy) {
			int why = errno;

			sys_mount(NULL, target, NULL, MS_REMOUNT | MS_RDONLY, NULL);
			busy(target, why);
		}
	}
}

int machine_unmount_all(void (*busy)(const char *target, int err))
{
	int left = 0, gone = 1;

	for (int i = 0; i < ROUNDS && gone > 0; i++) {
		round_of_unmounts(&left, &gone, NULL);
		if (left == 0)
			break;
	}
	if (left > 0)
		round_of_unmounts(&left, &gone, busy);
	sync();
	sys_mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
	sync();
	return left;
}
