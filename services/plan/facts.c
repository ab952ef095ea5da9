/* What can be done here, found by doing it in a child that is thrown away: names and versions tell too little. */
/* SPDX-License-Identifier: ISC */
#include "init/base/bpf.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "services/plan/compile.h"
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define SPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define ANSWER_SPACES 1
#define ANSWER_MOUNT 2
#define ANSWER_USER 4
#define FIRST_USERNS "         0          0 4294967295"

/* A cell's own way: private propagation, a detached file system, laid over something. */
static bool try_mount(void)
{
	owned_fd fs = FD_NONE, at = FD_NONE;

	if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return false;
	at = sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID);
	return at >= 0 && sys_move_mount(at, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

static int try_spaces(void)
{
	if (unshare(SPACES) < 0)
		return 0;
	return ANSWER_SPACES | (try_mount() ? ANSWER_MOUNT : 0);
}

static int try_user(void)
{
	return unshare(CLONE_NEWUSER) == 0 ? ANSWER_USER : 0;
}

static int in_child(int (*try)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(try());
	return pid > 0 && sys_wait(pid, &status) == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static bool is_root(void)
{
	const uint32_t needed = 1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_SETPCAP;
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	return geteuid() == 0 && syscall(SYS_capget, &h, d) == 0 && (d[0].effective & needed) == needed;
}

/* The whole of a small file begins with this. */
static bool begins(const char *path, const char *with)
{
	char text[64];
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);

	return n >= (ssize_t)strlen(with) && !memcmp(text, with, strlen(with));
}

/* "ID ID 1", and capabilities all the same: what init/rootless.c makes for a user without ranges. */
static bool has_one_id(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0 } };
	char map[40];

	snprintf(map, sizeof map, "%10u %10u %10u\n", (unsigned)geteuid(), (unsigned)geteuid(), 1u);
	return geteuid() != 0 && syscall(SYS_capget, &h, d) == 0 && d[0].effective & 1u << CAP_SETPCAP &&
	       begins("/proc/self/uid_map", map);
}

/*
 * Root of the machine itself, with every capability and no filter, may make whatever the kernel has: each kind of
 * namespace has a file, and a limit that an administrator may have set to 0. Trying costs a boot some milliseconds.
 */
static bool is_machines_root(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	return begins("/proc/self/uid_map", FIRST_USERNS) &&
	       syscall(SYS_capget, &h, d) == 0 && d[0].effective == UINT32_MAX && (d[1].effective & 0x1ff) == 0x1ff &&
	       prctl(PR_GET_SECCOMP) == 0;
}

static bool try_cgroup(bool machines_root)
{
	char path[64];
	struct statfs fs;

	if (statfs("/sys/fs/cgroup", &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return false;
	if (machines_root && faccessat(AT_FDCWD, "/sys/fs/cgroup/cgroup.procs", W_OK, 0) == 0)
		return true;
	snprintf(path, sizeof path, "/sys/fs/cgroup/prior.try.%d", (int)getpid());
	return mkdir(path, 0755) == 0 && rmdir(path) == 0;
}

static unsigned kernel_version(void)
{
	unsigned major = 0, minor = 0;
	struct utsname u;

	if (uname(&u) < 0 || sscanf(u.release, "%5u.%5u", &major, &minor) != 2)
		return 0;
	return major << 16 | minor;
}

static uint64_t capabilities(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	return syscall(SYS_capget, &h, d) < 0 ? 0 : d[0].permitted | (uint64_t)d[1].permitted << 32;
}

/* Wherever PID 1 finds its cgroups: a program, on a cgroup of our own. */
static bool try_policy(bool machines_root)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs fs;
	char path[64];
	struct err e;
	bool good = false;
	unsigned i = 0;

	while (i < 2 && (statfs(places[i], &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC))
		i++;
	owned_fd program = i < 2 ? bpf_devices(NULL, 0, &e) : FD_NONE;

	if (program < 0 || machines_root)	/* who may load it here may attach it */
		return program >= 0;
	snprintf(path, sizeof path, "%s/prior.try.%d", places[i], (int)getpid());
	if (mkdir(path, 0755) < 0)
		return false;
	owned_fd leaf = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	good = leaf >= 0 && bpf_attach(leaf, POLICY_DEVICES, program, &e) == 0;
	rmdir(path);
	return good;
}

/* The file says Y, or there is no AppArmor. */
static bool has_apparmor(void)
{
	owned_fd fd = open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
	char c = 'N';

	return fd >= 0 && read(fd, &c, 1) == 1 && c == 'Y';
}

/* The file system that belongs to it is known exactly when it is active. */
static bool has_selinux(void)
{
	owned_fd fd = open("/proc/filesystems", O_RDONLY | O_CLOEXEC);
	char text[8192];
	const ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

	text[n < 0 ? 0 : n] = '\0';
	return strstr(text, "\tselinuxfs\n") != NULL;
}

static const struct {
	const char *file, *limit;
	int answer;
} spaces[] = {
	{ "/proc/self/ns/mnt", "/proc/sys/user/max_mnt_namespaces", ANSWER_SPACES | ANSWER_MOUNT },
	{ "/proc/self/ns/pid", "/proc/sys/user/max_pid_namespaces", ANSWER_SPACES },
	{ "/proc/self/ns/net", "/proc/sys/user/max_net_namespaces", ANSWER_SPACES },
	{ "/proc/self/ns/ipc", "/proc/sys/user/max_ipc_namespaces", ANSWER_SPACES },
	{ "/proc/self/ns/uts", "/proc/sys/user/max_uts_namespaces", ANSWER_SPACES },
	{ "/proc/self/ns/cgroup", "/proc/sys/user/max_cgroup_namespaces", ANSWER_SPACES },
	{ "/proc/self/ns/user", "/proc/sys/user/max_user_namespaces", ANSWER_USER },
};

static int read_answers(void)
{
	int lacks = 0;

	for (unsigned i = 0; i < sizeof spaces / sizeof *spaces; i++)
		if (access(spaces[i].file, F_OK) < 0 || begins(spaces[i].limit, "0\n"))
			lacks |= spaces[i].answer;
	return (ANSWER_SPACES | ANSWER_MOUNT | ANSWER_USER) & ~lacks;
}

/* How many ids there are from 0 on. */
static uint32_t ids_in(const char *path)
{
	FILE *f = fopen(path, "re");
	unsigned long first, count, next = 0;

	while (f && fscanf(f, "%lu %*u %lu", &first, &count) == 2 && first == next)
		next += count;
	if (f)
		fclose(f);
	return next < UINT32_MAX ? (uint32_t)next : UINT32_MAX;
}

static void find_ids(struct machine_facts *f)
{
	const uint32_t users = ids_in("/proc/self/uid_map"), groups = ids_in("/proc/self/gid_map");

	f->ids = users < groups ? users : groups;
}

static void find_limits(struct machine_facts *f)
{
	struct rlimit r;

	f->limits_fixed = f->in_userns || !(f->caps >> CAP_SYS_RESOURCE & 1);
	for (unsigned i = 0; i < SPEC_RLIMITS; i++)
		f->hard[i] = getrlimit((int)i, &r) < 0 ? UINT64_MAX : r.rlim_max;
}

/* A number as sudo writes it, not root's; 0: there is none. */
static uint32_t id_from(const char *variable)
{
	const char *v = getenv(variable);
	char *end;
	const unsigned long id = v && *v >= '1' && *v <= '9' ? strtoul(v, &end, 10) : 0;

	return id && !*end && id < UINT32_MAX ? (uint32_t)id : 0;
}

static void find_invoker(struct machine_facts *f)
{
	f->drop = f->is_root && getenv(FACTS_DROP);
	f->drop_uid = id_from("SUDO_UID");
	f->drop_gid = id_from("SUDO_GID");
	if (!f->drop_gid)	/* root's group is not what was meant */
		f->drop_gid = f->drop_uid;
}

static bool has_no_filters(void)
{
	const uint32_t action = SECCOMP_RET_ERRNO;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0;
}

void facts_find(struct machine_facts *f)
{
	const bool machines_root = is_machines_root();
	int answers = machines_root ? read_answers() : in_child(try_spaces) | in_child(try_user);
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1u /* VERSION */);

	*f = (struct machine_facts){
		.can_namespaces = answers & ANSWER_SPACES,
		.can_mount = answers & ANSWER_MOUNT,
		.can_userns = answers & ANSWER_USER,
		.can_cgroup = try_cgroup(machines_root),
		.caps = capabilities(),
		.can_policy = is_root() && try_policy(machines_root),
		.is_root = is_root(), .one_id = has_one_id(),
		.apparmor = has_apparmor(), .selinux = has_selinux(),
		.no_filters = has_no_filters(), .landlock_abi = abi > 0 ? (int)abi : 0,
		.kernel = kernel_version(), .in_userns = !machines_root && !begins("/proc/self/uid_map", FIRST_USERNS),
	};
	find_ids(f);
	find_invoker(f);
	find_limits(f);
}

void facts_of_machine(struct machine_facts *f)
{
	*f = (struct machine_facts){ .can_namespaces = true, .can_mount = true, .can_userns = true, .can_cgroup = true,
				     .can_policy = true, .apparmor = true, .selinux = true, .caps = UINT64_MAX,
				     .is_root = true, .landlock_abi = 1 };
}
