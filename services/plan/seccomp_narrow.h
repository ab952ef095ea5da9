/* Which arguments of a system call the kernel takes as 32 bits. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>

/* arg: 0 to 5. A comparison of such an argument must not look at its upper half: the kernel does not either. */
bool call_arg_is_narrow(const char *call, unsigned arg);
