/* Pledges as filters: each promise brings its calls and no others, and the program says what the policy does. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/seccomp_pledge.h"
#include "services/spec/promises.h"
#include "tests/unit/filter_run.h"
#include <errno.h>
#include <linux/audit.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void pledge(const char *text, bool loads)
{
	struct filter_wishes w = { .arch = AUDIT_ARCH_X86_64, .profile = SECCOMP_DEFAULT, .loads = loads };
	struct err e = { 0 };

	if (promises_read(text, &w.promises, &e) < 0)
		fail_msg("%s", e.text);
	w.write_execute = !PROMISED(w.promises, PROT_EXEC);
	make(&w);
	compare_all();
}

static void every_promise_decides_as_declared(void **state)
{
	static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64 };

	(void)state;
	for (unsigned i = 0; i < PROMISES; i++)
		for (unsigned j = 0; j < 12; j++) {
			struct filter_wishes w = { .arch = arches[j & 1], .loads = j & 2, .action = j / 4,
						   .promises = 1u << PROMISE_STDIO | UINT64_C(1) << i };

			make(&w);
			compare_all();
		}
	const struct filter_wishes all = { .arch = AUDIT_ARCH_X86_64, .namespaces = true, .suid_sgid = true,
					   .personality = true, .truncation = true, .write_execute = true,
					   .promises = (UINT64_C(1) << PROMISES) - 1 };

	make(&all);
	compare_all();
}

static bool is_a_call(void *ctx, const char *call)
{
	(void)ctx;
	if (call_number(AUDIT_ARCH_X86_64, call) == -1 && call_number(AUDIT_ARCH_AARCH64, call) == -1)
		fail_msg("'%s' is no system call", call);
	return true;
}

static void promises_name_real_calls(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PROMISES; i++) {
		assert_non_null(pledge_calls(i));
		if (!calls_each(pledge_calls(i), is_a_call, NULL))
			fail_msg("the calls of %s", promise_name(i));
	}
}

static void stdio_is_next_to_nothing(void **state)
{
	static const char *const refused[] = { "open", "openat", "stat", "access", "mkdir", "unlink", "socket",
		"connect", "fork", "vfork", "kill", "chmod", "chown", "setuid", "mount", "ptrace", "flock",
		"clock_settime",
		"sendmsg", "recvmsg", "chdir", "mknod", "unshare", "setns", "keyctl", "bpf" };

	(void)state;
	pledge("stdio", false);
	for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++)
		if (ask(refused[i], 0, 0, 0, 0) != REFUSED)
			fail_msg("stdio brings %s", refused[i]);
	assert_int_equal(ask("clone", CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("clone", 17, 0, 0, 0), REFUSED);
	assert_int_equal(ask("clone", (CLONE_VM | CLONE_THREAD) | 1ull << 40, 0, 0, 0), REFUSED);
	assert_int_equal(ask("newfstatat", 3, 0, 0, 0x1000), ALLOWED);
	assert_int_equal(ask("newfstatat", 3, 0, 0, 0), REFUSED);
	assert_int_equal(ask("ioctl", 0, 0x5401, 0, 0), ALLOWED);
	assert_int_equal(ask("ioctl", 0, 0x5412, 0, 0), REFUSED);
	assert_int_equal(ask("ioctl", 0, 0x5412 | 1ull << 32, 0, 0), REFUSED);
	assert_int_equal(ask("prlimit64", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("prlimit64", 1, 0, 0, 0), REFUSED);
	assert_int_equal(ask("mmap", 0, 0, 6, 0), REFUSED);
	assert_int_equal(ask("clone3", 0, 0, 0, 0), ABSENT);
	assert_int_equal(ask("io_uring_setup", 0, 0, 0, 0), ABSENT);
	assert_int_equal(ask_number(500, 0, 0, 0, 0), ABSENT);
	pledge("stdio", true);
	assert_int_equal(ask("openat", 0, 0, 0, 0), ALLOWED);	/* Landlock says where */
	assert_int_equal(ask("mkdir", 0, 0, 0, 0), REFUSED);
}

static void promises_bring_what_they_say(void **state)
{
	(void)state;
	pledge("stdio rpath", false);
	assert_int_equal(ask("openat", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("openat2", 0, 0, 0, 0), ABSENT);
	assert_int_equal(ask("mkdir", 0, 0, 0, 0), REFUSED);
	pledge("stdio inet", false);
	assert_int_equal(ask("socket", 2, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("socket", 1, 0, 0, 0), SECCOMP_RET_ERRNO | EAFNOSUPPORT);
	assert_int_equal(ask("socket", 38 | 1ull << 32, 0, 0, 0), SECCOMP_RET_ERRNO | EAFNOSUPPORT);
	pledge("stdio unix proc", false);
	assert_int_equal(ask("socket", 1, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("clone", 17, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("clone", CLONE_NEWUSER | 17, 0, 0, 0), REFUSED);
	pledge("stdio tty", false);
	assert_int_equal(ask("ioctl", 0, 0x5402, 0, 0), ALLOWED);
	assert_int_equal(ask("ioctl", 0, 0x5412, 0, 0), REFUSED);	/* TIOCSTI is in no promise */
	pledge("stdio prot_exec settime id error", false);
	assert_int_equal(ask("mmap", 0, 0, 7, 0), ALLOWED);
	assert_int_equal(ask("clock_settime", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("setuid", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("mount", 0, 0, 0, 0), ABSENT);
}

static void older_landlocks_get_help_with_truncation(void **state)
{
	struct filter_wishes w = { .arch = AUDIT_ARCH_X86_64, .profile = SECCOMP_NONE, .truncation = true };

	(void)state;
	make(&w);
	compare_all();
	assert_int_equal(ask("truncate", 0, 0, 0, 0), REFUSED);
	assert_int_equal(ask("openat", 0, 0, 01000, 0), SECCOMP_RET_ERRNO | EACCES);
	assert_int_equal(ask("openat", 0, 0, 01001, 0), ALLOWED);
	assert_int_equal(ask("openat", 0, 0, 01102, 0), ALLOWED);
	assert_int_equal(ask("open", 0, 0101000, 0, 0), SECCOMP_RET_ERRNO | EACCES);
	assert_int_equal(ask("openat2", 0, 0, 0, 0), ABSENT);
	assert_int_equal(ask("ftruncate", 0, 0, 0, 0), ALLOWED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promises_name_real_calls),
		cmocka_unit_test(every_promise_decides_as_declared),
		cmocka_unit_test(stdio_is_next_to_nothing),
		cmocka_unit_test(promises_bring_what_they_say),
		cmocka_unit_test(older_landlocks_get_help_with_truncation),
	};

	return cmocka_run_group_tests_name("pledges", tests, NULL, NULL);
}
