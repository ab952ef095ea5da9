/* A filter profile from a file, as far as it is read: for compile_filter.c. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/compiling.h"
#include "services/plan/seccomp_oci.h"
#include "services/sign/sign.h"

/* One file, for services with the same capabilities. In the spec's arena. */
struct profile {
	struct profile *next;
	const char *path;
	struct signed_bytes bytes;	/* of the file, where signatures are asked for: each service asks for itself */
	uint64_t caps;
	const char *why_not;		/* why it cannot be used; NULL: one of the two below is set */
	const struct policy *base;	/* of JSON */
	const struct sock_filter *program; /* as in the file: checked, decides what ours allows */
	unsigned nprogram;
	struct oci_said said;
};

/* Of w->eff.seccomp_path. NULL: out of memory, noted. */
const struct profile *profile_get(struct compiling *c, const struct work *w);
