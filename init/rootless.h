/* An ordinary user's supervisor in a user namespace of its own, where it may make what cells take. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"

/*
 * Moves the caller, which has one thread and is not root, into a new user namespace with every capability there; for
 * root, and for who may make namespaces already, does nothing. Which ids there are in it:
 *
 * - newuidmap and newgidmap are there and /etc/subuid and /etc/subgid have a range for this user: we are 0, and the
 *   range is 1 and up; services can have users of their own.
 * - otherwise one: our own, under its own number; every service has it. The capabilities are made ambient, so that they
 *   outlive our own exec; services have none of them.
 *
 * Then executes the binary anew with the same words, because the kernel shows the files of
 * processes that cannot be dumped to root of the namespace that their program was started in: does not return.
 *
 * What a cell takes is tried in a child first: on failure nothing has changed, and e says what stands in the way, and
 * what would allow it. Waits for newuidmap, 10 s at most. 0: there is nothing to do, or it has been done.
 */
int rootless_enter(struct err *e);

/* main()'s argv, for that exec. */
void rootless_words(char **argv);

/* Whose supervisor this is, as seen from where it was started: our own id, or, after the above, that of before. */
unsigned rootless_uid(void);
