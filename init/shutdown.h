/* The end of the machine: what is left after every service has stopped. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/boot.h"
#include "init/lastboot.h"
#include "services/supervise/ledger.h"

/*
 * Kill what is left, unmount, sync, reboot(2) as the ledger says, or for a soft reboot: execute our own binary, which
 * boots again without a kernel in between. What does not answer in time (a disk) is left. Returns only when all that
 * was refused.
 */
/* seed: where to keep randomness; "": nowhere. says: what the record of boots says to a reboot. */
void shutdown_machine(const struct boot *b, const struct ledger_head *h, const char *seed, enum lastboot_says says);
#define SHUTDOWN_AGAIN "--booted-before"	/* our first argument then: rootfs has been left */
