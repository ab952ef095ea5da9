/* Devices that came after the plan (MOUNT_F_DEVICE). For builders and for who compares with the plan. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/bpf.h"
#include "services/plan/plan.h"

/*
 * What a cell has stays what it is, a node with a number, of which devtmpfs takes owner and mode when the device goes:
 * with DEVICE_GONE_KEEP another device that gets this number is open only to CAP_DAC_OVERRIDE.
 */
/* The device as an O_PATH descriptor, the caller's. ENODEV: what is there is none. */
int awaited_open(const char *path, struct err *e);
/*
 * The plan's rows for the cgroup's device policy, and one for each device that came later: by its path in the machine
 * (root < 0), or by what lies in the cell whose root is given (O_PATH), which no service can have put there. spare:
 * one that is not there gets none. Returns their number.
 */
int awaited_rules(const struct plan *p, const struct plan_service *s, int root, bool spare,
		  struct device_rule to[DEVICE_RULES_MAX], struct err *e);
