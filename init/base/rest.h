/* Memory that only busy times need goes back while a process that stays for good has nothing to do. */
/* SPDX-License-Identifier: ISC */
#pragma once

#define REST_AFTER_MS 5000	/* so long nothing was to do */

/*
 * Nothing is lost: pages of the binary's code and constants come again from the page cache when they are next used
 * (madvise(2), MADV_DONTNEED), the stack below the caller holds nothing any more. Costs a few faults on waking up.
 */
void rest(void);
