/* The command line of `prior up`: one row an option. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "services/plan/plan.h"
#include <stdbool.h>

/* Words are the command line's own, borrowed; NULL: not given. */
struct up_options {
	const char *config, *trust, *run_dir, *log_dir, *state_dir, *metrics;
	struct plan_addr metrics_addr;	/* what metrics says */
	uint16_t metrics_port;
	char **command;			/* the service `main`, NULL-ended */
	bool sys, json, no_userns, drop, help;
};

/*
 * 0; -EINVAL: words that make no sense; -EPERM: --sys of an ordinary user. A value comes as --name VALUE or as
 * --name=VALUE.
 */
int up_options_parse(struct up_options *u, int argc, char **argv, struct err *e);
/* The text of --help, on standard output. */
void up_options_usage(void);
