/* OpenBSD's promises by name: what a pledge is made of. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdint.h>

enum promise {
	PROMISE_STDIO, PROMISE_RPATH, PROMISE_WPATH, PROMISE_CPATH, PROMISE_DPATH, PROMISE_TMPPATH, PROMISE_INET,
	PROMISE_MCAST, PROMISE_FATTR, PROMISE_CHOWN, PROMISE_FLOCK, PROMISE_UNIX, PROMISE_DNS, PROMISE_GETPW,
	PROMISE_SENDFD, PROMISE_RECVFD, PROMISE_TTY, PROMISE_PROC, PROMISE_EXEC, PROMISE_PROT_EXEC, PROMISE_SETTIME,
	PROMISE_PS, PROMISE_VMINFO, PROMISE_ID, PROMISE_ROUTE, PROMISE_WROUTE, PROMISE_UNVEIL, PROMISE_ERROR, PROMISES
};
#define PROMISED(set, what) ((set) >> PROMISE_##what & 1)

/* The set, bit by bit, of words with blanks between; EINVAL: one is no promise, or one that Linux cannot hold. */
int promises_read(const char *text, uint64_t *set, struct err *e);
const char *promise_name(unsigned promise);
