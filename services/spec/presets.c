/* What a service has before its own lines: the rows' defaults, its preset, the file's defaults, in this order. */
/* SPDX-License-Identifier: ISC */
#include "init/base/embed.h"
#include "services/spec/load.h"
#include <string.h>

static const struct embedded_file *preset_file(unsigned preset)
{
	for (const struct embedded_file *f = embedded_presets; f->name; f++)
		if (!strcmp(f->name, preset_names[preset]))
			return f;
	return NULL;
}

static void preset_tree_says(struct tree *t, const struct node *in, uint32_t line, uint32_t col, const char *text)
{
	struct load *l = t->owner;

	(void)in;
	spec_problem(l->s, SEV_ERROR, (struct origin){ FROM_PRESET, t->file, line, col }, NULL, "%s", text);
}

static void apply_preset(struct load *l, struct conf_read *r, struct spec_service *svc, unsigned preset)
{
	const struct embedded_file *f = preset_file(preset);
	struct tree t = { .arena = &l->s->arena, .file = (uint16_t)preset, .tell = preset_tree_says, .owner = l };
	struct node *root = f ? tree_read(&t, f->text, f->len) : NULL;

	r->from = (struct origin){ FROM_PRESET, (uint16_t)preset, 0, 0 };
	if (!root) {
		spec_problem(l->s, SEV_ERROR, r->from, NULL, "is not built into this binary");
		return;
	}
	r->top = root;
	r->layer = 2;
	conf_read_block(r, service_keys, svc, root);
}

static void apply_defaults(struct load *l, struct conf_read *r, struct spec_service *svc)
{
	r->from = (struct origin){ .kind = FROM_FILE };
	r->layer = 3;
	for (unsigned i = 0; i < l->ndefaults; i++) {
		const struct defaults_block *d = &l->defaults[i];

		l->of_file = d->of_file;
		r->top = d->node->up;
		if (d->row)
			conf_read_key(r, d->row, svc, d->node);
		else
			conf_read_block(r, service_keys, svc, d->node);
	}
	l->of_file = false;
}

const struct spec_service *load_made(struct load *l, unsigned preset)
{
	struct spec_service *svc = l->made[preset];
	const struct conf_index *x = service_index();
	struct conf_read r = load_read(l);

	if (svc)
		return svc;
	for (unsigned i = 0; i < PRESETS; i++)
		l->quiet |= l->made[i] != NULL;	/* the defaults' problems were told with the first one */
	svc = arena_get(&l->s->arena, sizeof *svc);
	r.layers = load_layers(l, x->rows);
	if (!svc || !r.layers || !origins_begin(&svc->origins, &l->s->arena, x->rows, NULL)) {
		spec_problem(l->s, SEV_ERROR, (struct origin){ 0 }, NULL, "no memory left for the configuration");
		return NULL;
	}
	r.index = x;
	r.origins = &svc->origins;
	r.layer = 1;
	conf_defaults(&r, svc);
	svc->preset = preset;
	apply_preset(l, &r, svc, preset);
	apply_defaults(l, &r, svc);
	l->quiet = false;
	l->made[preset] = svc;
	return svc;
}
