/* PID 1's main life: supervise a plan until everything is to end. The same for a machine, a container and `up`. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"
#include <stdio.h>

struct serve_setup {
	enum prior_mode mode;
	int plan_fd;		/* sealed plan; taken over on success */
	struct plan plan;	/* of plan_fd, mapped and checked, taken over on success; zero: it is mapped here */
	int exe_fd;		/* our binary, O_PATH; taken over on success */
	int cgroup_fd;		/* directory below which the leaves are made; FD_NONE: none. Taken over on success */
	int console_fd;		/* where the logger repeats lines and events; FD_NONE: nowhere. Taken over on success */
	const char *exe;	/* path of our binary for `prior reexec`; NULL: readlink of /proc/self/exe */
	const char *run_dir, *log_dir, *config;	/* at most 63, 63, 127 bytes; log_dir "": rings only */
	const char *state_dir;	/* at most 63 bytes; where `enable` and `disable` are kept; NULL: nowhere */
	uint32_t ctl_gid;	/* group `prior`, which may read; UINT32_MAX: none */
	struct plan_addr metrics;	/* of the HTTP endpoint; family 0: as the plan says */
	uint16_t metrics_port;
	bool echo, json;	/* repeat on console_fd; as JSON */
	const uint8_t *send;	/* MODE_RUN: what is passed on for each signal, struct wrap's; else NULL */
	const int64_t *stage_us;/* for the boot chart; may be NULL */
	unsigned stages;
	const struct emergency_rules *emergency; /* MODE_MACHINE; else NULL */
};

/*
 * Make everything, then post the start of every service: nothing waits, the loop does the rest. Makes run_dir if it
 * is missing. EADDRINUSE: another prior answers in run_dir. After a failure *p is unusable and the descriptors are
 * still the caller's.
 */
int serve_begin(struct prior *p, const struct serve_setup *s, struct err *e);

/*
 * After an exec of ourselves: everything comes from the ledger, checked against the kernel. fault: the signal that
 * brought us here, 0: on purpose. EBADMSG: no usable ledger; ELOOP: more faults than are survived (see panic_end()).
 */
int serve_resume(struct prior *p, int ledger_fd, int fault, struct err *e);

/* Turns until shutdown is complete: all services stopped, the logger drained. Then p->ledger.head->shutdown says
 * which kind and exit_code the code for a container. All that was made in run_dir is removed. */
void serve(struct prior *p);
void serve_turn(struct prior *p);	/* one turn of it, for tests */

void serve_shutdown(struct prior *p, enum shutdown_kind kind);	/* as if a signal had asked; before or inside serve() */

/* The table of signals, printed for the manual: "| signal | machine | container | run |". */
void serve_print_signals(FILE *to);
