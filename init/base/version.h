/* The version of all of it: one number. */
/* SPDX-License-Identifier: ISC */
#pragma once

#define PRIOR_VERSION "0.1.0"
#define PRIOR_BUILT 1767225600	/* no clock is right that shows an earlier time: 2026-01-01 */
