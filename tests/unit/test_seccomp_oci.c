/* Profiles of container engines: what their JSON says is what the program does; what cannot be has its place. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/seccomp_oci.h"
#include "services/plan/types.h"
#include "services/plan/seccomp_narrow.h"
#include "services/spec/caps.h"
#include "tests/unit/filter_run.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct arena arena;
static struct oci_said said;
static struct policy base;

static int done(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static int read_text(const char *text, uint32_t arch, uint64_t caps, struct err *e)
{
	const struct oci_facts f = { .arch = arch, .caps = caps, .kernel = 0x60001 };

	return oci_read(&base, &arena, "/p.json", text, strlen(text), &f, &said, e);
}

/* The program of this text, under these wishes. */
static void load_with(const char *text, struct filter_wishes w, uint64_t caps)
{
	struct err e = { 0 };

	w.profile = SECCOMP_CUSTOM;
	w.base = &base;
	if (read_text(text, w.arch, caps, &e) < 0)
		fail_msg("%s", e.text);
	make(&w);
}

static void load(const char *text)
{
	load_with(text, (struct filter_wishes){ .arch = AUDIT_ARCH_X86_64 }, 0);
}

static const char *engine(void)
{
	static char text[65536];
	FILE *f = fopen("tests/seccomp/engine.json", "re");

	assert_non_null(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	return text;
}

static void an_engines_default_profile_loads(void **state)
{
	(void)state;
	load(engine());
	print_message("%d instructions, %u rules\n", length, policy.nrules);
	compare_all();
	assert_string_equal(said.foreign, "SCMP_ARCH_X86, SCMP_ARCH_X32");
	assert_string_equal(said.unknown, "a_call_of_tomorrow");
	assert_int_equal(ask("read", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("mount", 0, 0, 0, 0), REFUSED);
	assert_int_equal(ask("ptrace", 0, 0, 0, 0), ALLOWED);		/* minKernel 4.8 */
	assert_int_equal(ask("kcmp", 0, 0, 0, 0), REFUSED);		/* minKernel 99.0 */
	assert_int_equal(ask("modify_ldt", 0, 0, 0, 0), ALLOWED);	/* arches */
	assert_int_equal(ask("clone", 17, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("clone", CLONE_NEWUSER, 0, 0, 0), REFUSED);
	assert_int_equal(ask("clone3", 0, 0, 0, 0), ABSENT);
	assert_int_equal(ask("socket", 2, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("socket", 38, 0, 0, 0), REFUSED);
	assert_int_equal(ask("socket", 38 | 1ull << 32, 0, 0, 0), REFUSED);	/* CVE-2019-10063's kind */
	assert_int_equal(ask("socket", 39, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("personality", 8, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("personality", 0x0400000, 0, 0, 0), REFUSED);
	assert_int_equal(ask("sched_setscheduler", 0, 1, 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(ask("sched_setscheduler", 1, 1, 0, 0), REFUSED);
	assert_int_equal(ask("sendfile", 0, 0, 0, 1), ALLOWED);		/* the first rule decides: as in the file */
	assert_int_equal(ask_number(500, 0, 0, 0, 0), ABSENT);
}

static void capabilities_choose_rules(void **state)
{
	const struct filter_wishes w = { .arch = AUDIT_ARCH_X86_64 };

	(void)state;
	load_with(engine(), w, CAPS_ALL);
	compare_all();
	assert_int_equal(ask("mount", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("clone", CLONE_NEWUSER, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("clone3", 0, 0, 0, 0), REFUSED);
	assert_int_equal(ask("perf_event_open", 0, 0, 0, 0), ALLOWED);
	load_with(engine(), w, UINT64_C(1) << CAP_SYS_ADMIN);
	assert_int_equal(ask("perf_event_open", 0, 0, 0, 0), REFUSED);	/* two capabilities are asked for */
	assert_int_equal(ask("chroot", 0, 0, 0, 0), REFUSED);
}

static void it_is_for_each_architecture(void **state)
{
	(void)state;
	load_with(engine(), (struct filter_wishes){ .arch = AUDIT_ARCH_AARCH64 }, 0);
	compare_all();
	assert_string_equal(said.foreign, "SCMP_ARCH_ARM");
	assert_int_equal(ask("openat", 0, 0, 0, 0), ALLOWED);
}

static void restrictions_and_lists_go_on_top(void **state)
{
	const char *allow[] = { "kcmp" }, *deny[] = { "read" };
	struct filter_wishes w = { .arch = AUDIT_ARCH_X86_64, .namespaces = true, .suid_sgid = true,
				   .personality = true, .allow = { allow, 1 }, .deny = { deny, 1 } };

	(void)state;
	load_with(engine(), w, CAPS_ALL);
	compare_all();
	assert_int_equal(ask("clone", CLONE_NEWUSER, 0, 0, 0), REFUSED);
	assert_int_equal(ask("personality", 8, 0, 0, 0), REFUSED);
	assert_int_equal(ask("chmod", 0, 04755, 0, 0), REFUSED);
	assert_int_equal(ask("kcmp", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("read", 0, 0, 0, 0), REFUSED);
	assert_int_equal(ask("write", 0, 0, 0, 0), ALLOWED);
}

#define ONE(arg) "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"sendfile\"], " \
		 "\"action\": \"SCMP_ACT_ALLOW\", \"args\": [" arg "]}]}"

static void comparisons_are_of_64_bits(void **state)
{
	static const char *const ops[] = { "NE", "LT", "LE", "EQ", "GE", "GT" };
	static const uint64_t around[] = { 0, 7, 0x500000006, 0x500000007, 0x500000008, 0x400000007, 0x600000007,
					   0x400000009, 0x600000001, UINT64_MAX };

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		char text[300];

		snprintf(text, sizeof text,
			 ONE("{\"index\": 3, \"value\": 21474836487, \"op\": \"SCMP_CMP_%s\"}"), ops[i]);
		load(text);
		compare_all();
		for (unsigned j = 0; j < sizeof around / sizeof *around; j++) {
			const uint64_t a = around[j], b = 0x500000007;
			const bool want[] = { a != b, a < b, a <= b, a == b, a >= b, a > b };

			assert_int_equal(ask("sendfile", 0, 0, 0, a), want[i] ? ALLOWED : REFUSED);
		}
	}
	load(ONE("{\"index\": 3, \"value\": 1095216660735, \"valueTwo\": 4294967297, "
		 "\"op\": \"SCMP_CMP_MASKED_EQ\"}"));
	compare_all();
	assert_int_equal(ask("sendfile", 0, 0, 0, 0x100000001), ALLOWED);
	assert_int_equal(ask("sendfile", 0, 0, 0, 0xff00000100000f01), ALLOWED);
	assert_int_equal(ask("sendfile", 0, 0, 0, 0x200000001), REFUSED);
	assert_int_equal(ask("sendfile", 0, 0, 0, 0x1), REFUSED);
}

static void comparisons_of_one_argument_are_alternatives(void **state)
{
	(void)state;
	load(ONE("{\"index\": 3, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}, {\"index\": 3, \"value\": 2, \"op\": "
		 "\"SCMP_CMP_EQ\"}"));
	assert_int_equal(ask("sendfile", 0, 0, 0, 1), ALLOWED);
	assert_int_equal(ask("sendfile", 0, 0, 0, 2), ALLOWED);
	assert_int_equal(ask("sendfile", 0, 0, 0, 3), REFUSED);
}

static void a_list_of_denials_lets_the_rest_through(void **state)
{
	(void)state;
	load("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"SCMP_ARCH_X86_64\"], \"flags\": "
	     "[\"SECCOMP_FILTER_FLAG_LOG\"], \"syscalls\": [{\"names\": [\"mount\", \"umount2\"], \"action\": "
	     "\"SCMP_ACT_ERRNO\", \"errnoRet\": 13}, {\"name\": \"reboot\", \"action\": \"SCMP_ACT_KILL\"}]}");
	compare_all();
	assert_true(said.log);
	assert_int_equal(ask("mount", 0, 0, 0, 0), SECCOMP_RET_ERRNO | EACCES);
	assert_int_equal(ask("reboot", 0, 0, 0, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(ask("read", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask_number(600, 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask_number(0x40000000, 0, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
}

#define TOP(more) "{\"defaultAction\": \"SCMP_ACT_ALLOW\",\n" more "}"
#define BAD_ARG(more) RULE("\"action\": \"SCMP_ACT_ERRNO\", \"args\": [{" more "}]")
#define RULE(more) TOP("\"syscalls\": [{\"names\": [\"read\"], " more "}]")

static void what_cannot_be_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "{", "/p.json:2:1: " },
		{ "[]", "/p.json:1:1: 'this' must be a map" },
		{ "{\"syscalls\": []}", "/p.json:1:1: 'defaultAction' is missing: not a seccomp profile" },
		{ "{\"defaultAction\": \"SCMP_ACT_MAYBE\"}",
		  "/p.json:1:19: 'SCMP_ACT_MAYBE' is not an action like SCMP_ACT_ALLOW or SCMP_ACT_ERRNO" },
		{ "{\"defaultAction\": \"SCMP_ACT_NOTIFY\"}",
		  "/p.json:1:19: SCMP_ACT_NOTIFY: there is no agent to ask" },
		{ "{\"defaultAction\": \"SCMP_ACT_TRACE\"}",
		  "/p.json:1:19: SCMP_ACT_TRACE: there is no tracer to ask" },
		{ TOP("\"sycalls\": []"), "/p.json:2:1: unknown key 'sycalls'" },
		{ TOP("\"listenerPath\": \"/run/x\""), "/p.json:2:17: 'listenerPath': there is no agent to ask" },
		{ TOP("\"flags\": [\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\"]"),
		  "/p.json:2:11: flag 'SECCOMP_FILTER_FLAG_SPEC_ALLOW' is none that prior sets" },
		{ TOP("\"architectures\": [\"SCMP_ARCH_S390X\"]"),
		  "/p.json:2:18: it is not for this machine: SCMP_ARCH_X86_64 is not listed" },
		{ TOP("\"syscalls\": 7"), "/p.json:2:13: 'syscalls' must be a list" },
		{ TOP("\"syscalls\": [7]"), "/p.json:2:14: 'this' must be a map" },
		{ TOP("\"syscalls\": [{\"names\": [\"read\"]}]"), "/p.json:2:14: a rule without 'action'" },
		{ TOP("\"syscalls\": [{\"action\": \"SCMP_ACT_LOG\"}]"), "/p.json:2:14: a rule without 'names'" },
		{ TOP("\"syscalls\": [{\"names\": [\"raed\"], \"action\": \"SCMP_ACT_ERRNO\"}]"),
		  "/p.json:2:25: 'raed' is to be denied, and is no system call that prior knows" },
		{ RULE("\"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 5000"),
		  "'5000' is not a number from 0 to 4095" },
		{ RULE("\"action\": \"SCMP_ACT_ERRNO\", \"errno\": \"EPERM\""),
		  "'errno' is told by its number, in 'errnoRet'" },
		{ RULE("\"action\": \"SCMP_ACT_ERRNO\", \"arg\": []"), "unknown key 'arg'" },
		{ BAD_ARG("\"index\": 6, \"value\": 0, \"op\": \"SCMP_CMP_EQ\""),
		  "'6' is not a number from 0 to 5" },
		{ BAD_ARG("\"index\": 0, \"value\": -1, \"op\": \"SCMP_CMP_EQ\""),
		  "'-1' is not a number from 0 to 18446744073709551615" },
		{ BAD_ARG("\"index\": 0, \"value\": 0, \"op\": \"SCMP_CMP_IN\""),
		  "'op' must be one of SCMP_CMP_NE" },
		{ RULE("\"action\": \"SCMP_ACT_ERRNO\", \"args\": [{\"index\": 0, \"valu\": 0}]"),
		  "unknown key 'valu'" },
		{ RULE("\"action\": \"SCMP_ACT_ERRNO\", \"includes\": {\"caps\": [\"CAP_FLY\"]}"),
		  "'CAP_FLY' is not a capability" },
		{ RULE("\"action\": \"SCMP_ACT_ERRNO\", \"includes\": {\"minKernel\": \"new\"}"),
		  "'new' is not a kernel's version like 4.8" },
		{ RULE("\"action\": \"SCMP_ACT_ERRNO\", \"excludes\": {\"kernel\": \"5\"}"), "unknown key 'kernel'" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = { 0 };

		assert_int_equal(read_text(bad[i].text, AUDIT_ARCH_X86_64, 0, &e), -EINVAL);
		if (!strstr(e.text, bad[i].says))
			fail_msg("'%s' does not say '%s'", e.text, bad[i].says);
	}
}

static void damaged_profiles_do_no_harm(void **state)
{
	const char *whole = engine();
	const size_t n = strlen(whole);
	struct err e;
	unsigned seed = 7;

	(void)state;
	for (unsigned i = 0; i < 150; i++) {
		char *text = strdup(whole);

		for (unsigned j = 0; j < 1 + i % 4; j++) {
			seed = seed * 1103515245u + 12345;
			text[(seed >> 8) % n] = (char)(" \"{}[],:0x"[(seed >> 4) % 10]);
		}
		e = (struct err){ 0 };
		const int ret = read_text(text, AUDIT_ARCH_X86_64, 0, &e);

		assert_true(ret == 0 || (ret == -EINVAL && strncmp(e.text, "/p.json:", 8) == 0));
		free(text);
		if (i % 16 == 0)
			arena_free(&arena);
	}
}

/* --- BPF programs as they are --- */

static void a_program_decides_what_ours_allows(void **state)
{
	static const struct sock_filter theirs[] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),	/* the accumulator begins as 0 */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 39 /* getpid */, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
	};
	struct filter_wishes w = { .arch = AUDIT_ARCH_X86_64, .profile = SECCOMP_CUSTOM, .namespaces = true };
	struct err e = { 0 };

	(void)state;
	make(&w);
	length = filter_append(program, length, theirs, 5, &e);
	assert_null(plan_filter_wrong(program, (uint32_t)length));
	assert_int_equal(ask("getpid", 0, 0, 0, 0), SECCOMP_RET_ERRNO | 77);
	assert_int_equal(ask("read", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(ask("unshare", CLONE_NEWNS, 0, 0, 0), REFUSED);
	assert_int_equal(ask("unshare", CLONE_FILES, 0, 0, 0), ALLOWED);
	assert_int_equal(ask_number(39 | 0x40000000, 0, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(filter_append(program, BPF_MAXINSNS - 5, theirs, 5, &e), -E2BIG);
}

static void programs_that_the_kernel_would_refuse_are_refused_here(void **state)
{
	static const struct sock_filter memory[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
		BPF_STMT(BPF_ST, 2),
		BPF_STMT(BPF_LD | BPF_MEM, 2),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};

	(void)state;
	assert_string_equal(plan_filter_wrong(memory, 5), "it reads memory that it may not have written");
	assert_null(plan_filter_wrong(memory + 2, 3));
}

static void arguments_of_32_bits_are_known(void **state)
{
	(void)state;
	assert_true(call_arg_is_narrow("socket", 0) && call_arg_is_narrow("ioctl", 1));
	assert_true(call_arg_is_narrow("clone", 0) && !call_arg_is_narrow("clone", 1));
	assert_true(call_arg_is_narrow("openat", 3) && call_arg_is_narrow("fchownat", 4));
	assert_false(call_arg_is_narrow("ioctl", 2) || call_arg_is_narrow("openat", 1));
	assert_false(call_arg_is_narrow("sock", 0) || call_arg_is_narrow("", 0));
	assert_false(call_arg_is_narrow("sendfile", 3) || call_arg_is_narrow("mmap", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_engines_default_profile_loads),
		cmocka_unit_test(capabilities_choose_rules),
		cmocka_unit_test(it_is_for_each_architecture),
		cmocka_unit_test(restrictions_and_lists_go_on_top),
		cmocka_unit_test(comparisons_are_of_64_bits),
		cmocka_unit_test(comparisons_of_one_argument_are_alternatives),
		cmocka_unit_test(a_list_of_denials_lets_the_rest_through),
		cmocka_unit_test(what_cannot_be_is_told_with_its_place),
		cmocka_unit_test(damaged_profiles_do_no_harm),
		cmocka_unit_test(a_program_decides_what_ours_allows),
		cmocka_unit_test(programs_that_the_kernel_would_refuse_are_refused_here),
		cmocka_unit_test(arguments_of_32_bits_are_known),
	};

	return cmocka_run_group_tests_name("seccomp profiles", tests, NULL, done);
}
