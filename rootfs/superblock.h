/* What is on a block device: the kind of file system, its label and UUID, and the names of partitions. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Pure functions over bytes that anybody may have written: nothing behind n is read, and texts come out without bytes
 * that a terminal would obey. For confined children all the same.
 */
#define SUPERBLOCK_BYTES (66 * 1024)	/* from the device's first byte; less is taken, too */

struct superblock {
	const char *type;	/* as mount(2) has it, or "swap" */
	char label[257];	/* "": none */
	char uuid[40];		/* as blkid(8) spells it; "": none */
	uint64_t size;		/* bytes, up to a multiple of 4096, that it says it has; 0: not known of this type */
};

/* ext2 to ext4, xfs, btrfs, squashfs, erofs, vfat, iso9660, swap. False: nothing that is known here. */
bool superblock_read(const unsigned char *at, size_t n, struct superblock *s);

struct partition {
	char uuid[40], label[128];
};

/* Where on the disk an entry of its GPT is, of its header (92 bytes, LBA 1); false: no GPT, or no such entry. */
bool gpt_entry_at(const unsigned char *header, size_t n, unsigned number, unsigned sector, uint64_t *at);
bool gpt_entry_read(const unsigned char *entry, size_t n, struct partition *p);	/* 128 bytes; false: unused */
/* The partition's name by the disk's signature, of its first sector. False: no MBR. */
bool mbr_partition(const unsigned char *sector, size_t n, unsigned number, struct partition *p);
