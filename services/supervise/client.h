/* One connection of the control tool, as the two halves of the server see it: admit.c lets in, server.c answers. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

static inline struct ledger_client *client(struct prior *p, uint32_t c)
{
	return &p->ledger.head->clients[c];
}

void client_drop(struct prior *p, uint32_t c);
/* One packet, never blocking; fds (NULL, or two) go along. False: the client is gone or does not read. */
bool client_send(int fd, int code, const struct err *why, const int *fds);
/* The answer to what c waits for; it may ask again then. */
void client_answer(struct prior *p, uint32_t c, int code, const struct err *why);
void client_heard(void *ctx, uint32_t c, uint32_t events);	/* loop_fn: it has said something, or gone */
