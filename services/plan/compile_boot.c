/* The machine's A/B slots in the plan: machine.slots. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/slots.h"
#include "rootfs/uboot_env.h"
#include "services/plan/compiling.h"
#include <stdlib.h>
#include <string.h>

/* Slots are all of the machine's: without a place of their own the first of them is. */
static void say(struct compiling *c, enum severity how, const char *name, const char *what)
{
	const struct spec_slot_list *l = &c->s->machine.slots;
	const struct origin none = { 0 };

	spec_problem(c->s, how, l->n ? l->v->from : none, NULL, "machine.slots.%s: %s", name, what);
}

static void problem(struct compiling *c, const char *name, const char *what)
{
	say(c, SEV_ERROR, name, what);
}

/* "/dev/mmcblk0 0x3e0000 0x20000", and what fw_env.config may have behind that. */
static bool parse_env(struct compiling *c, const char *line, struct plan_boot_env *v)
{
	const size_t n = strcspn(line, " \t");
	char *copy = arena_copy(&c->s->arena, line, n), *end, *behind;

	v->offset = strtoull(line + n, &end, 0);
	const unsigned long long size = strtoull(end, &behind, 0);

	if (!copy || n == 0 || n > 255 || end == line + n || behind == end || *behind || size < UBOOT_ENV_MIN ||
	    size > UBOOT_ENV_MAX || v->offset > INT64_MAX - UBOOT_ENV_MAX)
		return false;
	v->size = (uint32_t)size;
	v->place = write_string(&c->w, copy);
	return true;
}

static void compile_env(struct compiling *c, struct plan_head *h)
{
	const struct str_list *l = &c->s->machine.slots_env;
	struct plan_boot_env *v = compiling_get(c, (l->n + 1) * sizeof *v);

	for (unsigned i = 0; v && i < l->n; i++)
		if (!parse_env(c, l->v[i], v + i))
			problem(c, "env", "a line is DEVICE OFFSET SIZE, as in fw_env.config, with a size of 64 to "
				"262144 bytes");
	if (l->n > 2 || (v && l->n == 2 && v[0].size != v[1].size))
		problem(c, "env", "it is one line, or two of the same size");
	if (l->n == 1 && c->s->machine.slots_by == SLOTS_BY_UBOOT)
		say(c, SEV_NOTE, "env", "there is one copy of the environment: a cut of power while it is written "
		    "loses all of it, and the machine may not boot; U-Boot's redundant one has two");
	h->boot_env = write_table(&c->w, v, v && l->n <= 2 ? l->n : 0, sizeof *v);
}

static void check(struct compiling *c, const struct spec_machine *m)
{
	if (m->slots.n > SLOTS_MAX)
		problem(c, "list", "more than eight");
	for (unsigned i = 0; i < m->slots.n; i++)
		for (unsigned k = 0; k < i; k++)
			if (m->slots.v[i].name && m->slots.v[k].name && !strcmp(m->slots.v[i].name, m->slots.v[k].name))
				problem(c, "list", "a name is given twice");
	if (m->slots.n && m->slots_by != SLOTS_BY_UBOOT && !m->slots_at)
		problem(c, "at", "is missing: where the tries are counted");
	if (m->slots.n && m->slots_by == SLOTS_BY_UBOOT && !m->slots_env.n)
		problem(c, "env", "is missing: where U-Boot keeps its environment");
	if (!m->slots.n && (m->slots_at || m->slots_env.n))
		problem(c, "list", "is missing: which slots there are");
}

void compile_boot_slots(struct compiling *c, struct plan_head *h)
{
	const struct spec_machine *m = &c->s->machine;
	struct plan_boot_slot *v = compiling_get(c, (m->slots.n + 1) * sizeof *v);

	check(c, m);
	for (unsigned i = 0; v && i < m->slots.n; i++) {
		v[i].name = write_string(&c->w, m->slots.v[i].name);
		v[i].device = write_string(&c->w, m->slots.v[i].device);
		v[i].type = write_string(&c->w, m->slots.v[i].type);
		v[i].verity = write_string(&c->w, m->slots.v[i].verity);
	}
	h->boot_slots = write_table(&c->w, v, v && m->slots.n <= SLOTS_MAX ? m->slots.n : 0, sizeof *v);
	h->slots_at = write_string(&c->w, m->slots_at);
	h->slots_hook = write_words(c, &m->slots_hook);
	h->slots_by = m->slots_by;
	h->slots_tries = (uint32_t)m->slots_tries;
	h->good_after_ms = (uint32_t)m->good_after;
	compile_env(c, h);
}
