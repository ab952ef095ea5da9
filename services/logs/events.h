/* Event lines read back: flat JSON objects of our own making. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/text.h"
#include <stdbool.h>
#include <stddef.h>

/* The value of a member, strings without their quotes; false when there is none. */
bool event_find(const char *line, size_t n, const char *name, const char **value, size_t *value_n);
/* "web: started pid 81", without the time. */
void event_words(const char *line, size_t n, struct text *t);
