/* Keeping how a boot ends for the next one, and the brake on reboots for failure. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/ledger.h"

/* What `prior last-boot` shows: a struct boot_record, as this boot has found it. */
#define LASTBOOT_FILE "/run/prior/last-boot"

/*
 * This boot cannot go on, and `how` will be done about it. In a child, which a disk may not hold for long. *braked: it
 * would be one reboot for failure too many. ENOENT: no place is configured; or why it could not be kept.
 */
int lastboot_fails(const struct emergency_rules *r, const char *how, const char *why, bool *braked, struct err *e);
/*
 * This boot came up well: failures before it are no loop if it is cut off. Blocks; for the control tool. EALREADY:
 * its end is in the record already, while this waited for the disk, and stays.
 */
int lastboot_well(const char *place, struct err *e);
/*
 * The machine's main life is over, as the ledger says. BRAKED: it was to be rebooted for a failure once too often;
 * UNCOUNTED: it is to be, and nobody counts that.
 */
enum lastboot_says { LASTBOOT_GO, LASTBOOT_BRAKED, LASTBOOT_UNCOUNTED };
enum lastboot_says lastboot_end(int console, const struct ledger_head *h);
