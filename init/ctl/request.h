/* One request to PID 1, with its failure told to the person. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/ctl/verbs.h"

#define REQUEST_MS 10000	/* for what PID 1 answers at once */

/* One of the verbs that end the machine: PID 1 is asked, or with --force the kernel, by reboot(2)'s command. */
int power_end(struct ctl *c, uint32_t verb, unsigned command);

/* verb: enum ctl_verb. Returns the exit code. timeout_ms -1: however long it takes. */
int request(const struct ctl *c, uint32_t verb, const char *service, int arg, int timeout_ms);
