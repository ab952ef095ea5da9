/* Reading a cell back from the kernel and comparing it with the plan: at its exec, and later for `prior audit`. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/err.h"
#include "services/plan/plan.h"
#include <sys/types.h>

/* One fact: what was planned, what the kernel says. Rows of one table; `prior audit` prints them all. */
struct attest_fact {
	const char *name;	/* "Uid", "CapBnd", "mount /tmp", "memory.max", ...; lives as long as the call */
	char want[96], got[96];
	int equal;
	const char *mend;	/* the command that makes it right; NULL: none is known */
};

typedef void attest_each(void *ctx, const struct attest_fact *f);

/*
 * Compare process pid (a pid in our namespace) with the plan. procfs is a descriptor of a procfs of our own pid
 * namespace; our own namespaces are taken for the machine's. at_exec: it is stopped at its exec by us (the seccomp
 * program is compared too); otherwise a running service: what a service may change by itself, e.g. its descriptors, is
 * not a difference, and the filter is read with a brief PTRACE_SEIZE + PTRACE_INTERRUPT when we may. each may be NULL.
 * net: inode number of the network that it shares with another service, 0: it has its own, or it is not known.
 * Returns the number of facts compared, or -EPERM with the first difference in e ("mount /tmp: planned
 * tmpfs,nosuid,nodev; the kernel says tmpfs,nosuid"), or -errno when the kernel could not be asked.
 */
int attest(const struct plan *p, uint32_t service, pid_t pid, int procfs, uint64_t net, int at_exec,
	   attest_each *each, void *ctx, struct err *e);

/* In the process whose starts are to be attested: its namespaces, read once, so that no builder asks for them again. */
void attest_remember(void);
