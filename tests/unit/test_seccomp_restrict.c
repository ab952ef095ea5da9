/* Restrictions and lists of the filter: namespaces, memory, architectures, groups. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/seccomp.h"
#include "tests/unit/filter_run.h"
#include <errno.h>
#include <linux/audit.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define SYS_MOUNT 165

static void a_list_of_namespaces_is_let_through(void **state)
{
	struct filter_wishes w = { .arch = AUDIT_ARCH_X86_64, .profile = SECCOMP_NONE, .namespaces = true };

	(void)state;
	make(&w);
	assert_int_equal(ask("setns", 3, CLONE_NEWUTS, 0, 0), REFUSED);
	w.spaces_allowed = CLONE_NEWUTS | SPACE_TIME;
	make(&w);
	assert_int_equal(ask("unshare", CLONE_NEWUTS, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("unshare", SPACE_TIME, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("unshare", CLONE_NEWUTS | CLONE_NEWNS, 0, 0, 0), REFUSED);
	assert_int_equal(ask("clone", CLONE_NEWUTS | 17, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("clone", CLONE_NEWUSER | 17, 0, 0, 0), REFUSED);
	assert_int_equal(ask("setns", 3, CLONE_NEWUTS, 0, 0), ALLOWED);
	assert_int_equal(ask("setns", 3, CLONE_NEWUTS | CLONE_NEWPID, 0, 0), REFUSED);
	assert_int_equal(ask("setns", 3, 0, 0, 0), REFUSED);
	assert_int_equal(ask("clone3", 0, 0, 0, 0), ABSENT);
	compare_all();
}

static void ways_around_memory_deny_write_execute_are_closed(void **state)
{
	static const char *const closed[] = { "memfd_create", "memfd_secret", "ptrace" };
	struct filter_wishes w = { .arch = AUDIT_ARCH_X86_64, .profile = SECCOMP_NONE, .write_execute = true };

	(void)state;
	make(&w);
	for (unsigned i = 0; i < sizeof closed / sizeof *closed; i++)
		assert_int_equal(ask(closed[i], 0, 0, 0, 0), REFUSED);
	assert_int_equal(ask("userfaultfd", 0, 0, 0, 0), ABSENT);
	assert_int_equal(ask("personality", 0x0400000 /* READ_IMPLIES_EXEC */, 0, 0, 0), REFUSED);
	assert_int_equal(ask("pkey_mprotect", 0, 0, 5, 0), REFUSED);
	assert_int_equal(ask("shmat", 0, 0, 0100000, 0), REFUSED);
}

static void known_is_every_call_with_a_name(void **state)
{
	const char *known[] = { "@known" };
	struct filter_wishes w = { .arch = AUDIT_ARCH_X86_64, .profile = SECCOMP_DEFAULT, .deny = { known, 1 } };

	(void)state;
	make(&w);
	for (int nr = 0; nr < CALLS_MAX; nr++)
		assert_int_equal(ask_number(nr, 0, 0, 0, 0), call_is_known(w.arch, (unsigned)nr) ? REFUSED : ABSENT);
	compare_all();
}

static void architectures_alone_make_a_filter(void **state)
{
	struct filter_wishes w = { .arch = AUDIT_ARCH_X86_64, .profile = SECCOMP_NONE, .archs = true };

	(void)state;
	make(&w);
	assert_int_equal(ask_number(SYS_MOUNT, 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask_number(0x40000027, 0, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
	compare_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_of_namespaces_is_let_through),
		cmocka_unit_test(ways_around_memory_deny_write_execute_are_closed),
		cmocka_unit_test(known_is_every_call_with_a_name),
		cmocka_unit_test(architectures_alone_make_a_filter),
	};

	return cmocka_run_group_tests_name("seccomp restrictions", tests, NULL, NULL);
}
