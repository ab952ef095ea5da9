/* NOTIFY_SOCKET: one datagram socket per service that has one. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/* RUN_DIR/notify/NAME, made at the first start, open to the service's user alone. Inside LEDGER_WRITE. */
int notify_open(struct prior *p, uint32_t i, struct err *e);
int notify_watch(struct prior *p, uint32_t i, struct err *e);	/* again, after an exec */
void notify_close_all(struct prior *p);	/* at the end; removes the files and their directory */
const char *notify_path(const struct prior *p, uint32_t i, char *buf, size_t size);

#define NOTIFY_MAX 4096		/* bytes of a message */

/*
 * notify_keys.c: one message, as received from pid: bytes, NUL or not. Applies the keys it knows. True: its descriptors
 * are to be stored. pid 0: not known, in tests.
 */
bool notify_take(struct prior *p, uint32_t i, pid_t pid, const char *bytes, size_t n);
/* The value of the last line KEY=VALUE; NULL: there is none. */
const char *notify_value(const char *bytes, size_t n, const char *key, size_t *len);
/* Each is said once for a start of the service: a service must not fill the log of events with what it sends. */
enum notify_said { SAID_STOPPING = 1, SAID_MAINPID = 2, SAID_TOO_LONG = 4, SAID_STRANGER = 8, SAID_STORE = 16,
		   SAID_RELOADING = 32, SAID_EXTENDED = 64, SAID_ERRNO = 128 };
void notify_say_once(struct prior *p, uint32_t i, enum notify_said what, const char *level, const char *name,
		     const char *why);
