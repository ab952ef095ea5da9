/* When it cannot go on: machine.emergency decides; it never waits for an answer that nobody may give. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/ledger.h"
#include <stdbool.h>
#include <stdint.h>

enum emergency { EMERGENCY_SHELL, EMERGENCY_REBOOT, EMERGENCY_POWEROFF, EMERGENCY_HALT };

/* Run the command on the console until it ends. False: it is "", or cannot be run, which is said. No heap. */
bool emergency_shell(int console, const char *words);
/*
 * Say why, keep it for the next boot, then do what the rules say. With the shell: returns when that has ended; without
 * one, or if the kernel refuses: reboots. Where that would be one reboot for failure too many, the rules' brake.
 * dog_fd: the machine's watchdog, FD_NONE: none is open; it watches over a reboot, and is stopped where there is to be
 * none; that it cannot be is said.
 */
void emergency(int console, int dog_fd, const struct emergency_rules *r, const char *why);
/* Says on the console that nobody counts what comes now, a reboot for failure, and waits, for who looks at it. */
void emergency_uncounted(int console);
/* The brake: no reboot. With a shell returns when that has ended, and otherwise not. */
void emergency_brake(int console, const struct emergency_rules *r);
