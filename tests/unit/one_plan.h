/* For a file whose tests compile one plan after the other: that plan, and the words about it. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "tests/unit/plan_compiled.h"

static struct compiled c = { .fd = -1 };

/* A teardown. */
__attribute__((unused)) static int done(void **state)
{
	(void)state;
	compiled_free(&c);
	return 0;
}

__attribute__((unused)) static const char *str(struct plan_ref r)
{
	return plan_str(&c.plan, r);
}

/* The first interface of a service. */
__attribute__((unused)) static const struct plan_link *link_of(const struct plan_service *s)
{
	return PLAN_FIRST(&c.plan, s->links, struct plan_link);
}

#define web(lines) compiled_web(&c, lines)
#define refused(lines, says) compiled_refuses(&c, lines, says)
