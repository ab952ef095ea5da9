/* What whoever started us hands in and wants to hear: sockets by LISTEN_FDS, a word to NOTIFY_SOCKET. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>

#define OUTSIDE_FDS 64

/*
 * Take over what LISTEN_FDS hands to us (LISTEN_PID is ours), and forget the variables. EINVAL: one of them is
 * neither a socket nor a FIFO. What does not count as ours stays as it is.
 */
int outside_begin(struct err *e);

/* Close every descriptor from 3 on but those of outside_begin() and keep[n] (any order; FD_NONE counts for nothing). */
void outside_close_others(const int *keep, unsigned n);

/* The socket of this name, now the caller's; FD_NONE: there is none, or somebody has it. */
int outside_take(const char *name);

/* A name that nobody has taken; NULL: there is none left. Its descriptor is closed. */
const char *outside_left_over(void);

/* "READY=1", "STOPPING=1" to NOTIFY_SOCKET, if there is one. Never blocks; nobody is told when it fails. */
void outside_say(const char *text);
