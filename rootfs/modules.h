/* Kernel modules by name, with what they depend on: /lib/modules/RELEASE/modules.dep and finit_module(2). */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * Load NAME ('-' and '_' are the same) after its dependencies. A module that is built in or loaded already is success.
 * dir: "" for the machine's own /lib/modules/RELEASE, or another directory with a modules.dep (tests).
 * ENOENT: no such module; the text says where we looked. For child processes and before the first
 * service: reads files, blocks, does not allocate.
 */
int module_load(const char *dir, const char *name, int (*insert)(const char *path, struct err *e), struct err *e);
/*
 * finit_module(2), the usual `insert`; with what the command line has for it. E2BIG: more than a page of that. What is
 * compressed is handed to the kernel as it is, and where that cannot unpack it (CONFIG_MODULE_DECOMPRESS, Linux 5.17),
 * a program of the image does: see unpack.h.
 */
int module_insert(const char *path, struct err *e);
/*
 * Of a command line, the parameters of the module in this file: "ramoops.ecc=1" is "ecc=1" for ramoops.ko.xz. '-' and
 * '_' are the same in the module's name; blanks between quotes are part of a word. False: no room.
 */
bool module_options(const char *cmdline, const char *path, char *to, size_t size);
