/* Booting the machine: stages as rows, from rootfs to the first service. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "init/emergency.h"
#include "services/plan/plan.h"
#include <stdbool.h>
#include <stdint.h>

#define BOOT_CONFIG "/etc/prior/"
#define BOOT_COMPILE_MS 30000

/* What the stages leave for serve_begin(); each descriptor is owned by whoever holds the struct. */
struct boot {
	int exe_fd;		/* our own binary, O_PATH: the path may be gone later */
	int console_fd;		/* /dev/console, or 2 */
	int plan_fd, cgroup_fd;
	bool quiet;		/* only what fails is said */
	struct emergency_rules emergency;
	bool again;		/* after a soft reboot: the root is as we left it */
	struct err rejected;	/* code != 0: there is no configuration that is signed as prior.trust= asks */
	struct plan plan;	/* mapped and checked, for serve_begin() */
	bool configured;	/* the plan is that of the configuration, not the empty one */
	char config[128];
	int64_t stage_us[BOOT_STAGES_MAX];	/* CLOCK_BOOTTIME at the end of each stage */
	unsigned stages;
};

/*
 * Run every stage in order. A stage that fails says so on the console, in one line, and boot goes on: what cannot work
 * without it is refused later by name. Returns 0; or -errno when there is not even a plan without services.
 */
int boot_machine(struct boot *b, struct err *e);

/* The container's part of it: config, plan and, where it is writable, cgroup2. */
int boot_container(struct boot *b, struct err *e);

/* One line on the console: "[   1.234] prior: ...". */
void boot_say(const struct boot *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

unsigned boot_stage_count(void);
const char *boot_stage_name(unsigned i);
const char *boot_stage_why(unsigned i);
