/* When it cannot go on: machine.emergency decides; it never waits for an answer that nobody may give. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stdint.h>

enum emergency { EMERGENCY_SHELL, EMERGENCY_REBOOT, EMERGENCY_POWEROFF, EMERGENCY_HALT };
#define EMERGENCY_SHELL_MAX 128		/* its words, each ended by NUL, then an empty one */

/* Run the command on the console until it ends. False: it is "", or cannot be run, which is said. No heap. */
bool emergency_shell(int console, const char *words);
/* Say why, then do it. With the shell: returns when that has ended; without one, or if the kernel refuses: reboots. */
void emergency(int console, enum emergency how, const char *words, const char *why);
