/* Help, version and licence of one command, as each style has them. Each returns the exit code. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/run/wrap.h"

int help_usage(const struct wrap *w);	/* all of it, because it was asked for */
void help_short(const struct wrap *w);			/* because something was wrong */
void help_rewrite(void);				/* dumb-init's -r */
int help_version(const struct wrap *w);
int help_licence(void);
