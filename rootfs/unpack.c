/* Compressed files: see unpack.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/unpack.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const struct {
	const char *ending, *program;
} kinds[] = { { ".xz", "xz" }, { ".zst", "zstd" }, { ".gz", "gzip" } };

static const char *program_for(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (unsigned i = 0; dot && i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(dot, kinds[i].ending))
			return kinds[i].program;
	return NULL;
}

static bool find(const char *program, char *path, size_t size)
{
	static const char *const places[] = { "/bin", "/usr/bin", "/sbin", "/usr/sbin" };

	for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
		struct text t = { .at = path, .size = size };

		text_fmt(&t, "%s/%s", places[i], program);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static int run(const char *program, int from, int to, size_t most, struct err *e)
{
	char *argv[] = { (char *)program, (char *)"-dc", NULL };
	/* Writes to memory obey it as well (SIGXFSZ). */
	const struct rlimit size = { most, most };
	const pid_t parent = getpid();
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "run %s: fork", program);
	if (pid == 0) {
		/* Whoever waits for us may be killed, for the time it takes. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
		    setrlimit(RLIMIT_FSIZE, &size) == 0 && dup2(from, 0) == 0 && dup2(to, 1) == 1)
			execv(program, argv);
		_exit(127);
	}
	sys_wait(pid, &status);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
		return err_set(e, EFBIG, "%s -dc: more than %zu KiB", program, most >> 10);
	return err_set(e, EIO, "%s -dc ended with code %d", program,
		       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int unpack(int fd, const char *path, size_t most, struct err *e)
{
	const char *name = program_for(path);
	char program[40];

	if (!name)
		return err_set(e, EOPNOTSUPP, "unpack %s: neither .xz nor .zst nor .gz", path);
	if (!find(name, program, sizeof program))
		return err_set(e, ENOENT, "unpack %s: there is no program %s", path, name);
	owned_fd to = memfd_create("unpacked", MFD_CLOEXEC);

	if (to < 0)
		return err_sys(e, "unpack %s: memory", path);
	if (run(program, fd, to, most, e) < 0)
		return err_in(e, "unpack %s", path);
	return fd_take(&to);
}
