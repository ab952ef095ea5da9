/* How rows of types.h are written. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/types.h"
#include <stddef.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define FIELD(T, f, ...) { .name = #f, .at = offsetof(struct T, f), __VA_ARGS__ }
#define TYPE(T, ...) { .name = #T, .size = sizeof(struct T), .align = _Alignof(struct T), __VA_ARGS__ }
#define FIELDS(rows) .fields = (rows), .nfields = COUNT(rows)
#define STRING .of = &plan_string_type
