/* Listening sockets: bound by PID 1 before anything starts, open until the end. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* Bind all of service i that are not open yet. On failure those opened before stay (they are in the ledger); e names
 * the service and the address. */
int sockets_open(struct prior *p, uint32_t i, struct err *e);
/* Those of all who start by themselves, or of these alone who have that flag; who cannot have them is refused, and is
 * not BACK any more. */
void sockets_bind_all(struct prior *p, uint32_t flag);
int sockets_watch(struct prior *p, uint32_t i, struct err *e);	/* EV_CONNECTION comes; opens them */
bool sockets_have_connection(const struct prior *p, uint32_t i);	/* one waits to be accepted at a socket of i */
void sockets_unwatch(struct prior *p, uint32_t i);
void sockets_drop(struct prior *p, uint32_t i);	/* closes those of i; removes the UNIX sockets' files */
/* Copies the descriptors to pass[] (at most max) and the names, joined by ':'. Returns how many. */
unsigned sockets_pass(struct prior *p, uint32_t i, int *pass, unsigned max, char *names, size_t size);
/* Another plan takes over (switch.h): where an address is the same, the socket goes along; to_old[service of q]. */
void sockets_carry(struct prior *p, struct prior *q, const uint32_t *to_old);
/* What was not carried; removes the UNIX sockets' files. to_new[service of p]. */
void sockets_close_left(struct prior *p, const struct prior *q, const uint32_t *to_new);
void sockets_close_all(struct prior *p);	/* at the end; removes the UNIX sockets' files */
