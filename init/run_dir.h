/* Where a prior keeps its sockets and rings. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stddef.h>

#define RUN_DIR "/run/prior"

/* Where one that we start would keep them: the machine's /run as root, else $XDG_RUNTIME_DIR, else /tmp. */
void run_dir_default(char *to, size_t size);
/* Where to look for one that runs: the same, or the machine's when an ordinary user has none of their own. */
void run_dir_running(char *to, size_t size);
