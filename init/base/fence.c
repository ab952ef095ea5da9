/* Fences of our own helpers: see fence.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fence.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

int fence_bounding(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	return prctl(PR_SET_SECUREBITS, SECURE_ALL_BITS | SECURE_ALL_LOCKS, 0, 0, 0);
}

/* The calls themselves: the C library's would speak for all threads. */
int fence_caps(uint32_t kept)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { .permitted = kept, .effective = kept } }, now[2];

	if (syscall(SYS_capset, &h, d) < 0 || syscall(SYS_capget, &h, now) < 0)
		return -1;
	errno = EPERM;
	return memcmp(now, d, sizeof d) ? -1 : 0;
}

/* What each version of Landlock handles; headers of 6.1 do not name all of it. */
static const struct handled {
	uint64_t fs, net, scoped;
	size_t size;
} versions[] = {
	[1] = { .fs = 0x1fff, .size = offsetof(struct handled, net) },
	[2] = { .fs = 0x3fff, .size = offsetof(struct handled, net) },	/* moving between folders */
	[3] = { .fs = 0x7fff, .size = offsetof(struct handled, net) },	/* truncating */
	[4] = { .fs = 0x7fff, .net = 3, .size = offsetof(struct handled, scoped) },	/* TCP: bind and connect */
	[5] = { .fs = 0xffff, .net = 3, .size = offsetof(struct handled, scoped) },	/* ioctl of devices */
	/* abstract sockets, signals */
	[6] = { .fs = 0xffff, .net = 3, .scoped = 3, .size = offsetof(struct handled, size) },
};
#define NEWEST ((long)(sizeof versions / sizeof *versions) - 1)

#define PLACES_MAX 8

int fence_files(const int *dirs, unsigned n, uint64_t rights)
{
	struct fence_place p[PLACES_MAX];

	if (n > PLACES_MAX) {
		errno = E2BIG;
		return -1;
	}
	for (unsigned i = 0; i < n; i++)
		p[i] = (struct fence_place){ dirs[i], rights };
	return fence_places(p, n);
}

int fence_places(const struct fence_place *places, unsigned n)
{
	const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 1) {		/* a container's filter may hide it with an error of its own */
		errno = ENOSYS;
		return -1;
	}
	const struct handled *v = versions + (abi < NEWEST ? abi : NEWEST);
	owned_fd rules = (int)syscall(SYS_landlock_create_ruleset, v, v->size, 0);

	for (unsigned i = 0; i < n && rules >= 0; i++) {
		const struct landlock_path_beneath_attr a = { .allowed_access = places[i].rights & v->fs,
							     .parent_fd = places[i].dir };

		if (a.parent_fd >= 0 && syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0) < 0)
			return -1;
	}
	return rules < 0 ? -1 : (int)syscall(SYS_landlock_restrict_self, rules, 0);
}
