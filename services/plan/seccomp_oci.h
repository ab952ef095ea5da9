/* Filter profiles from files: the JSON of OCI runtimes and container engines. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/arena.h"
#include "services/plan/seccomp.h"

#define OCI_BYTES_MAX (1u << 20)

/* What a profile's `includes` and `excludes` are asked about. */
struct oci_facts {
	uint32_t arch;		/* AUDIT_ARCH_* */
	uint64_t caps;		/* of the service */
	unsigned kernel;	/* 6.1 is 0x60001 */
};

/* What the reader found besides: texts in the arena, NULL where there is nothing to tell. */
struct oci_said {
	const char *foreign;	/* architectures that the profile would let in and prior does not */
	const char *unknown;	/* calls that are allowed and that nobody here knows */
	bool log;		/* SECCOMP_FILTER_FLAG_LOG */
};

/*
 * From the text of `path` (named in messages only) to a policy: OCI's linux.seccomp, with the archMap, includes and
 * excludes that Docker and Podman add. Of a call's rules the first that applies decides; several comparisons of one
 * argument in one rule are alternatives, as in runc. EINVAL: "PATH:LINE:COL: what is wrong"; nothing is passed over.
 */
int oci_read(struct policy *p, struct arena *a, const char *path, const char *text, size_t n, const struct oci_facts *f,
	     struct oci_said *said, struct err *e);
