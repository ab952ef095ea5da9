/* The forms of `prior status`. They print what they are given and ask nobody, so that a test can compare. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/ctl/live.h"
#include <stdio.h>

struct status {
	const struct live *live;
	const struct views *views;
	bool colour;
	FILE *to;
};

void status_table(const struct status *s);
void status_one(const struct status *s, const struct view *v);	/* without its last lines */
void status_json(const struct status *s);
void status_prior(const struct status *s, bool json);		/* views are not looked at */
/* systemctl's exit code for these services: 0, or 3 when one is not active. */
int status_code(const struct views *v);
