/* The machine's A/B slots: where they are counted, which one runs, and changing that. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "rootfs/slots.h"
#include "services/plan/plan.h"

/* The name of the slot that this boot has chosen, for who comes after the initramfs. */
#define BOOTSLOT_FILE "/run/prior/slot"

enum slot_change { SLOT_GOOD, SLOT_BAD, SLOT_PREFER, SLOT_CHANGES };
extern const char *const slot_change_name[SLOT_CHANGES];

/* All of these block, and read what others may have written: for children and the control tool. */

/* The slots of the plan with what is known of them. */
int bootslot_read(const struct plan *p, struct slots *s, struct err *e);
/*
 * Change one, on the disk when it returns; a cut in between leaves all as it was. EOPNOTSUPP: that format cannot say
 * it. ENOENT: there is no such slot.
 */
int bootslot_change(const struct plan *p, const char *name, enum slot_change change, struct err *e);
/*
 * By files, in an initramfs: choose one, or take that of prior.slot=; count it down, and leave its name in
 * BOOTSLOT_FILE. Whatever root= says: it would be a boot that nobody counts.
 */
int bootslot_choose(const struct plan *p, struct err *e);
/* Where that is not possible: the name of the configuration's first one, uncounted. */
int bootslot_first(const struct plan *p, struct err *e);
/* By systemd: a slot that was good and whose root cannot be had has its tries counted again, this one as the first. */
int bootslot_doubt(const struct plan *p, const char *name, struct err *e);
/* Which one runs; false: nobody has said, or the plan does not know it. */
bool bootslot_booted(const struct plan *p, char name[SLOT_NAME]);
const struct plan_boot_slot *bootslot_find(const struct plan *p, const char *name);	/* NULL: none */
