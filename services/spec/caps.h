/* Capabilities by name: CAP_NET_BIND_SERVICE is bit 10. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdint.h>

#define CAPS_KNOWN 41u
#define CAPS_ALL ((UINT64_C(1) << CAPS_KNOWN) - 1)

/* "CAP_X"; NULL beyond the known ones. */
const char *cap_name(unsigned bit);
/* With or without CAP_, in any case; "ALL" is CAPS_KNOWN. -1: there is no such capability. */
int cap_number(const char *name);
/* The name that was probably meant, or NULL. */
const char *cap_nearest(const char *name);
