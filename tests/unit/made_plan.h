/* A plan made by a test in a few lines: services as rows, unconfined, in name order. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/plan.h"
#include <stdint.h>

#define MADE_DEPS 4
#define MADE_LISTENS 2

struct made_dep {
	const char *on;		/* NULL: no more */
	uint16_t kind, condition;
};

struct made_listen {
	const char *path;	/* NULL: no more; "tcp:PORT" or a path */
	uint32_t lazy;		/* enum listen_activate */
};

struct made_svc {
	const char *name;
	const char *sh;		/* for /bin/sh -c; NULL: "exec sleep 1000" */
	const char *exe;	/* NULL: /bin/sh */
	uint8_t type, ready, restart, on_failure;
	uint32_t flags;		/* CELL_* */
	uint32_t start_ms, stop_ms, backoff_ms, max_restarts;	/* 0: 30 s, 10 s, 100 ms, 5 */
	const char *cron;	/* in UTC; NULL: none */
	uint32_t every_ms;
	struct made_dep deps[MADE_DEPS];
	struct made_listen listen[MADE_LISTENS];
	struct plan_care care;	/* numbers only; with any of these it has a record */
	const char *run[CARE_COMMANDS];	/* for /bin/sh -c */
	const char *base;	/* NULL, or whose slot it is */
	uint32_t connections, per_source, stdio;
	const char *on_failure_start, *pid_file, *http_path;
	uint32_t uid;			/* 0: ours */
	const char *address;		/* IPv4, on the bridge b0 */
	uint16_t port;			/* of the machine, TCP, that leads to it on b0 */
	const char *state;		/* its directory below /var/lib */
	const char *bind;	/* a folder of the machine that it has; with "ro:" in front it may not write there */
};

extern uint32_t made_good_after_ms;	/* not 0: the plan has a record of boots, and this */

/* A sealed memfd, the caller's; -1 when the rows make no plan. */
int made_plan(const struct made_svc *rows, unsigned n);
