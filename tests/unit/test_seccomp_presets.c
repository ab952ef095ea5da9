/* The filter that each preset ends up with in a plan: what it never lets through, and that equal ones are one. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/spec.h"
#include "tests/unit/filter_run.h"
#include "tests/unit/plan_compiled.h"
#include <errno.h>
#include <linux/audit.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct compiled c = { .fd = -1 };

static int done(void **state)
{
	(void)state;
	compiled_free(&c);
	return 0;
}

/* Its program, where the tests of filters look for one. */
static void load(const struct plan_service *s)
{
	policy.arch = c.plan.head->arch;
	length = (int)s->seccomp.n;
	memcpy(program, plan_array(&c.plan, s->seccomp), s->seccomp.n * sizeof *program);
}

static const struct plan_service *with(const char *keys)
{
	char yaml[1024];

	compiled_free(&c);
	snprintf(yaml, sizeof yaml, "services:\n  web:\n    command: [/bin/tool]\n%s", keys);
	compiled_make(&c, NULL, yaml);
	return compiled_service(&c, "web");
}

static const struct plan_service *preset(const char *name)
{
	char keys[200];

	snprintf(keys, sizeof keys, "    isolation: {preset: %s, rootfs: @/image}\n", name);
	return with(keys);
}

static bool is_allowed(uint32_t verdict)
{
	return verdict == ALLOWED || verdict == SECCOMP_RET_LOG;
}

static const char *const never[] = {
	"io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "mount", "umount2", "pivot_root",
	"move_mount", "open_tree", "fsopen", "mount_setattr", "init_module", "finit_module", "delete_module",
	"kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "bpf", "perf_event_open", "ptrace",
	"process_vm_writev", "keyctl", "add_key", "request_key", "open_by_handle_at", "settimeofday", "clock_settime",
	"adjtimex", "iopl", "ioperm", "modify_ldt", "pidfd_getfd", "kcmp", "acct", "quotactl", "syslog", "clone3", NULL
};

static void presets_never_let_through(void **state)
{
	static const char *const presets[] = { "minimal", "server", "strict", "worker", "database" };

	(void)state;
	for (unsigned i = 0; i < sizeof presets / sizeof *presets; i++) {
		const struct plan_service *s = preset(presets[i]);

		assert_non_null(s);
		assert_true(s->flags & CELL_SECCOMP);
		load(s);
		for (unsigned j = 0; never[j]; j++) {
			const int nr = call_number(policy.arch, never[j]);

			for (uint64_t a = 0; nr >= 0 && a < 3; a++)
				if (is_allowed(ask_number(nr, a - 1, a - 1, a - 1, a - 1)))
					fail_msg("%s lets %s through", presets[i], never[j]);
		}
	}
}

/* For every number: other architectures die, nobody's numbers are not there, upper halves do nothing. */
static void every_number_under_every_preset(void **state)
{
	static const char *const presets[] = { "minimal", "server", "strict", "worker", "database" };
	static const uint32_t foreign[] = { AUDIT_ARCH_I386, AUDIT_ARCH_ARM, 0, UINT32_MAX };

	(void)state;
	for (unsigned i = 0; i < sizeof presets / sizeof *presets; i++) {
		load(preset(presets[i]));
		for (int nr = 0; nr <= 600; nr++) {
			const uint32_t plain = ask_number(nr, 0, 0, 0, 0);

			if (!call_is_known(policy.arch, (unsigned)nr) && plain != ABSENT)
				fail_msg("%s: %d is nobody's, and says %#x", presets[i], nr, plain);
			for (unsigned j = 0; j < sizeof foreign / sizeof *foreign; j++)
				assert_int_equal(filter_run(program, length, &(struct seccomp_data){
							.nr = nr, .arch = foreign[j] }), SECCOMP_RET_KILL_PROCESS);
			if (policy.arch == AUDIT_ARCH_X86_64)
				assert_int_equal(ask_number(nr | 0x40000000, 0, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
			assert_int_equal(ask_number(nr, 1ull << 32, 1ull << 63, 1ull << 40, 1ull << 32), plain);
		}
		assert_int_equal(ask_number(-1, 0, 0, 0, 0), policy.arch == AUDIT_ARCH_X86_64 ? SECCOMP_RET_KILL_PROCESS
											       : ABSENT);
	}
}

static void confined_presets_make_no_namespaces_and_no_executable_memory(void **state)
{
	static const char *const presets[] = { "server", "strict", "worker", "database" };
	static const uint64_t spaces[] = { CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC,
					   CLONE_NEWUTS, CLONE_NEWCGROUP };

	(void)state;
	for (unsigned i = 0; i < sizeof presets / sizeof *presets; i++) {
		load(preset(presets[i]));
		for (unsigned j = 0; j < 2 * sizeof spaces / sizeof *spaces; j++) {
			const uint64_t flag = spaces[j / 2] | (uint64_t)(j & 1) << 45;

			assert_int_equal(ask("unshare", flag, 0, 0, 0), REFUSED);
			assert_int_equal(ask("clone", flag | 17, 0, 0, 0), REFUSED);
		}
		assert_int_equal(ask("clone", 17, 0, 0, 0), ALLOWED);
		assert_int_equal(ask("setns", 3, CLONE_NEWUTS, 0, 0), REFUSED);
		assert_int_equal(ask("mmap", 0, 0, 7, 0), REFUSED);
		assert_int_equal(ask("mprotect", 0, 0, 5, 0), REFUSED);
		assert_int_equal(ask("memfd_create", 0, 0, 0, 0), REFUSED);
		assert_int_equal(ask("ioctl", 0, 0x5412 | 1ull << 33, 0, 0), REFUSED);
		assert_int_not_equal(ask("socket", 38 | 1ull << 33, 0, 0, 0), ALLOWED);
		assert_int_equal(ask("openat", 0, 0, 0, 0), ALLOWED);
	}
}

static void services_with_one_profile_share_one_program(void **state)
{
	static const char profile[] = "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": "
				      "[{\"names\": [\"getppid\"], \"action\": \"SCMP_ACT_ERRNO\"}]}";
	char path[400];

	(void)state;
	snprintf(path, sizeof path, "%s/profile.json", compiled_folder());
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(profile, f);
	fclose(f);
	with("    security: {seccomp: @/profile.json}\n  other:\n    command: [/bin/tool]\n"
	     "    security: {seccomp: {profile: @/profile.json}}\n    isolation: {rootfs: @/image}\n"
	     "  third:\n    command: [/bin/tool]\n    security: {seccomp: {profile: @/profile.json, deny: [getpid]}}\n"
	     "    isolation: {rootfs: @/image}\n  fourth:\n    command: [/bin/tool]\n    isolation: {rootfs: @/image}\n"
	     "    security: {seccomp: @/profile.json}\n");
	unlink(path);
	const struct plan_service *a = compiled_service(&c, "other"), *b = compiled_service(&c, "fourth"),
				  *other = compiled_service(&c, "third");

	assert_non_null(a);
	assert_int_equal(a->seccomp.at, b->seccomp.at);
	assert_int_not_equal(a->seccomp.at, other->seccomp.at);
	load(a);
	assert_int_equal(ask("getppid", 0, 0, 0, 0), REFUSED);
	assert_int_equal(ask("getpid", 0, 0, 0, 0), ALLOWED);
	load(other);
	assert_int_equal(ask("getpid", 0, 0, 0, 0), REFUSED);
}

#define TEST(f) cmocka_unit_test_teardown(f, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(presets_never_let_through),
		TEST(every_number_under_every_preset),
		TEST(confined_presets_make_no_namespaces_and_no_executable_memory),
		TEST(services_with_one_profile_share_one_program),
	};

	return cmocka_run_group_tests_name("filters of presets", tests, compiled_setup, compiled_teardown);
}
