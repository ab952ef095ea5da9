/* The lives of PID 1: a machine, a container or foreground supervisor, and coming back after an exec of itself. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "init/run/wrap.h"
#include <stdbool.h>

int machine_main(bool again);	/* never returns on success: reboot(2); again: after a soft reboot */
int up_main(int argc, char **argv);	/* `up [-c PATH] [--sys] [--run-dir DIR]`, or `PATH`; returns the exit code */
int resume_main(int argc, char **argv);	/* --ledger=FD ...: see reexec.h */

/*
 * Supervise the one service of the configuration at path, its streams ours; the exit code, or -errno. 126 and 127
 * when it is said that its program cannot be run, or is not there. Of w it takes what becomes of signals.
 */
int run_confined(const char *path, const struct wrap *w, struct err *e);

/*
 * Where each of them ends, and all that PID 1 does from then on: it arms itself against faults, gives back what it does
 * not read again, serves, and ends. The exit code (a machine never returns), or -errno: it cannot be armed. That no
 * table is needed from here on that was given back is checked by `make check` (Makefile, STAYS).
 */
int stay(struct err *e);
