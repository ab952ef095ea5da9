/* The lives of PID 1: a machine, a container or foreground supervisor, and coming back after an exec of itself. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"

int machine_main(void);			/* never returns on success: reboot(2) */
int up_main(int argc, char **argv);	/* `up [-c PATH] [--sys] [--run-dir DIR]`, or `PATH`; returns the exit code */
int resume_main(int argc, char **argv);	/* --ledger=FD ...: see reexec.h */

/* Supervise the one service of the configuration at path, its streams ours; the exit code, or -errno. */
int run_confined(const char *path, struct err *e);
