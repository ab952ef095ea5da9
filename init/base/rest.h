/* Memory that only busy times need goes back while a process that stays for good has nothing to do. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#define REST_WAIT_MS 2000	/* so long nothing was to do: rest_wait() gives back */
#define REST_WORTH_MS (10 * REST_WAIT_MS)	/* a shorter wait is not worth a wake-up of its own */

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
 * epoll_wait(2), for loops of processes that stay; < 0: whatever the error. When nothing has happened for REST_WAIT_MS
 * of a wait of REST_WORTH_MS or more, it goes on as rest_now(): costs this one wake-up, and a few faults on the next.
 */
int rest_wait(int epoll_fd, struct epoll_event *to, int n, int ms);

/*
 * The same wait, but first the stack below the caller, which holds nothing any more, goes back, and so do the pages of
 * the binary's code and constants if they can always be had again (madvise(2), MADV_DONTNEED). Code that runs brings
 * 64 KiB around it, so between giving back and sleeping only this function runs. It calls the kernel by itself, and
 * lies in one page, which stays (tests/lint/tables.sh).
 */
__attribute__((noinline, aligned(1024))) int rest_now(int epoll_fd, struct epoll_event *to, int n, int ms);
