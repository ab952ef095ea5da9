/* isolation.user: first: whose the cell's namespaces are, and what its capabilities then mean. */
/* SPDX-License-Identifier: ISC */
#include "tests/cells/harness.h"
#include "tests/cells/image.h"
#include "services/cell/attest.h"
#include <linux/capability.h>

#define ALL_CAPS ((1ull << 41) - 1)

/* Landlock forbids every mount, so it is not for who makes some. */
static void first_rig(struct rig *r, uint64_t caps)
{
	rig_strict(r, IMAGE);
	r->nlandlock = 0;
	r->s.flags = (r->s.flags & ~(uint32_t)(CELL_USER | CELL_LANDLOCK)) | CELL_USER_FIRST;
	r->s.caps = caps;
	r->argv[1] = "administer";
}

static void it_administers_its_namespaces(void)
{
	struct rig r;
	struct outcome o;

	first_rig(&r, ALL_CAPS);
	rig_run(&r, &o);
	if (!check(o.running && o.report.attested > 40, "a cell whose user namespace is first is attested", "%s",
		   o.err.text))
		return;
	expect(&o, "its program lies in its own mounts", "exe-is-here", "ok");
	expect(&o, "it may mount over what it has", "mount-over", "ok");
	expect(&o, "and write there", "write-over", "ok");
	expect(&o, "and take away again what it has mounted", "umount-over", "ok");
	expect(&o, "and bind", "bind", "ok");
	expect(&o, "it may name its host", "sethostname", "ok");
	expect(&o, "it may open raw sockets in its network", "socket-raw", "ok");
	expect(&o, "it may change its interfaces", "lo-down", "ok");
	expect(&o, "its message queues are its own", "queue", "ok");
	expect(&o, "and to be seen", "queue-as-a-file", "ok");
	expect(&o, "a cover stays", "umount-cover", "EINVAL");
	expect(&o, "what is covered cannot be read", "open-secret", "EACCES");
	expect(&o, "what was mounted for it stays", "umount-tmp", "EINVAL");
	expect(&o, "what is read-only stays so", "remount-root", "EPERM");
	expect(&o, "the attributes of /proc stay", "remount-proc", "EPERM");
	expect(&o, "a file system on a device is not for it", "mount-block", "EPERM");
	expect(&o, "device nodes are not for it", "mknod", "EPERM");
	expect(&o, "the machine's clock is not", "settime", "EPERM");
	expect(&o, "it makes no further namespaces", "unshare.mnt", "ENOSPC");
	expect(&o, "the machine's root has no name in it", "setuid-0", "EINVAL");
}

static void without_capabilities_it_may_do_nothing(void)
{
	struct rig r;
	struct outcome o;

	first_rig(&r, 0);
	rig_run(&r, &o);
	check(o.running && o.report.attested > 40, "it is attested without capabilities too", "%s", o.err.text);
	expect(&o, "without CAP_SYS_ADMIN it mounts nothing", "mount-over", "EPERM");
	expect(&o, "and names no host", "sethostname", "EPERM");
	expect(&o, "without CAP_NET_RAW it opens no raw socket", "socket-raw", "EPERM");
	expect(&o, "without CAP_NET_ADMIN it changes no interface", "lo-down", "EPERM");
}

/* A capability means something where the namespace is its own, and nothing where it is the machine's. */
static void what_is_the_machines_stays_the_machines(void)
{
	struct rig r;
	struct outcome o;

	first_rig(&r, ALL_CAPS);
	r.s.flags &= ~(uint32_t)(CELL_NET | CELL_UTS);
	r.s.hostname = (struct plan_ref){ 0 };
	rig_run(&r, &o);
	check(o.running, "with the machine's network and host name it is attested", "%s", o.err.text);
	expect(&o, "its mounts are its own", "mount-over", "ok");
	expect(&o, "the machine's network is not", "socket-raw", "EPERM");
	expect(&o, "nor are its interfaces", "lo-down", "EPERM");
	expect(&o, "nor is its name", "sethostname", "EPERM");
}

static void each_namespace_can_be_left_out(void)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} kinds[] = {
		{ "pid", CELL_PID }, { "network", CELL_NET }, { "ipc", CELL_IPC }, { "cgroup", CELL_CGROUP },
		{ "time", CELL_TIME },
	};
	struct rig r;
	struct outcome o;
	char name[64];

	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		first_rig(&r, 0);
		r.s.flags &= ~kinds[i].flag;
		r.argv[1] = "exit";
		r.argv[2] = "0";
		rig_run(&r, &o);
		snprintf(name, sizeof name, "without a %s namespace it is attested", kinds[i].name);
		check(o.running && o.report.attested && o.ended && o.status == 0, name, "%s: %x", o.err.text, o.status);
	}
}

/* The machine's own root, copied: what most services have. */
static void in_the_machines_root(void)
{
	struct rig r;
	struct outcome o;

	first_rig(&r, ALL_CAPS);
	r.nmounts = 0;
	r.s.flags &= ~(uint32_t)CELL_ROOT_TREE;
	r.s.root = (struct plan_ref){ 0 };
	r.s.exe = write_string(&r.w, IMAGE "/bin/inside");
	r.s.cwd = write_string(&r.w, "/");
	rig_mount(&r, MOUNT_REMOUNT, NULL, "/", NULL, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, MOUNT_F_REC);
	rig_mount(&r, MOUNT_PROC, NULL, "/proc", "hidepid=invisible", QUIET_ATTR, 0);
	rig_mount(&r, MOUNT_TMPFS, NULL, "/tmp", "mode=1777", QUIET_ATTR, 0);
	rig_run(&r, &o);
	check(o.running && o.report.attested > 40, "in the machine's root it is attested", "%s", o.err.text);
	expect(&o, "there too it may mount over what it has", "mount-over", "ok");
	expect(&o, "and what is read-only stays so", "remount-root", "EPERM");
}

/* The owner of a namespace is compared; what the service has mounted since then is its own business. */
static void audited(const char *name, const struct outcome *o, struct rig *r, const char *differs)
{
	owned_fd proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };
	const int n = attest(&r->plan, 0, o->service, proc, 0, 0, NULL, NULL, &e);

	check(differs ? n == -EPERM && strstr(e.text, differs) : n > 30, name, "%d: %s", n, e.text);
}

static void an_audit_knows_the_owner(void)
{
	const long end = now_ms() + 60000;
	struct rig r, other;
	struct outcome o;
	struct cell_report rep;
	int report, out;

	first_rig(&r, ALL_CAPS);
	r.argv[2] = "stay";
	rig_start(&r, &o, &report, &out);
	while (!strstr(o.out, "mounted ") && now_ms() < end) {
		if (cell_report_read(report, &rep, &o.err) == 1)
			take_report(&o, &rep);
		drain(&o, out);
		poll(NULL, 0, 1);
	}
	expect(&o, "it has mounted something", "mounted", "ok");
	audited("an audit lets it mount", &o, &r, NULL);
	first_rig(&other, ALL_CAPS & ~(1ull << CAP_SYS_ADMIN));
	rig_finish(&other);
	audited("not where the plan gives it no CAP_SYS_ADMIN", &o, &other, "planned 0x1ffffdfffff");
	first_rig(&other, ALL_CAPS);
	other.s.flags ^= CELL_USERS;
	rig_finish(&other);
	audited("an audit tells whose the namespaces are", &o, &other, "mnt namespace's owner: planned the machine's");
	rig_wait(&o, report, out, 10);
	fd_drop(&report);
	fd_drop(&out);
}

int main(void)
{
	group = "owner";
	image_make("/bin/inside");
	it_administers_its_namespaces();
	without_capabilities_it_may_do_nothing();
	what_is_the_machines_stays_the_machines();
	each_namespace_can_be_left_out();
	in_the_machines_root();
	an_audit_knows_the_owner();
	return failures > 0;
}
