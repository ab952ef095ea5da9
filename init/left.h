/* Who is left of all processes, for the last words of a machine. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/text.h"

/*
 * "sh (123), dd (140), and 3 more": the processes that are neither PID 1 nor the kernel's own nor ended, as /proc has
 * them. Returns how many there are; without /proc none. No heap. Their names are tamed: anybody may choose one.
 */
unsigned left_name(struct text *t);
/* Of a line of /proc/PID/stat: its name in `name`; false: ended, the kernel's own, or no such line. In place. */
bool left_parse(char *line, const char **name);
