/* A service's directories after its end: see plan_dir in services/plan/plan.h for what they are. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/cell/cell.h"

/* Something of them is to be removed when the service has stopped. */
bool dirs_go(const struct plan *p, const struct plan_service *s);
/* In a child: remove it. What cannot be removed is named in e, the rest goes. */
int dirs_remove(const struct plan *p, const struct plan_service *s, struct err *e);
