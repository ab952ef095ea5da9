/* Drivers for what is there when the machine starts, and its device files by the rules. See stages.h. */
/* SPDX-License-Identifier: ISC */
#include "init/child.h"
#include "init/stages.h"
#include "rootfs/coldplug.h"
#include "services/devices/devices.h"

#define DRIVERS_MS 60000
#define RULES_MS 20000

static int load_all(void *ctx, struct err *e)
{
	(void)ctx;
	return coldplug(e);
}

int stage_devices(struct boot *b, struct err *e)
{
	(void)b;
	return coldplug_is_needed() ? child_run(load_all, NULL, DRIVERS_MS, e) : 0;
}

static int follow_rules(void *ctx, struct err *e)
{
	const struct boot *b = ctx;

	return devices_once(&b->plan, e);
}

int stage_rules(struct boot *b, struct err *e)
{
	return b->plan.head->device_rules.n ? child_run(follow_rules, b, RULES_MS, e) : 0;
}
