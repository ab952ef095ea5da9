/* Which services start at boot, as somebody has said since the configuration was written: `enable`, `disable`. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/plan.h"

/*
 * STATE_DIR/enabled/NAME is one file per service: "yes\n" or "no\n". It wins over the key `enabled`. An instance of a
 * template with "yes" is made at boot. The compiler reads them, and puts what comes of it into plan_head.disabled; into
 * a copy of one that was compiled before, too. Files of other names, kinds or contents mean nothing.
 */
#define ENABLED_DIR_DEFAULT "/var/lib/prior"
#define ENABLED_ENV "PRIOR_STATE"	/* in PID 1's environment, for the compiler; none: nobody can say so */

struct enabled {
	struct enabled_row {
		char name[PLAN_NAME_MAX + 1];
		bool on;
	} *v;				/* owned, by name */
	unsigned n;
};

/* state_dir NULL, or nothing there: 0 and empty. Takes memory: for the compiler and the control tool. */
int enabled_read(struct enabled *to, const char *state_dir, struct err *e);
void enabled_free(struct enabled *x);
/* What was said: 1, 0; -1: nothing. */
int enabled_of(const struct enabled *x, const char *name);
/* The same of one service, from its file. */
int enabled_look(const char *state_dir, const char *name);
/* Makes the directories where they are missing. The file appears whole or not at all, and is on the disk. */
int enabled_write(const char *state_dir, const char *name, bool on, struct err *e);
/* Whether there is anything to be read. */
bool enabled_is_used(const char *state_dir);
/* A sealed copy of a plan with that in it; *fd is the caller's. */
int enabled_apply(const struct plan *p, const struct enabled *x, int *fd, struct err *e);
