/* The step table: the order in which a cell is made, and why it is this one. */
/* SPDX-License-Identifier: ISC */
#include "services/cell/steps.h"

#define APPLIES(name, condition)			\
	static bool name(const struct cell *c)		\
	{						\
		return condition;			\
	}

APPLIES(if_builder, c->sync >= 0)
APPLIES(if_ignoring, !c->start->spawned)
APPLIES(if_oom, c->svc->oom_score_adj != INT32_MIN)
APPLIES(if_nice, c->svc->nice != INT32_MIN)
APPLIES(if_affinity, c->svc->affinity.n > 0)
APPLIES(if_keyring, has(c, CELL_KEYRING))
APPLIES(if_net, makes(c) && has(c, CELL_NET))
APPLIES(if_own_net, makes(c) && has(c, CELL_NET) && !c->svc->share.n)
APPLIES(if_net_apart, makes(c) && has(c, CELL_NET) && !has(c, CELL_USER_FIRST))
APPLIES(if_first, makes(c) && has(c, CELL_USER_FIRST))
APPLIES(if_first_and_mount, makes(c) && has(c, CELL_USER_FIRST) && has(c, CELL_MOUNT))
APPLIES(if_devices, has(c, CELL_DEVICES))
APPLIES(if_sockets, has(c, CELL_SOCKETS))
APPLIES(if_policies, has(c, CELL_POLICIES))
APPLIES(if_pid_or_time, has(c, CELL_PID | CELL_TIME) && !has(c, CELL_USER_FIRST))
APPLIES(if_procfs, makes(c) && has(c, CELL_NO_NEW_NS | CELL_UNPRIV_PORTS))
APPLIES(if_mount, makes(c) && has(c, CELL_MOUNT))
APPLIES(if_apparmor, c->svc->apparmor.n > 0)
APPLIES(if_selinux, c->svc->selinux.n > 0)
APPLIES(if_directories, makes(c) && c->svc->dirs.n > 0)
APPLIES(if_hostname, makes(c) && has(c, CELL_UTS) && c->svc->hostname.n > 0)
APPLIES(if_ports, makes(c) && has(c, CELL_UNPRIV_PORTS))
APPLIES(if_cell_sockets, makes(c) && c->start->npass > 0 && cell_socket_after(c, 0))
APPLIES(if_limits, c->svc->rlimits.n > 0 || c->start->nofile)
APPLIES(if_user, has(c, CELL_USERS))
APPLIES(if_no_new_ns, makes(c) && has(c, CELL_NO_NEW_NS))
APPLIES(if_caps, has(c, CELL_CAPS))
APPLIES(if_tripwires, has(c, CELL_CAPS | CELL_LANDLOCK | CELL_MDWE))
APPLIES(if_ambient, has(c, CELL_CAPS) && c->svc->caps != 0)
APPLIES(if_locked_out, has(c, CELL_CAPS) && c->svc->uid != 0)
APPLIES(if_personality, has(c, CELL_LOCK_PERSONALITY))
APPLIES(if_mdwe, has(c, CELL_MDWE))
APPLIES(if_nnp, has(c, CELL_NNP))
APPLIES(if_landlock, has(c, CELL_LANDLOCK))
APPLIES(if_seccomp, has(c, CELL_SECCOMP))

static const struct step steps[] = {
	{ "machine procfs", BY_BUILDER, CODE_NAMESPACE, NULL, step_machine_proc, NULL, NULL,
	  "the builder's eyes and its way to the id maps; opened while / is the machine's" },
	{ "user namespace before the others", BY_BUILDER, CODE_USER, if_first, step_owner, is_owner,
	  "namespaces' owner",
	  "user: first: pid, network, ipc, uts, cgroup and time are born in it; the builder stays the machine's" },
	{ "pid and time namespaces", BY_BUILDER, CODE_NAMESPACE, if_pid_or_time, step_pid_namespace, NULL,
	  "pid namespace", "for the children to be forked; the builder itself stays outside" },
	{ "network namespace", BESIDE, CODE_NETWORK, if_net_apart, step_net_namespace, NULL, "net namespace",
	  "it costs as much as all mounts together; the machine's user namespace owns it; or another's is entered" },
	{ "network", BESIDE, CODE_NETWORK, if_own_net, step_network, NULL, NULL,
	  "while the service makes its mounts; needs both network namespaces" },

	{ "device policy", BESIDE, CODE_CGROUP, if_devices, step_device_policy, NULL, "device policy",
	  "the kernel checks the program meanwhile; it is put on the cgroup when all nodes are made" },
	{ "socket policy", BESIDE, CODE_CGROUP, if_sockets, step_socket_policy, NULL, "socket policy",
	  "likewise: the setup itself needs sockets" },

	{ "death signal", BY_SERVICE, CODE_SIGNALS, NULL, step_death_signal, is_death_signal, NULL,
	  "first: from here on nothing outlives a supervisor that is not the machine's PID 1" },
	{ "signals", BY_SERVICE, CODE_SIGNALS, if_ignoring, step_signals, is_signals, "SigIgn",
	  "clone3 resets handlers, not what is ignored; the spawner ignores nothing" },
	{ "oom score", BY_SERVICE, CODE_OOM, if_oom, step_oom, NULL, "oom_score_adj",
	  "while /proc/self is ours to write: before we stop being dumpable" },
	{ "nice", BY_SERVICE, CODE_NICE, if_nice, step_nice, NULL, "nice", "needs CAP_SYS_NICE to go up" },
	{ "cpu affinity", BY_SERVICE, CODE_AFFINITY, if_affinity, step_affinity, NULL, "affinity",
	  "before anything of the service's is placed in memory" },
	{ "session", BY_SERVICE, CODE_SETSID, NULL, step_session, is_session, "session",
	  "no controlling terminal (TIOCSTI), no ptrace by others while half made (CVE-2016-9962)" },
	{ "session keyring", BY_SERVICE, CODE_KEYRING, if_keyring, step_keyring, is_keyring, NULL,
	  "an anonymous one; before the uid changes, so that it is never linked to the uid's" },
	{ "detached procfs", BY_SERVICE, CODE_NAMESPACE, if_procfs, step_procfs, is_procfs, NULL,
	  "mounted nowhere, so it cannot be covered: all writes to sys/ below go through it" },
	{ "directories", BY_SERVICE, CODE_DIRECTORIES, if_directories, step_directories, NULL, "directory",
	  "in the machine's own root, before anything lies over it; by descriptor, no link is followed" },
	{ "mounts private", BY_SERVICE, CODE_NAMESPACE, if_mount, step_private, NULL, "mount propagation",
	  "before any mount: nothing spreads, either way" },
	{ "new root", BY_SERVICE, CODE_NAMESPACE, if_mount, step_root, NULL, "mount /",
	  "laid over / and filled through its descriptor: no folder to stage in, none to race for" },
	{ "mounts", BY_SERVICE, CODE_NAMESPACE, if_mount, step_mounts, NULL, "mount",
	  "while the user namespace is the machine's: no mount is 'too revealing'; attributes come first" },
	{ "host name", BY_SERVICE, CODE_NAMESPACE, if_hostname, step_hostname, is_hostname, NULL,
	  "needs CAP_SYS_ADMIN over the uts namespace" },
	{ "join network", BY_SERVICE, CODE_NETWORK, if_net, step_join_network, NULL, "net namespace",
	  "the builder has made it meanwhile; a sysfs among the mounts is joined to it before" },
	{ "unprivileged ports", BY_SERVICE, CODE_NETWORK, if_ports, step_ports, is_ports, NULL,
	  "NET_BIND_SERVICE would be inert in a network that the machine owns" },
	{ "sockets in its network", BY_SERVICE, CODE_NETWORK, if_cell_sockets, step_cell_sockets, is_cell_sockets, NULL,
	  "the network is there, and every port is still ours to bind; each in the place that was kept for it" },
	{ "enter root", BY_SERVICE, CODE_NAMESPACE, if_mount, step_enter, is_entered, "root",
	  "the old root is gone before any privilege is dropped" },
	{ "executable", BY_SERVICE, CODE_EXEC, if_builder, step_executable, NULL, "exe",
	  "found before the limits apply; the builder compares it at the exec" },
	{ "resource limits", BY_SERVICE, CODE_LIMITS, if_limits, step_limits, is_limits, "rlimit",
	  "raising one needs CAP_SYS_RESOURCE of the machine, which the user namespace takes away" },
	{ "groups", BY_SERVICE, CODE_GROUP, NULL, step_groups, is_groups, "Groups",
	  "before setgroups is denied in the user namespace" },
	{ "apparmor profile", BY_SERVICE, CODE_APPARMOR, if_apparmor, step_apparmor, is_apparmor, "apparmor",
	  "while /proc/thread-self is ours to write, and before no_new_privs; it takes effect at the exec" },
	{ "selinux context", BY_SERVICE, CODE_SELINUX, if_selinux, step_selinux, is_selinux, "selinux",
	  "likewise: after this nobody may say it any more" },
	{ "user namespace", BY_SERVICE, CODE_USER, if_user, step_user_namespace, is_user_namespace, "user namespace",
	  "last, and by uid 0: capabilities in it are inert over all the others" },
	{ "mounts of its own", BY_SERVICE, CODE_NAMESPACE, if_first_and_mount, step_own_mounts, NULL,
	  "mnt namespace's owner", "user: first: a copy that it may add to; those that were made for it are locked" },
	{ "no new namespaces", BY_SERVICE, CODE_NAMESPACE, if_no_new_ns, step_no_namespaces, is_no_namespaces, NULL,
	  "user.max_*_namespaces = 0 in there needs CAP_SYS_RESOURCE in there" },
	{ "secure bits", BY_SERVICE, CODE_SECUREBITS, if_caps, step_securebits, is_securebits, NULL,
	  "a new user namespace resets them; needs CAP_SETPCAP, which leaving uid 0 may take" },
	{ "bounding set", BY_SERVICE, CODE_CAPABILITIES, if_caps, step_bounding, is_bounding, "CapBnd",
	  "a new user namespace fills it" },
	{ "ids", BY_SERVICE, CODE_USER, NULL, step_ids, is_ids, "Uid",
	  "all of them, so that none is left to go back to" },
	{ "capabilities", BY_SERVICE, CODE_CAPABILITIES, if_caps, step_capabilities, is_capabilities, "CapPrm",
	  "the secure bits kept them across the ids" },
	{ "ambient set", BY_SERVICE, CODE_CAPABILITIES, if_ambient, step_ambient, is_ambient, "CapAmb",
	  "needs permitted and inheritable; then raising is locked" },
	{ "no way back", BY_SERVICE, CODE_USER, if_locked_out, NULL, is_no_way_back, NULL,
	  "asking for root again must fail" },
	{ "death signal again", BY_SERVICE, CODE_SIGNALS, NULL, step_death_signal, is_death_signal, NULL,
	  "changing ids cleared it" },
	{ "umask", BY_SERVICE, CODE_EXEC, NULL, step_umask, NULL, "Umask", "after all files were made" },
	{ "working directory", BY_SERVICE, CODE_CHDIR, NULL, step_cwd, NULL, "cwd",
	  "after all mounts, with the service's ids (CVE-2024-21626)" },
	{ "personality", BY_SERVICE, CODE_PERSONALITY, if_personality, step_personality, is_personality,
	  "personality", "the filter locks it" },
	{ "no new executable memory", BY_SERVICE, CODE_EXEC, if_mdwe, step_mdwe, is_mdwe, NULL,
	  "the filter forbids the prctl afterwards" },
	{ "no new privileges", BY_SERVICE, CODE_NNP, if_nnp, step_nnp, is_nnp, "NoNewPrivs",
	  "Landlock and seccomp ask for it" },
	{ "landlock", BY_SERVICE, CODE_LANDLOCK, if_landlock, step_landlock, is_landlock, NULL,
	  "after all mounts, which it forbids" },
	{ "tripwires", BY_SERVICE, CODE_CAPABILITIES, if_tripwires, step_tripwires, NULL, NULL,
	  "a mount, a device node, a raw socket, a file that is not unveiled, writable code: tried now, must fail" },
	{ "descriptors", BY_SERVICE, CODE_FDS, NULL, step_descriptors, NULL, "descriptors",
	  "what a step left open closes at the exec (CVE-2024-21626)" },
	{ "handover", BY_SERVICE, CODE_EXEC, if_builder, step_handover, NULL, "exe",
	  "last words: the filter may forbid more" },
	{ "signal mask", BY_SERVICE, CODE_SIGNALS, NULL, step_unblock, NULL, "SigBlk",
	  "a stop that was asked for meanwhile takes effect now" },
	{ "seccomp", BY_SERVICE, CODE_SECCOMP, if_seccomp, step_seccomp, NULL, "seccomp filter",
	  "last: the filter need not allow any call above" },

	{ "policies on the cgroup", AT_EXEC, CODE_CGROUP, if_policies, step_attach, NULL, "device policy",
	  "nothing of the service's has run yet, and nothing of ours will open a device or a socket in there" },
};
#define STEPS (sizeof steps / sizeof *steps)

#ifdef CELL_MUTANTS
int cell_mutant = -1;
bool cell_mutant_blind;
#define IS_LEFT_OUT(i) ((i) == cell_mutant)
#define IS_BLIND(i) ((i) == cell_mutant && cell_mutant_blind)
#else
#define IS_LEFT_OUT(i) false
#define IS_BLIND(i) false
#endif

int steps_walk(struct cell *c, enum step_who who, uint32_t *code, struct err *e)
{
	for (int i = 0; i < (int)STEPS; i++) {
		const struct step *s = &steps[i];

		if (s->who != who || (s->applies && !s->applies(c)))
			continue;
		*code = s->code;
		if (s->apply && !IS_LEFT_OUT(i) && s->apply(c, e) < 0)
			return err_in(e, "%s", s->name);
		if (s->verify && !IS_BLIND(i) && !s->verify(c))
			return err_set(e, EPERM, "%s: the kernel did not do what it said", s->name);
	}
	return 0;
}

unsigned cell_step_count(void)
{
	return STEPS;
}

const char *cell_step_name(unsigned i)
{
	return i < STEPS ? steps[i].name : NULL;
}

const char *cell_step_why(unsigned i)
{
	return i < STEPS ? steps[i].why : NULL;
}

const char *cell_step_seen(unsigned i)
{
	return i < STEPS ? steps[i].seen : NULL;
}
