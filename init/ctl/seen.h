/* Processes by the numbers that they have here, where prior counts in another pid namespace. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/* Where a prior's numbers are valid. Zeroed: here. */
struct seen_from {
	pid_t prior;		/* it, by its number here; 0: its numbers are ours, or it cannot be seen */
	unsigned level;		/* its pid namespace is so many below ours */
};

/* From the connection to it. */
void seen_look(struct seen_from *s, int control);
/* Its `pid` by the number here; 0: that process cannot be seen. */
pid_t seen_pid(const struct seen_from *s, pid_t pid);
