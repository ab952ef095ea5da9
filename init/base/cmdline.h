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
bool cmdline_word(const char *word);	/* it stands there by itself */
