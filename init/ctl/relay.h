/* Carrying bytes between our own terminal or pipes and those of a command that gets none of our descriptors. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <sys/types.h>

/* What the command gets, and what we keep: one terminal made for it, or three pipes. */
struct relay {
	bool terminal;
	int theirs[3];	/* its standard descriptors; FD_NONE when they have been given away */
	int ours[3];	/* where we write its input, read its output, read its errors; of a terminal: [0] for all */
};

/* terminal: make one, in the size of ours. On failure nothing is open. */
int relay_open(struct relay *r, bool terminal, struct err *e);
/* When the command has its copies: ours of them are closed. */
void relay_given(struct relay *r);
/*
 * Until the process pid, our child, has ended and what it wrote is written; ours is raw meanwhile. Returns its exit
 * status as waitpid(2) has it, or -errno. A signal that ends us ends it first: *ended_by is its number, else 0.
 */
int relay_run(struct relay *r, pid_t pid, int *ended_by, struct err *e);
void relay_close(struct relay *r);
