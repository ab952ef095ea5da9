/* The rows of the records about the machine itself: see types.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/type_rows.h"

static const struct plan_field fstab_fields[] = {
	FIELD(plan_fstab, source, STRING, .text = TEXT_FULL, .needed = 1),
	FIELD(plan_fstab, target, STRING, .text = TEXT_INSIDE, .needed = 1),
	FIELD(plan_fstab, type, STRING),
	FIELD(plan_fstab, data, STRING),
};

static const char *fstab_wrong(const struct plan *p, const void *record)
{
	(void)p;
	return ((const struct plan_fstab *)record)->optional > 1 ? "optional is neither 0 nor 1" : NULL;
}

const struct plan_type plan_fstab_type = TYPE(plan_fstab, FIELDS(fstab_fields), .wrong = fstab_wrong);

static const struct plan_field boot_slot_fields[] = {
	FIELD(plan_boot_slot, name, STRING, .text = TEXT_FILE, .needed = 1, .max = 31),
	FIELD(plan_boot_slot, device, STRING, .max = 255),
	FIELD(plan_boot_slot, type, STRING, .max = 31),
	FIELD(plan_boot_slot, verity, STRING, .max = 135),
};
const struct plan_type plan_boot_slot_type = TYPE(plan_boot_slot, FIELDS(boot_slot_fields));

static const struct plan_field boot_env_fields[] = {
	FIELD(plan_boot_env, place, STRING, .text = TEXT_FULL, .needed = 1, .max = 255),
};

static const char *boot_env_wrong(const struct plan *p, const void *record)
{
	const struct plan_boot_env *v = record;

	(void)p;
	return v->size < 64 || v->size > (1u << 18) ? "size of an environment" : NULL;
}

const struct plan_type plan_boot_env_type = TYPE(plan_boot_env, FIELDS(boot_env_fields), .wrong = boot_env_wrong);
