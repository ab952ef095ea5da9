/* The helper's life: it looks at the devices, tells PID 1 who misses what, and waits for the next uevent. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "rootfs/coldplug.h"
#include "services/devices/inner.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { PLAN_FD = 3, SOCK_FD = 4 };
#define PAUSE_MS 50	/* between two looks at all devices, however many uevents come */
#define BUFFER (1 << 20)	/* bytes of uevents that wait */

/* What a uevent can be about. */
#define ABOUT_FILES 1u		/* a device file comes or goes */
#define ABOUT_DRIVERS 2u	/* a device asks for a driver */

static struct {
	struct plan plan;
	struct devices_news *last;	/* by service: what was said of it */
	int sys, dev, uevents;
	bool drivers;			/* there is a modules.alias */
} here = { .uevents = FD_NONE };

static int open_uevents(struct err *e)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	const int size = BUFFER;
	owned_fd fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
		return err_sys(e, "devices: listen to uevents");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	return fd_take(&fd);
}

/* Links are known from one helper to the next by their record. */
static int open_places(struct err *e)
{
	mkdir("/run/prior", 0755);
	const int record = open(DEVICES_LINKS, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	here.sys = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	here.dev = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (record < 0 || here.sys < 0 || here.dev < 0)
		return err_sys(e, "devices: open /sys, /dev and " DEVICES_LINKS);
	links_begin(here.dev, record);
	return 0;
}

/* --- news --- */

static struct devices_news look_for_needs(uint32_t i)
{
	struct devices_news n = { .service = i };
	uint32_t at = 0;
	struct stat st;

	PLAN_EACH(struct plan_ref, path, &here.plan, plan_service(&here.plan, i)->needs_devices) {
		if (stat(plan_str(&here.plan, *path), &st) < 0 && n.absent++ == 0)
			n.first = at;
		at++;
	}
	return n;
}

/* False: PID 1 has gone from the other end. */
static bool tell_news(bool all)
{
	for (uint32_t i = 0; i < here.plan.head->services.n; i++) {
		if (!plan_service(&here.plan, i)->needs_devices.n)
			continue;
		const struct devices_news n = look_for_needs(i);

		if (!all && !memcmp(&n, &here.last[i], sizeof n))
			continue;
		here.last[i] = n;
		if (send(SOCK_FD, &n, sizeof n, MSG_NOSIGNAL) != sizeof n)
			return false;
	}
	return true;
}

/* --- uevents --- */

/* "add@/devices/...", then "KEY=value", each ended by a NUL. */
static unsigned about(const char *message, size_t n)
{
	unsigned what = 0;

	for (size_t at = 0; at < n; at += strlen(message + at) + 1)
		what |= !strncmp(message + at, "DEVNAME=", 8) ? ABOUT_FILES :
			!strncmp(message + at, "MODALIAS=", 9) ? ABOUT_DRIVERS : 0;
	return what;
}

static unsigned read_uevents(void)
{
	char message[8192];
	unsigned what = 0;
	ssize_t n;

	while ((n = recv(here.uevents, message, sizeof message - 1, MSG_DONTWAIT)) >= 0 || errno == ENOBUFS) {
		message[n > 0 ? n : 0] = '\0';
		what |= n < 0 ? ABOUT_FILES | ABOUT_DRIVERS : about(message, (size_t)n);	/* < 0: some are lost */
	}
	return what;
}

/* False: PID 1 has closed the socket; it says nothing otherwise. */
static bool wait_for_more(int ms, bool for_uevents)
{
	struct pollfd p[] = { { .fd = SOCK_FD, .events = POLLIN },
			      { .fd = for_uevents ? here.uevents : FD_NONE, .events = POLLIN } };

	poll(p, 2, ms);
	return !p[0].revents;
}

/* all: all news are told, for the first time. */
static int turn(unsigned what, bool all, struct err *e)
{
	struct err ignored;	/* a driver that cannot be loaded: who misses its device says so */

	if (what & ABOUT_DRIVERS && here.drivers)
		coldplug(&ignored);
	if (what & ABOUT_FILES && devices_scan(&here.plan, here.sys, here.dev, e) < 0)
		return -e->code;
	return tell_news(all) ? 0 : err_set(e, EPIPE, "devices: prior has gone");
}

static int live(struct err *e)
{
	int64_t last;

	if (turn(ABOUT_FILES, true, e) < 0 || turn(ABOUT_DRIVERS, false, e) < 0)	/* those since the boot's */
		return -e->code;
	for (last = mono_now().ms; wait_for_more(-1, true);) {
		const int64_t pause = last + PAUSE_MS - mono_now().ms;

		if (pause > 0 && !wait_for_more((int)pause, false))
			break;
		if (turn(read_uevents(), false, e) < 0)
			return e->code == EPIPE ? 0 : -e->code;
		last = mono_now().ms;
	}
	return 0;
}

static int begin(struct err *e)
{
	char missing[80];

	if (plan_map(&here.plan, PLAN_FD, e) < 0 || open_places(e) < 0)
		return -e->code;
	here.uevents = open_uevents(e);
	here.last = calloc(here.plan.head->services.n + 1, sizeof *here.last);
	here.drivers = coldplug_is_needed();
	if (here.uevents < 0 || !here.last)
		return here.uevents < 0 ? -e->code : err_set(e, ENOMEM, "devices: no memory");
	if (devices_confine(missing, sizeof missing, e) < 0)
		return -e->code;
	if (*missing)
		fprintf(stderr, "prior: devices: it runs without %s\n", missing);
	return 0;
}

int devices_main(int argc, char **argv)
{
	struct err e = { 0 };

	(void)argc, (void)argv;
	/* Nobody asks for anything any more: what is left of another configuration goes. */
	if (begin(&e) < 0 || (devices_are_asked_for(&here.plan) ? live(&e) : turn(ABOUT_FILES, true, &e)) < 0) {
		fprintf(stderr, "prior: %s\n", e.text);
		return 1;
	}
	return 0;
}

int devices_once(const struct plan *p, struct err *e)
{
	here.plan = *p;
	return open_places(e) < 0 ? -e->code : devices_scan(&here.plan, here.sys, here.dev, e);
}
