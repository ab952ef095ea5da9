/* The machine's interfaces and bridges: maps from names to blocks. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/load.h"
#include <string.h>

static bool name_fits(struct conf_read *r, const struct node *c)
{
	struct err e = { 0 };

	if (interface_rule(&c->key, &e) == 0)
		return true;
	conf_error_key(r, c, "%s", e.text);
	return false;
}

/* Room for the blocks of n after those of earlier files; NULL: told. */
static void *room(struct conf_read *r, const struct node *n, const void *old, unsigned have, size_t each)
{
	void *v;

	if (n->kind != NODE_MAP) {
		if (!conf_is_empty(n))
			conf_error(r, n, "must be a map from names to blocks");
		return NULL;
	}
	v = arena_get(r->arena, (have + n->n + 1) * each);
	if (!v)
		conf_error(r, n, "no memory left for the configuration");
	else if (have)
		memcpy(v, old, have * each);
	return v;
}

static bool is_again(struct conf_read *r, const struct node *c, const char *name, struct origin first)
{
	if (strcmp(c->key, name))
		return false;
	conf_error_key(r, c, "'%s' is given twice; first at %s:%u", c->key, r->files[first.file], first.line);
	return true;
}

READER(set_interfaces)
{
	struct spec *s = obj;
	struct spec_interface *v = room(r, n, s->interfaces, s->ninterfaces, sizeof *v);

	if (!v)
		return;
	s->interfaces = v;
	for (const struct node *c = n->first; c; c = c->next) {
		bool again = c->again || !name_fits(r, c);

		for (unsigned i = 0; i < s->ninterfaces && !again; i++)
			again = is_again(r, c, v[i].name, v[i].from);
		if (again)
			continue;
		conf_read_item(r, k->sub, &v[s->ninterfaces], c);
		v[s->ninterfaces].name = c->key;
		v[s->ninterfaces++].from = conf_origin(r, c);
	}
}

READER(set_bridges)
{
	struct spec *s = obj;
	struct spec_bridge *v = room(r, n, s->bridges, s->nbridges, sizeof *v);

	if (!v)
		return;
	s->bridges = v;
	for (const struct node *c = n->first; c; c = c->next) {
		bool again = c->again || !name_fits(r, c);

		for (unsigned i = 0; i < s->nbridges && !again; i++)
			again = is_again(r, c, v[i].name, v[i].from);
		if (again)
			continue;
		conf_read_item(r, k->sub, &v[s->nbridges], c);
		v[s->nbridges].name = c->key;
		v[s->nbridges++].from = conf_origin(r, c);
	}
}
