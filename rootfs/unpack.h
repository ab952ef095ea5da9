/* Compressed files, unpacked by the programs that the image has for it. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stddef.h>

/*
 * What is in the file PATH.xz, .zst or .gz, open as fd: a descriptor of memory, the caller's. xz, zstd or gzip of /bin,
 * /usr/bin, /sbin or /usr/sbin does it. ENOENT: there is none; EOPNOTSUPP: no such ending; EFBIG: it is more than
 * `most` bytes. The program ends with its caller. Blocks, does not allocate.
 */
int unpack(int fd, const char *path, size_t most, struct err *e);
