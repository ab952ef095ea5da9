/* The log pipes and the logger: PID 1 holds both ends of every pipe, and keeps a logger running. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* The event pipe. A machine's logger waits until all is up, or for 250 ms: until then nobody reads, and who has filled
 * his pipe (64 KiB) is held. */
int streams_begin(struct prior *p, struct err *e);
/* The pipe of service i, made at its first start; the logger gets the reading end with streams_flush(). Inside
 * LEDGER_WRITE. */
int stream_open(struct prior *p, uint32_t i, struct err *e);
void stream_ended(struct prior *p, uint32_t i);	/* what it left without a newline is a line */
/* Another plan takes over (switch.h): the logger stays, and is sent anew what has changed. to_old[service of q]. */
void streams_carry(const struct prior *p, struct prior *q, const uint32_t *to_old);
void streams_flush(struct prior *p);	/* at the end of each turn: what the logger does not have is sent */
void streams_settled(struct prior *p);	/* all is up: a logger that has waited for that begins */
void streams_resume(struct prior *p);	/* after an exec: all is sent again to a new logger, or the old one is kept */
void streams_logger_ended(struct prior *p, int pid, uint8_t exit_kind, int status);
void streams_logger_start(struct prior *p);	/* TIMER_LOGGER: start it (again) */
/* The logger is to drain every pipe and end; p->finished becomes true when it has (or after a while). */
void streams_close(struct prior *p);
