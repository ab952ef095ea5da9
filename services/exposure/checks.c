/* The comparable questions: one row each, with the weights that systemd-analyze security gives them. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "services/exposure/ask.h"
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <string.h>

#define NOBODY 65534
#define CAP(n) (UINT64_C(1) << CAP_##n)
#define ANYTHING { REACH_ANY, REACH_ANY, REACH_ANY, REACH_ANY, REACH_ANY, REACH_ANY }

static uint8_t user(const struct exposed *x, uint64_t p)
{
	(void)p;
	return x->uid == 0 ? 10 : x->uid == NOBODY ? 9 : 0;
}

static uint8_t groups(const struct exposed *x, uint64_t p)
{
	(void)p;
	return x->more_groups;
}

/* A namespace of its own. */
static uint8_t space(const struct exposed *x, uint64_t flags)
{
	return !(x->spaces & flags);
}

static uint8_t network(const struct exposed *x, uint64_t p)
{
	(void)p;
	return !(x->spaces & CELL_NET && x->only_loopback);
}

static uint8_t devices(const struct exposed *x, uint64_t p)
{
	(void)p;
	return !exposed_is_own(x, "/dev") || x->bounding & (CAP(MKNOD) | CAP(SYS_RAWIO)) || exposed_calls(x, "@raw-io");
}

/* Not where others leave their files. */
static uint8_t tmp(const struct exposed *x, uint64_t p)
{
	static const char *const places[] = { "/tmp", "/var/tmp" };

	(void)p;
	for (unsigned i = 0; i < 2; i++)
		if (!exposed_is_own(x, places[i]) && exposed_exists(x, places[i]))
			return 1;
	return 0;
}

static uint8_t control_groups(const struct exposed *x, uint64_t p)
{
	(void)p;
	return !exposed_is_fixed(x, "/sys/fs/cgroup");
}

static uint8_t modules(const struct exposed *x, uint64_t p)
{
	(void)p;
	return x->bounding & CAP(SYS_MODULE) || exposed_calls(x, "@module");
}

static bool proc_has(const struct exposed *x, const char *option)
{
	const struct exposed_mount *m = exposed_at(x, "/proc");
	const size_t n = strlen(option);

	for (const char *o = m && m->options ? m->options : ""; *o; o += strcspn(o, ","), o += *o == ',')
		if (!strncmp(o, option, n) && (o[n] == ',' || !o[n]))
			return true;
	return false;
}

/* Root of an image in which nobody has mounted a procfs, or one that is hidden. */
static bool proc_is_absent(const struct exposed *x)
{
	const struct exposed_mount *m = exposed_at(x, "/proc");

	return m && (m->covered || strcmp(m->target, "/proc") != 0) && x->root_tree;
}

static uint8_t tunables(const struct exposed *x, uint64_t p)
{
	(void)p;
	return !(proc_is_absent(x) || proc_has(x, "subset=pid") || exposed_is_fixed(x, "/proc/sys")) ||
	       !exposed_is_fixed(x, "/sys");
}

static uint8_t logs(const struct exposed *x, uint64_t p)
{
	(void)p;
	return x->bounding & CAP(SYSLOG) || exposed_calls(x, "syslog");
}

static uint8_t clocks(const struct exposed *x, uint64_t p)
{
	(void)p;
	return x->bounding & (CAP(SYS_TIME) | CAP(WAKE_ALARM)) || exposed_calls(x, "@clock");
}

/* The machine's homes are not in an image, unless they were put there. */
static uint8_t one_home(const struct exposed *x, const char *path)
{
	const struct exposed_mount *m = exposed_at(x, path);

	if (!m)
		return 10;
	if (m->covered || !exposed_exists(x, path) || (x->root_tree && !m->volume))
		return 0;
	if (m->attr & MOUNT_ATTR_RDONLY)
		return 5;
	return !m->machines && m->type && !strcmp(m->type, "tmpfs") ? 1 : 10;
}

static uint8_t homes(const struct exposed *x, uint64_t p)
{
	static const char *const places[] = { "/home", "/root", "/run/user" };
	uint8_t worst = 0;

	(void)p;
	for (unsigned i = 0; i < 3; i++)
		if (one_home(x, places[i]) > worst)
			worst = one_home(x, places[i]);
	return worst;
}

static uint8_t hostname(const struct exposed *x, uint64_t p)
{
	(void)p;
	return !(x->spaces & CELL_UTS) || exposed_calls(x, "sethostname setdomainname");
}

static uint8_t protected_system(const struct exposed *x, uint64_t p)
{
	const struct exposed_mount *root = exposed_at(x, "/");

	(void)p;
	if (root && root->attr & MOUNT_ATTR_RDONLY)
		return 0;
	if (!exposed_is_fixed(x, "/usr") || !exposed_is_fixed(x, "/boot"))
		return 10;
	return exposed_is_fixed(x, "/etc") ? 3 : 5;
}

static uint8_t root_folder(const struct exposed *x, uint64_t p)
{
	(void)p;
	return !x->root_tree;
}

static bool call_with(const struct exposed *x, const char *call, int n, uint64_t v)
{
	uint64_t arg[6] = ANYTHING;

	arg[n] = v;
	return exposed_call(x, call, arg);
}

static uint8_t personality(const struct exposed *x, uint64_t p)
{
	(void)p;
	return call_with(x, "personality", 0, 0x0400000);	/* READ_IMPLIES_EXEC */
}

static uint8_t write_execute(const struct exposed *x, uint64_t p)
{
	(void)p;
	return call_with(x, "mmap", 2, 7) || call_with(x, "mprotect", 2, 5) || call_with(x, "pkey_mprotect", 2, 5) ||
	       call_with(x, "shmat", 2, 0100000);
}

static uint8_t new_privileges(const struct exposed *x, uint64_t p)
{
	(void)p;
	return !x->no_new_privs;
}

static uint8_t bounding(const struct exposed *x, uint64_t caps)
{
	return (x->bounding & caps) != 0;
}

static uint8_t file_mode(const struct exposed *x, uint64_t p)
{
	(void)p;
	return !(x->umask & 0002) ? 10 : !(x->umask & 0004) ? 5 : !(x->umask & 0020) ? 2 : !(x->umask & 0040);
}

/* A keyring of its own, or no way to ask for one. */
static uint8_t keyring(const struct exposed *x, uint64_t p)
{
	(void)p;
	return !x->keyring && exposed_calls(x, "@keyring");
}

static uint8_t others_processes(const struct exposed *x, uint64_t p)
{
	(void)p;
	if (proc_is_absent(x) || proc_has(x, "hidepid=invisible") || proc_has(x, "hidepid=ptraceable"))
		return 0;
	return proc_has(x, "hidepid=noaccess") ? 1 : 3;
}

static uint8_t only_processes(const struct exposed *x, uint64_t p)
{
	(void)p;
	return !proc_is_absent(x) && !proc_has(x, "subset=pid");
}

static uint8_t notify(const struct exposed *x, uint64_t p)
{
	(void)p;
	return x->any_may_notify;
}

/* What an ipc namespace holds goes with it. */
static uint8_t ipc_is_left(const struct exposed *x, uint64_t p)
{
	(void)p;
	return x->spaces & CELL_IPC ? 0 : x->uid == 0 ? NOT_ASKED : 1;
}

static uint8_t delegate(const struct exposed *x, uint64_t p)
{
	(void)p;
	return x->owns_cgroup;
}

static uint8_t realtime(const struct exposed *x, uint64_t p)
{
	(void)p;
	return call_with(x, "sched_setscheduler", 1, 1) || call_with(x, "sched_setscheduler", 1, 2) ||
	       exposed_calls(x, "sched_setattr");
}

static uint8_t set_ids(const struct exposed *x, uint64_t p)
{
	const uint64_t opened[6] = { REACH_ANY, REACH_ANY, 0100, 04755, REACH_ANY, REACH_ANY };

	(void)p;
	return call_with(x, "chmod", 1, 04755) || call_with(x, "fchmod", 1, 04755) ||
	       call_with(x, "fchmodat", 2, 04755) || call_with(x, "fchmodat2", 2, 04755) ||
	       call_with(x, "mkdirat", 2, 02755) || call_with(x, "mknodat", 2, 04755) ||
	       exposed_call(x, "openat", opened) || exposed_calls(x, "openat2 @io-uring");
}

static uint8_t namespaces(const struct exposed *x, uint64_t flag)
{
	return call_with(x, "clone", 0, flag) || call_with(x, "unshare", 0, flag) || call_with(x, "setns", 1, flag) ||
	       exposed_calls(x, "clone3");
}

static uint8_t family(const struct exposed *x, uint64_t f)
{
	return call_with(x, "socket", 0, f);
}

static uint8_t internet(const struct exposed *x, uint64_t p)
{
	(void)p;
	return family(x, 2) || family(x, 10);
}

static uint8_t other_families(const struct exposed *x, uint64_t p)
{
	(void)p;
	for (uint64_t f = 0; f < 64; f++)
		if (f != 1 && f != 2 && f != 10 && f != 16 && f != 17 && family(x, f))
			return 1;
	return 0;
}

/* Anything at all, as another architecture: the numbers there mean other calls. */
static uint8_t architectures(const struct exposed *x, uint64_t p)
{
	(void)p;
	const struct reach_call other = { .arch = x->arch == AUDIT_ARCH_X86_64 ? AUDIT_ARCH_I386 : AUDIT_ARCH_ARM,
					  .number = REACH_ANY, .arg = ANYTHING };

	return reach_allows(x->filter, x->nfilter, &other) ? 10 : 0;
}

/* The group is not a pointer, so its name is found by number. */
static const char *const call_groups[] = { "@swap", "@obsolete", "@clock", "@cpu-emulation", "@debug", "@mount",
	"@module", "@raw-io", "@reboot", "@privileged", "@resources" };

static uint8_t call_filter(const struct exposed *x, uint64_t group)
{
	const struct reach_call unknown = { .arch = x->arch, .number = 0x3fffffff, .arg = ANYTHING };

	if (!exposed_calls(x, call_groups[group]))
		return 0;
	/* a list of what is denied, or of what is allowed */
	return reach_allows(x->filter, x->nfilter, &unknown) ? 10 : 9;
}

/* A network with nothing in it but loopback is the same as to deny all addresses and allow localhost. */
static uint8_t addresses(const struct exposed *x, uint64_t p)
{
	return network(x, p) ? 10 : 2;
}

static bool is_device_place(const char *target)
{
	return !strncmp(target, "/dev/", 5);
}

/* By a program of the control group, or because device files mean nothing wherever they could be. */
static uint8_t device_policy(const struct exposed *x, uint64_t p)
{
	bool closed = exposed_is_own(x, "/dev") && !(x->bounding & CAP(MKNOD));
	bool more = false;

	(void)p;
	for (const struct exposed_mount *m = x->mounts; m < x->mounts + x->nmounts; m++) {
		const bool dev = !strcmp(m->target, "/dev") || is_device_place(m->target);

		closed &= dev || m->covered || m->attr & MOUNT_ATTR_NODEV;
		more |= is_device_place(m->target) && m->volume;
	}
	return !closed && !x->device_program ? 10 : more ? 5 : 0;
}

static uint8_t ambient(const struct exposed *x, uint64_t p)
{
	(void)p;
	return x->ambient != 0;
}

#define BSET(name, weight, caps) { "CapabilityBoundingSet=~" name, weight, 1, bounding, caps }
#define SPACE(name, weight, flag) { "RestrictNamespaces=~" name, weight, 1, namespaces, flag }
#define FILTER(n, name, weight) { "SystemCallFilter=~" name, weight, 10, call_filter, n }

const struct exposure_check exposure_checks[EXPOSURE_CHECKS] = {
	{ "User=/DynamicUser=", 2000, 10, user, 0 },
	{ "SupplementaryGroups=", 200, 1, groups, 0 },
	{ "PrivateDevices=", 1000, 1, devices, 0 },
	{ "PrivateMounts=", 1000, 1, space, CELL_MOUNT },
	{ "PrivateNetwork=", 2500, 1, network, 0 },
	{ "PrivateTmp=", 1000, 1, tmp, 0 },
	{ "PrivateUsers=", 1000, 1, space, CELL_USERS },
	{ "ProtectControlGroups=", 1000, 1, control_groups, 0 },
	{ "ProtectKernelModules=", 1000, 1, modules, 0 },
	{ "ProtectKernelTunables=", 1000, 1, tunables, 0 },
	{ "ProtectKernelLogs=", 1000, 1, logs, 0 },
	{ "ProtectClock=", 1000, 1, clocks, 0 },
	{ "ProtectHome=", 1000, 10, homes, 0 },
	{ "ProtectHostname=", 50, 1, hostname, 0 },
	{ "ProtectSystem=", 1000, 10, protected_system, 0 },
	{ "RootDirectory=/RootImage=", 200, 1, root_folder, 0 },
	{ "LockPersonality=", 100, 1, personality, 0 },
	{ "MemoryDenyWriteExecute=", 100, 1, write_execute, 0 },
	{ "NoNewPrivileges=", 1000, 1, new_privileges, 0 },
	BSET("CAP_SYS_ADMIN", 1500, CAP(SYS_ADMIN)),
	BSET("CAP_SET(UID|GID|PCAP)", 1500, CAP(SETUID) | CAP(SETGID) | CAP(SETPCAP)),
	BSET("CAP_SYS_PTRACE", 1500, CAP(SYS_PTRACE)),
	BSET("CAP_SYS_TIME", 1000, CAP(SYS_TIME)),
	BSET("CAP_NET_ADMIN", 1000, CAP(NET_ADMIN)),
	BSET("CAP_SYS_RAWIO", 1000, CAP(SYS_RAWIO)),
	BSET("CAP_SYS_MODULE", 1000, CAP(SYS_MODULE)),
	BSET("CAP_AUDIT_*", 500, CAP(AUDIT_CONTROL) | CAP(AUDIT_READ) | CAP(AUDIT_WRITE)),
	BSET("CAP_SYSLOG", 500, CAP(SYSLOG)),
	BSET("CAP_SYS_(NICE|RESOURCE)", 500, CAP(SYS_NICE) | CAP(SYS_RESOURCE)),
	BSET("CAP_MKNOD", 500, CAP(MKNOD)),
	BSET("CAP_(CHOWN|FSETID|SETFCAP)", 1000, CAP(CHOWN) | CAP(FSETID) | CAP(SETFCAP)),
	BSET("CAP_(DAC_*|FOWNER|IPC_OWNER)", 1000,
	     CAP(DAC_OVERRIDE) | CAP(DAC_READ_SEARCH) | CAP(FOWNER) | CAP(IPC_OWNER)),
	BSET("CAP_KILL", 500, CAP(KILL)),
	BSET("CAP_NET_(BIND_SERVICE|BROADCAST|RAW)", 500, CAP(NET_BIND_SERVICE) | CAP(NET_BROADCAST) | CAP(NET_RAW)),
	BSET("CAP_SYS_BOOT", 100, CAP(SYS_BOOT)),
	BSET("CAP_MAC_*", 100, CAP(MAC_ADMIN) | CAP(MAC_OVERRIDE)),
	BSET("CAP_LINUX_IMMUTABLE", 75, CAP(LINUX_IMMUTABLE)),
	BSET("CAP_IPC_LOCK", 50, CAP(IPC_LOCK)),
	BSET("CAP_SYS_CHROOT", 50, CAP(SYS_CHROOT)),
	BSET("CAP_BLOCK_SUSPEND", 25, CAP(BLOCK_SUSPEND)),
	BSET("CAP_WAKE_ALARM", 25, CAP(WAKE_ALARM)),
	BSET("CAP_LEASE", 25, CAP(LEASE)),
	BSET("CAP_SYS_TTY_CONFIG", 25, CAP(SYS_TTY_CONFIG)),
	BSET("CAP_SYS_PACCT", 25, CAP(SYS_PACCT)),
	BSET("CAP_BPF", 25, CAP(BPF)),
	{ "UMask=", 100, 10, file_mode, 0 },
	{ "KeyringMode=", 1000, 1, keyring, 0 },
	{ "ProtectProc=", 1000, 3, others_processes, 0 },
	{ "ProcSubset=", 10, 1, only_processes, 0 },
	{ "NotifyAccess=", 1000, 1, notify, 0 },
	{ "RemoveIPC=", 100, 1, ipc_is_left, 0 },
	{ "Delegate=", 100, 1, delegate, 0 },
	{ "RestrictRealtime=", 500, 1, realtime, 0 },
	{ "RestrictSUIDSGID=", 1000, 1, set_ids, 0 },
	SPACE("user", 1500, CLONE_NEWUSER),
	SPACE("mnt", 500, CLONE_NEWNS),
	SPACE("ipc", 500, CLONE_NEWIPC),
	SPACE("pid", 500, CLONE_NEWPID),
	SPACE("cgroup", 500, CLONE_NEWCGROUP),
	SPACE("net", 500, CLONE_NEWNET),
	SPACE("uts", 100, CLONE_NEWUTS),
	{ "RestrictAddressFamilies=~AF_(INET|INET6)", 1500, 1, internet, 0 },
	{ "RestrictAddressFamilies=~AF_UNIX", 25, 1, family, 1 },
	{ "RestrictAddressFamilies=~AF_NETLINK", 200, 1, family, 16 },
	{ "RestrictAddressFamilies=~AF_PACKET", 1000, 1, family, 17 },
	{ "RestrictAddressFamilies=~…", 1250, 1, other_families, 0 },
	{ "SystemCallArchitectures=", 1000, 10, architectures, 0 },
	FILTER(0, "@swap", 1000),
	FILTER(1, "@obsolete", 250),
	FILTER(2, "@clock", 1000),
	FILTER(3, "@cpu-emulation", 250),
	FILTER(4, "@debug", 1000),
	FILTER(5, "@mount", 1000),
	FILTER(6, "@module", 1000),
	FILTER(7, "@raw-io", 1000),
	FILTER(8, "@reboot", 1000),
	FILTER(9, "@privileged", 700),
	FILTER(10, "@resources", 700),
	{ "IPAddressDeny=", 1000, 10, addresses, 0 },
	{ "DeviceAllow=", 1000, 10, device_policy, 0 },
	{ "AmbientCapabilities=", 500, 1, ambient, 0 },
};
