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

static const struct plan_field device_match_fields[] = {
	FIELD(plan_file, path, STRING, .text = TEXT_RELATIVE, .needed = 1, .max = 100),
	FIELD(plan_file, value, STRING, .max = 255),
};
static const struct plan_type device_match_type = TYPE(plan_file, FIELDS(device_match_fields));

static const struct plan_field device_link_fields[] = {
	{ .name = "link", STRING, .text = TEXT_RELATIVE, .needed = 1, .max = 200 },
};
static const struct plan_type device_link_type = TYPE(plan_ref, FIELDS(device_link_fields));

static const struct plan_field device_path_fields[] = {
	{ .name = "path", STRING, .text = TEXT_INSIDE, .needed = 1, .max = 255 },
};
const struct plan_type plan_device_path_type = TYPE(plan_ref, FIELDS(device_path_fields));

static const struct plan_field device_rule_fields[] = {
	FIELD(plan_device_rule, subsystem, STRING, .max = 255),
	FIELD(plan_device_rule, name, STRING, .max = 255),
	FIELD(plan_device_rule, driver, STRING, .max = 255),
	FIELD(plan_device_rule, attributes, .of = &device_match_type, .max = 16),
	FIELD(plan_device_rule, properties, .of = &device_match_type, .max = 16),
	FIELD(plan_device_rule, links, .of = &device_link_type, .max = 8),
};

static const char *device_rule_wrong(const struct plan *p, const void *record)
{
	const struct plan_device_rule *r = record;

	(void)p;
	return r->flags > 7 || r->mode > 0777 || r->uid == UINT32_MAX || r->gid == UINT32_MAX ?
	       "its mode or owner is out of range" : NULL;
}

const struct plan_type plan_device_rule_type =
	TYPE(plan_device_rule, FIELDS(device_rule_fields), .wrong = device_rule_wrong);

static const char *boot_env_wrong(const struct plan *p, const void *record)
{
	const struct plan_boot_env *v = record;

	(void)p;
	return v->size < 64 || v->size > (1u << 18) ? "size of an environment" : NULL;
}

const struct plan_type plan_boot_env_type = TYPE(plan_boot_env, FIELDS(boot_env_fields), .wrong = boot_env_wrong);
