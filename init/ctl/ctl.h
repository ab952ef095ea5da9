/* The control tool: what people type. An ordinary process, never PID 1; may use stdio and the heap. */
/* SPDX-License-Identifier: ISC */
#pragma once

/*
 * argv as main() got it: `prior VERB ...`, or a name that prior is linked by (poweroff, reboot, halt, shutdown,
 * telinit, init). Returns the exit code, in systemctl's and sysexits' terms; what it had to say is printed.
 */
int ctl_main(int argc, char **argv);
