/* The compiler child's own confinement. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"

/*
 * For a process that from now on only reads files, allocates memory, makes a memfd and sends it over a socket
 * it has: no exec, no new process, no socket, no write to any file, no capability but CAP_DAC_READ_SEARCH,
 * bounded time and memory. There is no way back, so tests call it in a child. EPERM and others: what could not
 * be given up.
 */
int confine_compiler(struct err *e);
