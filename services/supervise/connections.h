/* Services for one connection each: accepted by PID 1, given to a free slot, gone when they have ended. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/cell/cell.h"
#include "services/supervise/fsm.h"

/*
 * A base (svc_accepts()) listens and never has a process; its slots are services of the plan, as many as there may be
 * connections at once. So a connection costs PID 1 no memory that it does not have, a slot starts, is attested, stops
 * and survives an exec of PID 1 as any other service does, and each step of the following takes constant time (chains
 * of sources: as many as one source may have). Between accept(2) and the start the connection is in the ledger's listen
 * table, at the slot's place; PID 1 keeps it no longer than that, so that the other end sees the service's end.
 */
#define CONNECTION_TEXT 192	/* "REMOTE_ADDR=...\nREMOTE_PORT=...\n" */

void connections_build(struct prior *p);	/* lists of slots, from plan and ledger; part of prior_memory() */
/* Something waits at a socket of base i. Never blocks; takes some, and comes back for more. */
void connections_accept(struct prior *p, uint32_t i);
/* What an event means for a base: wherever another service would start, it listens. */
enum svc_event connections_event(struct prior *p, uint32_t i, enum svc_event ev);
void connections_moved(struct prior *p, uint32_t i);	/* service i has another state: a slot may be free again */
void connections_stop(struct prior *p, uint32_t i);	/* if i is a base: all that it serves */
/* For the start of slot i: the connection and where it is from. from: room for the text that *c points to. */
void connections_prepare(struct prior *p, uint32_t i, struct cell_start *c, char from[CONNECTION_TEXT]);
void connections_given(struct prior *p, uint32_t i);	/* the start has been asked for: ours is closed */
/* Another plan takes over (switch.h). to_old[service of q]. */
void connections_carry(const struct prior *p, struct prior *q, const uint32_t *to_old);
void connections_resume(struct prior *p, uint32_t i);	/* after an exec: what is between two of these steps */

/* "192.0.2.7", "fd00::1", "uid 1000", "cid 3": where it is from. Also for the control tool. */
struct text;
void connection_source(const struct ledger_conn *k, struct text *t);
