/* systemd's boot counting: how often a boot loader entry may still be tried stands in its file's name. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/*
 * NAME+LEFT-DONE.EXT or NAME+LEFT.EXT is counted: the boot loader moves one from LEFT to DONE before it boots it. With
 * LEFT 0 it comes last. NAME.EXT is not counted: it is good.
 */
struct boot_count {
	char name[128], ext[16];	/* without the dot */
	bool counted;
	unsigned left, done;
};

/* False: the file is no entry (.conf, .efi), or its count makes no sense. */
bool boot_count_parse(const char *file, struct boot_count *b);
/* The file's name; false: longer than size. */
bool boot_count_format(const struct boot_count *b, char *to, size_t size);
