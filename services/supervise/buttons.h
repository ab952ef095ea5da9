/* Power buttons: a press ends the machine in order, without a program for it. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"
#include <linux/input.h>

/*
 * A button is whatever input device announces KEY_POWER, be it a keyboard. A child opens those and has the kernel keep
 * back all but the two keys below (EVIOCSMASK), before PID 1 gets the descriptor: other keys neither wake PID 1 nor
 * reach it. inotify(7) on /dev/input tells of new ones; one that goes is let go. Nothing of this outlives an exec of
 * PID 1: it is looked for again.
 */
#define BUTTONS_KEYS (const uint16_t[]){ KEY_POWER, KEY_RESTART }

void buttons_begin(struct prior *p);	/* on a machine that does not ignore them; also after an exec */
/* Another configuration, which may ignore them, has taken over. */
void buttons_commit(struct prior *old, struct prior *now);
void buttons_timer(struct prior *p);	/* TIMER_BUTTONS: a device has come */
void buttons_folder(void *ctx, uint32_t arg, uint32_t events); /* inotify's descriptor: what comes and goes */
void buttons_ended(struct prior *p);	/* the child that looks */
/* What has been pressed asks for; SHUTDOWN_NONE: nothing. */
enum shutdown_kind buttons_ask(const struct input_event *v, size_t n, enum power_button power);

/*
 * The child (buttons_look.c): the descriptors of all that are in this folder, at most `max`, those with the lowest
 * numbers, and how many there are more. Opening may block.
 */
unsigned buttons_look(const char *folder, int *fds, unsigned max, unsigned *more);
