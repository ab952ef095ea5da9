/* Programs on the leaf: what they refuse, alone, and that the attestation finds them gone. */
/* SPDX-License-Identifier: ISC */
#include "init/base/bpf.h"
#include "services/cell/attest.h"
#include "tests/cells/harness.h"
#include "tests/cells/image.h"
#include "tests/cells/own_cgroup.h"
#include <linux/bpf.h>
#include <sys/socket.h>

static int root;

/* A leaf named after the rig's service; the caller's. */
static int make_leaf(struct rig *r)
{
	struct err e = { 0 };
	int leaf = FD_NONE;

	rig_finish(r);
	image_must(cgroup_make(root, "leaf", &r->plan, (struct plan_ref){ 0 }, &leaf, &e) == 0, e.text);
	r->start.cgroup_fd = leaf;
	return leaf;
}

static void drop_leaf(int leaf)
{
	struct err e;

	cgroup_kill(leaf, &e);
	fd_drop(&leaf);
	for (int i = 0; i < 6000 && cgroup_remove(root, "leaf", &e) < 0; i++)
		poll(NULL, 0, 10);
}

/* No filter, no Landlock, no user namespace, root with the right to make nodes: only the programs stand in the way. */
static void open_rig(struct rig *r, const struct device_rule *rules, unsigned n, int inet)
{
	rig_strict(r, IMAGE);
	r->s.flags &= ~(uint32_t)(CELL_SECCOMP | CELL_LANDLOCK | CELL_USER | CELL_NO_NEW_NS);
	r->s.seccomp = (struct plan_ref){ 0 };
	r->nlandlock = 0;
	r->s.uid = r->s.gid = 0;
	r->s.caps = 1ull << 27;	/* CAP_MKNOD */
	if (rules) {
		r->s.flags |= CELL_DEVICES;
		r->s.devices = write_table(&r->w, rules, n, sizeof *rules);
	}
	if (inet >= 0) {
		r->s.flags |= CELL_SOCKETS;
		r->s.inet = (uint32_t)inet;
	}
}

static void run(struct rig *r, struct outcome *o)
{
	int leaf = make_leaf(r);

	rig_run(r, o);
	drop_leaf(leaf);
}

static void devices(void)
{
	static const struct device_rule some[] = {
		{ DEVICE_CHARACTER, 1, 9, DEVICE_READ },		/* urandom */
		{ DEVICE_CHARACTER, 1, 3, DEVICE_READ },		/* null, which the program opens for both */
	};
	static const struct device_rule all[] = { { DEVICE_ANY, DEVICE_ANY, DEVICE_ANY, DEVICE_ALL } };
	struct rig r;
	struct outcome o;

	open_rig(&r, all, 1, -1);
	run(&r, &o);
	check(o.running && o.report.attested, "a start with a device policy is attested", "%s", o.err.text);
	check(o.report.devices.sum != 0, "the report says which program it was", "no sum");
	expect(&o, "what the policy allows can be opened", "open-null", "ok");
	expect(&o, "and made", "mknod", "ok");

	open_rig(&r, some, 2, -1);
	r.start.devices = o.report.devices;	/* of other rules: not to be used */
	run(&r, &o);
	check(o.running, "a policy of two devices starts", "%s", o.err.text);
	expect(&o, "what it allows for reading can be read", "open-urandom", "ok");
	expect(&o, "but not be written: EPERM", "open-null", "EPERM");
	expect(&o, "no node can be made, CAP_MKNOD or not (CVE-2022-0492's way)", "mknod", "EPERM");

	struct bpf_loaded before = o.report.devices;

	open_rig(&r, NULL, 0, -1);
	r.s.flags |= CELL_DEVICES;
	run(&r, &o);
	expect(&o, "a policy of no device allows none", "open-urandom", "EPERM");

	open_rig(&r, some, 2, -1);
	before.identity.id = UINT32_MAX;	/* gone meanwhile */
	r.start.devices = before;
	run(&r, &o);
	check(o.running && o.report.devices.identity.id != UINT32_MAX, "a program that is gone is made again", "%s",
	      o.err.text);
	expect(&o, "with the same effect", "open-null", "EPERM");
}

static void sockets(void)
{
	struct rig r;
	struct outcome o;

	open_rig(&r, NULL, 0, 0);
	run(&r, &o);
	check(o.running && o.report.attested, "a start with a socket policy is attested", "%s", o.err.text);
	expect(&o, "no family of the internet: EPERM, without any filter", "socket-inet", "EPERM");
	open_rig(&r, NULL, 0, 2);
	run(&r, &o);
	expect(&o, "IPv6 alone does not bring IPv4", "socket-inet", "EPERM");
	open_rig(&r, NULL, 0, 1);
	run(&r, &o);
	expect(&o, "what is allowed works", "socket-inet", "ok");
	expect(&o, "other families are not its business", "socket-packet", "EPERM");	/* no CAP_NET_RAW */
}

static void without_a_cgroup(void)
{
	struct rig r;
	struct outcome o;

	open_rig(&r, NULL, 0, 0);
	rig_run(&r, &o);
	check(o.failed && !o.running && strstr(o.err.text, "policies on the cgroup: it has no cgroup"),
	      "where there is no cgroup the start is refused, by name", "%s", o.running ? "it started" : o.err.text);
}

static unsigned differing;
static char difference[256];

static void each_fact(void *ctx, const struct attest_fact *f)
{
	(void)ctx;
	if (!f->equal && !differing++)
		snprintf(difference, sizeof difference, "%s: %s; %s", f->name, f->want, f->got);
}

static void detach_all(int leaf)
{
	uint32_t ids[8];
	struct err e;
	int n = bpf_attached(leaf, POLICY_DEVICES, ids, 8, &e);

	for (int i = 0; i < n; i++) {
		owned_fd program = bpf_by_id(ids[i], &e);
		union bpf_attr a;

		memset(&a, 0, sizeof a);
		a.target_fd = (uint32_t)leaf;
		a.attach_bpf_fd = (uint32_t)program;
		a.attach_type = BPF_CGROUP_DEVICE;
		syscall(SYS_bpf, BPF_PROG_DETACH, &a, sizeof a);
	}
}

static void audits(void)
{
	static const struct device_rule some[] = { { DEVICE_CHARACTER, 1, DEVICE_ANY, DEVICE_READ | DEVICE_WRITE } };
	owned_fd proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int report, out, n;
	struct err e = { 0 };
	struct outcome o;
	struct rig r;

	open_rig(&r, some, 1, -1);
	r.s.cgroup_root = write_string(&r.w, root_path);
	r.argv[1] = "pause";
	int leaf = make_leaf(&r);

	rig_start(&r, &o, &report, &out);
	rig_until_running(&o, report);
	differing = 0;
	n = attest(&r.plan, 0, o.service, proc, 0, 0, each_fact, NULL, &e);
	check(n > 20 && !differing, "a running service's policy is found to be the planned one", "%d: %s %s", n, e.text,
	      difference);
	detach_all(leaf);
	differing = 0;
	n = attest(&r.plan, 0, o.service, proc, 0, 0, each_fact, NULL, &e);
	check(n == -EPERM && differing == 1 && strstr(difference, "device policy: tag ") &&
	      strstr(difference, "no program"), "one that was taken away is missed", "%d: %s %s", n, e.text,
	      difference);
	drop_leaf(leaf);
	rig_wait(&o, report, out, 10);
	fd_drop(&report);
	fd_drop(&out);
}

int main(void)
{
	struct err e = { 0 };

	group = "policies";
	root = open_root(&e);
	if (root < 0) {
		skip("programs on the leaf", "no writable cgroup2 here");
		return 0;
	}
	owned_fd program = bpf_sockets(true, true, &e);

	if (program < 0) {
		skip("programs on the leaf", e.text);
		rmdir(root_path);
		return 0;
	}
	image_make("/bin/inside");
	image_must(sys_mount("none", IMAGE "/data", "tmpfs", 0, NULL) == 0, "a tmpfs");
	devices();
	sockets();
	without_a_cgroup();
	audits();
	rmdir(root_path);
	return failures > 0;
}
