/* From spec to plan: runs in the compiler child or in `prior compile`, never in PID 1. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/plan.h"
#include "services/spec/spec.h"
#include <sys/types.h>

/* What this kernel and these privileges allow, found by trying (fork, unshare, report). */
struct machine_facts {
	bool can_namespaces;	/* mount, pid, net, ipc, uts, cgroup namespaces can be made */
	bool can_userns;
	bool can_mount;		/* in a new mount namespace */
	bool can_policy;	/* a device policy can be put on a cgroup */
	bool can_cgroup;	/* cgroup2 is mounted and writable at cgroup_root */
	bool is_root;		/* euid 0 with CAP_SETUID, CAP_SETGID, CAP_SETPCAP */
	bool in_userns;		/* not the machine's first: procfs wants a pid namespace of ours, sysfs a network */
	uint32_t ids;		/* there: 0 to this many less one can be had, as users and as groups */
	bool limits_fixed;	/* resource limits cannot be raised above hard[] */
	uint64_t hard[SPEC_RLIMITS];
	bool drop;		/* up --drop-privileges: who names no user is drop_uid, or, when that is 0, dynamic */
	uint32_t drop_uid, drop_gid;
	bool one_id;		/* an ordinary user in a namespace of its own that maps nobody else: init/rootless.h */
	uint64_t caps;		/* that root has here */
	bool container;		/* not the machine's PID 1 */
	bool apparmor, selinux;	/* active in this kernel */
	bool no_filters;	/* seccomp is not there */
	int landlock_abi;	/* 0: none */
	unsigned kernel;	/* 6.1 is 0x60001; 0: not known */
	const struct enabled *enabled; /* what was said of services since they were written; NULL: nothing */
	int64_t images_until;	/* ms, as mono.h has it: when the last image's bytes must be read; 0: nobody waits */
	int image_door;		/* see image_door.h; 0: nobody looks into images here */
};

/* In the environment: --drop-privileges was given. There, every compiler of this supervisor finds it, with SUDO_UID. */
#define FACTS_DROP "PRIOR_DROP_PRIVILEGES"

void facts_find(struct machine_facts *f);
/* Of a machine that `prior` boots, for plans that are compiled elsewhere. */
void facts_of_machine(struct machine_facts *f);

/*
 * Plan every service of s that has no error. New problems (missing user, absent executable, an unusable path, a
 * kernel without a feature) are added to s with their place and condemn their service only (it goes to
 * plan_head.refused). On success *fd is a sealed memfd that holds a plan that plan_verify() accepts; the caller
 * owns it.
 */
int plan_compile(struct spec *s, const struct machine_facts *f, int *fd, struct err *e);
/* For who hands it to somebody who will not take it unchecked: PID 1. */
int plan_compile_unchecked(struct spec *s, const struct machine_facts *f, int *fd, struct err *e);

/*
 * The compiler as a program: `prior-compiler CONFIG_PATH machine|container [INSTANCE...]`: confines itself, loads,
 * compiles, sends on descriptor 3 one struct compiler_report and the memfd (SCM_RIGHTS) over a SOCK_SEQPACKET socket;
 * problems as text go to descriptor 2.
 */
struct compiler_report {
	uint32_t errors, notes;
	struct err err;		/* code != 0: there is no plan */
};
int compiler_main(int argc, char **argv);

/*
 * PID 1's side: start `exe_fd` as the compiler on `path`; blocks at boot (bounded by timeout_ms, then kills), problems
 * are copied to problems_fd. *plan_fd is owned by the caller. A path that is a plan file already needs no compiler.
 * *p is the plan, mapped and verified, the caller's too.
 */
int plan_obtain(int exe_fd, const char *path, bool container, int problems_fd, int timeout_ms, int *plan_fd,
		struct plan *p, struct compiler_report *report, struct err *e);

/* EINVAL: one that was compiled for a container (--container) is none for a machine. */
int plan_is_for(const struct plan *p, const char *path, bool container, struct err *e);

/* The same in two halves, for a loop that goes on meanwhile: `socket` becomes readable when there is an answer. */
struct compiler_child {
	pid_t pid;
	int socket;		/* owned until compiler_finish(), which also reaps */
};
/*
 * instances: NULL-ended names of templates' instances that are wanted beside those that the files name; NULL, at boot:
 * those that somebody has enabled.
 */
#define ENABLED_INSTANCES "*"
int compiler_start(struct compiler_child *child, int exe_fd, const char *path, bool container,
		   const char *const *instances, int problems_fd, struct err *e);
/*
 * For a loop: without waiting and without reaping. 1: *plan_fd (the caller's) and *report are there; -EAGAIN: nothing
 * is yet; -EPIPE: the other side is gone without an answer; else it says why there is no plan.
 */
int compiler_answer(int socket, int *plan_fd, struct compiler_report *report, struct err *e);
int compiler_finish(struct compiler_child *child, const char *path, int timeout_ms, int *plan_fd,
		    struct compiler_report *report, struct err *e);
