/* What a helper's list of calls lets through, asked of the kernel in a child; fences of files and capabilities too. */
/* SPDX-License-Identifier: ISC */
#include "init/base/allowlist.h"
#include "init/base/fence.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* The verdict of a child. */
static void in_a_child(int (*what)(void))
{
	int status = 0;
	const pid_t pid = fork();

	if (pid == 0)
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? 99 : what());
	assert_true(waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static int denied(long ret)
{
	return ret == -1 && errno == EPERM;
}

static int lists(void)
{
	/* the last: the sanitizers, at the end */
	static const int calls[] = { SYS_getpid, SYS_exit_group, SYS_sigaltstack };
	static const struct call_if local[] = { { 0, ARG_IS, AF_UNIX }, { 1, ARG_IS, SOCK_DGRAM } },
				    clean[] = { { 1, ARG_LACKS, 6 } };
	struct allowlist a;

	allowlist_begin(&a);
	allowlist_add(&a, calls, COUNT(calls));
	allowlist_add_if(&a, SYS_socket, local, COUNT(local));
	allowlist_add_if(&a, SYS_dup2, clean, COUNT(clean));
	if (allowlist_enter(&a) < 0)
		return 1;
	if (syscall(SYS_getpid) <= 0)
		return 2;
	if (!denied(syscall(SYS_getppid)))
		return 3;
	if (syscall(SYS_socket, AF_UNIX, SOCK_DGRAM, 0) < 0)
		return 4;
	if (!denied(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0)))
		return 5;
	if (!denied(syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0)))
		return 6;
	if (denied(syscall(SYS_dup2, 0, 0)) || denied(syscall(SYS_dup2, 1, 1)))
		return 7;
	return denied(syscall(SYS_dup2, 0, 2)) && denied(syscall(SYS_dup2, 0, 7)) ? 0 : 8;
}

static void what_is_not_on_the_list_is_denied(void **state)
{
	(void)state;
	in_a_child(lists);
}

static void a_list_that_is_too_long_is_not_entered(void **state)
{
	static const int call[] = { SYS_getpid };
	struct allowlist a;

	(void)state;
	allowlist_begin(&a);
	for (int i = 0; i < ALLOWLIST_MAX; i++)
		allowlist_add(&a, call, 1);
	assert_int_equal(allowlist_enter(&a), -1);
	assert_int_equal(errno, E2BIG);
}

static int fences(void)
{
	const int usr = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const int dirs[] = { -1, usr };

	if (fence_files(dirs, COUNT(dirs), FENCE_READ) < 0)
		return errno == ENOSYS ? 77 : 1;
	if (open("/usr", O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0)
		return 2;
	if (open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0 || errno != EACCES)
		return 3;
	return open("/usr/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 ? 0 : 4;
}

static void files_elsewhere_are_out_of_reach(void **state)
{
	(void)state;
	in_a_child(fences);
}

static int capabilities(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	if (fence_caps(0) < 0 || syscall(SYS_capget, &h, d) < 0)
		return 1;
	if (d[0].permitted | d[0].effective | d[0].inheritable | d[1].permitted)
		return 2;
	return denied(fence_caps(1u << CAP_CHOWN)) ? 0 : 3;
}

static void capabilities_do_not_come_back(void **state)
{
	(void)state;
	in_a_child(capabilities);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_on_the_list_is_denied),
		cmocka_unit_test(a_list_that_is_too_long_is_not_entered),
		cmocka_unit_test(files_elsewhere_are_out_of_reach),
		cmocka_unit_test(capabilities_do_not_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
