/* The time of day at boot: the hardware clock's, and never earlier than what is known to be past. See stages.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/version.h"
#include "init/child.h"
#include "init/stages.h"
#include <fcntl.h>
#include <linux/rtc.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#define CLOCK_MS 10000

struct clock {
	bool local;
	time_t floor;
};

static int set_time(time_t to, const char *why, struct err *e)
{
	const struct timespec t = { .tv_sec = to };

	return clock_settime(CLOCK_REALTIME, &t) < 0 ? err_sys(e, "set the clock by %s", why) : 0;
}

/* A driver that was loaded as a module came too late for the kernel to do it. */
static time_t read_hardware(void)
{
	static const char *const nodes[] = { "/dev/rtc0", "/dev/rtc" };
	struct rtc_time r;

	for (unsigned i = 0; i < 2; i++) {
		owned_fd fd = open(nodes[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || ioctl(fd, RTC_RD_TIME, &r) < 0)
			continue;
		struct tm t = { .tm_sec = r.tm_sec, .tm_min = r.tm_min, .tm_hour = r.tm_hour, .tm_mday = r.tm_mday,
				.tm_mon = r.tm_mon, .tm_year = r.tm_year };

		return timegm(&t);
	}
	return 0;
}

/* In a child, for the zone is read from a file. The first call without a time tells the kernel what its clock meant. */
static int set_clock(void *ctx, struct err *e)
{
	const struct clock *c = ctx;
	time_t now = time(NULL), hardware = now < c->floor ? read_hardware() : 0;

	if (hardware > now && set_time(hardware, "the hardware clock", e) < 0)
		return -e->code;
	if (c->local) {
		struct tm t;

		now = time(NULL);
		localtime_r(&now, &t);
		const struct timezone zone = { .tz_minuteswest = (int)(-t.tm_gmtoff / 60) };

		if (settimeofday(NULL, &zone) < 0)
			return err_sys(e, "tell the kernel the hardware clock's zone");
	}
	return time(NULL) < c->floor ? set_time(c->floor, "what is known to be past", e) : 0;
}

static time_t later(time_t than, const char *path)
{
	struct stat st;

	return *path && stat(path, &st) == 0 && st.st_mtim.tv_sec > than ? st.st_mtim.tv_sec : than;
}

int stage_clock(struct boot *b, struct err *e)
{
	const struct plan *p = &b->plan;
	struct clock c = { !strcmp(plan_str(p, p->head->rtc), "local"), PRIOR_BUILT };
	struct stat st;

	/* The seed's file was written when the machine last ended: as much as a machine without a clock can know. */
	if (b->exe_fd >= 0 && fstat(b->exe_fd, &st) == 0 && st.st_mtim.tv_sec > c.floor)
		c.floor = st.st_mtim.tv_sec;
	c.floor = later(later(c.floor, b->config), plan_str(p, p->head->random_seed));
	if (!c.local && time(NULL) >= c.floor)
		return 0;
	return child_run(set_clock, &c, CLOCK_MS, e);
}
