/* Ahead of the slowest stop of a reload: what need not wait for it is started, by plans between the two. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * In RELOAD_STOPS, when something still stops after a moment, a child makes a plan between the one that runs and the
 * next (services/plan/between.h), and PID 1 goes over to it as to any other (switch.h). What has not come to rest is
 * under it as it was; the ledger still names the next plan, so that a fault is followed by the rest from there. Another
 * one follows when more has come to rest, after pauses that double, so that the work stays linear in services.
 */
void ahead_wait(struct prior *p);	/* RELOAD_STOPS has begun, or goes on: the first, or the next, pause */
void ahead_begin(struct prior *p);	/* TIMER_RELOAD: the pause is over */
void ahead_take(struct prior *p);	/* once per turn: the child's answer, if there is one, is p->reload.between */
void ahead_forget(struct prior *p);	/* child, plan and pause */
