/* The exposure score: what a filter lets through, what a plan comes to, and that looking away never helps. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "services/exposure/exposure.h"
#include "services/exposure/reach.h"
#include "tests/unit/plan_compiled.h"
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define TOOL "    command: /bin/sh\n"
#define LOAD(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, n)
#define IF(op, k, t, f) BPF_JUMP(BPF_JMP | BPF_##op | BPF_K, k, t, f)
#define RETURN(v) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_##v)
#define ANY REACH_ANY
#define N(f) (sizeof(f) / sizeof *(f))

static struct compiled c;

static struct reach_call call(uint64_t number, uint64_t first)
{
	return (struct reach_call){ AUDIT_ARCH_X86_64, number, { first, ANY, ANY, ANY, ANY, ANY } };
}

static void a_way_through_a_filter_is_found(void **state)
{
	static const struct sock_filter only_41_with_2[] = {
		LOAD(4), IF(JEQ, AUDIT_ARCH_X86_64, 1, 0), RETURN(KILL_PROCESS),
		LOAD(0), IF(JEQ, 41, 1, 0), RETURN(ERRNO),
		LOAD(16), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff), IF(JEQ, 2, 0, 1), RETURN(ALLOW), RETURN(ERRNO),
	};
	struct reach_call foreign = { AUDIT_ARCH_I386, ANY, { ANY, ANY, ANY, ANY, ANY, ANY } };

	(void)state;
	assert_true(reach_allows(only_41_with_2, N(only_41_with_2), &(struct reach_call){ AUDIT_ARCH_X86_64, 41,
				 { 2, ANY, ANY, ANY, ANY, ANY } }));
	const struct reach_call two = call(41, 0x102), three = call(41, 3), any = call(41, ANY), other = call(42, ANY);

	assert_true(reach_allows(only_41_with_2, N(only_41_with_2), &two));
	assert_false(reach_allows(only_41_with_2, N(only_41_with_2), &three));
	assert_true(reach_allows(only_41_with_2, N(only_41_with_2), &any));
	assert_false(reach_allows(only_41_with_2, N(only_41_with_2), &other));
	assert_false(reach_allows(only_41_with_2, N(only_41_with_2), &foreign));
	assert_true(reach_allows(NULL, 0, &foreign));
}

static void what_a_filter_only_logs_is_let_through(void **state)
{
	static const struct sock_filter logs[] = { RETURN(LOG) }, kills[] = { RETURN(KILL_PROCESS) };
	const struct reach_call any = call(ANY, ANY);

	(void)state;
	assert_true(reach_allows(logs, 1, &any));
	assert_false(reach_allows(kills, 1, &any));
}

static void weights_and_ranges_are_the_known_ones(void **state)
{
	unsigned sum = 0;

	(void)state;
	for (unsigned i = 0; i < EXPOSURE_CHECKS; i++) {
		sum += exposure_checks[i].weight;
		assert_in_range(exposure_checks[i].range, 1, 10);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(exposure_checks[i].name, exposure_checks[k].name);
	}
	assert_int_equal(sum, 56460);
	assert_string_equal(exposure_word(0), "PERFECT");
	assert_string_equal(exposure_word(13), "OK");
	assert_string_equal(exposure_word(96), "UNSAFE");
	assert_string_equal(exposure_word(100), "DANGEROUS");
}

static struct exposure declared(const char *lines)
{
	const struct plan_service *s = compiled_web(&c, lines);
	struct exposed x;
	struct exposure r;
	struct err e;

	assert_int_equal(exposed_by_plan(&x, &c.plan, s, &e), 0);
	exposure_ask(&r, &x, exposure_checks, EXPOSURE_CHECKS);
	exposed_free(&x);
	return r;
}

static uint8_t answer(const struct exposure *r, const char *name)
{
	for (unsigned i = 0; i < EXPOSURE_CHECKS; i++)
		if (!strcmp(exposure_checks[i].name, name))
			return r->badness[i];
	fail_msg("no question %s", name);
	return 0;
}

static void presets_keep_their_score(void **state)
{
	struct exposure r = declared(TOOL "    isolation: {preset: none, rootfs: @/image}\n");

	(void)state;
	assert_in_range(r.score, 80, 100);
	r = declared(TOOL "    isolation: {preset: server, rootfs: @/image}\n");
	assert_in_range(r.score, 0, 13);
	r = declared(TOOL "    isolation: {preset: strict, rootfs: @/image}\n");
	assert_in_range(r.score, 0, 3);
}

/* NotifyAccess=all is what the other program counts; main, which is its default for Type=notify too, it does not. */
static void who_may_say_that_it_is_ready_is_counted(void **state)
{
	struct exposure r = declared(TOOL "    ready: notify\n    isolation: {preset: server, rootfs: @/image}\n");

	(void)state;
	assert_in_range(r.score, 0, 13);
	assert_int_equal(answer(&r, "NotifyAccess="), 0);
	r = declared(TOOL "    ready: notify\n    isolation: {preset: strict, rootfs: @/image}\n");
	assert_in_range(r.score, 0, 3);
	r = declared(TOOL "    ready: notify\n    notify_access: all\n"
		     "    isolation: {preset: server, rootfs: @/image}\n");
	assert_int_equal(answer(&r, "NotifyAccess="), 1);
}

static void what_a_file_opens_is_counted(void **state)
{
	static const struct {
		const char *lines, *question;
		int before, after;
	} rows[] = {
		{ "    isolation: {rootfs: @/image, network: true}\n", "PrivateNetwork=", 1, 0 },
		{ "    isolation: {rootfs: @/image, protect_proc: default}\n", "ProtectProc=", 0, 3 },
		{ "    isolation: {rootfs: @/image, proc_subset: all}\n", "ProcSubset=", 0, 1 },
		{ "    isolation: {rootfs: @/image, user: false}\n", "PrivateUsers=", 0, 1 },
		{ "    isolation: {rootfs: @/image, uts: false}\n", "ProtectHostname=", 0, 1 },
		{ "    isolation: {rootfs: @/image}\n    umask: \"0077\"\n", "UMask=", 5, 0 },
		{ "    isolation: {rootfs: @/image}\n    security: {restrict_suid_sgid: false}\n",
		  "RestrictSUIDSGID=", 0, 1 },
		{ "    isolation: {rootfs: @/image}\n    security: {lock_personality: false, "
		  "memory_deny_write_execute: false, seccomp: {profile: default, allow: [personality]}}\n",
		  "LockPersonality=", 0, 1 },
		{ "    isolation: {rootfs: @/image}\n"
		  "    security: {seccomp: {profile: default, allow: [umount2]}}\n",
		  "SystemCallFilter=~@mount", 0, 9 },
		{ "    isolation: {rootfs: @/image}\n    security: {cap_add: [SYS_TIME]}\n",
		  "CapabilityBoundingSet=~CAP_SYS_TIME", 0, 1 },
		{ "    isolation: {rootfs: @/image}\n    security: {restrict_address_families: [unix]}\n",
		  "RestrictAddressFamilies=~AF_(INET|INET6)", 1, 0 },
	};
	struct exposure plain = declared(TOOL "    isolation: {rootfs: @/image}\n");

	(void)state;
	for (unsigned i = 0; i < N(rows); i++) {
		char lines[512];

		snprintf(lines, sizeof lines, TOOL "%s", rows[i].lines);
		struct exposure r = declared(lines);

		if (answer(&plain, rows[i].question) != rows[i].before || answer(&r, rows[i].question) != rows[i].after)
			fail_msg("%s: %u, then %u", rows[i].question, answer(&plain, rows[i].question),
				 answer(&r, rows[i].question));
	}
}

static void what_cannot_be_seen_counts_as_absent(void **state)
{
	struct exposed nothing = { .uid = 1000, .gid = 1000, .root = FD_NONE, .owned_root = FD_NONE,
				   .arch = AUDIT_ARCH_X86_64, .bounding = UINT64_MAX };
	struct exposure r;

	(void)state;
	exposure_ask(&r, &nothing, exposure_checks, EXPOSURE_CHECKS);
	assert_in_range(r.score, 80, 100);
	assert_int_equal(answer(&r, "SystemCallFilter=~@clock"), 10);
	assert_int_equal(answer(&r, "ProtectSystem="), 10);
	assert_int_equal(answer(&r, "DeviceAllow="), 10);
}

static void a_running_process_can_be_asked(void **state)
{
	owned_fd procfs = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct plan_service *s = compiled_web(&c, TOOL "    isolation: {rootfs: @/image}\n");
	struct exposed x;
	struct exposure r;
	struct err e;

	(void)state;
	assert_int_equal(exposed_by_kernel(&x, &c.plan, s, getpid(), procfs, &e), 0);
	assert_int_equal(x.uid, getuid());
	assert_int_equal(x.spaces, 0);
	assert_true(x.nmounts > 0);
	exposure_ask(&r, &x, exposure_checks, EXPOSURE_CHECKS);
	assert_int_equal(answer(&r, "PrivateMounts="), 1);
	assert_int_equal(answer(&r, "RootDirectory=/RootImage="), 1);
	exposed_free(&x);
	assert_true(exposed_by_kernel(&x, &c.plan, s, 0x3ffffff, procfs, &e) < 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_way_through_a_filter_is_found),
		cmocka_unit_test(what_a_filter_only_logs_is_let_through),
		cmocka_unit_test(weights_and_ranges_are_the_known_ones),
		cmocka_unit_test(presets_keep_their_score),
		cmocka_unit_test(who_may_say_that_it_is_ready_is_counted),
		cmocka_unit_test(what_a_file_opens_is_counted),
		cmocka_unit_test(what_cannot_be_seen_counts_as_absent),
		cmocka_unit_test(a_running_process_can_be_asked),
	};

	return cmocka_run_group_tests(tests, compiled_setup, compiled_teardown);
}
