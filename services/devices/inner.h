/* What the parts of the helper for devices share. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/devices/devices.h"
#include <sys/types.h>

/* A device as sysfs shows it. Nothing here follows a link but to find out where it leads. */
struct device_seen {
	int sys;		/* the directory /sys; the caller's */
	const char *path;	/* below it: "devices/pci0000:00/.../tty/ttyUSB0" */
};

#define DEVICE_VALUE 256	/* bytes of an attribute or a property, its NUL included; what is longer is cut */

/* --- match.c: pure but for reading sysfs --- */

const char *device_name(const struct device_seen *d);	/* the kernel's */
bool device_fits(const struct plan *p, const struct plan_device_rule *r, const struct device_seen *d);
/* A line of the file uevent, "DEVNAME"; false: there is none. */
bool device_property(const struct device_seen *d, const char *key, char to[DEVICE_VALUE]);
/* A file of sysfs of the device, or of the nearest one that it is on and that has it. */
bool device_attribute(const struct device_seen *d, const char *key, char to[DEVICE_VALUE]);
/* The link's name below /dev; false: a part of it is not there, or would not be a name. */
bool device_link_name(const char *link, const struct device_seen *d, char *to, size_t size);

/* --- links.c: all links that are or should be; memory from the heap --- */

/* Links that were made before, from that file (the table's from now on), below that /dev (the same). */
void links_begin(int dev, int record);
/* From here on: who wants what. node: the device file's path below /dev. */
void links_collect(void);
void links_want(const char *link, const char *node);
/* Makes what is wanted, removes what nobody wants, and writes the record when something has changed. */
void links_settle(void);

/* --- scan.c --- */

/* Looks at all of /sys/dev/block and /sys/dev/char; device files that were not there before get what is theirs. */
int devices_scan(const struct plan *p, int sys, int dev, struct err *e);

/* From here on it can look at sysfs, change what is in /dev, load the machine's drivers and talk to PID 1 (confine.c).
 * *missing names what it should have lost and has not. */
int devices_confine(char *missing, size_t size, struct err *e);
