/* What this kernel and these privileges support, found by doing it; and what a service needs of it. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "services/plan/plan.h"
#include <stdbool.h>

#define PROBE_DETAIL 96

struct probe_answer {
	int code;			/* 0: it works; else what the kernel said */
	char detail[PROBE_DETAIL];	/* "ABI 6"; or at which call it ended; may be "" */
};

/*
 * One row: name is what is tried; `try` runs in a child that is thrown away, so it may change whatever it likes of
 * itself, and returns 0 or -errno; detail has room for PROBE_DETAIL bytes. Nothing it does outlives it; a control
 * group is removed.
 */
struct probe_row {
	const char *group, *name;
	int (*try)(char *detail);
	const char *mend;		/* what would allow it */
	bool (*wanted)(const struct plan *p, const struct plan_service *s); /* NULL: every confined service */
	bool optional;			/* prior does without it, or does it in another way */
};
#define PROBE_ROWS_MAX 64
extern const struct probe_row probe_rows[];	/* ended by a row without a name */

/* Forks, waits at most ten seconds. Works for anybody; the answer is for the caller's privileges. */
void probe_ask(const struct probe_row *row, struct probe_answer *a);
bool probe_is_wanted(const struct probe_row *row, const struct plan *p, const struct plan_service *s);

/* The trials, by file. */
#define PROBE_TRIALS(X) \
	X(mount_ns) X(pid_ns) X(net_ns) X(ipc_ns) X(uts_ns) X(cgroup_ns) X(time_ns) X(user_ns) X(user_ns_last) \
	X(user_ns_first) X(namespace_limits) X(port_start)				/* try_spaces.c */ \
	X(new_mounts) X(mount_attributes) X(nosymfollow) X(idmap) X(private_proc) X(new_root) X(mqueue) X(loop) \
	X(squashfs) X(erofs) X(ramfs)								/* try_mounts.c */ \
	X(openat2) X(clone3) X(pidfd) X(close_range) X(keyring) X(capabilities) X(no_new_privs) X(ids) X(mdwe) \
	X(personality) X(exec_stop) X(seccomp) X(seccomp_log) X(seccomp_read) X(landlock) X(apparmor) X(selinux) \
	X(audit)									/* try_process.c */ \
	X(cgroup2) X(cgroup_make) X(cgroup_clone) X(cgroup_kill) X(memory) X(pids) X(cpu) X(io) X(cpuset) \
	X(device_program)								/* try_cgroup.c */
#define PROBE_DECLARE(name) int try_##name(char *detail);
PROBE_TRIALS(PROBE_DECLARE)

/* For trials: -errno of what has just failed, with the name of the call. */
int probe_failed(char *detail, const char *call);
