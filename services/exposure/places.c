/* What a service finds at a path, from the list of its mounts. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "services/cell/root.h"
#include "services/exposure/exposure.h"
#include <string.h>

const struct exposed_mount *exposed_at(const struct exposed *x, const char *path)
{
	const struct exposed_mount *best = NULL;
	size_t longest = 0;

	for (const struct exposed_mount *m = x->mounts; m < x->mounts + x->nmounts; m++)
		if (path_is_at_or_below(path, m->target) && strlen(m->target) >= longest) {
			best = m;
			longest = strlen(m->target);
		}
	return best;
}

bool exposed_exists(const struct exposed *x, const char *path)
{
	owned_fd fd = x->root < 0 ? FD_NONE :
		      sys_openat2(x->root, path, O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	return x->root < 0 || fd >= 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool exposed_is_own(const struct exposed *x, const char *path)
{
	const struct exposed_mount *m = exposed_at(x, path);

	return m && !m->machines;
}

bool exposed_is_fixed(const struct exposed *x, const char *path)
{
	const struct exposed_mount *m = exposed_at(x, path);

	return m && (m->covered || m->attr & MOUNT_ATTR_RDONLY || !exposed_exists(x, path));
}
