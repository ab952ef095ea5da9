/* Fuzzes the reader of OCI's seccomp profiles: whatever the bytes are, it ends with a policy or with a place. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/seccomp_oci.h"
#include "services/plan/types.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the reader made of it: 1: a policy, in *p; 0: it was refused, and e says where. Anything else is a fault. */
static int read_profile(struct policy *p, struct arena *a, const uint8_t *data, size_t size, struct err *e)
{
	const struct oci_facts f = { .arch = PLAN_ARCH, .caps = size & 1 ? UINT64_MAX : 0, .kernel = 0x60001 };
	struct oci_said said = { 0 };
	const int ret = oci_read(p, a, "/p.json", (const char *)data, size, &f, &said, e);

	if (ret >= 0)
		return 1;
	if (ret != -e->code || strncmp(e->text, "/p.json", 7) != 0 || !e->text[7]) {
		fprintf(stderr, "refused with %d, '%s'\n", ret, e->text);
		abort();
	}
	return 0;
}

#ifndef FUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy p;
	struct arena a = { 0 };
	struct err e = { 0 };

	read_profile(&p, &a, data, size, &e);
	arena_free(&a);
	return 0;
}
#endif
