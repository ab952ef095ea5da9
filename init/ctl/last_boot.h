/* How the boot before ended, printed. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/ctl/verbs.h"
#include "init/boot_record.h"

/* Takes r apart on the way. Its texts are ended by NUL. */
void last_boot_print(struct boot_record *r, bool as_json, FILE *to);
