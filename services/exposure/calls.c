/* Which system calls a service can make. */
/* SPDX-License-Identifier: ISC */
#include "services/exposure/exposure.h"
#include "services/exposure/reach.h"
#include "services/plan/seccomp.h"

bool exposed_call(const struct exposed *x, const char *call, const uint64_t arg[6])
{
	const int number = call_number(x->arch, call);
	struct reach_call c = { .arch = x->arch, .number = (uint64_t)number };

	if (number < 0)		/* not here, or newer than our names: unknown numbers are asked for elsewhere */
		return false;
	for (int i = 0; i < 6; i++)
		c.arg[i] = arg ? arg[i] : REACH_ANY;
	return reach_allows(x->filter, x->nfilter, &c);
}

static bool is_refused(void *ctx, const char *call)
{
	return !exposed_call(ctx, call, NULL);
}

bool exposed_calls(const struct exposed *x, const char *calls)
{
	struct exposed copy = *x;

	return !calls_each(calls, is_refused, &copy);
}
