/* At shutdown: what keeps file systems busy that is no mount: swap, loop devices, device-mapper. See machine.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "rootfs/machine.h"
#include "init/base/text.h"
#include <linux/dm-ioctl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/swap.h>

#define LOOPS 256	/* devices that are looked at */

static int swap_off(void)
{
	static char list[8192];
	owned_fd fd = open("/proc/swaps", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, list, sizeof list - 1);
	int gone = 0;

	list[n > 0 ? n : 0] = '\0';
	char *line = strchr(list, '\n');	/* the first is the heading */

	while (line && *++line) {
		char *next = strchr(line, '\n');

		line[strcspn(line, " \t")] = '\0';
		text_unescape(line);
		gone += swapoff(line) == 0;
		line = next;
	}
	return gone;
}

/* One that is in use clears itself with its last user; asked once, it is not counted again. */
static int loops_clear(void)
{
	struct loop_info64 info;
	char name[24];
	int gone = 0;

	for (int n = 0; n < LOOPS; n++) {
		snprintf(name, sizeof name, "/dev/loop%d", n);
		owned_fd fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0 && ioctl(fd, LOOP_GET_STATUS64, &info) == 0 && !(info.lo_flags & LO_FLAGS_AUTOCLEAR))
			gone += ioctl(fd, LOOP_CLR_FD, 0) == 0;
	}
	return gone;
}

/* The kernel goes over its devices until none is left that nobody uses. */
static void dm_remove_all(void)
{
	struct dm_ioctl all = { .version = { DM_VERSION_MAJOR, 0, 0 }, .data_size = sizeof all };
	owned_fd fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		ioctl(fd, DM_REMOVE_ALL, &all);
}

int machine_detach_all(void)
{
	int gone = swap_off();

	dm_remove_all();
	gone += loops_clear();
	dm_remove_all();	/* those that stood on loop devices went with the first, those below them with this */
	return gone;
}
