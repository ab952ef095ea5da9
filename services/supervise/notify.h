/* NOTIFY_SOCKET: one datagram socket per service that has one. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* RUN_DIR/notify/NAME, made at the first start, open to the service's user alone. Inside LEDGER_WRITE. */
int notify_open(struct prior *p, uint32_t i, struct err *e);
int notify_watch(struct prior *p, uint32_t i, struct err *e);	/* again, after an exec */
void notify_close_all(struct prior *p);	/* at the end; removes the files and their directory */
const char *notify_path(const struct prior *p, uint32_t i, char *buf, size_t size);

/* One message, as received: bytes, NUL or not. Applies the keys it knows. For tests and for the socket. */
void notify_take(struct prior *p, uint32_t i, const char *bytes, size_t n);
