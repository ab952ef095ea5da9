/* The key that has to have signed what prior is started with, whatever that says itself. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/sign/sign.h"
#include <stdbool.h>

#define ANCHOR_MAX 512

/*
 * In the environment: what --trust says, where every compiler of this supervisor finds it. A machine's is prior.trust=
 * on the kernel's command line, which nobody changes while it runs.
 */
#define ANCHOR_ENV "PRIOR_TRUST"

/*
 * KEY|FILE, in buf or in the environment; NULL: nobody asks for a signature. "", which no file is signed by: it was set
 * to nothing, or the kernel's command line cannot be read.
 */
const char *anchor_find(bool container, char buf[ANCHOR_MAX]);
/*
 * 0: these bytes of the file `path` are signed by that key, and under that file's name. EKEYREJECTED: they are not, or
 * there is no such key.
 */
int anchor_verify(const char *anchor, const char *path, const struct signed_bytes *b, struct err *e);
/*
 * The same for a compiled plan, sealed in fd. An image that its services have must be known by its hash, as it is when
 * the plan was made of a configuration that asks for signatures.
 */
int anchor_verify_plan(const char *anchor, const char *path, int fd, struct err *e);
