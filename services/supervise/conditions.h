/* Conditions of a start: looked at by a child, as a path may be on a file system that does not answer. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* Inside LEDGER_WRITE. The child takes the builder's place in the record; its exit code is what it found. */
int conditions_begin(struct prior *p, uint32_t i, struct err *e);
/* A builder of i has ended with this code (-1: by a signal). False: it was none of ours, but a real one. */
bool conditions_ended(struct prior *p, uint32_t i, int code);
