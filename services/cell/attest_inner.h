/* What the parts of the comparison share: the facts they add, and where they look. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/cell/attest.h"
#include "services/cell/inner.h"

#define SPACES 8

/* What does not change while a service is made: read beside its setup, so that its exec waits for less. */
struct attest_ref {
	uint64_t machine[SPACES];	/* inode numbers of the machine's namespaces, by row of spaces[] */
	uint64_t own[SPACES];		/* of those that the service is to be in, as far as they exist; 0: not known */
	uint64_t owner[SPACES];		/* of the user namespaces that own them */
	int filters;			/* seccomp filters that everything here is under already */
	bool filled;
};

struct attest_in {
	const struct plan *plan;
	const struct plan_service *svc;
	pid_t pid;		/* as procfs shows it */
	int procfs;		/* of the machine */
	pid_t reference;	/* whose namespaces are the machine's; 0: ours */
	bool at_exec;		/* stopped at its exec: nothing of its own has happened yet */
	bool tracing;		/* we are its tracer, and it is stopped */
	bool in_leaf;		/* we share its cgroup */
	int npass;		/* descriptors beyond 0, 1, 2; -1: not known */
	struct file_id exe, root;	/* what the service's setup opened; dev 0: not known, look again */
	struct attest_ref ref;		/* filled by attest_prepare(), or by attest_all() itself */
	attest_each *each;
	void *ctx;
};

/* One comparison under way. */
struct attest_run {
	const struct attest_in *in;
	int dir;		/* O_PATH: procfs/PID */
	int ref;		/* O_PATH: procfs/REFERENCE */
	char status[8192];	/* its status file */
	unsigned facts;
	struct err *e;		/* the first difference */
	bool differs;
};

/* Fill in->ref; we are in the namespaces that the service is to be in, but for user. */
int attest_prepare(struct attest_in *in, struct err *e);
/* Number of equal facts, or -EPERM with the first difference, or -errno when the kernel could not be asked. */
int attest_all(struct attest_in *in, struct err *e);

/* Add a fact. Texts are cut to what a struct attest_fact holds, after the comparison. */
void fact(struct attest_run *r, const char *name, const char *want, const char *got, bool equal);
void fact_text(struct attest_run *r, const char *name, const char *want, const char *got);
void fact_num(struct attest_run *r, const char *name, int64_t want, int64_t got);
void fact_hex(struct attest_run *r, const char *name, uint64_t want, uint64_t got);

static inline bool planned(const struct attest_run *r, uint32_t flag)
{
	return r->in->svc->flags & flag;
}

/* The value of a line of the status file, into to; "" when there is no such line. */
const char *status_value(const char *status, const char *key, char *to, size_t size);

/* The machine's side of the facts about namespaces; and about ours, when they are to be the service's. */
int spaces_prepare(struct attest_ref *ref, int machine, int own, struct err *e);

/* The parts: 0, or -errno when something could not be read at all. */
typedef int attest_part(struct attest_run *r, struct err *e);
attest_part attest_ids, attest_caps, attest_flags, attest_namespaces, attest_cgroup, attest_mounts, attest_files,
	attest_descriptors, attest_limits, attest_sched, attest_filter;
