/* Files that root believes: who else could have written them, and the command that mends it. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <sys/stat.h>

#define TRUST_TEXT 512

/*
 * What is wrong with who may write the file or directory of st: "everybody can write it (mode 0666): chmod go-w PATH",
 * into to; NULL: nothing. *all: it is everybody, not only a group or an owner that is neither root nor us. What lies on
 * a read-only file system is nobody's to write: the caller asks for that.
 */
const char *trust_wrong(char to[TRUST_TEXT], const char *path, const struct stat *st, bool *all);
