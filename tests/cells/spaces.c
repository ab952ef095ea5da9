/* Namespaces at work: the reaper, the machine's own root, capabilities that are kept, private networks. */
/* SPDX-License-Identifier: ISC */
#include "tests/cells/harness.h"
#include "tests/cells/image.h"
#include "netns/rules.h"
#include "services/cell/attest.h"
#include <linux/capability.h>
#include <signal.h>
#include <sys/socket.h>

static long field(const char *path, const char *key)
{
	char line[256];
	long v = -1;
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			v = strtol(line + strlen(key) + 1, NULL, 16);
	if (f)
		fclose(f);
	return v;
}

static int run_to_pause(struct rig *r, struct outcome *o, int *report, int *out)
{
	const long end = now_ms() + 60000;

	r->argv[1] = "pause";
	rig_start(r, o, report, out);
	rig_until_running(o, *report);
	while (!strstr(o->out, "pausing") && now_ms() < end) {
		drain(o, *out);
		poll(NULL, 0, 1);
	}
	return o->running ? 0 : -1;
}

static void reaper_is_nothing(void)
{
	char path[64], comm[32] = "";
	struct rig r;
	struct outcome o;
	int report, out;

	rig_strict(&r, IMAGE);
	if (!check(run_to_pause(&r, &o, &report, &out) == 0, "a cell with a reaper runs", "%s", o.err.text))
		return;
	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)o.reaper);
	/* It becomes that beside the service, which may be quicker. */
	for (const long end = now_ms() + 60000; field(path, "Rss") > 4 && now_ms() < end;)
		poll(NULL, 0, 1);
	/* Fields are decimal kilobytes; one hexadecimal digit is enough for what is allowed. */
	check(field(path, "Rss") <= 4, "the reaper has one page", "Rss 0x%lx kB", field(path, "Rss"));
	/* Not Private_Dirty: a page of a file that is not written back yet is dirty for whoever maps it alone. */
	check(field(path, "Anonymous") == 0 && field(path, "Swap") == 0, "the reaper has no memory of its own",
	      "Anonymous 0x%lx kB, swapped 0x%lx kB", field(path, "Anonymous"), field(path, "Swap"));
	snprintf(path, sizeof path, "/proc/%d/status", (int)o.reaper);
	check(field(path, "CapPrm") == 0 && field(path, "CapEff") == 0 && field(path, "NoNewPrivs") == 1,
	      "the reaper has no capability", "CapPrm %lx", field(path, "CapPrm"));
	snprintf(path, sizeof path, "/proc/%d/fd/0", (int)o.reaper);
	check(access(path, F_OK) < 0, "the reaper has no descriptor", "it has one");
	snprintf(path, sizeof path, "/proc/%d/comm", (int)o.reaper);
	FILE *f = fopen(path, "re");

	check(f && fgets(comm, sizeof comm, f) && !strcmp(comm, "prior-reaper\n"), "the reaper is called so", "%s",
	      comm);
	if (f)
		fclose(f);
	kill(o.reaper, SIGKILL);
	rig_wait(&o, report, out, 60000);
	check(WIFSIGNALED(o.status) && WTERMSIG(o.status) == SIGKILL, "the reaper's end is the cell's", "%x", o.status);
	fd_drop(&report);
	fd_drop(&out);
}

static void orphans_are_reaped(void)
{
	struct rig r;
	struct outcome o;

	rig_strict(&r, IMAGE);
	r.argv[1] = "orphans";
	r.argv[2] = "300";
	rig_run(&r, &o);
	expect(&o, "300 orphans leave no zombie in the cell", "zombies", "0");
}

/* prior audit's question, put to a running service. */
static unsigned seen_facts, differing;
static char first_difference[256];

static void each_fact(void *ctx, const struct attest_fact *f)
{
	(void)ctx;
	seen_facts++;
	if (!f->equal && !differing++)
		snprintf(first_difference, sizeof first_difference, "%s: %s; %s", f->name, f->want, f->got);
}

static void running_cell_can_be_audited(void)
{
	struct rig r;
	struct outcome o;
	struct err e = { 0 };
	int report, out;
	owned_fd proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	rig_strict(&r, IMAGE);
	if (run_to_pause(&r, &o, &report, &out) < 0)
		return;
	seen_facts = differing = 0;
	int n = attest(&r.plan, 0, o.service, proc, 0, 0, each_fact, NULL, &e);

	check(n > 30 && (unsigned)n == seen_facts && !differing, "a running service is audited and found equal",
	      "%d: %s %s", n,
	      e.text, first_difference);
	r.plan.at = NULL;
	struct rig other;

	rig_strict(&other, IMAGE);
	other.s.caps = 1 << CAP_NET_RAW;
	other.mounts[3].attr |= MOUNT_ATTR_NOSYMFOLLOW;
	rig_finish(&other);
	seen_facts = differing = 0;
	n = attest(&other.plan, 0, o.service, proc, 0, 0, each_fact, NULL, &e);
	check(n == -EPERM && strstr(e.text, "mount /tmp") && differing == 1, "an audit names what differs",
	      "%d: %u: %s", n,
	      differing, e.text);
	rig_wait(&o, report, out, 100);
	fd_drop(&report);
	fd_drop(&out);
}

#define MACHINE_FLAGS (STRICT_FLAGS & ~(uint32_t)(CELL_ROOT_TREE | CELL_LANDLOCK))

/* The machine's own root, read-only, with a private /tmp, /proc and /dev: what protect_system: strict makes. */
static void machine_root(void)
{
	struct rig r;
	struct outcome o;

	rig_strict(&r, IMAGE);
	r.nmounts = r.nlandlock = 0;
	r.s.flags = MACHINE_FLAGS;
	r.s.exe = write_string(&r.w, IMAGE "/bin/inside");
	r.s.cwd = write_string(&r.w, "/");
	rig_mount(&r, MOUNT_REMOUNT, NULL, "/", NULL, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, MOUNT_F_REC);
	rig_mount(&r, MOUNT_PROC, NULL, "/proc", "hidepid=invisible", QUIET_ATTR, 0);
	rig_mount(&r, MOUNT_REMOUNT, NULL, "/proc/sys", NULL, QUIET_ATTR | MOUNT_ATTR_RDONLY, MOUNT_F_OPTIONAL);
	rig_mount(&r, MOUNT_INACCESSIBLE, NULL, "/proc/kallsyms", NULL, 0, MOUNT_F_OPTIONAL);
	rig_mount(&r, MOUNT_DEV, NULL, "/dev", "mode=0755", 0, 0);
	rig_mount(&r, MOUNT_TMPFS, NULL, "/tmp", "mode=1777", QUIET_ATTR, 0);
	rig_mount(&r, MOUNT_INACCESSIBLE, NULL, "/root", NULL, 0, 0);
	rig_mount(&r, MOUNT_INACCESSIBLE, NULL, "/absent", NULL, 0, MOUNT_F_OPTIONAL);
	rig_mount(&r, MOUNT_BIND, IMAGE "/data", "/srv", NULL, QUIET_ATTR | MOUNT_ATTR_NOSYMFOLLOW, 0);
	rig_run(&r, &o);
	if (!check(o.running && o.report.attested, "a cell in the machine's root is attested", "%s", o.err.text))
		return;
	const char *root = said(&o, "mount./");

	check(!strncmp(root, "ro,nosuid", 9) && strcspn(root + 9, ",") == 0,
	      "the machine's root is read-only", "%s", root);
	expect(&o, "a mount of the machine is there, and read-only too", "mount./mnt", "ro,nosuid,relatime");
	expect(&o, "a mount of the machine that is covered is not", "mount./dev/pts", "rw,nosuid,noexec,relatime");
	expect(&o, "a private /tmp is writable", "write-tmp", "ok");
	expect(&o, "the kernel's tunables are read-only", "mount./proc/sys", "ro,nosuid,nodev,noexec,relatime");
	expect(&o, "volumes have their attributes", "mount./srv", "rw,nosuid,nodev,noexec,relatime,nosymfollow");
	expect(&o, "pid 1's memory is not there to open", "proc-1-mem", "ENOENT");
}

static void capabilities_are_kept(void)
{
	struct rig r;
	struct outcome o;

	/* Of a user, without a user namespace: every set has it, and nothing else. */
	rig_strict(&r, IMAGE);
	r.s.flags &= ~(uint32_t)(CELL_USER | CELL_NO_NEW_NS);
	r.s.caps = 1ull << CAP_NET_RAW | 1ull << CAP_CHECKPOINT_RESTORE;
	rig_run(&r, &o);
	check(o.running, "a service with capabilities is attested", "%s", o.err.text);
	expect(&o, "its ambient set has them, the 41st too", "status.CapAmb", "0000010000002000");
	expect(&o, "its bounding set has no others", "status.CapBnd", "0000010000002000");
	expect(&o, "it can use them", "socket-raw", "ok");
	expect(&o, "raising one again is locked", "ambient", "EPERM");
	expect(&o, "secure bits are locked", "securebits", "EPERM");

	/* In a user namespace made last, even all of them are inert over mounts and networks. */
	rig_strict(&r, IMAGE);
	r.s.caps = (1ull << 41) - 1;
	rig_run(&r, &o);
	check(o.running, "a service with every capability in a user namespace is attested", "%s", o.err.text);
	expect(&o, "it has them", "status.CapEff", "000001ffffffffff");
	expect(&o, "it cannot mount (CVE-2022-0185)", "fsopen", "EPERM");
	expect(&o, "it cannot unmount", "umount", "EPERM");
	expect(&o, "it cannot open a raw socket (CVE-2024-1086)", "socket-raw", "EPERM");
	expect(&o, "it cannot name its host", "sethostname", "EPERM");
	expect(&o, "it cannot make namespaces", "unshare.mnt", "ENOSPC");
	expect(&o, "there is no uid 0 to become", "setuid-0", "EINVAL");

	/* uid 0 itself, as old programs want it: no more than planned, and its own setuid drops what it has. */
	rig_strict(&r, IMAGE);
	r.s.flags &= ~(uint32_t)(CELL_USER | CELL_NO_NEW_NS);
	r.s.uid = r.s.gid = 0;
	r.s.caps = 1ull << CAP_SETUID | 1ull << CAP_CHOWN;
	rig_run(&r, &o);
	check(o.running, "a service of root is attested", "%s", o.err.text);
	expect(&o, "root has the planned capabilities", "status.CapEff", "0000000000000081");
	expect(&o, "root has an empty rest", "status.CapBnd", "0000000000000081");
	expect(&o, "root cannot mount", "mount", "EPERM");
	expect(&o, "root cannot open the reaper's program", "proc-1-exe", "EACCES");
}

/* Everything that needs no namespace: what `contained` is. */
static void contained(void)
{
	struct rig r;
	struct outcome o;

	rig_strict(&r, IMAGE);
	r.nmounts = r.nlandlock = 0;
	r.s.flags = CELL_ATTEST | CELL_NNP | CELL_SECCOMP | CELL_LANDLOCK | CELL_CAPS | CELL_KEYRING | CELL_CONTAINED;
	r.s.exe = write_string(&r.w, IMAGE "/bin/inside");
	rig_landlock(&r, IMAGE "/bin", READ_DIR_FILE);
	rig_landlock(&r, "/proc", READ_DIR_FILE);
	rig_landlock(&r, "/srv", READ_DIR_FILE);
	rig_run(&r, &o);
	check(o.running && o.report.attested > 20, "a contained service is attested", "%s", o.err.text);
	expect(&o, "it has no capability", "status.CapPrm", "0000000000000000");
	expect(&o, "it is not root", "status.Uid", "61184\t61184\t61184\t61184");
	expect(&o, "Landlock keeps it out of the rest", "list-root", "EACCES");
	expect(&o, "the filter is on", "socket-alg", "EPERM");
	check(o.reaper == 0, "it has no reaper", "%d", (int)o.reaper);
}

/* A plan from a machine whose Landlock sees more than this one's. */
static void plan_of_a_newer_landlock(void)
{
	struct rig r;
	struct outcome o;

	rig_strict(&r, IMAGE);
	r.s.landlock_abi = 99;
	rig_run(&r, &o);
	check(o.failed && !o.running && strstr(o.err.text, "the plan is made for 99"),
	      "a plan that counts on a newer Landlock is refused", "%s", o.running ? "it started" : o.err.text);
	rig_strict(&r, IMAGE);
	r.s.landlock_net = 3;
	r.s.landlock_scope = 3;
	rig_run(&r, &o);
	check(o.running && !o.failed, "TCP, abstract sockets and signals can be denied with the paths", "%s",
	      o.err.text);
}

static void on_bridge(struct rig *r, struct outcome *o)
{
	struct plan_addr own = { .family = AF_INET, .prefix = 24, .ip = { 10, 88, 0, 2 } };

	rig_strict(r, IMAGE);
	r->s.flags |= CELL_UNPRIV_PORTS;
	r->s.caps = 1ull << CAP_NET_BIND_SERVICE;
	const struct plan_link l = { .bridge = write_string(&r->w, "prior0"), .ifname = write_string(&r->w, "p-test"),
				     .addrs = write_table(&r->w, &own, 1, sizeof own),
				     .gw4 = { .family = AF_INET, .prefix = 24, .ip = { 10, 88, 0, 1 } } };

	r->s.links = write_table(&r->w, &l, 1, sizeof l);
	r->argv[1] = "network";
	rig_run(r, o);
}

/* Another network namespace stands for the machine's, so that its bridge is nobody else's. */
static void joins_a_bridge(void)
{
	static const struct net_addr bridge = { .family = AF_INET, .prefix = 24, .ip = { 10, 88, 0, 1 } };
	const struct rules_bridge on = { .name = "prior0", .addrs = &bridge, .naddrs = 1 };
	const struct rules rules = { .bridges = &on, .nbridges = 1, .tag = 1 };
	struct net *n = NULL;
	struct err e = { 0 };
	struct rig r;
	struct outcome o;

	if (unshare(CLONE_NEWNET) < 0 || net_open(&n, &e) < 0 || net_bridge(n, "prior0", &bridge, 1, 0, &e) < 0) {
		skip("a cell joins a bridge", *e.text ? e.text : "no network namespace here");
		return;
	}
	on_bridge(&r, &o);
	check(o.failed && strstr(o.err.text, "the bridges' rules (nf_tables prior) are not there"),
	      "a cell without rules for its bridge does not start", "%s", o.err.text);
	if (rules_apply(&rules, &e) < 0) {
		skip("a cell joins a bridge", e.text);
		return;
	}
	on_bridge(&r, &o);
	check(o.running && !o.failed, "a cell joins a bridge", "%s", o.err.text);
	expect(&o, "it has its address", "address", "10.88.0.2");
	expect(&o, "it may bind port 80 without an effective capability", "bind-80", "ok");
	expect(&o, "its interface is called host0", "interfaces", "host0 lo");
	net_close(&n);
}

int main(void)
{
	group = "spaces";
	image_make("/bin/inside");
	reaper_is_nothing();
	orphans_are_reaped();
	running_cell_can_be_audited();
	machine_root();
	capabilities_are_kept();
	contained();
	plan_of_a_newer_landlock();
	joins_a_bridge();
	return failures > 0;
}
