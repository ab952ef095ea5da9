/* A plan in a memfd that nobody can change any more. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/plan/write.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

static int plan_memfd(int *fd, struct err *e)
{
	*fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return *fd < 0 ? err_sys(e, "plan: memfd_create") : 0;
}

static int seal(int fd, struct err *e)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0
		       ? err_sys(e, "plan: sealing it") : 0;
}

int plan_seal_bytes(const void *at, size_t size, int *out, struct err *e)
{
	owned_fd fd = FD_NONE;
	int ret = plan_memfd(&fd, e);

	for (size_t done = 0; ret == 0 && done < size;) {
		ssize_t n = write(fd, (const char *)at + done, size - done);

		if (n < 0 && errno != EINTR)
			return err_sys(e, "plan: writing %zu bytes to memory", size);
		done += n > 0 ? (size_t)n : 0;
	}
	if (ret == 0)
		ret = seal(fd, e);
	if (ret == 0)
		*out = fd_take(&fd);
	return ret;
}

int plan_seal(int file, int *out, struct err *e)
{
	owned_fd fd = FD_NONE;
	struct stat st;
	off_t at = 0;

	if (fstat(file, &st) < 0)
		return err_sys(e, "plan: fstat");
	if (!S_ISREG(st.st_mode) || st.st_size > PLAN_MAX)
		return err_set(e, EBADMSG, "not a plan: no regular file of at most %u bytes", PLAN_MAX);
	int ret = plan_memfd(&fd, e);

	while (ret == 0 && at < st.st_size) {
		ssize_t n = sendfile(fd, file, &at, (size_t)(st.st_size - at));

		if (n == 0)
			return err_set(e, EBADMSG, "plan: the file became shorter while it was read");
		if (n < 0 && errno != EINTR)
			return err_sys(e, "plan: copying %lld bytes to memory", (long long)st.st_size);
	}
	if (ret == 0)
		ret = seal(fd, e);
	if (ret == 0)
		*out = fd_take(&fd);
	return ret;
}
