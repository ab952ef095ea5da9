/* Messages that bring descriptors are taken off a notify socket by a child, never by PID 1. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * Whoever closes a descriptor last waits for what that takes: for a TCP socket that lingers up to a day, for a deleted
 * file as long as its blocks are many. What a service sends along with a message would so stop PID 1, in the very
 * recvmsg(2) or close(2). PID 1 therefore only looks at such a message (MSG_PEEK), and a child, which holds nothing
 * else, takes it. Until that child has ended the service's notify socket is not read; nobody else's is touched.
 */
/* Drops the first message of i's notify socket, which PID 1 has looked at. The socket is watched again after that.
 * store: what fdstore.h takes of its descriptors is sent on to PID 1 before. */
void discard_first(struct prior *p, uint32_t i, bool store);
void discard_ended(struct prior *p, uint32_t i, pid_t pid);	/* the child has */
/* After a switch to another plan: was is what q's service k had in memory. */
void discard_carry(const struct svc_run *was, struct prior *q, uint32_t k);
/* Before the next start: the socket is watched; or, where a child still waits, that is killed and the socket closed. */
void discard_anew(struct prior *p, uint32_t i);
/* At the end, before the socket is closed for good: what nobody has read. Not waited for. */
void discard_rest(struct prior *p, uint32_t i);
