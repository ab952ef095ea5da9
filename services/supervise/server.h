/* The control socket: a fixed number of clients, fixed-size requests, answers when the result is there. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

int server_begin(struct prior *p, struct err *e);	/* binds RUN_DIR/control.sock */
void server_open_ledger(struct prior *p); /* what CTL_STATE gives away: the same file, open for reading */
int server_resume(struct prior *p, struct err *e);	/* watches the socket and the clients that an exec has kept */
void server_check(struct prior *p);	/* once per turn: answer those whose result is there */
void server_accept_again(struct prior *p);	/* TIMER_CONTROL: after a lack of descriptors */
void server_end(struct prior *p);	/* answers what can be answered, closes all, removes the socket */
/* What became of the compiling: to who asked for it (a slot, -1: nobody), with two descriptors if there are. A second
 * reply comes if this was good, and no dry run. */
void server_reload_said(struct prior *p, int client, const struct err *e, const int *fds);
void server_reload_lost(struct prior *p, const struct err *e);	/* to all for whom it is not in effect */
void server_reload_done(struct prior *p, const struct err *e);	/* the second, to all who wait for one */
/* A reply to whoever asked for a re-exec, if somebody did. */
void server_reexec_done(struct prior *p, const struct err *e);
