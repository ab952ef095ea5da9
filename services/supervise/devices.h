/* Services that wait for devices, and the helper that knows which are there: services/devices/devices.h. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* The helper, if the plan has anything for one and there is none; also the timer's. */
void devices_start_helper(struct prior *p);
void devices_ended(struct prior *p, int pid, uint8_t exit_kind, int status);
/* After an exec: its word went with it, so another one is asked. */
void devices_resume(struct prior *p);
/* Another plan has taken over: the next helper has that one. Links that it does not know go, whoever made them. */
void devices_commit(struct prior *old, struct prior *now);
void devices_end(struct prior *p);

/* Nothing is known of any device, so all that somebody needs is missing. Before the edges are counted. */
void devices_forget(struct prior *p);
/* All that is not settled waits for devices, without a timeout, or for who does: nothing more is to be waited for. */
bool devices_may_never_come(struct prior *p);
/* i has begun to wait: for how long, and what is said of it. Inside LEDGER_WRITE. */
void devices_wait(struct prior *p, uint32_t i);
