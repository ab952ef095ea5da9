/* What the control tool and PID 1 say to each other over RUN_DIR/control.sock (SOCK_SEQPACKET, SO_PEERCRED). */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdint.h>

/*
 * One fixed-size request, one fixed-size reply (or none before the result is there: the client just waits; it may
 * time out and go away at any time). Reads are open to uid 0, the uid prior runs as, and the group `prior`; changes
 * to the first two. PID 1 never parses text: the service is a NUL-ended name, everything else a number. A request of
 * another size or version is answered with EPROTO. At most CTL_CLIENTS at once; one more is refused with EAGAIN.
 */
#define CTL_VERSION 2
#define CTL_CLIENTS 32

enum ctl_verb {
	CTL_STATE,	/* reply carries two descriptors: the ledger and the plan, read-only */
	CTL_START, CTL_STOP, CTL_RESTART, /* reply when the service has settled (or at once with CTL_F_NO_WAIT) */
	CTL_RELOAD,	/* reply when it has reloaded, where it says so; else when it was told to */
	CTL_SIGNAL,	/* arg: signal number, to the main process */
	CTL_POWEROFF, CTL_REBOOT, CTL_HALT,	/* in a container all mean: stop all and exit. Reply at once */
	CTL_REEXEC,	/* reply comes from the new PID 1's loop: the connection survives */
	CTL_SETTLED,	/* reply when every wanted service is, or was, where it should be */
	/* The configuration anew. Two replies: one when it is compiled, with two descriptors (the compiler's
	 * complaints, the new plan), and if that was good and no CTL_F_DRY, one when what runs has settled in it. */
	CTL_RELOAD_CONFIG,
	CTL_KEXEC, CTL_SOFT_REBOOT,	/* as CTL_REBOOT */
	CTL_CANCEL,	/* what was to end later */
	CTL_VERBS
};
/* Of the verbs that end everything: arg: in so many seconds; service: the argument of CTL_REBOOT for the firmware. */
#define CTL_F_NO_WAIT 1u
#define CTL_F_DRY 2u	/* CTL_RELOAD_CONFIG: only say what would change */

struct ctl_request {
	uint32_t version, verb, flags;
	int32_t arg;
	char service[64];
};

struct ctl_reply {
	uint32_t version;
	int32_t code;		/* exit code of the verb: 0 done, 1 failed, 4 unknown service */
	struct err err;		/* code != 0: why, for a person */
};

/* Client side: connect, ask, wait at most timeout_ms (-1: for ever). fds (two, may be NULL) are the caller's. ENOENT,
 * ECONNREFUSED: no prior runs there; the text says what to do. */
int ctl_ask(const char *run_dir, const struct ctl_request *q, struct ctl_reply *r, int *fds, int timeout_ms,
	    struct err *e);
int ctl_ask_on(int fd, const struct ctl_request *q, struct ctl_reply *r, int *fds, int timeout_ms, struct err *e);
/* The same in its parts, where one request has several replies. *fd is the caller's. */
int ctl_connect(const char *run_dir, int *fd, struct err *e);
int ctl_send(int fd, const struct ctl_request *q, struct err *e);
int ctl_hear(int fd, struct ctl_reply *r, int *fds, int timeout_ms, struct err *e);
