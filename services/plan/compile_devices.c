/* Rules for device files, and the devices that a service waits for. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compiling.h"
#include <errno.h>
#include <string.h>

static void wrong(struct compiling *c, const struct spec_device_rule *r, const char *what, const char *why)
{
	spec_problem(c->s, SEV_ERROR, r->from, NULL, "machine.devices: %s%s", what, why);
}

static struct plan_ref write_pairs(struct compiling *c, const struct pair_list *l)
{
	struct plan_file *f = l->n ? compiling_get(c, l->n * sizeof *f) : NULL;

	for (unsigned i = 0; f && i < l->n; i++)
		f[i] = (struct plan_file){ write_string(&c->w, l->v[i].key), write_string(&c->w, l->v[i].value) };
	return write_table(&c->w, f, f ? l->n : 0, sizeof *f);
}

static void one_owner(struct compiling *c, const struct spec_device_rule *r, struct plan_device_rule *o)
{
	const char *why;

	if (r->owner && !find_user(c, "", r->owner, &o->uid, &why))
		wrong(c, r, compiling_fmt(c, "owner '%s': ", r->owner), why);
	if (r->group && !find_group(c, "", r->group, &o->gid, &why))
		wrong(c, r, compiling_fmt(c, "group '%s': ", r->group), why);
	o->flags = (r->owner ? DEVICE_RULE_UID : 0u) | (r->group ? DEVICE_RULE_GID : 0u) |
		   (r->mode == UNSET_NUM ? 0u : DEVICE_RULE_MODE);
	o->mode = r->mode == UNSET_NUM ? 0 : (uint32_t)r->mode;
}

static void one_rule(struct compiling *c, const struct spec_device_rule *r, struct plan_device_rule *o)
{
	*o = (struct plan_device_rule){
		.subsystem = write_string(&c->w, r->subsystem), .name = write_string(&c->w, r->name),
		.driver = write_string(&c->w, r->driver), .attributes = write_pairs(c, &r->attributes),
		.properties = write_pairs(c, &r->properties), .links = write_words(c, &r->links),
	};
	one_owner(c, r, o);
	if (!r->subsystem && !r->name && !r->driver && !r->attributes.n && !r->properties.n)
		wrong(c, r, "", "a rule that is about every device: say subsystem, name, driver, attributes or "
		      "properties");
	if (!o->flags && !r->links.n)
		wrong(c, r, "", "a rule that does nothing: say owner, group, mode or links");
	if (r->attributes.n > 16 || r->properties.n > 16)
		wrong(c, r, "", "at most 16 attributes and 16 properties");
}

void compile_device_rules(struct compiling *c, struct plan_head *h)
{
	const struct spec_device_rule_list *l = &c->s->machine.device_rules;
	struct plan_device_rule *o = l->n ? compiling_get(c, l->n * sizeof *o) : NULL;

	if (l->n > 256)
		wrong(c, l->v + 256, "", "at most 256 rules");
	for (unsigned i = 0; o && i < l->n && i < 256; i++)
		one_rule(c, l->v + i, o + i);
	h->device_rules = write_table(&c->w, o, o ? l->n : 0, sizeof *o);
}

bool device_is_awaited(const struct work *w, const char *path)
{
	for (unsigned i = 0; i < w->eff.needs_devices.n; i++)
		if (!strcmp(w->eff.needs_devices.v[i], path))
			return true;
	return false;
}

void compile_needs_devices(struct compiling *c, struct work *w)
{
	const struct str_list *l = &w->eff.needs_devices;

	if (l->n && c->f->container)
		refuse(c, w, needs_devices, "needs_device: only where prior boots the machine is it told of devices; "
		       "here conditions.path_exists looks for one once");
	w->out.needs_devices = write_words(c, l);
	w->out.device_timeout_ms = l->n ? (uint32_t)w->eff.device_timeout : 0;
	w->out.device_gone = l->n ? w->eff.device_gone : 0;
}
