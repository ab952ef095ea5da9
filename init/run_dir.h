/* Where a prior keeps its sockets and rings. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define RUN_DIR "/run/prior"

/* Where one that we start would keep them if all goes well: /run/prior as root, else $XDG_RUNTIME_DIR, else /tmp. */
void run_dir_default(char *to, size_t size);
/* The first place where that can be done: the above, /tmp, /dev/shm; it is made. False, and "": there is none. */
bool run_dir_make(char *to, size_t size);
/* Where to look for one that runs: the first of these places with a control socket of ours, else the machine's. */
void run_dir_running(char *to, size_t size);
