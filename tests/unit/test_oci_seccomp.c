/* A policy in an OCI bundle decides as its own program does, call by call and argument by argument. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/tree.h"
#include "services/plan/oci.h"
#include "services/plan/types.h"
#include "tests/unit/filter_run.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/audit.h>
#include <cmocka.h>

static struct arena arena;
static const struct node *bundle;	/* linux.seccomp */

static void heard(struct tree *t, const struct node *in, uint32_t line, uint32_t col, const char *text)
{
	(void)t, (void)in, (void)col;
	fail_msg("line %u: %s", line, text);
}

static const struct node *child(const struct node *of, const char *key)
{
	for (const struct node *n = of->first; n; n = n->next)
		if (n->key && !strcmp(n->key, key))
			return n;
	return NULL;
}

static uint64_t number(const struct node *of, const char *key)
{
	const struct node *n = child(of, key);

	return n ? strtoull(n->text, NULL, 10) : 0;
}

/* JSON is YAML. */
static void write_it(const struct filter_wishes *w)
{
	struct json_out j = { .at = NULL };
	struct tree t = { .arena = &arena, .tell = heard };
	struct err e = { 0 };

	make(w);
	json_out_open(&j, NULL, '{');
	assert_int_equal(policy_oci(&policy, &j, false, &e), 0);
	json_out_close(&j, '}');
	assert_false(j.failed);
	bundle = child(tree_read(&t, j.at, j.n), "seccomp");
	assert_non_null(bundle);
	free(j.at);
}

static bool matches(const struct node *rule, const char *name, const uint64_t *args)
{
	bool named = false;

	for (const struct node *n = child(rule, "names")->first; n; n = n->next)
		named = named || !strcmp(n->text, name);
	const struct node *list = named ? child(rule, "args") : NULL;

	for (const struct node *a = list ? list->first : NULL; a; a = a->next) {
		assert_string_equal(child(a, "op")->text, "SCMP_CMP_MASKED_EQ");
		if ((args[number(a, "index")] & number(a, "value")) != number(a, "valueTwo"))
			return false;
	}
	return named;
}

static uint32_t action_of(const struct node *of, const char *key, const char *errno_key)
{
	const char *text = child(of, key)->text;

	if (!strcmp(text, "SCMP_ACT_ALLOW"))
		return SECCOMP_RET_ALLOW;
	if (!strcmp(text, "SCMP_ACT_KILL_PROCESS"))
		return SECCOMP_RET_KILL_PROCESS;
	if (!strcmp(text, "SCMP_ACT_LOG"))
		return SECCOMP_RET_LOG;
	assert_string_equal(text, "SCMP_ACT_ERRNO");
	return SECCOMP_RET_ERRNO | (uint32_t)number(of, errno_key);
}

/* What libseccomp makes of it: the rule that matches, else the default. Two that disagree would be chance. */
static uint32_t says(const char *name, const uint64_t *args, bool *by_default)
{
	uint32_t got = action_of(bundle, "defaultAction", "defaultErrnoRet");
	bool lets_through = false, stops = false;

	for (const struct node *r = child(bundle, "syscalls")->first; r; r = r->next) {
		if (!matches(r, name, args))
			continue;
		got = action_of(r, "action", "errnoRet");
		*(got == SECCOMP_RET_ALLOW ? &lets_through : &stops) = true;
	}
	assert_false(lets_through && stops);
	*by_default = !lets_through && !stops;
	return got;
}

static void compare_one(unsigned nr, const char *name, const uint64_t *args)
{
	struct seccomp_data d = { .nr = (int)nr, .arch = policy.arch };
	bool by_default;

	memcpy(d.args, args, sizeof d.args);
	const uint32_t want = policy_says(&policy, &d), got = says(name, args, &by_default);

	if (got == want || (by_default && want != SECCOMP_RET_ALLOW && got == ABSENT))
		return;	/* a long list of allowed values: what is not on it gets ENOSYS */
	fail_msg("%s(%llx, %llx, %llx): the program says %x, the bundle %x", name, (unsigned long long)args[0],
		 (unsigned long long)args[1], (unsigned long long)args[2], want, got);
}

/* Numbers at the edges of what is checked. */
static unsigned edges(const struct check *k, unsigned arg, uint64_t to[300])
{
	unsigned n = 0;
	const uint32_t mask = arg == k->arg ? k->mask : arg == k->arg2 ? k->mask2 : 0;

	to[n++] = 0;
	to[n++] = 0xffffffff;
	to[n++] = mask;
	for (uint32_t bit = 1; bit; bit <<= 1) {
		to[n++] = bit;
		if (mask & bit)
			to[n++] = mask & ~bit;
	}
	for (unsigned i = 0; i < k->nvalues && arg == k->arg; i++) {
		to[n++] = k->values[i];
		to[n++] = k->values[i] + 1u;
		to[n++] = k->values[i] ^ 0x80000000u;
		to[n++] = k->values[i] | 7ull << 32;	/* the kernel takes 32 bits: so must both */
	}
	return n;
}

static void compare_checked(unsigned nr, const char *name)
{
	const struct decision *d = &policy.call[nr];
	uint64_t first[300], second[300], args[6] = { 0 };

	for (unsigned c = 0; c < d->nchecks; c++) {
		const struct check *k = &policy.checks[d->checks[c]];
		const bool both = k->kind == CHECK_BOTH;
		const unsigned n = edges(k, k->arg, first), m = both ? edges(k, k->arg2, second) : 1;

		for (unsigned i = 0; i < n; i++)
			for (unsigned j = 0; j < m; j++) {
				args[k->arg] = first[i];
				if (both)
					args[k->arg2] = second[j];
				compare_one(nr, name, args);
			}
		memset(args, 0, sizeof args);
	}
}

static void compare_bundle(const struct filter_wishes *w)
{
	const uint64_t zero[6] = { 0 };

	write_it(w);
	for (unsigned nr = 0; nr < CALLS_MAX; nr++) {
		char *name = call_name(policy.arch, nr);

		if (name && policy.call[nr].nchecks)
			compare_checked(nr, name);
		else if (name)
			compare_one(nr, name, zero);
		free(name);
	}
	arena_free(&arena);
}

#define HERE .arch = PLAN_ARCH

static void each_profile_decides_the_same(void **state)
{
	(void)state;
	compare_bundle(&(struct filter_wishes){ HERE, .profile = SECCOMP_DEFAULT });
	compare_bundle(&(struct filter_wishes){ HERE, .profile = SECCOMP_STRICT });
	compare_bundle(&(struct filter_wishes){ HERE, .profile = SECCOMP_DEFAULT, .namespaces = true, .realtime = true,
						.suid_sgid = true, .personality = true, .write_execute = true,
						.modules = true, .logs = true, .clock = true, .hostname = true,
						.raw_io = true });
	compare_bundle(&(struct filter_wishes){ HERE, .profile = SECCOMP_STRICT, .families = true, .nfamilies = 3,
						.family_list = { 1, 2, 10 } });
}

static void restrictions_without_a_profile_do_too(void **state)
{
	(void)state;
	compare_bundle(&(struct filter_wishes){ HERE, .profile = SECCOMP_NONE, .namespaces = true, .suid_sgid = true,
						.write_execute = true, .families = true, .nfamilies = 2,
						.family_list = { 1, 16 } });
}

static void an_action_is_carried_over(void **state)
{
	bool by_default;

	(void)state;
	write_it(&(struct filter_wishes){ HERE, .profile = SECCOMP_DEFAULT, .action = SECCOMP_ACT_KILL_PROCESS });
	assert_int_equal(says("reboot", (const uint64_t[6]){ 0 }, &by_default), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(says("ioctl", (const uint64_t[6]){ 0, 0x5412 }, &by_default), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(says("io_uring_setup", (const uint64_t[6]){ 0 }, &by_default), ABSENT);
	arena_free(&arena);
	write_it(&(struct filter_wishes){ HERE, .profile = SECCOMP_DEFAULT, .action = SECCOMP_ACT_LOG_ONLY });
	assert_int_equal(says("reboot", (const uint64_t[6]){ 0 }, &by_default), SECCOMP_RET_LOG);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_profile_decides_the_same),
		cmocka_unit_test(restrictions_without_a_profile_do_too),
		cmocka_unit_test(an_action_is_carried_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
