/* PID 1 executes itself: on purpose, after a fault, or as a child that only checks the ledger. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"
#include <stdbool.h>

/*
 * The command lines (never typed by people):
 *   prior --resume --ledger=FD                 on purpose: `prior reexec`
 *   prior --resume-after-fault=SIG --ledger=FD  from the fault handler, panic.h
 *   prior --resume-check --ledger=FD           exit code 0 when this binary knows that ledger
 */
bool reexec_is_resume(const char *first_argument);

struct resume {
	int ledger_fd;
	int fault;		/* the signal, 0: none */
	bool check;
};
int reexec_parse(struct resume *r, int argc, char **argv, struct err *e);
int reexec_check(int ledger_fd, struct err *e);		/* what --resume-check does */

/* Become exe_fd, keeping exactly the ledger's descriptors. Returns only on failure, with everything as it was. */
int reexec(struct prior *p, int exe_fd, struct err *e);
