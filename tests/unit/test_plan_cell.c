/* From a configuration to a cell: mounts, Landlock, privilege, and what gives way where nothing can be mounted. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/one_plan.h"
#include <linux/mount.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define IMAGE "    isolation: {rootfs: @/image}\n"
#define TOOL "    command: [/bin/tool, -a]\n"

#define SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | 0x200000u)

static void volumes_are_never_suid_devices_or_links(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL "    isolation: {rootfs: @/image, volumes: [\"@/data:/srv\", "
					   "\"@/data/sub:/opt/x/y:rw\"]}\n");
	const struct plan_mount *m = compiled_mount(&c, s, "/srv");

	assert_int_equal(m->attr, SAFE | MOUNT_ATTR_RDONLY);
	assert_int_equal(m->kind, MOUNT_BIND);
	m = compiled_mount(&c, s, "/opt/x/y");
	assert_int_equal(m->attr, SAFE | MOUNT_ATTR_NOEXEC);	/* memory_deny_write_execute is on */
	assert_int_equal(m->flags, MOUNT_F_CREATE | MOUNT_F_REC);
	s = web(TOOL "    isolation: {rootfs: @/image, volumes: [\"@/data:/srv:rw\"]}\n"
		"    security: {memory_deny_write_execute: false}\n");
	assert_int_equal(compiled_mount(&c, s, "/srv")->attr, SAFE);
}

static void sources_may_not_lead_astray(void **state)
{
	(void)state;
	refused(TOOL "    isolation: {rootfs: @/image, volumes: [\"@/data/out/ssl:/srv\"]}\n",
		"/data/out is a symbolic link to '/etc', which leads out");
	refused(TOOL "    isolation: {rootfs: @/image, volumes: [\"@/data/last:/srv\"]}\n",
		"/data/last is a symbolic link to 'file'");
	refused(TOOL "    isolation: {rootfs: @/image, volumes: [\"@/data/nope:/srv\"]}\n", "does not exist");
	refused(TOOL "    isolation: {rootfs: @/nope}\n", "isolation.rootfs: ");
	refused(TOOL "    isolation: {rootfs: @/data/out}\n", "symbolic link");
	refused(TOOL "    isolation: {rootfs: @/data/file}\n", "neither a squashfs nor an erofs image");
	/* A link that stays below the path's first folder is followed, and the plan says where to. */
	const struct plan_service *s = web(TOOL "    isolation: {rootfs: @/image, "
					   "volumes: [\"@/data/more/deep:/srv\"]}\n");
	const char *source = str(compiled_mount(&c, s, "/srv")->source);

	assert_string_equal(source + strlen(source) - strlen("/data/sub/deep"), "/data/sub/deep");
}

static void mounts_come_parents_first_and_once(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL "    isolation: {rootfs: @/image, volumes: [\"@/data:/srv/a/b:ro\"], "
					   "tmpfs: {/srv: \"size=1M\", /tmp: \"size=2M,mode=0700\"}}\n");
	const struct plan_mount *srv = compiled_mount(&c, s, "/srv"), *below = compiled_mount(&c, s, "/srv/a/b");
	unsigned tmps = 0;

	assert_true(srv && below && srv < below);
	assert_int_equal(below->flags, MOUNT_F_CREATE | MOUNT_F_REC);
	assert_string_equal(str(compiled_mount(&c, s, "/tmp")->data), "size=2M,mode=0700");
	PLAN_EACH(struct plan_mount, m, &c.plan, s->mounts)
		tmps += !strcmp(str(m->target), "/tmp");
	assert_int_equal(tmps, 1);
	refused(TOOL "    isolation: {rootfs: @/image, volumes: [\"@/data:/srv\"], tmpfs: {/srv: \"\"}}\n",
		"mounts there too");
	refused(TOOL "    isolation: {rootfs: @/image, volumes: [\"@/data/file:/srv\"]}\n", "a file on a file");
	refused(TOOL "    isolation: {rootfs: @/image, tmpfs: {/srv: \"colour=red\"}}\n", "colour=red");
}

static void an_image_is_made_read_only_last(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL IMAGE);
	const struct plan_mount *end = PLAN_END(&c.plan, s->mounts, struct plan_mount) - 1;

	assert_int_equal(end->kind, MOUNT_REMOUNT);
	assert_string_equal(str(end->target), "/");
	assert_int_equal(end->attr, MOUNT_ATTR_RDONLY);
	assert_int_equal(compiled_mount(&c, s, "/proc")->kind, MOUNT_PROC);
	assert_string_equal(str(compiled_mount(&c, s, "/proc")->data), "subset=pid,hidepid=invisible");
	assert_int_equal(compiled_mount(&c, s, "/dev")->kind, MOUNT_DEV);
	assert_int_equal(compiled_mount(&c, s, "/tmp")->kind, MOUNT_TMPFS);
	assert_null(compiled_mount(&c, s, "/var/tmp"));		/* the image has none: nothing to protect */
	assert_null(compiled_mount(&c, s, "/home"));
}

static void the_machines_root_is_read_only_from_the_start(void **state)
{
	(void)state;
	const struct plan_service *s = web("    command: [/bin/sh]\n");
	const struct plan_mount *first = PLAN_FIRST(&c.plan, s->mounts, struct plan_mount);

	assert_int_equal(first->kind, MOUNT_REMOUNT);
	assert_int_equal(first->flags, MOUNT_F_REC);
	assert_true(first->attr & MOUNT_ATTR_RDONLY);
	assert_int_equal(compiled_mount(&c, s, "/home")->kind, MOUNT_INACCESSIBLE);
	refused("    command: [/bin/sh]\n    isolation: {volumes: [\"@/data:/nowhere/at/all\"]}\n",
		"/nowhere/at/all is missing in the machine's root and cannot be made there");
	s = web("    command: [/bin/sh]\n    isolation: {volumes: [\"@/data:/home/x\"]}\n");
	assert_int_equal(compiled_mount(&c, s, "/home")->kind, MOUNT_TMPFS);
	assert_int_equal(compiled_mount(&c, s, "/home/x")->flags, MOUNT_F_CREATE | MOUNT_F_REC);
}

static void a_program_on_a_writable_volume_is_refused(void **state)
{
	(void)state;
	refused("    command: [/srv/run]\n    isolation: {rootfs: @/image, volumes: [\"@/data:/srv:rw\"]}\n",
		"/srv, which is mounted noexec");
	assert_string_equal(str(web("    command: [/srv/run]\n    isolation: {rootfs: @/image, "
				    "volumes: [\"@/data:/srv\"]}\n")->exe), "/srv/run");
}

static uint64_t landlock_of(const struct plan_service *s, const char *path)
{
	PLAN_EACH(struct plan_landlock, l, &c.plan, s->landlock)
		if (!strcmp(str(l->path), path))
			return l->access;
	return 0;
}

static void strict_has_no_path_that_is_writable_and_executable(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL "    isolation: {preset: strict, rootfs: @/image, "
					   "volumes: [\"@/data:/srv:rw\"]}\n");

	assert_true(s->flags & CELL_LANDLOCK);
	assert_int_equal(landlock_of(s, "/"), 0xc);
	assert_int_equal(landlock_of(s, "/bin"), 0xd);
	PLAN_EACH(struct plan_landlock, l, &c.plan, s->landlock)
		assert_true((l->access & 0x3) != 0x3);
	assert_int_equal(landlock_of(s, "/srv"), 0x7ffe);
	assert_int_equal(landlock_of(s, "/tmp"), 0x7ffe);
}

static void unveil_is_the_list_and_the_program(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL "    isolation: {rootfs: @/image, unveil: {/srv: rwc, /opt: x}}\n");

	assert_int_equal(landlock_of(s, "/srv"), 0xfffe);
	assert_int_equal(landlock_of(s, "/opt"), 0x5);	/* what is executed is read */
	assert_int_equal(landlock_of(s, "/bin/tool"), 0xd);
	assert_int_equal(landlock_of(s, "/"), 0);
	assert_int_equal(landlock_of(s, "/etc"), 0);
	assert_int_equal(landlock_of(s, "/dev/null"), 0xc00e);
	refused(TOOL "    isolation: {rootfs: @/image, unveil: {/nope: r}}\n", "isolation.unveil: /nope: No such file");
	s = web("    command: [/bin/sh]\n    isolation: {unveil: {/etc: r}}\n");
	assert_int_equal(landlock_of(s, "/usr/bin"), 0);
	assert_true(landlock_of(s, "/usr/lib") & 0x4);
}

#define MACHINE .can_namespaces = true, .can_mount = true, .can_userns = true, .can_cgroup = true, .is_root = true
static const struct machine_facts newest = { MACHINE, .landlock_abi = 7 }, old = { MACHINE, .landlock_abi = 2 },
	oldest = { MACHINE, .landlock_abi = 1 }, none_at_all = { MACHINE, .landlock_abi = 0 };

#define IN_IMAGE(keys) "services:\n  web:\n    command: [/bin/tool]\n    isolation: {rootfs: @/image}\n" keys

static const struct plan_service *on(const struct machine_facts *facts, const char *yaml)
{
	compiled_free(&c);
	compiled_make(&c, facts, yaml);
	return compiled_service(&c, "web");
}

static void a_pledge_says_which_paths(void **state)
{
	(void)state;
	const struct plan_service *s = on(&newest, IN_IMAGE("    security: {pledge: stdio}\n"));

	assert_non_null(s);
	assert_true(s->flags & CELL_LANDLOCK && s->flags & CELL_SECCOMP && s->flags & CELL_MDWE);
	assert_int_equal(landlock_of(s, "/"), 0);
	assert_int_equal(landlock_of(s, "/bin/tool"), 0xd);
	assert_int_equal(landlock_of(s, "/proc"), 0);
	assert_int_equal(s->landlock_net, 3);
	assert_int_equal(s->landlock_scope, 3);
	s = on(&newest, IN_IMAGE("    security: {pledge: \"stdio rpath wpath cpath inet proc exec prot_exec unix "
				 "getpw\"}\n"));
	assert_int_equal(landlock_of(s, "/"), 0xf3bf);
	assert_int_equal(landlock_of(s, "/etc/passwd"), 0);	/* "/" has it */
	assert_int_equal(s->landlock_net, 0);
	assert_int_equal(s->landlock_scope, 0);
	assert_false(s->flags & CELL_MDWE);
	s = on(&newest, IN_IMAGE("    security: {pledge: \"stdio getpw tmppath\"}\n"));
	assert_int_equal(landlock_of(s, "/etc/passwd"), 0xc);
	assert_int_equal(landlock_of(s, "/tmp"), 0x412e);
}

static void a_pledge_narrows_what_is_unveiled(void **state)
{
	(void)state;
	const struct plan_service *s = on(&newest, "services:\n  web:\n    command: [/bin/tool]\n    isolation: "
					  "{rootfs: @/image, unveil: {/srv: rwc}}\n"
					  "    security: {pledge: \"stdio rpath\"}\n");

	assert_int_equal(landlock_of(s, "/srv"), 0xc);
	assert_int_equal(landlock_of(s, "/"), 0);
}

static void what_an_old_landlock_lacks_is_covered_and_told(void **state)
{
	static const char veil[] = "services:\n  web:\n    command: [/bin/tool]\n    isolation: {rootfs: @/image, "
				   "unveil: {/srv: rwc}}\n";

	(void)state;
	assert_int_equal(on(&newest, veil)->landlock_abi, 3);
	assert_null(compiled_problem(&c, SEV_NOTE, "Landlock"));
	const uint64_t sum = on(&newest, veil)->seccomp_sum;

	assert_int_equal(on(&old, veil)->landlock_abi, 0);
	assert_int_not_equal(on(&old, veil)->seccomp_sum, sum);
	assert_non_null(compiled_problem(&c, SEV_NOTE, "version 2, does not see truncation"));
	assert_null(compiled_problem(&c, SEV_NOTE, "cannot be moved"));
	on(&oldest, veil);
	assert_non_null(compiled_problem(&c, SEV_NOTE, "version 1, files cannot be moved from one folder to another"));
	assert_null(on(&none_at_all, veil));
	assert_non_null(strstr(compiled_refused(&c, "web"), "isolation.unveil: this kernel has no Landlock"));
	assert_null(on(&none_at_all, IN_IMAGE("    security: {pledge: stdio}\n")));
	assert_non_null(strstr(compiled_refused(&c, "web"), "security.pledge: this kernel has no Landlock"));
}

static void a_pledge_contradicts_what_it_cannot_hold(void **state)
{
	(void)state;
	refused(TOOL IMAGE "    security: {pledge: \"stdio settime\"}\n", "needs isolation.protect_clock: false");
	refused(TOOL IMAGE "    security: {pledge: stdio, seccomp: strict}\n", "a pledge takes the profile's place");
	refused(TOOL IMAGE "    security: {system_call_architectures: [x86]}\n", "'x86' cannot be let in");
}

static void an_own_proc_cannot_write_memory_that_is_executed(void **state)
{
	(void)state;
	assert_true(compiled_mount(&c, web(TOOL IMAGE), "/proc")->attr & MOUNT_ATTR_RDONLY);
	const struct plan_service *s = web(TOOL IMAGE "    security: {memory_deny_write_execute: false}\n");

	assert_false(compiled_mount(&c, s, "/proc")->attr & MOUNT_ATTR_RDONLY);
}

static const struct machine_facts ordinary_container = { .is_root = true, .container = true, .landlock_abi = 2 };

static void the_default_preset_gives_way_where_nothing_can_be_mounted(void **state)
{
	(void)state;
	compiled_make(&c, &ordinary_container, "services:\n  web:\n    command: [/bin/sh]\n");
	const struct plan_service *s = compiled_service(&c, "web");

	assert_non_null(s);
	assert_int_equal(s->preset, PRESET_CONTAINED);
	assert_true(s->flags & CELL_CONTAINED);
	assert_int_equal(s->flags & (CELL_NAMESPACES | CELL_MOUNT), 0);
	assert_int_equal(s->mounts.n, 0);
	assert_true(s->flags & CELL_SECCOMP && s->flags & CELL_NNP && s->flags & CELL_CAPS && s->flags & CELL_LANDLOCK);
	assert_int_equal(landlock_of(s, "/tmp"), 0x7ffe);
	assert_int_equal(landlock_of(s, "/home"), 0);
	assert_in_range(s->uid, 61184, 65519);
	assert_non_null(strstr(str(s->note), "contained: no namespace can be made here"));
	assert_non_null(compiled_problem(&c, SEV_NOTE, "contained"));
}

static void what_is_asked_for_by_name_does_not_give_way(void **state)
{
	(void)state;
	compiled_make(&c, &ordinary_container, "services:\n"
		      "  preset:\n    command: [/bin/sh]\n    isolation: {preset: server}\n"
		      "  key:\n    command: [/bin/sh]\n    isolation: {private_tmp: true}\n"
		      "  limit:\n    command: [/bin/sh]\n    limits: {cgroup: {memory_max: 1M}}\n"
		      "  none:\n    command: [/bin/sh]\n    isolation: {preset: none}\n"
		      "  contained:\n    command: [/bin/sh]\n    isolation: {preset: contained}\n");
	assert_non_null(strstr(compiled_refused(&c, "preset"), "isolation.preset: server: no namespace can be made"));
	assert_non_null(strstr(compiled_refused(&c, "preset"), "prior.yaml:4:"));
	assert_non_null(strstr(compiled_refused(&c, "key"), "isolation.private_tmp: nothing can be mounted"));
	assert_non_null(strstr(compiled_refused(&c, "limit"), "limits.cgroup: there is no cgroup2"));
	assert_non_null(compiled_service(&c, "none"));
	assert_int_equal(compiled_service(&c, "none")->flags, 0);
	assert_non_null(compiled_service(&c, "contained"));
}

static void an_ordinary_user_runs_services_as_himself_only(void **state)
{
	const struct machine_facts user = { .landlock_abi = 2 };

	(void)state;
	compiled_make(&c, &user, "services:\n  web:\n    command: [/bin/sh]\n  root:\n    command: [/bin/sh]\n"
		      "    user: \"4242\"\n    isolation: {preset: none}\n"
		      "  groups:\n    command: [/bin/sh]\n    supplementary_groups: [\"5\"]\n");
	assert_int_equal(compiled_service(&c, "web")->uid, geteuid());
	assert_non_null(strstr(compiled_refused(&c, "root"), "only root can run"));
	assert_non_null(strstr(compiled_refused(&c, "groups"), "supplementary_groups: only root with CAP_SETUID"));
}

#define NET_BIND (UINT64_C(1) << 10)

static void ports_are_opened_by_a_sysctl_in_a_private_network(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL "    isolation: {rootfs: @/image, network: true}\n"
					   "    security: {cap_add: [NET_BIND_SERVICE]}\n");

	assert_true(s->flags & CELL_UNPRIV_PORTS && s->flags & CELL_USER);
	assert_int_equal(s->caps, NET_BIND);
	assert_non_null(strstr(plan_str(&c.plan, s->note), "CAP_NET_BIND_SERVICE: inert"));
}

static void capabilities_that_would_be_inert_are_told(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL IMAGE "    security: {cap_add: [NET_BIND_SERVICE]}\n");

	assert_int_equal(s->flags & CELL_USER, 0);
	assert_non_null(strstr(str(s->note), "CAP_NET_BIND_SERVICE would have no effect"));
	refused(TOOL "    isolation: {rootfs: @/image, user: true}\n    security: {cap_add: [NET_BIND_SERVICE]}\n",
		"security.cap_add: CAP_NET_BIND_SERVICE has no effect in the machine's network");
	s = web(TOOL "    isolation: {rootfs: @/image, user: true}\n    security: {cap_add: [SYS_TIME, KILL]}\n");
	assert_true(s->flags & CELL_USER);
	assert_non_null(strstr(str(s->note), "CAP_KILL, CAP_SYS_TIME: inert"));
}

static void capabilities_mean_something_over_what_is_its_own(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL
					   "    isolation: {rootfs: @/image, user: first, network: true, pid: true}\n"
					   "    security: {cap_add: [NET_BIND_SERVICE, NET_ADMIN, SYS_ADMIN]}\n");

	assert_int_equal(s->flags & CELL_USERS, CELL_USER_FIRST);
	assert_int_equal(s->flags & CELL_UNPRIV_PORTS, 0);
	assert_null(strstr(str(s->note), "inert"));
	s = web(TOOL "    isolation: {rootfs: @/image, user: first, network: false}\n"
		"    security: {cap_add: [NET_ADMIN, SYS_TIME, SYS_ADMIN]}\n");
	assert_non_null(strstr(str(s->note), "CAP_NET_ADMIN, CAP_SYS_TIME: inert: without effect outside its own "
			       "namespaces, because isolation.user is first"));
	refused(TOOL "    isolation: {rootfs: @/image, user: first}\n    security: {cap_add: [NET_BIND_SERVICE]}\n",
		"security.cap_add: CAP_NET_BIND_SERVICE has no effect in the machine's network");
	refused(TOOL "    isolation: {rootfs: @/image, user: first}\n    user: root\n", "protects nothing");
	s = web("    command: [/bin/sh]\n    user: \"1234\"\n"
		"    isolation: {preset: none, user: first, mount: false}\n");
	assert_int_equal(s->flags & CELL_USERS, CELL_USER);	/* nothing else is its own */
}

static void root_is_never_mapped(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL IMAGE "    user: root\n");

	assert_int_equal(s->flags & (CELL_USER | CELL_NO_NEW_NS), 0);
	assert_non_null(strstr(str(s->note), "root"));
	refused(TOOL "    isolation: {rootfs: @/image, user: true}\n    user: root\n", "protects nothing");
}

static void a_user_gets_only_what_is_added_by_name(void **state)
{
	(void)state;
	assert_int_equal(web(TOOL "    isolation: {rootfs: @/image, preset: minimal}\n    user: web\n")->caps, 0);
	assert_true(web(TOOL "    isolation: {rootfs: @/image, preset: minimal}\n    user: root\n")->caps & 1);
	assert_int_equal(web(TOOL "    isolation: {rootfs: @/image, preset: none}\n    user: web\n")->flags &
			 CELL_CAPS, 0);
}

#define TEST(f) cmocka_unit_test_teardown(f, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(volumes_are_never_suid_devices_or_links),
		TEST(sources_may_not_lead_astray),
		TEST(mounts_come_parents_first_and_once),
		TEST(an_image_is_made_read_only_last),
		TEST(the_machines_root_is_read_only_from_the_start),
		TEST(a_program_on_a_writable_volume_is_refused),
		TEST(strict_has_no_path_that_is_writable_and_executable),
		TEST(unveil_is_the_list_and_the_program),
		TEST(a_pledge_says_which_paths),
		TEST(a_pledge_narrows_what_is_unveiled),
		TEST(what_an_old_landlock_lacks_is_covered_and_told),
		TEST(a_pledge_contradicts_what_it_cannot_hold),
		TEST(an_own_proc_cannot_write_memory_that_is_executed),
		TEST(the_default_preset_gives_way_where_nothing_can_be_mounted),
		TEST(what_is_asked_for_by_name_does_not_give_way),
		TEST(an_ordinary_user_runs_services_as_himself_only),
		TEST(ports_are_opened_by_a_sysctl_in_a_private_network),
		TEST(capabilities_that_would_be_inert_are_told),
		TEST(capabilities_mean_something_over_what_is_its_own),
		TEST(root_is_never_mapped),
		TEST(a_user_gets_only_what_is_added_by_name),
	};

	return cmocka_run_group_tests_name("plan: cell", tests, compiled_setup, compiled_teardown);
}
