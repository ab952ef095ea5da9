/* The rows of `prior probe`: what is tried, what would allow it, and which services need it. */
/* SPDX-License-Identifier: ISC */
#include "services/probe/probe.h"
#include <stddef.h>
#include <string.h>

#define FLAG(name, mask) \
	static bool name(const struct plan *p, const struct plan_service *s) \
	{ \
		(void)p; \
		return s->flags & (mask); \
	}
FLAG(mounts, CELL_MOUNT)
FLAG(pids_apart, CELL_PID)
FLAG(network, CELL_NET)
FLAG(ipc, CELL_IPC)
FLAG(uts, CELL_UTS)
FLAG(cgroup_view, CELL_CGROUP)
FLAG(clocks, CELL_TIME)
FLAG(user, CELL_USERS)
FLAG(user_last, CELL_USER)
FLAG(user_first, CELL_USER_FIRST)
FLAG(no_namespaces, CELL_NO_NEW_NS)
FLAG(ports, CELL_UNPRIV_PORTS)
FLAG(caps, CELL_CAPS)
FLAG(nnp, CELL_NNP)
FLAG(filter, CELL_SECCOMP)
FLAG(filter_log, CELL_SECCOMP_LOG)
FLAG(landlock, CELL_LANDLOCK)
FLAG(keyring, CELL_KEYRING)
FLAG(mdwe, CELL_MDWE)
FLAG(personality, CELL_LOCK_PERSONALITY)
FLAG(image, CELL_ROOT_IMAGE)
FLAG(policies, CELL_POLICIES)

static bool nobody(const struct plan *p, const struct plan_service *s)
{
	(void)p;
	(void)s;
	return false;
}

static bool everybody(const struct plan *p, const struct plan_service *s)
{
	(void)p;
	(void)s;
	return true;
}

static bool another_user(const struct plan *p, const struct plan_service *s)
{
	(void)p;
	return s->uid != 0 || s->gid != 0;
}

static bool image_is(const struct plan *p, const struct plan_service *s, const char *type)
{
	return s->flags & CELL_ROOT_IMAGE && !strcmp(plan_str(p, s->root_type), type);
}

static bool squashfs(const struct plan *p, const struct plan_service *s)
{
	return image_is(p, s, "squashfs");
}

static bool erofs(const struct plan *p, const struct plan_service *s)
{
	return image_is(p, s, "erofs");
}

static bool has_mount(const struct plan *p, const struct plan_service *s, uint32_t kind)
{
	PLAN_EACH(struct plan_mount, m, p, s->mounts)
		if (m->kind == kind)
			return true;
	return false;
}

static bool own_proc(const struct plan *p, const struct plan_service *s)
{
	return has_mount(p, s, MOUNT_PROC);
}

static bool own_queues(const struct plan *p, const struct plan_service *s)
{
	return has_mount(p, s, MOUNT_MQUEUE);
}

static bool secrets(const struct plan *p, const struct plan_service *s)
{
	return has_mount(p, s, MOUNT_CREDENTIALS);
}

static bool apparmor(const struct plan *p, const struct plan_service *s)
{
	(void)p;
	return s->apparmor.at;
}

static bool selinux(const struct plan *p, const struct plan_service *s)
{
	(void)p;
	return s->selinux.at;
}

static bool volumes(const struct plan *p, const struct plan_service *s)
{
	return has_mount(p, s, MOUNT_BIND);
}

static bool limits(const struct plan *p, const struct plan_service *s, const char *controller)
{
	const size_t n = strlen(controller);

	PLAN_EACH(struct plan_file, f, p, s->cgroup)
		if (!strncmp(plan_str(p, f->path), controller, n) && plan_str(p, f->path)[n] == '.')
			return true;
	return false;
}

#define LIMITS(name) \
	static bool limits_##name(const struct plan *p, const struct plan_service *s) \
	{ \
		return limits(p, s, #name); \
	}
LIMITS(memory)
LIMITS(pids)
LIMITS(cpu)
LIMITS(io)
LIMITS(cpuset)

static bool any_limit(const struct plan *p, const struct plan_service *s)
{
	(void)p;
	return s->cgroup.n > 0;
}

#define ROOT_MAKES_IT "root, and a container that leaves CAP_SYS_ADMIN and the calls unshare and clone"
#define ROOT_MOUNTS "root, and a container that leaves CAP_SYS_ADMIN and the calls for mounts"
#define CONTROLLER "a kernel with this controller, handed down to here: cgroup.subtree_control of the group above"
#define FILE_SYSTEM "a kernel with this file system, or its module among machine.modules"

const struct probe_row probe_rows[] = {
	{ "namespaces", "mount namespace", try_mount_ns, ROOT_MAKES_IT, mounts, false },
	{ "namespaces", "pid namespace", try_pid_ns, ROOT_MAKES_IT, pids_apart, false },
	{ "namespaces", "network namespace", try_net_ns, ROOT_MAKES_IT, network, false },
	{ "namespaces", "ipc namespace", try_ipc_ns, ROOT_MAKES_IT, ipc, false },
	{ "namespaces", "uts namespace", try_uts_ns, ROOT_MAKES_IT, uts, false },
	{ "namespaces", "cgroup namespace", try_cgroup_ns, ROOT_MAKES_IT, cgroup_view, false },
	{ "namespaces", "time namespace", try_time_ns, "Linux 5.6 with CONFIG_TIME_NS; " ROOT_MAKES_IT, clocks, false },
	{ "namespaces", "user namespace", try_user_ns,
	  "user.max_user_namespaces above 0, and a container or a security module that leaves it", user, false },
	{ "namespaces", "user namespace, made last", try_user_ns_last, ROOT_MAKES_IT, user_last, false },
	{ "namespaces", "user namespace, made first", try_user_ns_first, ROOT_MAKES_IT, user_first, false },
	{ "namespaces", "no further namespaces (user.max_*_namespaces)", try_namespace_limits,
	  "a user namespace, and a procfs that can be mounted or whose /proc/sys/user is writable", no_namespaces,
	  false },
	{ "namespaces", "low ports in a private network", try_port_start,
	  "a network namespace, and a procfs that can be mounted or whose /proc/sys/net is writable", ports, false },
	{ "mounts", "mounts by descriptor (fsopen, move_mount)", try_new_mounts, "Linux 5.2; " ROOT_MOUNTS, mounts,
	  false },
	{ "mounts", "attributes of whole trees (mount_setattr)", try_mount_attributes, "Linux 5.12; " ROOT_MOUNTS,
	  mounts, false },
	{ "mounts", "a new root (pivot_root)", try_new_root, ROOT_MOUNTS, mounts, false },
	{ "mounts", "nosymfollow", try_nosymfollow, "Linux 5.14; " ROOT_MOUNTS, volumes, false },
	{ "mounts", "/proc of its own (subset=pid, hidepid=invisible)", try_private_proc,
	  "Linux 5.8; root, and a container that leaves its own /proc uncovered", own_proc, false },
	{ "mounts", "/dev/mqueue of its own", try_mqueue, "a kernel with CONFIG_POSIX_MQUEUE; " ROOT_MOUNTS, own_queues,
	  false },
	{ "mounts", "idmapped mounts", try_idmap, "Linux 5.12, a file system that can do it (tmpfs: 6.3); " ROOT_MOUNTS,
	  nobody, true },
	{ "mounts", "ramfs, for credentials", try_ramfs, ROOT_MOUNTS, secrets, false },
	{ "mounts", "loop devices", try_loop, "the module loop among machine.modules, and a /dev with loop-control",
	  image, false },
	{ "mounts", "squashfs", try_squashfs, FILE_SYSTEM, squashfs, false },
	{ "mounts", "erofs", try_erofs, FILE_SYSTEM, erofs, false },
	{ "processes", "openat2", try_openat2, "Linux 5.6", everybody, false },
	{ "processes", "clone3", try_clone3, "Linux 5.5, and a container whose filter leaves it", everybody, false },
	{ "processes", "pidfds", try_pidfd, "Linux 5.3", everybody, false },
	{ "processes", "close_range", try_close_range, "Linux 5.11", everybody, false },
	{ "processes", "stop at the exec (ptrace)", try_exec_stop,
	  "a kernel.yama.ptrace_scope below 3, and a container whose filter leaves ptrace", NULL, false },
	{ "processes", "other users and groups", try_ids, "root with CAP_SETUID and CAP_SETGID", another_user, false },
	{ "processes", "bounding set and secure bits", try_capabilities, "root with CAP_SETPCAP", caps, false },
	{ "processes", "a session keyring of its own", try_keyring,
	  "a kernel with CONFIG_KEYS, and a container whose filter leaves keyctl", keyring, false },
	{ "processes", "no new privileges", try_no_new_privs, "Linux 3.5", nnp, false },
	{ "processes", "personality", try_personality, "a container whose filter leaves it", personality, false },
	{ "processes", "no new executable memory (PR_SET_MDWE)", try_mdwe, "Linux 6.3; the filter does it before", mdwe,
	  true },
	{ "filters", "seccomp", try_seccomp, "a kernel with CONFIG_SECCOMP_FILTER", filter, false },
	{ "filters", "seccomp tells what it refuses", try_seccomp_log, "Linux 4.14", filter_log, false },
	{ "filters", "seccomp can be read back", try_seccomp_read, "a kernel with CONFIG_CHECKPOINT_RESTORE, and "
	  "CAP_SYS_ADMIN; else only its mode is compared", filter, true },
	{ "filters", "refusals can be heard (audit)", try_audit, "CAP_AUDIT_READ in the machine's user namespace",
	  filter_log, true },
	{ "filters", "Landlock", try_landlock, "Linux 5.13 with landlock in lsm= or CONFIG_LSM", landlock, false },
	{ "security modules", "AppArmor", try_apparmor, "a kernel with apparmor in lsm= or CONFIG_LSM", apparmor,
	  false },
	{ "security modules", "SELinux", try_selinux, "a kernel with selinux in lsm=, and a policy", selinux, false },
	{ "control groups", "cgroup2", try_cgroup2, "cgroup2 mounted at /sys/fs/cgroup", any_limit, false },
	{ "control groups", "a group for each service", try_cgroup_make, "a writable /sys/fs/cgroup", any_limit,
	  false },
	{ "control groups", "birth in a group (clone3)", try_cgroup_clone, "Linux 5.7 and a writable cgroup2",
	  any_limit, false },
	{ "control groups", "cgroup.kill", try_cgroup_kill, "Linux 5.14 and a writable cgroup2", any_limit, false },
	{ "control groups", "memory", try_memory, CONTROLLER, limits_memory, false },
	{ "control groups", "pids", try_pids, CONTROLLER, limits_pids, false },
	{ "control groups", "cpu", try_cpu, CONTROLLER, limits_cpu, false },
	{ "control groups", "io", try_io, CONTROLLER, limits_io, false },
	{ "control groups", "cpuset", try_cpuset, CONTROLLER, limits_cpuset, true },
	{ "control groups", "device programs (BPF)", try_device_program,
	  "a kernel with CONFIG_CGROUP_BPF, CAP_BPF or root, and a writable cgroup2", policies, true },
	{ .name = NULL },
};
_Static_assert(sizeof probe_rows / sizeof *probe_rows <= PROBE_ROWS_MAX, "who keeps the answers has room for them");
