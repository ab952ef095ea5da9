/* What a helper of ours gives up once it runs: capabilities and files. Its calls: allowlist.h. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdint.h>

/* All for the calling thread, for good, as -1 with errno on failure; nothing allocates or opens. */

/* Capabilities that an exec could bring, by the set or by being root. EPERM: without CAP_SETPCAP. */
int fence_bounding(void);
/* Those that it has, but for the kept ones of the first 32 (a mask), which it must have. EPERM: it still has others. */
int fence_caps(uint32_t kept);
/*
 * Of all files, those rights (LANDLOCK_ACCESS_FS_*) below these folders; a descriptor < 0 counts for none. By Landlock:
 * of networks and other processes nothing either, as far as the kernel goes. Wants no_new_privs or CAP_SYS_ADMIN.
 * ENOSYS: there is none to be had.
 */
int fence_files(const int *dirs, unsigned n, uint64_t rights);
/* The same where not all have the same rights. */
struct fence_place {
	int dir;
	uint64_t rights;
};
int fence_places(const struct fence_place *places, unsigned n);
/* What reading takes. */
#define FENCE_READ (1u << 2 | 1u << 3)	/* LANDLOCK_ACCESS_FS_READ_FILE, _READ_DIR */
