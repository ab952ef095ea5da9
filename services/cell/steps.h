/* The rows of the step table: what is done to make a cell, in which order, and how it is seen to be done. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/cell/inner.h"

/* Exit codes as in systemd's table, so that `status` can say what people look up. */
enum step_code {
	CODE_CHDIR = 200, CODE_NICE = 201, CODE_FDS = 202, CODE_EXEC = 203, CODE_LIMITS = 205, CODE_OOM = 206,
	CODE_SIGNALS = 207, CODE_STDIN = 208, CODE_SECUREBITS = 213, CODE_AFFINITY = 215, CODE_GROUP = 216,
	CODE_USER = 217, CODE_CAPABILITIES = 218, CODE_CGROUP = 219, CODE_SETSID = 220, CODE_NETWORK = 225,
	CODE_NAMESPACE = 226, CODE_NNP = 227, CODE_SECCOMP = 228, CODE_PERSONALITY = 230, CODE_KEYRING = 237,
	CODE_SELINUX = 229, CODE_APPARMOR = 231, CODE_DIRECTORIES = 238, CODE_CREDENTIALS = 243, CODE_LANDLOCK = 245,
};

enum step_who {
	BY_BUILDER,	/* the builder, before there is a service */
	BESIDE,		/* the builder, while the service does its first steps */
	BY_SERVICE,	/* the process that becomes the service */
	AT_EXEC,	/* the builder, while the service is stopped at its exec */
};

struct step {
	const char *name;
	enum step_who who;
	enum step_code code;
	bool (*applies)(const struct cell *);		/* NULL: always */
	int (*apply)(struct cell *, struct err *);
	bool (*verify)(struct cell *);			/* NULL: seen from outside only */
	const char *seen;				/* what attest() calls it, or where else it shows */
	const char *why;				/* why here */
};

/* Every step of that kind in order; on failure e names the step, *code is for `status`. */
int steps_walk(struct cell *c, enum step_who who, uint32_t *code, struct err *e);

#ifdef CELL_MUTANTS
/* Tests leave out one step, its check too when `blind`, and demand that somebody notices. */
extern int cell_mutant;
extern bool cell_mutant_blind;
#endif

/* step_policy.c */
int step_device_policy(struct cell *c, struct err *e);
int step_socket_policy(struct cell *c, struct err *e);
int step_attach(struct cell *c, struct err *e);

/* step_process.c */
int step_death_signal(struct cell *c, struct err *e);
bool is_death_signal(struct cell *c);
int step_signals(struct cell *c, struct err *e);
bool is_signals(struct cell *c);
int step_oom(struct cell *c, struct err *e);
int step_nice(struct cell *c, struct err *e);
int step_affinity(struct cell *c, struct err *e);
int step_session(struct cell *c, struct err *e);
bool is_session(struct cell *c);
int step_keyring(struct cell *c, struct err *e);
bool is_keyring(struct cell *c);
int default_nofile(const struct cell *c, struct err *e);	/* where the plan says nothing about descriptors */
int step_limits(struct cell *c, struct err *e);
bool is_limits(struct cell *c);
int step_umask(struct cell *c, struct err *e);
int step_cwd(struct cell *c, struct err *e);
int step_personality(struct cell *c, struct err *e);
bool is_personality(struct cell *c);
int step_mdwe(struct cell *c, struct err *e);
int step_nnp(struct cell *c, struct err *e);
bool is_mdwe(struct cell *c);
bool is_nnp(struct cell *c);
int step_unblock(struct cell *c, struct err *e);

/* step_space.c */
int step_machine_proc(struct cell *c, struct err *e);
int step_net_namespace(struct cell *c, struct err *e);
int step_pid_namespace(struct cell *c, struct err *e);
int step_network(struct cell *c, struct err *e);
int step_join_network(struct cell *c, struct err *e);
int step_procfs(struct cell *c, struct err *e);
bool is_procfs(struct cell *c);
int step_hostname(struct cell *c, struct err *e);
bool is_hostname(struct cell *c);
/* The first socket of `listen`, from number k on, that is made in the cell's network: its number + 1; 0: none. */
uint32_t cell_socket_after(const struct cell *c, uint32_t k);
int step_cell_sockets(struct cell *c, struct err *e);
bool is_cell_sockets(struct cell *c);
int step_ports(struct cell *c, struct err *e);
bool is_ports(struct cell *c);
int step_no_namespaces(struct cell *c, struct err *e);
bool is_no_namespaces(struct cell *c);

/* step_owner.c */
int step_owner(struct cell *c, struct err *e);
bool is_owner(struct cell *c);
int step_own_mounts(struct cell *c, struct err *e);

/* step_dirs.c */
int step_directories(struct cell *c, struct err *e);

/* step_root.c */
int step_private(struct cell *c, struct err *e);
int step_root(struct cell *c, struct err *e);
int step_mounts(struct cell *c, struct err *e);
int step_enter(struct cell *c, struct err *e);
bool is_entered(struct cell *c);

/* step_ids.c */
int step_groups(struct cell *c, struct err *e);
bool is_groups(struct cell *c);
int step_user_namespace(struct cell *c, struct err *e);
bool is_user_namespace(struct cell *c);
int step_securebits(struct cell *c, struct err *e);
bool is_securebits(struct cell *c);
int step_bounding(struct cell *c, struct err *e);
bool is_bounding(struct cell *c);
int step_ids(struct cell *c, struct err *e);
bool is_ids(struct cell *c);
int step_capabilities(struct cell *c, struct err *e);
bool is_capabilities(struct cell *c);
int step_ambient(struct cell *c, struct err *e);
bool is_ambient(struct cell *c);
bool is_no_way_back(struct cell *c);
unsigned wanted_securebits(const struct plan_service *s, bool final);

/* step_label.c */
int step_apparmor(struct cell *c, struct err *e);
bool is_apparmor(struct cell *c);
int step_selinux(struct cell *c, struct err *e);
bool is_selinux(struct cell *c);

/* step_landlock.c */
int step_landlock(struct cell *c, struct err *e);
bool is_landlock(struct cell *c);

/* step_tripwires.c */
int step_tripwires(struct cell *c, struct err *e);

/* step_exec.c */
int step_executable(struct cell *c, struct err *e);
int step_descriptors(struct cell *c, struct err *e);
int step_handover(struct cell *c, struct err *e);
int step_seccomp(struct cell *c, struct err *e);
#define OWN_VARIABLES 16
#define OWN_TEXT (CELL_FDS_MAX * 256 + 1024)	/* names of descriptors have at most 255 bytes */
/* What only the start itself knows, one after the other in text; v[] points there. pid is for LISTEN_PID. */
void own_variables(const struct cell *c, pid_t pid, char text[OWN_TEXT], char *v[OWN_VARIABLES]);
/* Only returns when it failed: the errno value. */
int become(struct cell *c);
