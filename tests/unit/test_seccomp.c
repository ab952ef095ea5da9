/* Every filter decides as its policy says, for all numbers, boundary arguments and architectures. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/seccomp.h"
#include "services/plan/types.h"
#include "tests/unit/filter_run.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#define ARCHES 2
static const uint32_t arches[ARCHES] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64 };

static struct filter_wishes restricted(uint32_t arch, unsigned profile)
{
	return (struct filter_wishes){ .arch = arch, .profile = profile, .namespaces = true, .realtime = true,
				       .suid_sgid = true, .personality = true, .write_execute = true, .modules = true,
				       .logs = true, .clock = true, .hostname = true, .raw_io = true };
}

static void every_profile_decides_as_declared(void **state)
{
	(void)state;
	for (unsigned a = 0; a < ARCHES; a++)
		for (unsigned profile = SECCOMP_NONE; profile <= SECCOMP_STRICT; profile++)
			for (unsigned action = 0; action <= SECCOMP_ACT_LOG_ONLY; action++) {
				struct filter_wishes w = { .arch = arches[a], .profile = profile, .action = action };

				make(&w);
				compare_all();
			}
}

static void every_restriction_decides_as_declared(void **state)
{
	(void)state;
	for (unsigned a = 0; a < ARCHES; a++)
		for (unsigned profile = SECCOMP_NONE; profile <= SECCOMP_STRICT; profile++)
			for (unsigned i = 0; i <= 10; i++) {
				struct filter_wishes w = { .arch = arches[a], .profile = profile };

				if (i < 10)
					(&w.namespaces)[i] = true;
				else
					w = restricted(arches[a], profile);
				make(&w);
				compare_all();
			}
}

static void families_decide_as_declared(void **state)
{
	static const uint32_t lists[][3] = { { 2, 10, 1 }, { 16 }, { 1 }, { 2, 3 } };
	static const unsigned counts[] = { 3, 1, 1, 2 };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct filter_wishes w = restricted(AUDIT_ARCH_X86_64, i % 2 ? SECCOMP_STRICT : SECCOMP_DEFAULT);

		w.families = true;
		w.nfamilies = counts[i];
		memcpy(w.family_list, lists[i], sizeof lists[i]);
		make(&w);
		compare_all();
	}
}

static void instruction_counts_stay_small(void **state)
{
	static const char *const names[] = { "none", "default", "strict" };
	struct filter_wishes w = { .arch = AUDIT_ARCH_X86_64, .profile = SECCOMP_DEFAULT };
	unsigned longest = 0;

	(void)state;
	for (unsigned profile = SECCOMP_NONE; profile <= SECCOMP_STRICT; profile++) {
		struct filter_wishes all = restricted(AUDIT_ARCH_X86_64, profile);

		make(&all);
		longest = 0;
		for (int nr = 0; nr < CALLS_MAX; nr++) {
			filter_run(program, length, &(struct seccomp_data){ .nr = nr, .arch = policy.arch });
			longest = filter_steps > longest ? filter_steps : longest;
		}
		print_message("%s with every restriction: %d instructions, at most %u for a call\n", names[profile],
			      length, longest);
		assert_in_range(length, 1, 230);
	}
	make(&w);
	print_message("default alone: %d instructions\n", length);
	assert_in_range(length, 1, 113);
}

static void default_refuses_what_is_dangerous(void **state)
{
	static const char *const refused[] = {
		"ptrace", "personality", "mount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen",
		"mount_setattr", "add_key", "request_key", "keyctl", "bpf", "perf_event_open", "init_module",
		"finit_module", "delete_module", "kexec_load", "reboot", "swapon", "settimeofday", "clock_settime",
		"adjtimex", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
		"iopl", "ioperm", "modify_ldt", "syslog", "acct", "quotactl", "open_by_handle_at", "chroot", "setns" };
	struct filter_wishes w = restricted(AUDIT_ARCH_X86_64, SECCOMP_DEFAULT);

	(void)state;
	make(&w);
	for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++)
		if (ask(refused[i], 0, 0, 0, 0) != REFUSED)
			fail_msg("%s is not refused", refused[i]);
	assert_int_equal(ask("clone3", 0, 0, 0, 0), ABSENT);
	assert_int_equal(ask("userfaultfd", 0, 0, 0, 0), ABSENT);
	assert_int_equal(ask("io_uring_setup", 0, 0, 0, 0), ABSENT);
	assert_int_equal(ask("io_uring_enter", 0, 0, 0, 0), ABSENT);
	assert_int_equal(ask("openat2", 0, 0, 0, 0), ABSENT);
	assert_int_equal(ask_number(463, 0, 0, 0, 0), ABSENT);
	assert_int_equal(ask_number(9999, 0, 0, 0, 0), ABSENT);
}

static void default_lets_services_work(void **state)
{
	static const char *const allowed[] = {
		"read", "write", "openat", "close", "mmap", "munmap", "brk", "execve", "exit_group", "futex", "clone",
		"fork", "vfork", "wait4", "accept4", "bind", "listen", "sendmsg", "recvmsg", "epoll_wait",
			"epoll_pwait2",
		"io_setup", "io_submit", "setuid", "setgid", "setgroups", "capset", "chown", "kill", "prctl", "seccomp",
		"landlock_create_ruleset", "rseq", "getrandom", "sendfile", "splice", "timerfd_create", "mlock",
		"shmget", "semget", "mq_open", "fsync", "sync", "prlimit64", "statx", "close_range", "pidfd_open",
		"sched_setaffinity", "execveat", "fchmodat2", "cachestat" };
	struct filter_wishes w = restricted(AUDIT_ARCH_X86_64, SECCOMP_DEFAULT);

	(void)state;
	make(&w);
	for (unsigned i = 0; i < sizeof allowed / sizeof *allowed; i++)
		if (ask(allowed[i], 0, 0, 0, 0) != ALLOWED)
			fail_msg("%s is refused", allowed[i]);
}

static void the_upper_half_of_an_argument_changes_nothing(void **state)
{
	struct filter_wishes w = restricted(AUDIT_ARCH_X86_64, SECCOMP_STRICT);
	const uint64_t up = 1ull << 32;

	(void)state;
	w.families = true;
	w.nfamilies = 2;
	w.family_list[0] = AF_INET;
	w.family_list[1] = AF_UNIX;
	make(&w);
	assert_int_equal(ask("socket", AF_INET, 1, 0, 0), ALLOWED);
	assert_int_equal(ask("socket", AF_INET | up, 1, 0, 0), ALLOWED);
	assert_int_equal(ask("socket", 38, 1, 0, 0), SECCOMP_RET_ERRNO | EAFNOSUPPORT);
	assert_int_equal(ask("socket", 38 | up, 1, 0, 0), SECCOMP_RET_ERRNO | EAFNOSUPPORT);
	assert_int_equal(ask("ioctl", 0, 0x5412, 0, 0), REFUSED);
	assert_int_equal(ask("ioctl", 0, 0x5412 | up, 0, 0), REFUSED);
	assert_int_equal(ask("ioctl", 0, 0x541c | up, 0, 0), REFUSED);
	assert_int_equal(ask("ioctl", 0, 0x5401, 0, 0), ALLOWED);
	assert_int_equal(ask("clone", CLONE_NEWUSER | 17, 0, 0, 0), REFUSED);
	assert_int_equal(ask("clone", CLONE_NEWUSER | up, 0, 0, 0), REFUSED);
	assert_int_equal(ask("clone", 17, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("mmap", 0, 0, 6, 0), REFUSED);
	assert_int_equal(ask("mmap", 0, 0, 6 | up, 0), REFUSED);
	assert_int_equal(ask("mmap", 0, 0, 5, 0), ALLOWED);
	assert_int_equal(ask("mprotect", 0, 0, 4, 0), REFUSED);
	assert_int_equal(ask("chmod", 0, 04755, 0, 0), REFUSED);
	assert_int_equal(ask("chmod", 0, 0755, 0, 0), ALLOWED);
	assert_int_equal(ask("openat", 0, 0, 0100, 02755), REFUSED);
	assert_int_equal(ask("openat", 0, 0, 020200000, 04755), REFUSED);
	assert_int_equal(ask("openat", 0, 0, 0, 04755), ALLOWED);
	assert_int_equal(ask("prlimit64", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("prlimit64", up, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("prlimit64", 1, 0, 0, 0), REFUSED);
	assert_int_equal(ask("prctl", 38, 1, 0, 0), ALLOWED);
	assert_int_equal(ask("prctl", 8, 1, 0, 0), REFUSED);
	assert_int_equal(ask("memfd_create", 0, 0, 0, 0), REFUSED);
}

static bool count_call(void *ctx, const char *call)
{
	unsigned *n = ctx;

	(void)call;
	++*n;
	return true;
}

static bool is_allowed_or_absent(void *ctx, const char *call)
{
	int nr = call_number(policy.arch, call);

	(void)ctx;
	if (nr >= 0 && policy.call[nr].verdict != VERDICT_ALLOW)
		fail_msg("%s is in the list, and not allowed", call);
	return true;
}

static void strict_allows_its_list_and_nothing_else(void **state)
{
	struct filter_wishes w = { .arch = AUDIT_ARCH_X86_64, .profile = SECCOMP_STRICT };
	unsigned listed = 0, allowed = 0;

	(void)state;
	make(&w);
	assert_true(calls_each("@strict-profile", is_allowed_or_absent, NULL));
	calls_each("@strict-profile", count_call, &listed);
	for (unsigned i = 0; i < CALLS_MAX; i++)
		allowed += policy.call[i].verdict == VERDICT_ALLOW;
	print_message("strict allows %u calls\n", allowed);
	assert_int_equal(allowed, 228);
	assert_in_range(listed, allowed, allowed + 4);
}

static void lists_add_and_take_away(void **state)
{
	const char *allow[] = { "ptrace", "@mount" }, *deny[] = { "@network-io", "read" };
	struct filter_wishes w = { .arch = AUDIT_ARCH_X86_64, .profile = SECCOMP_STRICT, .allow = { allow, 2 },
				   .deny = { deny, 2 } };

	(void)state;
	make(&w);
	assert_int_equal(ask("ptrace", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("mount", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("connect", 0, 0, 0, 0), REFUSED);
	assert_int_equal(ask("read", 0, 0, 0, 0), REFUSED);
	assert_int_equal(ask("write", 0, 0, 0, 0), ALLOWED);
	compare_all();
}

static void an_allowed_call_keeps_the_restrictions(void **state)
{
	const char *allow[] = { "prctl", "unshare", "clone3", "socket" };
	struct filter_wishes w = { .arch = AUDIT_ARCH_X86_64, .profile = SECCOMP_STRICT, .namespaces = true,
				   .allow = { allow, 4 } };

	(void)state;
	make(&w);
	assert_int_equal(ask("prctl", 8, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("unshare", CLONE_FILES, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("unshare", CLONE_NEWNS, 0, 0, 0), REFUSED);
	assert_int_equal(ask("unshare", 0x80, 0, 0, 0), REFUSED);
	assert_int_equal(ask("clone3", 0, 0, 0, 0), ABSENT);
	compare_all();
}

static void unknown_names_are_refused(void **state)
{
	const char *call[] = { "ptrce" }, *group[] = { "@mounts" }, *elsewhere[] = { "open", "riscv_flush_icache" };
	struct filter_wishes w = { .arch = AUDIT_ARCH_AARCH64, .profile = SECCOMP_DEFAULT, .allow = { call, 1 } };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(policy_make(&policy, &w, &e), -EINVAL);
	assert_string_equal(e.text, "seccomp.allow: there is no system call 'ptrce'");
	w.allow = (struct str_list){ group, 1 };
	assert_int_equal(policy_make(&policy, &w, &e), -EINVAL);
	assert_string_equal(e.text, "seccomp.allow: there is no group '@mounts'");
	w.allow = (struct str_list){ elsewhere, 2 };
	assert_int_equal(policy_make(&policy, &w, &e), 0);
}

static bool is_a_call_somewhere(void *ctx, const char *call)
{
	(void)ctx;
	if (call_number(AUDIT_ARCH_X86_64, call) == -1 && call_number(AUDIT_ARCH_AARCH64, call) == -1)
		fail_msg("'%s' is no system call", call);
	return true;
}

static void the_groups_hold_real_calls(void **state)
{
	(void)state;
	assert_true(calls_each("@system-service @default-more @default-less @absent @strict-profile @clock "
			       "@cpu-emulation @debug @module @mount @obsolete @privileged @raw-io @reboot @swap "
			       "@sandbox",
			       is_a_call_somewhere, NULL));
	assert_true(call_is_known(AUDIT_ARCH_X86_64, 0));
	assert_true(call_is_known(AUDIT_ARCH_X86_64, 462));
	assert_false(call_is_known(AUDIT_ARCH_X86_64, 400));
	assert_false(call_is_known(AUDIT_ARCH_X86_64, 463));
	assert_int_equal(call_number(AUDIT_ARCH_AARCH64, "open"), -2);
}

/* The library of a day may know fewer than we do, never others. */
static void known_numbers_are_those_with_a_name(void **state)
{
	const uint32_t archs[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64 };

	(void)state;
	for (unsigned a = 0; a < 2; a++)
		for (unsigned nr = 0; nr < CALLS_MAX; nr++) {
			char *name = nr <= 462 ? call_name(archs[a], nr) : NULL;

			if (!name != !call_is_known(archs[a], nr))
				fail_msg("%u of architecture %#x is %s", nr, archs[a], name ? name : "no call");
			if (name)
				assert_int_equal(call_number(archs[a], name), nr);
			free(name);
		}
}

/* Many checks and far verdicts: jumps longer than a conditional one can be. */
static void long_programs_jump_right(void **state)
{
	struct err e = { 0 };

	(void)state;
	policy = (struct policy){ .arch = AUDIT_ARCH_X86_64 };
	for (unsigned i = 0; i < 60; i++) {
		struct check c = { .kind = CHECK_ONLY, .arg = (uint8_t)(i % 6), .err = (uint16_t)(1 + i),
				   .nvalues = 40 };

		for (unsigned j = 0; j < c.nvalues; j++)
			c.values[j] = j * 3 + i;
		policy.checks[i] = c;
	}
	policy.nchecks = 60;
	for (unsigned i = 0; i < CALLS_MAX; i++)
		policy.call[i] = i % 9 == 3 ? (struct decision){ VERDICT_ALLOW, 1 + i % 3, 0, { (uint8_t)(i % 60),
				 (uint8_t)((i * 7) % 60), (uint8_t)((i * 11) % 60) }, { 0 } }
					    : (struct decision){ .verdict = (uint8_t)(i * i % 3) };
	policy.above.verdict = VERDICT_ENOSYS;
	length = policy_emit(&policy, program, &e);
	print_message("%d instructions\n", length);
	assert_in_range(length, 1000, BPF_MAXINSNS);
	assert_null(plan_filter_wrong(program, (uint32_t)length));
	compare_all();
}

static void a_program_that_is_too_long_is_an_error(void **state)
{
	struct err e = { 0 };

	(void)state;
	policy = (struct policy){ .arch = AUDIT_ARCH_X86_64, .nchecks = 60 };
	for (unsigned i = 0; i < 60; i++) {
		policy.checks[i] = (struct check){ .kind = CHECK_ONLY, .err = (uint16_t)i, .nvalues = 40 };
		for (unsigned j = 0; j < 40; j++)
			policy.checks[i].values[j] = j * 2 + i;
	}
	for (unsigned i = 0; i < CALLS_MAX; i++)
		policy.call[i] = (struct decision){ VERDICT_ALLOW, 2, 0, { (uint8_t)(i % 60), (uint8_t)(i / 9 % 60) },
						     { 0 } };
	assert_int_equal(policy_emit(&policy, program, &e), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_groups_hold_real_calls),
		cmocka_unit_test(known_numbers_are_those_with_a_name),
		cmocka_unit_test(every_profile_decides_as_declared),
		cmocka_unit_test(every_restriction_decides_as_declared),
		cmocka_unit_test(families_decide_as_declared),
		cmocka_unit_test(instruction_counts_stay_small),
		cmocka_unit_test(default_refuses_what_is_dangerous),
		cmocka_unit_test(default_lets_services_work),
		cmocka_unit_test(the_upper_half_of_an_argument_changes_nothing),
		cmocka_unit_test(strict_allows_its_list_and_nothing_else),
		cmocka_unit_test(lists_add_and_take_away),
		cmocka_unit_test(an_allowed_call_keeps_the_restrictions),
		cmocka_unit_test(unknown_names_are_refused),
		cmocka_unit_test(long_programs_jump_right),
		cmocka_unit_test(a_program_that_is_too_long_is_an_error),
	};

	return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
}
