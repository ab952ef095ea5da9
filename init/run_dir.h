/* Where a prior keeps its sockets and rings. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define RUN_DIR "/run/prior"
#define LOG_DIR "/var/log/prior"

/*
 * Where log files are kept: /var/log/prior as root; else $XDG_STATE_HOME/prior or ~/.local/state/prior, which is made;
 * where that cannot be, /var/log/prior all the same, which the logger finds it cannot write.
 */
void log_dir_make(char *to, size_t size);
/* For who reads logs when nobody answers any more: a link in the run directory. That it cannot be made is no matter. */
void log_dir_leave(const char *run_dir, const char *log_dir);
/* What it says; else /var/log/prior. */
void log_dir_left(const char *run_dir, char *to, size_t size);
/* Where one that we start would keep them if all goes well: /run/prior as root, else $XDG_RUNTIME_DIR, else /tmp. */
void run_dir_default(char *to, size_t size);
/* The first place where that can be done: the above, /tmp, /dev/shm; it is made. False, and "": there is none. */
bool run_dir_make(char *to, size_t size);
/* Where to look for one that runs: the first of these places with a control socket of ours; else the first where one
 * of ours has run; else the machine's. */
void run_dir_running(char *to, size_t size);
