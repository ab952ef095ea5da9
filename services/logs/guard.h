/* The guard: notices that the disk does not answer, which the logger itself cannot: it sleeps in the kernel then. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdatomic.h>
#include <stdint.h>

/*
 * A disk can hang: a frozen or failing one, a server that is gone. Who writes to it then sleeps in the kernel, and
 * not even SIGKILL ends that. The logger would read no pipe any more, and every service that writes would wait with
 * it. So a thread that does nothing else looks, while a call that reaches the disk is on its way, whether it comes
 * back within GUARD_MS. When not, it tells PID 1 over the logger's socket (LOGGER_HUNG) and kills the process. PID 1,
 * which has all the pipes, starts another logger that keeps lines in memory, until the hung one has ended: then the
 * disk has answered. The thread sleeps for good while nothing is written.
 */
#define GUARD_MS 5000

struct guard {
	_Atomic uint32_t turns;	/* odd: a call is on its way */
	_Atomic uint32_t asleep;	/* 1: the thread waits to be woken */
	int sock;
	unsigned tick_ms;	/* between two looks; GUARD_TICKS of them without an answer are a hang */
};
#define GUARD_TICKS 5

/* g lives as long as the process. Before the lockdown: the thread confines itself, to less than the logger. */
int guard_start(struct guard *g, int sock, unsigned tick_ms, struct err *e);
/* Around every call that may wait for a disk. Not nested. */
void guard_begin(struct guard *g);
void guard_end(struct guard *g);
