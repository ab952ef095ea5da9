/* What another plan changes: services of both by name, equal ones by their hash. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/plan.h"

#define CHANGES_NONE UINT32_MAX

/*
 * to_new[services of from] and to_old[services of to] become the index in the other plan, CHANGES_NONE: not there. One
 * pass over both, which are in the order of names.
 */
void changes_match(const struct plan *from, const struct plan *to, uint32_t *to_new, uint32_t *to_old);
/* Whether service i of `from` is another one under number k of `to`, CHANGES_NONE included. */
bool changes_service(const struct plan *from, uint32_t i, const struct plan *to, uint32_t k);
/* What is done once, at boot (interfaces, mounts, kernel settings), differs. */
bool changes_machine(const struct plan *from, const struct plan *to);
