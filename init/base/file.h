/* Small files of the kernel's, read and written whole by descriptor. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stddef.h>
#include <sys/types.h>

/* dir: a directory's descriptor, the caller's, or AT_FDCWD. In one write, for the kernel takes such a text whole or not
 * at all; EIO: it has taken less. */
int file_write(int dir, const char *path, const char *text, struct err *e);
/* At most size-1 bytes, NUL-ended; returns their number. EOVERFLOW: there is more. */
ssize_t file_read(int dir, const char *path, char *to, size_t size, struct err *e);
/* The first line without its end, as much of it as there is room for; "" when it cannot be read. */
int file_line(const char *path, char *to, size_t size, struct err *e);
