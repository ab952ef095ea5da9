/* dm-verity: a block device whose every block is compared with a tree of hashes, of which we know the root. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* veritysetup(8)'s superblock, which stands before the tree. Nobody vouches for it: the root hash does for the data. */
struct verity {
	uint32_t data_block, hash_block;	/* bytes; 0: there is none */
	uint64_t data_blocks;
	char algorithm[32];
	char salt[513];				/* hexadecimal, or "-" */
};

#define VERITY_BYTES 512
bool verity_read(const unsigned char *at, size_t n, struct verity *v);	/* false: not one, or none we can use */
/* A root hash as people write it; EINVAL. */
int verity_hash_is_good(const char *hash, struct err *e);

/*
 * A read-only device with this name: data and, from the byte `offset` on, superblock and tree, are both on `device`.
 * dm_verity's module is loaded. path: its node. What is read from it and is not what the hash says is EIO.
 */
int verity_open(const char *name, const char *device, const struct verity *v, uint64_t offset, const char *hash,
		char path[64], struct err *e);
