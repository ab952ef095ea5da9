/* What each signal to PID 1 means, in each of its lives. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

int signals_begin(struct prior *p, struct err *e);	/* block them and watch the signalfd; also after an exec */
