/* How a record of the plan says where something else is. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdint.h>

/* n elements (strings: n bytes without the NUL, which follows) starting at byte `at` of the plan. at == 0: absent. */
struct plan_ref {
	uint32_t at, n;
};
