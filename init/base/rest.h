/* Memory that only busy times need goes back while a process that stays for good has nothing to do. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define REST_AFTER_MS 5000	/* so long nothing was to do */

/*
 * Pages of our own binary on a file system of this type (statfs(2), f_type) can always be had again: it keeps them in
 * memory, as an initramfs does. A disk may have failed by then, and a page that it cannot read ends the process. (That
 * a tmpfs may be swapped out changes nothing: so may all else that we have.)
 */
bool rest_comes_again(int64_t type);

/* Asks for that, while our own binary can still be seen (/proc/self/exe). Who does not call it keeps its pages. */
bool rest_begin(void);

/*
 * The tables of this program (constants with pointers: tools/tables.ld) that a process never reads again, by what it
 * goes on as, are gone at once: its own copy of them, which its start has made. Nothing brings them back but an exec,
 * in no child either, and whoever reads one faults. That neither can reach one is checked by `make check`. If the
 * kernel has no memory for it they stay.
 */
enum rest_as { REST_AS_SUPERVISOR, REST_AS_LOGGER };
void rest_tables_of_others(enum rest_as as);

/*
 * The stack below the caller holds nothing any more, and goes. So do the pages of the binary's code and constants
 * (madvise(2), MADV_DONTNEED), if they can always be had again: costs a few faults on waking up.
 */
void rest(void);
