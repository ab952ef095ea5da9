/* Device files by rules, and word of the devices that services wait for: a confined process of its own. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/plan.h"
#include <stdbool.h>

/*
 * PID 1 reads no uevent. The helper asks one only what kind it is, and looks at /sys/dev again, so that a lost one is
 * no loss, and what has been done once is not done again. It gives new device files their owner, mode and links by
 * plan_head.device_rules, takes links away whose device has gone, and then tells PID 1 what of each service's
 * needs_devices is missing. It loads the drivers that new devices ask for. It ends when PID 1 closes the socket.
 */
struct devices_news {
	uint32_t service;
	uint32_t absent, first;	/* how many of its needs_devices are not there, and which is the first; 0, 0: none */
};

/* What has been linked, one path below /dev in each line, so that another helper can take it away. */
#define DEVICES_LINKS "/run/prior/device-links"

/* Whether a plan has anything to do for a helper. */
bool devices_are_asked_for(const struct plan *p);
/* PID 1's side (start.c): the helper as our child; it gets the plan, which is sealed, and our socket's other end. */
int devices_start(int exe_fd, int plan_fd, int *pid, int *sock, struct err *e);
int devices_main(int argc, char **argv);	/* argv[0] == "prior-devices" */
/* All rules, once, for what is there now; for a child at boot, before anybody looks for a device. */
int devices_once(const struct plan *p, struct err *e);
