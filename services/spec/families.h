/* Socket families by name: inet is 2. */
/* SPDX-License-Identifier: ISC */
#pragma once

int family_number(const char *name);	/* with or without AF_, in any case; -1: there is none */
const char *family_name(int number);	/* in lower case, without AF_; NULL: unknown */
const char *family_nearest(const char *name);
