/* Drivers for the devices that are there: /sys's modalias against /lib/modules/RELEASE/modules.alias. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>

/* Whether there is a modules.alias: where there is none, no child need be made to find that out. */
bool coldplug_is_needed(void);

/*
 * Load the module of every device that asks for one, with its dependencies, in as many rounds as bring new devices.
 * A module that cannot be loaded is passed over: the device may work without. Without modules.alias there is nothing
 * to do. For a child: it allocates and walks all of /sys/devices.
 */
int coldplug(struct err *e);
/* For each line of the table that matches one of the aliases (n words, NUL-ended, one after the other), once. */
void coldplug_match(const char *table, const char *const *aliases, unsigned n, void (*load)(const char *module));
