/* Drivers for what is there when the machine starts. See stages.h. */
/* SPDX-License-Identifier: ISC */
#include "init/child.h"
#include "init/stages.h"
#include "rootfs/coldplug.h"

#define DRIVERS_MS 60000

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
