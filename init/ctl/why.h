/* Saying why a service is in its state. Asks nobody, so that a test can hold it to a text. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/ctl/live.h"
#include <stdio.h>

void why_print(const struct live *live, const struct views *all, const struct view *v, FILE *to);
