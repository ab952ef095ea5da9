/* A pledge as a filter's policy. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/seccomp.h"

/* Allow what these promises (services/spec/promises.h) bring. loads: a dynamic loader works before the program does. */
int policy_pledge(struct policy *p, uint64_t promises, bool loads, struct err *e);
/* The calls of one promise, as calls_each() reads them. */
const char *pledge_calls(unsigned promise);

/* seccomp_policy.c, for the above. */
void policy_allow(struct policy *p, const char *calls);
void policy_absent(struct policy *p, const char *calls);
int policy_check(struct policy *p, const char *call, const struct check *check, struct err *e);
