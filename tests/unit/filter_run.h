/* Runs a filter as the kernel would, and reads a policy as a person would, so that the two can be compared. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/seccomp.h"
#include <linux/seccomp.h>

/* The verdict; fails the test when the program does what seccomp does not have. */
uint32_t filter_run(const struct sock_filter *program, int length, const struct seccomp_data *d);
extern unsigned filter_steps;	/* instructions of the last run */

/* What the policy says, without any cleverness. */
uint32_t policy_says(const struct policy *p, const struct seccomp_data *d);
