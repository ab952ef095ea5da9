/* Work that may block or allocate, done in a forked child that answers with a whole struct err. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"

/* Runs work(ctx) in a child; returns what it returned. ETIME: longer than ms, and killed. ECHILD: it died. */
int child_run(int (*work)(void *ctx, struct err *e), void *ctx, int ms, struct err *e);
