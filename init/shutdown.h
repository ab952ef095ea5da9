/* The end of the machine: what is left after every service has stopped. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/boot.h"
#include "services/supervise/ledger.h"

/* Kill what is left, unmount, sync, reboot(2) as kind says. Returns only when the kernel refuses. */
void shutdown_machine(const struct boot *b, enum shutdown_kind kind);
