/* Tests of the seeds: their settings load as they are written there, and come to what they say there. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/caps.h"
#include "services/spec/spec.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define G (UINT64_C(1) << 30)
#define M (UINT64_C(1) << 20)

static struct spec s;

/* Load a seed; all its errors are that something is not built, as many as told. */
static void load(const char *name, unsigned errors)
{
	char path[100];
	struct err e = { 0 };

	snprintf(path, sizeof path, "tests/seeds/%s.yaml", name);
	if (access(path, R_OK) != 0) {
		print_message("not started from the top of the tree\n");
		skip();
	}
	if (spec_load(&s, path, &e) < 0)
		fail_msg("%s", e.text);
	for (const struct problem *p = s.problems; p; p = p->next)
		if (p->severity == SEV_ERROR && !strstr(p->text, ": not built yet: "))
			fail_msg("%s:%u: %s", path, p->at.line, p->text);
	assert_int_equal(s.nerrors, errors);
}

static struct spec_service *service(const char *name)
{
	struct spec_service *svc = spec_find(&s, name);

	assert_non_null(svc);
	return svc;
}

static uint64_t cap(const char *name)
{
	return UINT64_C(1) << cap_number(name);
}

static int clean(void **state)
{
	(void)state;
	spec_free(&s);
	return 0;
}

static void systemg_s_services_keep_only_the_capabilities_they_name(void **state)
{
	(void)state;
	load("systemg", 0);
	assert_string_equal(service("web")->user, "www-data");
	assert_int_equal(service("web")->caps, cap("NET_BIND_SERVICE"));
	assert_int_equal(service("capable")->caps, cap("NET_BIND_SERVICE") | cap("SYS_NICE") | cap("DAC_READ_SEARCH"));
}

static void systemg_s_limits_are_limits(void **state)
{
	const struct spec_service *a;

	(void)state;
	load("systemg", 0);
	a = service("limited");
	assert_int_equal(a->rlimit[RLIMIT_NOFILE].soft, 65536);
	assert_int_equal(a->rlimit[RLIMIT_NPROC].hard, 1024);
	assert_int_equal(a->rlimit[RLIMIT_MEMLOCK].soft, 100 * M);
	assert_int_equal(a->memory_max, 2 * G);
	assert_int_equal(a->cpu_quota_us, 100000);
	assert_int_equal(a->cpu_period_us, 50000);
	assert_int_equal(service("untrusted")->memory_max, 100 * M);
	assert_string_equal(service("untrusted")->user, "nobody");
}

static void systemg_s_namespaces_are_namespaces(void **state)
{
	const struct spec_service *a;

	(void)state;
	load("systemg", 0);
	a = service("isolated");
	assert_true(a->network.mode == 1 && a->ns_pid && a->ns_mount && a->ns_user == USER_NS_LAST);
	assert_null(a->network.link.bridge);
}

static void systemg_s_upcoming_features_are_there(void **state)
{
	(void)state;
	load("systemg-upcoming", 0);
	assert_int_equal(service("private")->seccomp, SECCOMP_STRICT);
	assert_true(service("private")->private_devices && service("private")->private_tmp);
	assert_string_equal(service("cgroup-root")->cgroup_root, "/sys/fs/cgroup");
	assert_false(spec_has_errors(&s, "private") || spec_has_errors(&s, "cgroup-root"));
	assert_string_equal(service("apparmor")->apparmor_profile ? "given" : "", "given");
	assert_string_equal(service("selinux")->selinux_context ? "given" : "", "given");
}

static void podspawn_s_defaults_are_its_six_capabilities(void **state)
{
	const struct spec_service *a;

	(void)state;
	load("podspawn", 0);
	a = service("dev");
	assert_int_equal(a->caps, cap("CHOWN") | cap("SETUID") | cap("SETGID") | cap("DAC_OVERRIDE") | cap("FOWNER") |
					  cap("NET_BIND_SERVICE"));
	assert_true(a->no_new_privileges);
	assert_int_equal(a->pids_max, 256);
	assert_false(a->readonly_rootfs);
	assert_int_equal(a->tmpfs.n, 0);
	assert_int_equal(a->runtime, 0);
}

static void podspawn_s_locked_down_server_runs_under_its_runtime(void **state)
{
	const struct spec_service *a;

	(void)state;
	load("podspawn-locked-down", 0);
	a = service("dev");
	assert_int_equal(a->caps, cap("CHOWN") | cap("SETUID") | cap("SETGID") | cap("DAC_OVERRIDE") | cap("FOWNER"));
	assert_int_equal(a->pids_max, 128);
	assert_true(a->readonly_rootfs);
	assert_int_equal(a->tmpfs.n, 2);
	assert_string_equal(a->tmpfs.v[0].key, "/tmp");
	assert_string_equal(a->tmpfs.v[0].value, "size=256m");
	assert_int_equal(a->runtime, 1);
}

static void podspawn_s_scratch_space_is_tmpfs(void **state)
{
	(void)state;
	load("podspawn-tmpfs", 0);
	assert_int_equal(service("dev")->tmpfs.n, 3);
	assert_string_equal(service("dev")->tmpfs.v[2].key, "/var/tmp");
	assert_true(service("dev")->readonly_rootfs);
}

static void niso_s_overrides_leave_the_rest_of_server_as_it_is(void **state)
{
	const struct spec_service *a;

	(void)state;
	load("niso", 0);
	a = service("my-api");
	assert_int_equal(a->preset, PRESET_SERVER);
	assert_int_equal(a->caps, cap("NET_BIND_SERVICE"));
	assert_int_equal(a->memory_max, G);
	assert_int_equal(a->cpu_quota_us, 4 * a->cpu_period_us);
	assert_true(a->dynamic_user && a->private_tmp && a->memory_deny_write_execute);
	assert_int_equal(service("debugged")->caps, cap("NET_BIND_SERVICE") | cap("SYS_PTRACE"));
}

static void niso_s_resources_are_limits(void **state)
{
	const struct spec_service *a;

	(void)state;
	load("niso", 0);
	a = service("limited");
	assert_int_equal(a->memory_max, 512 * M);
	assert_int_equal(a->memory_high, 384 * M);
	assert_int_equal(a->cpu_quota_us, 2 * a->cpu_period_us);
	assert_int_equal(a->pids_max, 4096);
	assert_int_equal(a->shm_size, 64 * M);
	assert_int_equal(a->io_weight, 100);
	assert_int_equal(a->rlimit[RLIMIT_NOFILE].soft, 65536);
	assert_int_equal(a->rlimit[RLIMIT_NOFILE].hard, 65536);
}

static void niso_s_table_of_presets_holds(void **state)
{
	static const struct {
		const char *name;
		bool dynamic_user;
		unsigned seccomp;
		bool zero_caps;
	} table[] = {
		{ "none", false, SECCOMP_NONE, false },
		{ "minimal", false, SECCOMP_DEFAULT, false },
		{ "my-api", true, SECCOMP_DEFAULT, false },	/* server, with one added back */
		{ "strict", true, SECCOMP_STRICT, true },
		{ "worker", true, SECCOMP_DEFAULT, true },
		{ "database", true, SECCOMP_DEFAULT, true },
	};

	(void)state;
	load("niso", 0);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const struct spec_service *a = service(table[i].name);

		assert_int_equal(a->dynamic_user, table[i].dynamic_user);
		assert_int_equal(a->seccomp, table[i].seccomp);
		assert_int_equal(a->caps == 0, table[i].zero_caps);
	}
}

static void niso_s_trust_policy_says_whose_signatures_are_taken(void **state)
{
	(void)state;
	load("niso-trust", 0);
	assert_true(s.require_signatures);
	assert_int_equal(s.signers.n, 2);
	assert_string_equal(s.signers.v[1].scope.v[1], "internal-*");
}

static void the_hardening_checklist_is_one_service(void **state)
{
	const struct spec_service *a;

	(void)state;
	load("hardening-checklist", 0);
	a = service("system");
	assert_string_equal(a->user, "sysutil");
	assert_int_equal(a->umask, 027);
	assert_int_equal(a->listen.v[0].mode, 0660);
	assert_string_equal(a->listen.v[0].group, "sysutil");
	assert_string_equal(a->rootfs, "/srv/jail/system");
	assert_true(a->readonly_rootfs && a->ns_user && a->ns_pid && a->network.mode);
	assert_int_equal(a->caps, cap("NET_BIND_SERVICE"));
	assert_int_equal(a->seccomp, SECCOMP_STRICT);
	assert_int_equal(a->seccomp_action, SECCOMP_ACT_KILL_PROCESS);
	assert_true(a->seccomp_log);
	assert_int_equal(a->unveil.n, 2);
	assert_int_equal(a->rlimit[RLIMIT_CORE].hard, 0);
	assert_int_equal(a->rlimit[RLIMIT_MEMLOCK].soft, 64 * M);
}

static void every_example_loads_without_a_problem(void **state)
{
	glob_t g = { 0 };
	struct err e = { 0 };

	(void)state;
	if (glob("configs/examples/*.yaml", 0, NULL, &g) != 0)
		skip();	/* not started from the top of the tree */
	for (size_t i = 0; i < g.gl_pathc; i++) {
		assert_int_equal(spec_load(&s, g.gl_pathv[i], &e), 0);
		if (s.nproblems)
			fail_msg("%s:%u: %s", g.gl_pathv[i], s.problems->at.line, s.problems->text);
		spec_free(&s);
	}
	globfree(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(systemg_s_services_keep_only_the_capabilities_they_name, clean),
		cmocka_unit_test_teardown(systemg_s_limits_are_limits, clean),
		cmocka_unit_test_teardown(systemg_s_namespaces_are_namespaces, clean),
		cmocka_unit_test_teardown(systemg_s_upcoming_features_are_there, clean),
		cmocka_unit_test_teardown(podspawn_s_defaults_are_its_six_capabilities, clean),
		cmocka_unit_test_teardown(podspawn_s_locked_down_server_runs_under_its_runtime, clean),
		cmocka_unit_test_teardown(podspawn_s_scratch_space_is_tmpfs, clean),
		cmocka_unit_test_teardown(niso_s_overrides_leave_the_rest_of_server_as_it_is, clean),
		cmocka_unit_test_teardown(niso_s_resources_are_limits, clean),
		cmocka_unit_test_teardown(niso_s_table_of_presets_holds, clean),
		cmocka_unit_test_teardown(niso_s_trust_policy_says_whose_signatures_are_taken, clean),
		cmocka_unit_test_teardown(the_hardening_checklist_is_one_service, clean),
		cmocka_unit_test_teardown(every_example_loads_without_a_problem, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
