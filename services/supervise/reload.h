/* Hot reload: the configuration is compiled again beside what runs, compared, and only what differs is touched. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 *   compiles   the compiler works in a child; services do not notice
 *   answered   its plan is verified and compared; who asked gets it (CTL_F_DRY: and that was all)
 *   stops      what is gone or changed, and what runs and needs that, is being stopped, in the order of any stop, under
 *              the plan that it was started with. What need not wait for the slowest of these starts before, see
 *              ahead.h: that is the rest of this list for a plan between the two, and then here again
 *   network    its bridges, their rules and their names take the place of the old ones, by a child
 *   (switch)   another ledger and memory take over in one step, see switch.h
 *              then what was stopped is started again if it is still there, and what is new is started
 * The ledger says how far it has come (next_plan_fd, SVC_F_LEAVING, SVC_F_BACK), so that a fault of PID 1 in any phase
 * is followed by the rest, or, while the compiler works, by the old configuration and a word to who asked.
 * A configuration with an error in it changes nothing.
 */
#define RELOAD_COMPILE_MS 60000

/* client: a slot, -1: a signal. EBUSY: one is on its way; ESHUTDOWN. */
int reload_begin(struct prior *p, int client, bool dry, struct err *e);
/* For instances that are asked for, or are to go: see instances.h. */
int reload_begin_instances(struct prior *p, struct err *e);
void reload_compiler_ended(struct prior *p, int pid, uint8_t exit_kind, int status);
void reload_network_ended(struct prior *p, const struct err *e);	/* e NULL: it is made */
void reload_timer(struct prior *p);	/* TIMER_RELOAD: the compiler takes too long, or a stop does */
/* Once per turn, outside of every callback: takes the compiler's answer. True: all is down that has to be, switch. */
bool reload_is_ready(struct prior *p);
/* The plan that the switch goes over to. */
static inline const struct plan *reload_target(const struct prior *p)
{
	return p->reload.between.at ? &p->reload.between : &p->reload.next;
}
void reload_done(struct prior *p);	/* after the switch: bind and start */
/* It could not be done: what was stopped for it is started again, and who asked is told. */
void reload_fail(struct prior *p, const struct err *e);
void reload_start_again(struct prior *p, uint32_t i);	/* i is down: start it if it is SVC_F_BACK */
void reload_resume(struct prior *p);	/* after an exec of ourselves */
