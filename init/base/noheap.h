/* The promise that PID 1 takes no memory from a heap after boot, made testable. */
/* SPDX-License-Identifier: ISC */
#pragma once

/* From here on malloc and its kin abort in this process (not in its children). Does nothing unless built with
 * PRIOR_NO_HEAP. */
#ifdef PRIOR_NO_HEAP
void no_heap_from_here(void);
#else
static inline void no_heap_from_here(void)
{
}
#endif
