/* The version of all of it: one number. */
/* SPDX-License-Identifier: ISC */
#pragma once

#define PRIOR_VERSION "0.1.0"
