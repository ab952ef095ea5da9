/* Which configuration a verb is about. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/ctl/verbs.h"
#include "services/plan/anchor.h"
#include "services/spec/spec.h"
#include <errno.h>

#define CONFIG_PATH_MAX 4096

/*
 * -c PATH, else prior.config= of the kernel (not in a container: there it is the host's), else $PRIOR_CONFIG, else
 * /etc/prior/.
 */
const char *config_path(const struct ctl *c, char buf[static CONFIG_PATH_MAX]);

/* KEY|FILE of --trust, else of the running machine's prior.trust=, else of $PRIOR_TRUST; NULL: none. */
const char *config_trust(const struct ctl *c, char buf[static ANCHOR_MAX]);

/* The exit code when it cannot be loaded: one that is not signed is there, and is refused. */
static inline int config_code(const struct err *e)
{
	return e->code == EKEYREJECTED ? FAILED : UNREADABLE;
}

bool config_is_plan(const char *path);	/* a file that begins as a compiled plan does */
/* The plan of a spec, for the one service that is asked for: bundle.c. Returns the exit code. */
int show_bundle(struct ctl *c, struct spec *s);
