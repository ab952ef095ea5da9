/* Tests of what wins: defaults, presets, the file's defaults, the service; and of the other spellings. */
/* SPDX-License-Identifier: ISC */
#include "conf_sample.h"
#include "services/spec/caps.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct spec s;

static struct spec_service *load(const char *text, const char *name)
{
	conf_load_text(&s, text);
	assert_string_equal(conf_problems(&s), "");
	assert_non_null(spec_find(&s, name));
	return spec_find(&s, name);
}

static struct spec_service *load_one(const char *keys)
{
	char text[1000];

	snprintf(text, sizeof text, "services: {a: {command: [x], %s}}", keys);
	return load(text, "a");
}

static int clean(void **state)
{
	(void)state;
	spec_free(&s);
	return 0;
}

static const char *from(struct spec_service *svc, const void *field)
{
	return spec_origin_text(&s, spec_from(svc, field));
}

static void each_layer_wins_over_the_one_below_and_leaves_its_place(void **state)
{
	struct spec_service *a = load("defaults:\n"
				      "  umask: \"0027\"\n"
				      "  stop_timeout: 7s\n"
				      "services:\n"
				      "  a:\n"
				      "    command: [x]\n"
				      "    stop_timeout: 9s\n"
				      "    isolation: {preset: database}\n"
				      "    limits: {nofile: 9}\n", "a");

	(void)state;
	assert_int_equal(a->umask, 027);
	assert_string_equal(from(a, &a->umask), "t.yaml:2");
	assert_int_equal(a->stop_timeout, 9000);
	assert_string_equal(from(a, &a->stop_timeout), "t.yaml:7");
	assert_int_equal(a->rlimit[7].soft, 9);
	assert_string_equal(from(a, &a->rlimit[7]), "t.yaml:9");
	assert_int_equal(a->rlimit[8].hard, UINT64_MAX);
	assert_string_equal(from(a, &a->rlimit[8]), "preset database");
	assert_int_equal(a->start_timeout, 30000);
	assert_string_equal(from(a, &a->start_timeout), "default");
}

static void a_service_gets_server_when_nothing_is_said(void **state)
{
	struct spec_service *a = load_one("restart: always");

	(void)state;
	assert_int_equal(a->preset, PRESET_SERVER);
	assert_false(a->preset_given);
	assert_true(a->dynamic_user && a->no_new_privileges && a->ns_pid && a->private_tmp);
	assert_int_equal(a->seccomp, SECCOMP_DEFAULT);
	assert_int_equal(a->caps, 0);
	assert_int_equal(a->network.mode, 0);
}

static void server_is_no_weaker_than_its_directives(void **state)
{
	static const char *const presets[] = { "server", "strict", "worker", "database" };

	(void)state;
	for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
		char keys[60];

		snprintf(keys, sizeof keys, "isolation: {preset: %s}", presets[i]);
		struct spec_service *a = load_one(keys);

		assert_true(a->preset_given);
		assert_true(a->dynamic_user && a->private_tmp && a->private_devices && a->private_ipc);
		assert_int_equal(a->protect_system, PROTECT_SYSTEM_STRICT);
		assert_int_equal(a->protect_home, PROTECT_HOME_YES);
		assert_int_equal(a->protect_proc, PROC_INVISIBLE);
		assert_int_equal(a->proc_subset, SUBSET_PID);
		assert_true(a->protect_kernel_tunables && a->protect_kernel_modules && a->protect_kernel_logs);
		assert_true(a->protect_control_groups && a->protect_hostname && a->protect_clock);
		assert_true(a->restrict_namespaces && a->restrict_realtime && a->restrict_suid_sgid &&
			a->no_new_privileges);
		assert_true(a->lock_personality && a->memory_deny_write_execute);
		assert_int_equal(a->caps | a->caps_added, 0);
		assert_int_not_equal(a->seccomp, SECCOMP_NONE);
		assert_true(a->ns_user == USER_NS_LAST && a->ns_pid && a->ns_mount && a->ns_ipc && a->ns_uts &&
			a->ns_cgroup);
		assert_int_equal(a->network.mode, !strcmp(presets[i], "strict"));
		spec_free(&s);
	}
}

static void every_preset_and_every_default_reads_without_a_problem(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PRESETS; i++) {
		char keys[60];

		snprintf(keys, sizeof keys, "isolation: {preset: %s}", preset_names[i]);
		assert_int_equal(load_one(keys)->preset, i);
		spec_free(&s);
	}
}

static void none_confines_nothing_and_minimal_keeps_most(void **state)
{
	struct spec_service *a = load_one("isolation: {preset: none}");

	(void)state;
	assert_int_equal(a->caps, CAPS_ALL);
	assert_false(a->no_new_privileges || a->dynamic_user || a->ns_mount || a->ns_pid || a->ns_user ||
		a->network.mode);
	assert_int_equal(a->seccomp, SECCOMP_NONE);
	spec_free(&s);
	a = load_one("isolation: {preset: minimal}");
	assert_int_equal(a->seccomp, SECCOMP_DEFAULT);
	assert_false(a->dynamic_user);
	assert_true(__builtin_popcountll(a->caps) > 20);
	assert_int_equal(a->caps >> cap_number("SYS_ADMIN") & 1, 0);
	assert_int_equal(a->caps_added, 0);
}

static void contained_needs_neither_namespaces_nor_mounts(void **state)
{
	struct spec_service *a = load_one("isolation: {preset: contained}");

	(void)state;
	assert_false(a->ns_user || a->ns_pid || a->ns_mount || a->network.mode || a->ns_ipc || a->ns_uts ||
		a->ns_cgroup || a->ns_time);
	assert_true(a->dynamic_user && a->no_new_privileges && a->restrict_suid_sgid);
	assert_int_equal(a->caps, 0);
	assert_int_equal(a->seccomp, SECCOMP_DEFAULT);
}

static void dropping_one_more_capability_brings_none_back(void **state)
{
	struct spec_service *a = load_one("user: root, cap_drop: [NET_RAW]");

	(void)state;
	assert_int_equal(a->caps, 0);
	spec_free(&s);
	a = load_one("user: root, cap_drop: [ALL], cap_add: [kill, CAP_CHOWN]");
	assert_int_equal(a->caps, 1u << 0 | 1u << 5);
	spec_free(&s);
	a = load_one("isolation: {preset: none}, cap_drop: [KILL]");
	assert_int_equal(a->caps, CAPS_ALL & ~(UINT64_C(1) << 5));
}

static void a_named_user_wins_over_a_presets_dynamic_one(void **state)
{
	struct spec_service *a = load_one("user: www-data");

	(void)state;
	assert_false(a->dynamic_user);
	assert_string_equal(from(a, &a->dynamic_user), "t.yaml:1");
	spec_free(&s);
	a = load_one("user: \"1000:1001\"");
	assert_string_equal(a->user, "1000");
	assert_string_equal(a->group, "1001");
}

static void maps_grow_and_lists_are_replaced(void **state)
{
	struct spec_service *a = load("defaults: {environment: {A: 1, B: 1}, supplementary_groups: [x, y]}\n"
				      "services:\n"
				      "  a: {command: [x], environment: [B=2, C=3=4], supplementary_groups: z}\n"
				      "  b: {command: [x]}\n", "a");

	(void)state;
	assert_int_equal(a->environment.n, 3);
	assert_string_equal(a->environment.v[0].value, "1");
	assert_string_equal(a->environment.v[1].value, "2");
	assert_string_equal(a->environment.v[2].value, "3=4");
	assert_int_equal(a->environment.from[0].line, 1);
	assert_int_equal(a->environment.from[1].line, 3);
	assert_int_equal(a->supplementary_groups.n, 1);
	assert_int_equal(spec_find(&s, "b")->environment.n, 2);
	assert_string_equal(spec_find(&s, "b")->environment.v[1].value, "1");
}

static void a_single_value_replaces_a_whole_map(void **state)
{
	struct spec_service *a = load("network: {bridges: {br0: {subnets: [10.0.0.0/24]}}}\n"
				      "defaults:\n"
				      "  isolation: {network: {bridge: br0, address: 10.0.0.2/24}}\n"
				      "  security: {seccomp: {profile: strict, deny: [ptrace], log: true}}\n"
				      "services:\n"
				      "  a: {command: [x], isolation: {network: true, seccomp: default}}\n"
				      "  b: {command: [x], isolation: {network: {address: 10.0.0.3/24}}, security: "
				      "{seccomp: {log: false}}}\n", "a");
	const struct spec_service *b = spec_find(&s, "b");

	(void)state;
	assert_int_equal(a->network.mode, 1);
	assert_null(a->network.link.bridge);
	assert_int_equal(a->network.link.addresses.n, 0);
	assert_int_equal(a->seccomp, SECCOMP_DEFAULT);
	assert_int_equal(a->seccomp_deny.n, 0);
	assert_false(a->seccomp_log);
	assert_string_equal(b->network.link.bridge, "br0");
	assert_string_equal(b->network.link.addresses.v[0], "10.0.0.3/24");
	assert_int_equal(b->seccomp, SECCOMP_STRICT);
	assert_int_equal(b->seccomp_deny.n, 1);
	assert_false(b->seccomp_log);
}

static void a_list_of_networks_is_the_first_one_and_those_beside_it(void **state)
{
	static const struct {
		const char *text;
		unsigned links, mode;
	} forms[] = {
		{ "[{bridge: b0}, {bridge: b1, egress: []}]", 2, 1 },
		{ "{bridge: b0, also: [{bridge: b1, egress: []}]}", 2, 1 },
		{ "{send_max: 2M}", 2, 1 },	/* the rest is as in the defaults */
		{ "[{bridge: b0}]", 1, 1 },
		{ "{also: []}", 1, 1 },
		{ "true", 0, 1 },
		{ "false", 0, 0 },
	};
	char text[1024];

	(void)state;
	for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
		snprintf(text, sizeof text,
			 "network: {bridges: {b0: {subnets: [10.0.0.0/24]}, b1: {subnets: [10.1.0.0/24]}}}\n"
			 "defaults:\n  isolation: {network: [{bridge: b0, send_max: 1M}, {bridge: b1}]}\n"
			 "services:\n  a: {command: [x], isolation: {network: %s}}\n", forms[i].text);
		spec_free(&s);
		const struct spec_service *a = load(text, "a");

		assert_int_equal(spec_links(&a->network), forms[i].links);
		assert_int_equal(a->network.mode, forms[i].mode);
		if (forms[i].links == 2)
			assert_string_equal(spec_link(&a->network, 1)->bridge, "b1");
		if (i < 2)
			assert_non_null(spec_link(&a->network, 1)->egress.v);
	}
}

static void a_key_brings_the_namespace_that_it_needs(void **state)
{
	struct spec_service *a = load_one("isolation: {preset: none, volumes: [\"/a:/b\"], hostname: h, "
		"private_ipc: yes}");

	(void)state;
	assert_true(a->ns_mount && a->ns_uts && a->ns_ipc);
	assert_string_equal(from(a, &a->ns_mount), "t.yaml:1");
	spec_free(&s);
	a = load_one("isolation: {preset: none, network: {}}");
	assert_int_equal(a->network.mode, 1);
}

static void a_oneshot_is_not_restarted_unless_asked(void **state)
{
	(void)state;
	assert_int_equal(load_one("type: oneshot")->restart, RESTART_NO);
	spec_free(&s);
	assert_int_equal(load_one("type: oneshot, restart: on-failure")->restart, RESTART_ON_FAILURE);
	spec_free(&s);
	assert_int_equal(load_one("type: simple")->restart, RESTART_ON_FAILURE);
}

static void yamls_no_is_the_word_no(void **state)
{
	static const char *const spellings[] = { "no", "\"no\"", "false", "off", "No" };

	(void)state;
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
		char keys[40];

		snprintf(keys, sizeof keys, "restart: %s", spellings[i]);
		assert_int_equal(load_one(keys)->restart, RESTART_NO);
		spec_free(&s);
	}
}

struct same {
	const char *written, *means;
};

static const struct same spellings[] = {
	{ "capabilities: [CAP_CHOWN]", "security: {cap_drop: [ALL], cap_add: [CHOWN]}" },
	{ "isolation: {security: {seccomp: strict}}", "security: {seccomp: strict}" },
	{ "isolation: {security: {capabilities_add: [KILL]}}", "security: {cap_add: [KILL]}" },
	{ "security: {pids_limit: 5}", "limits: {cgroup: {pids_max: 5}}" },
	{ "pids_limit: 5", "limits: {cgroup: {pids_max: 5}}" },
	{ "pids_limit: max", "limits: {cgroup: {pids_max: unlimited}}" },
	{ "security: {readonly_rootfs: true}", "isolation: {readonly_rootfs: true}" },
	{ "read_only: true", "isolation: {readonly_rootfs: true}" },
	{ "security: {tmpfs: {/x: size=1M}}", "isolation: {tmpfs: {/x: size=1M}}" },
	{ "tmpfs: [\"/x:size=1M\"]", "isolation: {tmpfs: {/x: size=1M}}" },
	{ "tmpfs: /x", "isolation: {tmpfs: {/x: \"\"}}" },
	{ "isolation: {resources: {memory_max: 1G, memory_high: 1M, cpu_max: 50%, pids_limit: 4, io_weight: 7, "
		 "shm_size: 2M}}",
	  "limits: {shm_size: 2M, cgroup: {memory_max: 1G, memory_high: 1M, cpu_max: 50%, pids_max: 4, io_weight: "
		 "7}}" },
	{ "isolation: {resources: {ulimits: {nofile: {soft: 5, hard: 5}}}}", "limits: {nofile: 5}" },
	{ "ulimits: {nofile: 5, core: -1}", "limits: {nofile: 5, core: unlimited}" },
	{ "isolation: {seccomp: none}", "security: {seccomp: none}" },
	{ "isolation: {landlock: {ro_paths: [/a], rw_paths: [/b]}}", "isolation: {unveil: {/a: xr, /b: rwxc}}" },
	{ "env: {file: /etc/e, vars: {A: b}}", "env_file: [/etc/e], environment: {A: b}" },
	{ "restart_policy: always", "restart: always" },
	{ "restart: \"on-failure:3\"", "restart: on-failure, max_restarts: 3" },
	{ "cap_add: [KILL], cap_drop: [ALL]", "security: {cap_add: [KILL], cap_drop: [ALL]}" },
	{ "volumes: [\"/a:/b\"], devices: [/dev/null]", "isolation: {volumes: [\"/a:/b\"], devices: [/dev/null]}" },
	{ "stop_grace_period: 1m30s", "stop_timeout: 90s" },
	{ "security_opt: [no-new-privileges]", "security: {no_new_privileges: true}" },
	{ "security_opt: [\"no-new-privileges:false\", seccomp=unconfined]",
	  "security: {no_new_privileges: false, seccomp: none}" },
	{ "mem_limit: 1g, cpus: 1.5, cpuset: \"0,2-3\"",
	  "limits: {cgroup: {memory_max: 1G, cpu_max: 150%}, cpu_affinity: [0, 2-3]}" },
	{ "shm_size: 64m, oom_score_adj: -5, group_add: [g], hostname: h",
	  "limits: {shm_size: 64M, oom_score_adj: -5}, supplementary_groups: [g], isolation: {hostname: h}" },
	{ "network_mode: none", "isolation: {network: true}" },
	{ "network_mode: host", "isolation: {network: false}" },
	{ "network_mode: \"service:b\"", "isolation: {network: {service: b}}" },
	{ "network_mode: service:b, isolation: {preset: strict}",
	  "isolation: {preset: strict, network: {service: b}}" },
	{ "backoff: 5s", "backoff: {initial: 5s, max: 5s}" },
	{ "depends_on: [b]", "depends_on: {b: {condition: service_started}}" },
	{ "limits: {cgroup: {cpu_max: \"max 100000\"}}", "limits: {cgroup: {cpu_max: max}}" },
	{ "security: {restrict_address_families: [AF_UNIX, local, Inet]}",
	  "security: {restrict_address_families: [unix, unix, inet]}" },
	{ "stop_signal: 15", "stop_signal: TERM" },
	{ "security: {runtime: \"\"}", "restart: on-failure" },
};

/* What show prints without the places, so that two spellings can be compared. */
static char *shown(const char *keys)
{
	char text[1000], *out, *to;

	snprintf(text, sizeof text, "services: {b: {command: [x]}, a: {command: [x], %s}}", keys);
	conf_load_text(&s, text);
	assert_string_equal(conf_problems(&s), "");
	to = out = strdup(conf_show(&s, "a", false));
	for (const char *c = out; *c; c++) {
		if (!strncmp(c, "  # ", 4))
			c = strchr(c, '\n');
		*to++ = *c;
	}
	*to = '\0';
	spec_free(&s);
	return out;
}

static void other_spellings_mean_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
		char *a = shown(spellings[i].written), *b = shown(spellings[i].means);

		if (strcmp(a, b))
			print_error("written: %s\n", spellings[i].written);
		assert_string_equal(a, b);
		free(a);
		free(b);
	}
}

static void compose_s_entrypoint_stands_before_its_command(void **state)
{
	struct spec_service *a = load("services: {a: {entrypoint: \"/init -v\", command: [a, b]}}", "a");

	(void)state;
	assert_int_equal(a->command.n, 4);
	assert_string_equal(a->command.v[0], "/init");
	assert_string_equal(a->command.v[3], "b");
	assert_int_equal(a->entrypoint.n, 0);
}

static void sections_at_the_top_are_defaults(void **state)
{
	struct spec_service *a = load("security: {cap_add: [KILL]}\nlimits: {nofile: 7}\nisolation: {preset: worker}\n"
				      "services: {a: {command: [x]}}\n", "a");

	(void)state;
	assert_int_equal(a->caps, 1u << 5);
	assert_int_equal(a->rlimit[7].soft, 7);
	assert_int_equal(a->preset, PRESET_WORKER);
	assert_true(a->preset_given);
}

static void an_empty_block_asks_for_nothing(void **state)
{
	struct spec_service *a = load("machine:\nnetwork:\ndefaults:\nservices:\n  a:\n    command: [x]\n    "
		"isolation:\n    environment:\n"
				      "    wants:\n    limits:\n", "a");

	(void)state;
	assert_int_equal(a->environment.n, 0);
	assert_int_equal(a->preset, PRESET_SERVER);
}

static void the_machine_s_keys_are_read(void **state)
{
	(void)state;
	load("machine:\n  hostname: edge-01\n  modules: [overlay]\n  sysctl: {net.ipv4.ip_forward: 1}\n  emergency: "
		"reboot\n"
	     "  mounts: [{source: /dev/vda1, target: /data, type: ext4, options: [noatime], optional: true}]\n"
	     "  shutdown_timeout: 10s\n"
	     "network:\n  interfaces: {eth0: {addresses: [192.0.2.10/24], gateway: 192.0.2.1}}\n"
	     "  bridges: {prior0: {subnets: [10.88.0.0/24, \"fd88::/64\"]}}\n  nameservers: 192.0.2.53\n"
	     "services: {a: {command: [x]}}\n", "a");
	assert_string_equal(s.machine.hostname, "edge-01");
	assert_string_equal(s.machine.modules.v[0], "overlay");
	assert_string_equal(s.machine.sysctl.v[0].key, "net.ipv4.ip_forward");
	assert_int_equal(s.machine.emergency, 1);
	assert_int_equal(s.machine.mounts.n, 1);
	assert_true(s.machine.mounts.v[0].optional);
	assert_int_equal(s.machine.mounts.v[0].from.line, 6);
	assert_int_equal(s.machine.shutdown_timeout, 10000);
	assert_int_equal(s.ninterfaces, 1);
	assert_string_equal(s.interfaces[0].gateway, "192.0.2.1");
	assert_int_equal(s.nbridges, 1);
	assert_int_equal(s.bridges[0].subnets.n, 2);
	assert_string_equal(s.bridges[0].name, "prior0");
	assert_int_equal(s.nameservers.n, 1);
	assert_string_equal(spec_origin_text(&s, spec_machine_from(&s, &s.machine.hostname)), "t.yaml:2");
}

static void sockets_have_names_and_defaults(void **state)
{
	struct spec_service *a = load_one("listen: [{tcp: \":80\"}, {name: admin, unix: /run/a.sock, mode: "
		"\"0600\", activate: lazy}]");

	(void)state;
	assert_int_equal(a->listen.n, 2);
	assert_string_equal(a->listen.v[0].name, "a");
	assert_int_equal(a->listen.v[0].backlog, UNSET_NUM);	/* 4096, by the plan */
	assert_int_equal(a->listen.v[0].activate, 0);
	assert_int_equal(a->listen.v[1].mode, 0600);
	assert_int_equal(a->listen.v[1].activate, 1);
	assert_int_equal(a->listen.v[1].from.col, 53);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_layer_wins_over_the_one_below_and_leaves_its_place, clean),
		cmocka_unit_test_teardown(a_service_gets_server_when_nothing_is_said, clean),
		cmocka_unit_test_teardown(server_is_no_weaker_than_its_directives, clean),
		cmocka_unit_test_teardown(every_preset_and_every_default_reads_without_a_problem, clean),
		cmocka_unit_test_teardown(none_confines_nothing_and_minimal_keeps_most, clean),
		cmocka_unit_test_teardown(contained_needs_neither_namespaces_nor_mounts, clean),
		cmocka_unit_test_teardown(dropping_one_more_capability_brings_none_back, clean),
		cmocka_unit_test_teardown(a_named_user_wins_over_a_presets_dynamic_one, clean),
		cmocka_unit_test_teardown(maps_grow_and_lists_are_replaced, clean),
		cmocka_unit_test_teardown(a_single_value_replaces_a_whole_map, clean),
		cmocka_unit_test_teardown(a_list_of_networks_is_the_first_one_and_those_beside_it, clean),
		cmocka_unit_test_teardown(a_key_brings_the_namespace_that_it_needs, clean),
		cmocka_unit_test_teardown(a_oneshot_is_not_restarted_unless_asked, clean),
		cmocka_unit_test_teardown(yamls_no_is_the_word_no, clean),
		cmocka_unit_test_teardown(other_spellings_mean_the_same, clean),
		cmocka_unit_test_teardown(compose_s_entrypoint_stands_before_its_command, clean),
		cmocka_unit_test_teardown(sections_at_the_top_are_defaults, clean),
		cmocka_unit_test_teardown(an_empty_block_asks_for_nothing, clean),
		cmocka_unit_test_teardown(the_machine_s_keys_are_read, clean),
		cmocka_unit_test_teardown(sockets_have_names_and_defaults, clean),
	};

	return cmocka_run_group_tests(tests, conf_enter, conf_leave);
}
