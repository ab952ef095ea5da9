/* Two plans side by side: see changes.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/changes.h"
#include "services/plan/types.h"
#include <string.h>

static const char *name_of(const struct plan *p, uint32_t i)
{
	return plan_str(p, plan_service(p, i)->name);
}

void changes_match(const struct plan *from, const struct plan *to, uint32_t *to_new, uint32_t *to_old)
{
	uint32_t n = from->head->services.n, m = to->head->services.n, i = 0, k = 0;

	memset(to_new, 0xff, n * sizeof *to_new);
	memset(to_old, 0xff, m * sizeof *to_old);
	while (i < n && k < m) {
		int order = strcmp(name_of(from, i), name_of(to, k));

		if (order == 0) {
			to_new[i] = k;
			to_old[k] = i;
		}
		i += order <= 0;
		k += order >= 0;
	}
}

bool changes_service(const struct plan *from, uint32_t i, const struct plan *to, uint32_t k)
{
	return k == CHANGES_NONE || plan_service(from, i)->hash != plan_service(to, k)->hash;
}

bool changes_machine(const struct plan *from, const struct plan *to)
{
	return plan_machine_hash(from) != plan_machine_hash(to);
}
