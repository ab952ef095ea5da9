/* U-Boot's environment, as env/common.c and fw_setenv keep it on a block device or in a file. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One copy: CRC-32 of the data (4 bytes, little endian), in a redundant environment one byte of flags, then the data:
 * NAME=VALUE and NUL for each variable, and one more NUL. Of two copies that are whole, the one whose flags are one
 * higher (255 is followed by 0) is in force; a write goes to the other.
 */
#define UBOOT_ENV_MIN 64
#define UBOOT_ENV_MAX (1u << 18)

uint32_t uboot_crc32(const void *at, size_t n);
bool uboot_env_is_whole(const unsigned char *copy, size_t size, bool redundant);
/* Which of two copies is in force; -1: neither is whole. */
int uboot_env_newest(const unsigned char *const copy[2], size_t size);
/* The variable's value in a whole copy; NULL: there is none. */
const char *uboot_env_get(const unsigned char *copy, size_t size, bool redundant, const char *name);
/* Set it; value NULL: remove it. All others stay. False: no room, and nothing has changed. The sum is wrong then. */
bool uboot_env_set(unsigned char *copy, size_t size, bool redundant, const char *name, const char *value);
/* The sum, and the flags: those of the copy in force, and one more. */
void uboot_env_seal(unsigned char *copy, size_t size, bool redundant);
