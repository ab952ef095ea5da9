/* Which configuration a verb is about. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/ctl/verbs.h"

#define CONFIG_PATH_MAX 4096

/*
 * -c PATH, else prior.config= of the kernel (not in a container: there it is the host's), else $PRIOR_CONFIG, else
 * /etc/prior/.
 */
const char *config_path(const struct ctl *c, char buf[static CONFIG_PATH_MAX]);

bool config_is_plan(const char *path);	/* a file that begins as a compiled plan does */
