/* From a configuration to a plan: what each wish becomes, and how each refusal reads. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/one_plan.h"
#include "init/base/mono.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <cmocka.h>

#define IMAGE "    isolation: {rootfs: @/image}\n"
#define TOOL "    command: [/bin/tool, -a]\n"

static const char *word(struct plan_ref r, unsigned i)
{
	return str(PLAN_FIRST(&c.plan, r, struct plan_ref)[i]);
}

static void a_service_becomes_a_plan(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL IMAGE "    user: web\n    stop_signal: SIGQUIT\n    umask: \"0077\"\n"
					   "    environment: {TZ: UTC}\n    stop_timeout: 3s\n");

	assert_string_equal(word(s->argv, 0), "/bin/tool");
	assert_string_equal(word(s->argv, 1), "-a");
	assert_string_equal(str(s->exe), "/bin/tool");
	assert_string_equal(str(s->cwd), "/");
	assert_string_equal(str(s->root), strchr(compiled_folder(), '/') ? str(s->root) : "");
	assert_int_equal(s->stop_signal, 3);
	assert_int_equal(s->umask, 077);
	assert_int_equal(s->stop_timeout_ms, 3000);
	assert_int_equal(s->uid, 901);
	assert_int_equal(s->gid, 902);
	assert_int_equal(s->groups.n, 1);
	assert_int_equal(PLAN_FIRST(&c.plan, s->groups, uint32_t)[0], 910);
	assert_string_equal(compiled_env(&c, s, "TZ"), "UTC");
	assert_string_equal(compiled_env(&c, s, "HOME"), "/srv");
	assert_string_equal(compiled_env(&c, s, "USER"), "web");
	assert_string_equal(compiled_env(&c, s, "SHELL"), "/bin/sh");
	assert_non_null(strstr(compiled_env(&c, s, "PATH"), "/usr/local/bin"));
	assert_true(s->flags & CELL_ROOT_TREE);
	assert_true(s->flags & CELL_ATTEST);
	assert_string_equal(str(s->hostname), "web");
}

static void users_are_looked_up_in_the_services_own_root(void **state)
{
	(void)state;
	refused(TOOL IMAGE "    user: nobody\n", "user 'nobody': not in ");
	assert_non_null(strstr(compiled_refused(&c, "web"), "/image/etc/passwd"));
	assert_non_null(strstr(compiled_refused(&c, "web"), "prior.yaml:5:11: "));
	refused(TOOL IMAGE "    user: broken\n", "has no valid number");
	refused(TOOL IMAGE "    user: hex\n", "has no valid number");
	refused(TOOL IMAGE "    user: web\n    group: nogroup\n", "group 'nogroup': not in ");
	refused(TOOL IMAGE "    user: web\n    supplementary_groups: [adm]\n", "supplementary_groups: 'adm': not in ");
	assert_int_equal(web(TOOL IMAGE "    user: \"4001\"\n")->gid, 4001);
	assert_int_equal(web(TOOL IMAGE "    user: \"901\"\n")->gid, 902);
	assert_int_equal(web(TOOL IMAGE "    user: \"901\"\n    group: tls\n")->gid, 910);
	assert_null(compiled_env(&c, web(TOOL IMAGE "    user: \"4001\"\n"), "HOME"));
}

static void odd_numbers_are_no_users(void **state)
{
	static const char *const odd[] = { "01", "0x1", "-1", "+1", "4294967295", "99999999999", "1 ", "1a" };

	(void)state;
	for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
		char lines[200];

		snprintf(lines, sizeof lines, TOOL IMAGE "    user: \"%s\"\n", odd[i]);
		refused(lines, "user");
	}
}

static void a_dynamic_user_is_the_same_in_every_plan(void **state)
{
	(void)state;
	uint32_t uid = web(TOOL IMAGE)->uid;

	assert_in_range(uid, 61184, 65519);
	assert_true(compiled_service(&c, "web")->flags & CELL_DYNAMIC);
	assert_int_equal(compiled_service(&c, "web")->gid, uid);
	compiled_free(&c);
	compiled_make(&c, NULL, "services:\n  other:\n" TOOL IMAGE "  web:\n" TOOL IMAGE "  zed:\n" TOOL IMAGE);
	assert_int_equal(compiled_service(&c, "web")->uid, uid);
	assert_int_not_equal(compiled_service(&c, "other")->uid, uid);
	/* Who names the number keeps it. */
	char yaml[400];

	compiled_free(&c);
	snprintf(yaml, sizeof yaml, "services:\n  web:\n" TOOL IMAGE "  zed:\n" TOOL IMAGE "    user: \"%u\"\n", uid);
	compiled_make(&c, NULL, yaml);
	assert_int_equal(compiled_service(&c, "zed")->uid, uid);
	assert_int_not_equal(compiled_service(&c, "web")->uid, uid);
}

static void programs_are_found_inside_the_root(void **state)
{
	(void)state;
	assert_string_equal(str(web("    command: tool\n" IMAGE)->exe), "/bin/tool");
	assert_string_equal(str(web("    command: sh\n" IMAGE)->exe), "/bin/sh");
	/* A link's ".." ends at the service's own root. */
	assert_string_equal(str(web("    command: [/bin/up]\n" IMAGE)->exe), "/bin/up");
	assert_string_equal(str(web("    command: tool\n    environment: {PATH: \"/nowhere:/bin\"}\n" IMAGE)->exe),
			    "/bin/tool");
	refused("    command: [/bin/nope]\n" IMAGE, "command: /bin/nope: No such file or directory in ");
	refused("    command: nope\n" IMAGE, "'nope' is in none of the directories of PATH (/usr/local/sbin:");
	refused("    command: tool\n    environment: {PATH: /srv}\n" IMAGE, "PATH (/srv)");
	refused("    command: [/bin/plain]\n" IMAGE, "is not executable");
	refused("    command: plain\n" IMAGE, "in none of the directories");
	refused("    command: [/bin]\n" IMAGE, "is not a regular file");
	refused("    command: [/bin/loop]\n" IMAGE, "command: /bin/loop: ");
	refused("    command: [bin/tool]\n" IMAGE, "neither an absolute path nor a name");
}

static void working_directories_are_checked(void **state)
{
	(void)state;
	assert_string_equal(str(web(TOOL IMAGE "    working_dir: /srv\n")->cwd), "/srv");
	assert_string_equal(str(web(TOOL IMAGE "    working_dir: /tmp\n")->cwd), "/tmp");
	assert_string_equal(str(web(TOOL IMAGE "    working_dir: //tmp//\n")->cwd), "/tmp");
	refused(TOOL IMAGE "    working_dir: /nope\n", "working_dir: /nope: No such file");
	refused(TOOL IMAGE "    working_dir: /bin/tool\n", "is not a directory");
	refused(TOOL IMAGE "    working_dir: /proc/self/fd/7\n", "/proc");
}

static void environment_files_are_read(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL IMAGE "    env_file: [@/env]\n    environment: {A: mine}\n");

	assert_string_equal(compiled_env(&c, s, "A"), "mine");
	assert_string_equal(compiled_env(&c, s, "B"), "two words");
	assert_string_equal(compiled_env(&c, s, "C"), "as $is");
	assert_string_equal(compiled_env(&c, s, "D"), "a\n\"b\"");
	assert_string_equal(compiled_env(&c, s, "E"), "");
	refused(TOOL IMAGE "    env_file: [@/nope]\n", "No such file");
	refused(TOOL IMAGE "    env_file: [@/image/etc/passwd]\n", "passwd:1: not KEY=VALUE");
}

static const char *limit_of(const struct plan_service *s, const char *file)
{
	PLAN_EACH(struct plan_file, f, &c.plan, s->cgroup)
		if (!strcmp(str(f->path), file))
			return str(f->value);
	return "";
}

static void limits_are_written_as_the_kernel_reads_them(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL IMAGE "    limits:\n      nofile: 100\n      nice: 5\n"
					   "      cpu_affinity: [0, 2-3, 65]\n      cgroup: {memory_max: 64M, "
					   "memory_high: 32M, "
					   "cpu_max: \"200%\", cpu_weight: 50, io_weight: 70, pids_max: 16}\n");

	assert_string_equal(limit_of(s, "memory.max"), "67108864");
	assert_string_equal(limit_of(s, "memory.high"), "33554432");
	assert_string_equal(limit_of(s, "cpu.max"), "200000 100000");
	assert_string_equal(limit_of(s, "cpu.weight"), "50");
	assert_string_equal(limit_of(s, "io.weight"), "default 70");
	assert_string_equal(limit_of(s, "pids.max"), "16");
	assert_int_equal(s->nice, 5);
	assert_int_equal(s->oom_score_adj, INT32_MIN);
	assert_int_equal(s->affinity.n, 2);
	assert_int_equal(PLAN_FIRST(&c.plan, s->affinity, uint64_t)[0], 0xd);
	assert_int_equal(PLAN_FIRST(&c.plan, s->affinity, uint64_t)[1], 2);
	const struct plan_rlimit *r = PLAN_FIRST(&c.plan, s->rlimits, struct plan_rlimit);

	assert_int_equal(r[0].resource, RLIMIT_CORE);
	assert_int_equal(r[0].hard, 0);
	assert_int_equal(r[1].resource, RLIMIT_NOFILE);
	assert_int_equal(r[1].hard, 100);
	assert_int_equal(web(TOOL "    isolation: {rootfs: @/image, preset: none}\n")->rlimits.n, 0);
}

static void what_the_kernel_rounds_is_told(void **state)
{
	(void)state;
	web(TOOL IMAGE "    limits: {cgroup: {memory_max: 1000000, memory_high: 512K}}\n");
	assert_non_null(compiled_problem(&c, SEV_NOTE, "limits.cgroup.memory_max: 1000000 is not a whole number of "
					 "pages: the kernel makes it 999424"));
	assert_null(compiled_problem(&c, SEV_NOTE, "memory_high"));
}

static void sockets_are_parsed(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL IMAGE "    listen:\n"
					   "      - {name: http, tcp: \"0.0.0.0:80\", activate: lazy}\n"
					   "      - {tcp: \"[::1]:8080\"}\n"
					   "      - {name: dns, tcp: \":53\", backlog: 5}\n"
					   "      - {name: admin, unix: /run/web.sock, mode: \"0600\"}\n");
	const struct plan_listen *l = PLAN_FIRST(&c.plan, s->listen, struct plan_listen);

	assert_int_equal(s->listen.n, 4);
	assert_int_equal(l[0].addr.family, AF_INET);
	assert_int_equal(l[0].port, 80);
	assert_int_equal(l[0].activate, 1);
	assert_string_equal(str(l[1].name), "web");
	assert_int_equal(l[1].addr.family, AF_INET6);
	assert_int_equal(l[1].addr.ip[15], 1);
	assert_int_equal(l[2].addr.family, AF_INET6);
	assert_int_equal(l[2].backlog, 5);
	assert_int_equal(l[3].kind, LISTEN_UNIX_STREAM);
	assert_int_equal(l[3].mode, 0600);
	assert_string_equal(str(l[3].path), "/run/web.sock");
	refused(TOOL IMAGE "    ready: listening\n", "ready");
}

static void sockets_of_every_kind_are_parsed(void **state)
{
	(void)state;
	const struct plan_service *s = web(TOOL IMAGE "    listen:\n"
					   "      - {name: dns, udp: \":53\", ipv6_only: true, device: eth0}\n"
					   "      - {name: log, unix_dgram: /run/log, pass_credentials: true}\n"
					   "      - {name: seq, unix_seqpacket: /run/seq}\n"
					   "      - {name: pipe, fifo: /run/pipe, mode: \"0620\"}\n"
					   "      - {name: vm, vsock: \"2:1024\"}\n"
					   "      - {name: any, vsock: \":99\"}\n"
					   "      - {name: dev, netlink: kobject-uevent 1, receive_buffer: 128M}\n");
	const struct plan_listen *l = PLAN_FIRST(&c.plan, s->listen, struct plan_listen);

	assert_int_equal(s->listen.n, 7);
	assert_true(l[0].kind == LISTEN_UDP && l[0].port == 53 && l[0].flags == LISTEN_F_V6ONLY && l[0].backlog == 0);
	assert_string_equal(str(l[0].device), "eth0");
	assert_true(l[1].kind == LISTEN_UNIX_DGRAM && l[1].flags == LISTEN_F_PASS_CREDENTIALS);
	assert_true(l[2].kind == LISTEN_UNIX_SEQPACKET && l[2].backlog == 4096);
	assert_string_equal(str(l[2].path), "/run/seq");
	assert_true(l[3].kind == LISTEN_FIFO && l[3].mode == 0620);
	assert_true(l[4].kind == LISTEN_VSOCK && l[4].number == 2 && l[4].port32 == 1024);
	assert_true(l[5].number == UINT32_MAX && l[5].port32 == 99);
	assert_true(l[6].kind == LISTEN_NETLINK && l[6].number == 15 && l[6].port32 == 1);
	assert_int_equal(l[6].receive_buffer, 128 << 20);
	refused(TOOL IMAGE "    listen: [{tcp: \"0.0.0.0:80\", ipv6_only: true}]\n",
		"ipv6_only is for an IPv6 address");
}

#define NETWORK "network:\n  bridges: {br0: {subnets: [10.88.0.0/24, \"fd88::/64\"]}}\n"

static void addresses_belong_to_one_service_each(void **state)
{
	(void)state;
	compiled_make(&c, NULL, NETWORK "services:\n"
		"  a-service-with-a-long-name:\n" TOOL "    isolation: {rootfs: @/image, network: {bridge: br0, "
		"address: [10.88.0.2/24, \"fd88::2/64\"]}}\n"
		"  a-service-with-a-longer-name:\n" TOOL "    isolation: {rootfs: @/image, "
		"network: {bridge: br0, address: 10.88.0.3/24}}\n  twice:\n" TOOL
		"    isolation: {rootfs: @/image, network: {bridge: br0, address: 10.88.0.3/24}}\n"
		"  outside:\n" TOOL "    isolation: {rootfs: @/image, network: {bridge: br0, address: 10.89.0.3/24}}\n"
		"  edge:\n" TOOL "    isolation: {rootfs: @/image, network: {bridge: br0, address: 10.88.0.255/24}}\n"
		"  bridge:\n" TOOL "    isolation: {rootfs: @/image, network: {bridge: br0, address: 10.88.0.1/24}}\n");
	const struct plan_service *a = compiled_service(&c, "a-service-with-a-long-name");
	const struct plan_service *b = compiled_service(&c, "a-service-with-a-longer-name");

	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(link_of(a)->addrs.n, 2);
	assert_int_equal(link_of(a)->gw4.ip[3], 1);
	assert_int_equal(link_of(a)->gw6.ip[15], 1);
	assert_int_equal(link_of(a)->gw6.ip[1], 0x88);
	assert_int_equal(link_of(b)->gw6.family, 0);
	assert_in_range(link_of(a)->ifname.n, 3, 15);
	assert_string_not_equal(str(link_of(a)->ifname), str(link_of(b)->ifname));
	assert_non_null(compiled_refused(&c, "twice"));
	assert_non_null(compiled_refused(&c, "outside"));
	assert_non_null(compiled_refused(&c, "edge"));
	assert_non_null(compiled_refused(&c, "bridge"));
	const struct plan_bridge *p = PLAN_FIRST(&c.plan, c.plan.head->bridges, struct plan_bridge);

	assert_string_equal(str(p->name), "br0");
	assert_int_equal(p->addrs.n, 2);
	assert_int_equal(PLAN_FIRST(&c.plan, p->addrs, struct plan_addr)[0].ip[3], 1);
}

static void services_start_after_what_they_wait_for(void **state)
{
	static const char *const order[] = { "z", "m", "a", "q" };

	(void)state;
	compiled_make(&c, NULL,
		      "services:\n  a:\n" TOOL IMAGE "    depends_on: [m]\n  m:\n" TOOL IMAGE "    after: [z]\n"
		      "  q:\n" TOOL IMAGE "    wants: [a]\n  z:\n" TOOL IMAGE "    before: [a]\n");
	assert_int_equal(c.plan.head->services.n, 4);
	for (unsigned i = 0; i < 4; i++) {
		uint32_t n = PLAN_FIRST(&c.plan, c.plan.head->start_order, uint32_t)[i];

		assert_string_equal(str(plan_service(&c.plan, n)->name), order[i]);
	}
	const struct plan_service *a = compiled_service(&c, "a");
	const struct plan_dep *d = PLAN_FIRST(&c.plan, a->deps, struct plan_dep);

	assert_int_equal(a->deps.n, 2);
	assert_int_equal(d[0].kind, DEP_REQUIRES);
	assert_string_equal(str(plan_service(&c.plan, d[0].service)->name), "m");
	assert_int_equal(d[1].kind, DEP_AFTER);
	assert_string_equal(str(plan_service(&c.plan, d[1].service)->name), "z");
}

static void what_needs_a_refused_service_is_refused(void **state)
{
	(void)state;
	compiled_make(&c, NULL, "services:\n  a:\n" TOOL IMAGE "    depends_on: [b]\n  b:\n" TOOL IMAGE
		      "    depends_on: [c]\n  c:\n    command: [/nope]\n" IMAGE "  d:\n" TOOL IMAGE "    wants: [c]\n"
		      "    after: [a]\n");
	assert_non_null(strstr(compiled_refused(&c, "a"), "depends_on: 'b' is refused itself"));
	assert_non_null(strstr(compiled_refused(&c, "b"), "depends_on: 'c' is refused itself"));
	assert_int_equal(c.plan.head->services.n, 1);
	assert_non_null(compiled_service(&c, "d"));
	assert_int_equal(compiled_service(&c, "d")->deps.n, 0);
}

static void a_cycle_takes_only_its_members_down(void **state)
{
	(void)state;
	compiled_make(&c, NULL, "services:\n  a:\n" TOOL IMAGE "    depends_on: [b]\n  b:\n" TOOL IMAGE
		      "    after: [c]\n  c:\n" TOOL IMAGE "    after: [a]\n  d:\n" TOOL IMAGE "    after: [a]\n");
	assert_int_equal(c.ret, 0);
	assert_non_null(compiled_service(&c, "d"));
	assert_true(compiled_refused(&c, "a") || compiled_refused(&c, "b") || compiled_refused(&c, "c"));
}

static void a_hash_changes_with_its_service_only(void **state)
{
	static const char base[] = "services:\n  db:\n" TOOL IMAGE "  web:\n" TOOL IMAGE "    depends_on: [db]\n";
	uint64_t hash;

	(void)state;
	compiled_make(&c, NULL, base);
	hash = compiled_service(&c, "web")->hash;
	compiled_free(&c);
	compiled_make(&c, NULL,
		      "services:\n  aaa:\n" TOOL IMAGE "  db:\n" TOOL IMAGE "    nonsense: 1\n  web:\n" TOOL IMAGE
		      "    depends_on: [db]\n");
	assert_null(compiled_service(&c, "web"));
	compiled_free(&c);
	compiled_make(&c, NULL,
		      "services:\n  aaa:\n" TOOL IMAGE "  db:\n" TOOL IMAGE "    umask: \"0077\"\n  web:\n" TOOL IMAGE
		      "    depends_on: [db]\n");
	assert_int_equal(compiled_service(&c, "web")->hash, hash);
	compiled_free(&c);
	compiled_make(&c, NULL, "services:\n  db:\n" TOOL IMAGE "  web:\n" TOOL IMAGE "    wants: [db]\n");
	assert_int_not_equal(compiled_service(&c, "web")->hash, hash);
	compiled_free(&c);
	compiled_make(&c, NULL, "services:\n  db:\n" TOOL IMAGE "  web:\n" TOOL IMAGE "    depends_on: [db]\n"
		      "    environment: {X: y}\n");
	assert_int_not_equal(compiled_service(&c, "web")->hash, hash);
}

static void equal_filters_are_one(void **state)
{
	(void)state;
	compiled_make(&c, NULL, "services:\n  a:\n" TOOL IMAGE "  b:\n" TOOL IMAGE "  s:\n" TOOL
		      "    isolation: {rootfs: @/image, preset: strict}\n");
	const struct plan_service *a = compiled_service(&c, "a"), *b = compiled_service(&c, "b");

	assert_int_equal(a->seccomp.at, b->seccomp.at);
	assert_int_equal(a->mounts.at, b->mounts.at);
	assert_int_not_equal(a->seccomp.at, compiled_service(&c, "s")->seccomp.at);
	refused(TOOL IMAGE "    security: {no_new_privileges: false}\n", "security.no_new_privileges");
	refused(TOOL IMAGE "    security: {seccomp: {profile: strict, allow: [ptrce]}}\n", "ptrce");
}

static void the_machine_is_planned_too(void **state)
{
	(void)state;
	compiled_make(&c, NULL, "machine:\n  hostname: edge\n  modules: [overlay]\n"
		      "  sysctl: {net.ipv4.ip_forward: 1, net/ipv4/conf/a.b/rp_filter: 1}\n"
		      "  mounts: [{source: /dev/vda1, target: /data, type: ext4, "
		      "options: [noatime, ro, commit=5], optional: true}]\n"
		      "network:\n  interfaces: {eth0: {addresses: [192.0.2.10/24], gateway: 192.0.2.1},\n"
		      "    eth0.7: {vlan: 7, parent: eth0, mtu: 1400},\n"
		      "    wan: {match: {mac: \"52:54:00:AB:cd:01\", driver: virtio_*}}}\n");
	const struct plan_head *h = c.plan.head;

	assert_int_equal(c.ret, 0);
	assert_string_equal(str(h->hostname), "edge");
	assert_string_equal(word(h->modules, 0), "overlay");
	const struct plan_file *f = PLAN_FIRST(&c.plan, h->sysctls, struct plan_file);

	assert_string_equal(str(f[0].path), "net/ipv4/ip_forward");
	assert_string_equal(str(f[1].path), "net/ipv4/conf/a.b/rp_filter");
	const struct plan_fstab *m = PLAN_FIRST(&c.plan, h->mounts, struct plan_fstab);

	assert_string_equal(str(m->data), "commit=5");
	assert_int_equal(m->flags, 1 | 1024);
	assert_int_equal(m->optional, 1);
	const struct plan_interface *i = PLAN_FIRST(&c.plan, h->interfaces, struct plan_interface);

	assert_string_equal(str(i->name), "eth0");
	assert_int_equal(i->gateway.ip[3], 1);
	assert_string_equal(str(i[1].parent), "eth0");
	assert_int_equal(i[1].vlan, 7);
	assert_int_equal(i[1].mtu, 1400);
	assert_string_equal(str(i[2].match_mac), "52:54:00:AB:cd:01");
	assert_string_equal(str(i[2].match_driver), "virtio_*");
	assert_int_equal(i[2].match_path.n + i[1].match_mac.n, 0);
	compiled_free(&c);
	compiled_make(&c, NULL, "network: {interfaces: {v: {vlan: 7, parent: e, match: {name: e*}}}}\n");
	assert_non_null(compiled_problem(&c, SEV_ERROR, "network.interfaces.v: 'e*' is matched, and a VLAN is made"));
}

static void a_thousand_services_take_no_time(void **state)
{
	size_t size = 1u << 18, n = 0;
	char *yaml = malloc(size);
	int64_t began;

	(void)state;
	n += (size_t)snprintf(yaml, size, "services:\n");
	for (unsigned i = 0; i < 1000; i++)
		n += (size_t)snprintf(yaml + n, size - n, "  s%u:\n    command: [/bin/sh, \"%u\"]\n%s%u%s", i, i,
				      i ? "    depends_on: [s" : "    #", i ? i - 1 : 0, i ? "]\n" : "\n");
	began = mono_us();
	compiled_make(&c, NULL, yaml);
	print_message("1000 services: %lld ms, %zu KiB\n", (long long)(mono_us() - began) / 1000, c.plan.size >> 10);
	free(yaml);
	assert_int_equal(c.ret, 0);
	assert_int_equal(c.plan.head->services.n, 1000);
	assert_in_range(c.plan.size, 1, 1u << 20);
}

#define TEST(f) cmocka_unit_test_teardown(f, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_service_becomes_a_plan),
		TEST(users_are_looked_up_in_the_services_own_root),
		TEST(odd_numbers_are_no_users),
		TEST(a_dynamic_user_is_the_same_in_every_plan),
		TEST(programs_are_found_inside_the_root),
		TEST(working_directories_are_checked),
		TEST(environment_files_are_read),
		TEST(limits_are_written_as_the_kernel_reads_them),
		TEST(what_the_kernel_rounds_is_told),
		TEST(sockets_are_parsed),
		TEST(sockets_of_every_kind_are_parsed),
		TEST(addresses_belong_to_one_service_each),
		TEST(services_start_after_what_they_wait_for),
		TEST(what_needs_a_refused_service_is_refused),
		TEST(a_cycle_takes_only_its_members_down),
		TEST(a_hash_changes_with_its_service_only),
		TEST(equal_filters_are_one),
		TEST(the_machine_is_planned_too),
		TEST(a_thousand_services_take_no_time),
	};

	return cmocka_run_group_tests_name("plan: compile", tests, compiled_setup, compiled_teardown);
}
