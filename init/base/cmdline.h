/* The kernel's command line. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/*
 * The value of NAME= (the last one, as the kernel takes it), cut at size - 1. False, and out as it was, when there
 * is none.
 */
bool cmdline_value(const char *name, char *out, size_t size);
/* False: /proc/cmdline cannot be read to its end (64 KiB), and nothing of it is told: who must know asks this first. */
bool cmdline_is_known(void);
bool cmdline_word(const char *word);	/* it stands there by itself */
