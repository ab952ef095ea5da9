/* Loading: files become trees, trees become structs by the rows, and what is wrong becomes a list of problems. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/load.h"
#include "services/spec/signers.h"
#include <errno.h>
#include <string.h>

static void rows_say(struct conf_read *r, unsigned severity, struct origin at, const char *text)
{
	struct load *l = r->owner;

	if (l->quiet || (l->sample && template_sample_touched(l, at)))
		return;
	if (severity == CONF_ERROR && !l->service && l->of_file)
		spec_problem_file(l->s, at, text);
	else
		spec_problem(l->s, severity == CONF_ERROR ? SEV_ERROR : SEV_NOTE, at, l->service, "%s", text);
}

struct conf_read load_read(struct load *l)
{
	return (struct conf_read){ .arena = &l->s->arena, .from = { .kind = FROM_FILE }, .files = l->s->files,
				   .tell = rows_say, .owner = l };
}

/* systemg calls the same format "2". */
unsigned char *load_layers(struct load *l, unsigned rows)
{
	if (l->nlayers < rows) {
		l->layers = arena_get(&l->s->arena, rows);
		l->nlayers = l->layers ? rows : 0;
	}
	if (l->layers)
		memset(l->layers, 0, rows);
	return l->layers;
}

READER(set_version)
{
	const char *text = NULL;

	(void)k;
	(void)obj;
	if (conf_scalar(r, n, &text) == 0 && strcmp(text, "1") && strcmp(text, "2"))
		conf_error(r, n, "'%.20s' is not a version that this prior reads; it reads 1", text);
}

READER(set_services)
{
	struct load *l = r->owner;

	(void)k;
	(void)obj;
	if (n->kind == NODE_MAP)
		l->services[n->file] = n;
	else if (!conf_is_empty(n))
		conf_error(r, n, "must be a map from names to services");
}

READER(set_defaults)
{
	struct load *l = r->owner;
	const struct conf_key *row = k->alias ? conf_row(service_keys, k->name) : NULL;

	(void)obj;
	if (l->ndefaults == l->room) {
		unsigned room = l->room ? l->room * 2 : 8;
		struct defaults_block *v = arena_get(r->arena, room * sizeof *v);

		if (!v) {
			conf_error(r, n, "no memory left for the configuration");
			return;
		}
		if (l->room)
			memcpy(v, l->defaults, l->room * sizeof *v);
		l->defaults = v;
		l->room = room;
	}
	l->defaults[l->ndefaults++] = (struct defaults_block){ n, row, l->of_file };
}

static void read_file(struct load *l, struct conf_read *r, unsigned file)
{
	l->of_file = l->directory && file > 1;
	r->top = l->roots[file];
	if (r->top)
		conf_read_block(r, top_keys, l->s, r->top);
}

static int read_top(struct load *l, struct err *e)
{
	const struct conf_index *x = top_index();
	struct conf_read r = load_read(l);
	struct spec *s = l->s;

	r.index = x;
	r.origins = &s->machine.origins;
	r.layers = load_layers(l, x->rows);
	if (!r.layers || !origins_begin(r.origins, &s->arena, x->rows, NULL))
		return err_set(e, ENOMEM, "no memory left for the configuration");
	r.layer = 1;
	conf_defaults(&r, s);
	r.layer = 2;
	for (unsigned f = 1; f <= s->nfiles; f++)
		read_file(l, &r, f);
	l->of_file = false;
	ip_option_join(l);
	const char *more = machine_services(l);

	if (!more)
		return err_set(e, ENOMEM, "no memory left for the configuration");
	if (*more && load_more(l, "network.interfaces", more, e) < 0)
		return -e->code;
	if (*more)
		read_file(l, &r, s->nfiles);
	l->of_file = false;
	conf_refuse_unbuilt(&r, s);
	signers_judge(s);
	return 0;
}

static const struct node *child(const struct node *n, const char *key)
{
	for (const struct node *c = n && n->kind == NODE_MAP ? n->first : NULL; c; c = c->next)
		if (!strcmp(c->key, key))
			return c;
	return NULL;
}

/* The preset decides what the other rows start from, so it is looked up before them; its faults are told later. */
static bool wanted_preset(const struct node *isolation, unsigned *preset)
{
	const struct node *n = child(isolation, "preset");

	if (!n || n->kind != NODE_SCALAR)
		return false;
	for (unsigned i = 0; i < PRESETS; i++)
		if (!strcmp(n->text, preset_names[i])) {
			*preset = i;
			return true;
		}
	return false;
}

static unsigned preset_of(const struct load *l, const struct node *own, const struct node *base)
{
	unsigned preset = PRESET_SERVER;

	if (wanted_preset(child(own, "isolation"), &preset) || wanted_preset(child(base, "isolation"), &preset))
		return preset;
	for (unsigned i = 0; i < l->ndefaults; i++) {
		const struct defaults_block *d = &l->defaults[i];
		bool is_it = d->row && d->row->sub == isolation_keys;

		if (wanted_preset(is_it ? d->node : d->row ? NULL : child(d->node, "isolation"), &preset))
			return preset;
	}
	return preset;
}

static void check_name(struct load *l, const struct spec_service *svc)
{
	if (spec_name_kind(svc->name) == NAME_BAD)
		spec_problem(l->s, SEV_ERROR, svc->from, svc->name,
			     "the name must be [a-z0-9][a-z0-9_.-]*, at most %u bytes%s", SPEC_NAME_MAX,
			     strchr(svc->name, '@') ? "; of an instance so is what follows the @" : "");
	else if (!strcmp(svc->name, "prior"))
		spec_problem(l->s, SEV_ERROR, svc->from, svc->name,
			     "the name is taken: prior's own events are logged under it");
}

/* Its own lines over those of its template, over what its preset and the defaults make of it. */
void load_service(struct load *l, struct spec_service *svc, const char *name, struct origin from,
		  const struct node *base, const struct node *own)
{
	const struct conf_index *x = service_index();
	const struct spec_service *made = load_made(l, preset_of(l, own, base));
	struct conf_read r = load_read(l);

	*svc = made ? *made : (struct spec_service){ 0 };
	svc->name = *name ? name : "\"\"";	/* refused for its name, which a plan must have even so */
	svc->from = from;
	l->service = svc->name;
	r.index = x;
	r.layers = load_layers(l, x->rows);
	r.origins = &svc->origins;
	if (!made || !r.layers || !origins_begin(r.origins, &l->s->arena, x->rows, &made->origins)) {
		spec_problem(l->s, SEV_ERROR, svc->from, NULL, "no memory left for the configuration");
		svc->origins = (struct origins){ 0 };
		return;
	}
	check_name(l, svc);
	for (r.layer = 1; r.layer <= 2; r.layer++) {
		r.top = r.layer == 1 ? base : own;
		if (r.top)
			conf_read_block(&r, service_keys, svc, r.top);
	}
	resolve_service(l, svc);
	conf_refuse_unbuilt(&r, svc);
	check_service(l, svc);
	l->service = NULL;
}

static void refuse_twice(struct load *l, const struct spec_service *first, const struct node *n)
{
	struct origin at = { FROM_FILE, n->file, n->key_line, n->key_col };

	spec_problem(l->s, SEV_ERROR, at, first->name, "is given twice; first at %s:%u",
		l->s->files[first->from.file], first->from.line);
}

static const struct spec_service *find_among(const struct spec *s, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(s->services[i].name, name))
			return s->services + i;
	return NULL;
}

/* before: how many services the files before have; within one file the tree knows what is there twice. */
static void read_one(struct load *l, unsigned before, const struct node *c)
{
	const struct spec_service *first = find_among(l->s, before, c->key);
	struct origin at = { FROM_FILE, c->file, c->key_line, c->key_col };

	if (first)
		refuse_twice(l, first, c);
	else if (spec_name_kind(c->key) == NAME_INSTANCE)
		template_declared(l, &l->s->services[l->s->nservices++], c);
	else
		load_service(l, &l->s->services[l->s->nservices++], c->key, at, NULL, c);
}

/* Templates first: an instance may stand before or in another file. */
static void read_named(struct load *l, bool templates)
{
	unsigned before = 0;

	for (unsigned f = 1; f <= l->s->nfiles; before = l->s->nservices, f++)
		for (const struct node *c = l->services[f] ? l->services[f]->first : NULL; c; c = c->next) {
			if (c->again || (spec_name_kind(c->key) == NAME_TEMPLATE) != templates)
				continue;
			if (templates)
				template_add(l, c);
			else
				read_one(l, before, c);
		}
}

static int read_services(struct load *l, struct err *e)
{
	struct spec *s = l->s;

	for (unsigned f = 1; f <= s->nfiles; f++)
		l->service_room += l->services[f] ? l->services[f]->n : 0;
	l->service_room++;
	s->services = arena_get(&s->arena, l->service_room * sizeof *s->services);
	if (!s->services)
		return err_set(e, ENOMEM, "no memory left for the configuration");
	load_made(l, PRESET_SERVER);	/* so that the defaults are checked even when no service uses them */
	read_named(l, true);
	read_named(l, false);
	templates_instantiate(l);
	check_graph(l);
	return 0;
}

static int load_rest(struct load *l, int rc, struct err *e)
{
	if (rc == 0)
		rc = read_top(l, e);
	if (rc == 0)
		rc = read_services(l, e);
	if (rc < 0)
		spec_free(l->s);
	return rc;
}

int spec_load_with(struct spec *s, const char *path, const struct spec_beside *b, struct err *e)
{
	struct load l = { .s = s, .asked = b->instances, .container = b->container, .ip = b->ip };

	*s = (struct spec){ 0 };
	const int rc = signers_begin(s, b->trust, e);

	return load_rest(&l, rc < 0 ? rc : load_files(&l, path, e), e);
}

int spec_load(struct spec *s, const char *path, struct err *e)
{
	return spec_load_with(s, path, &(struct spec_beside){ 0 }, e);
}

int spec_load_text(struct spec *s, const char *name, const char *text, size_t n, struct err *e)
{
	struct load l = { .s = s };

	*s = (struct spec){ 0 };
	return load_rest(&l, load_text(&l, name, text, n, e), e);
}

void spec_free(struct spec *s)
{
	arena_free(&s->arena);
	*s = (struct spec){ 0 };
}

struct spec_service *spec_find(const struct spec *s, const char *name)
{
	return (struct spec_service *)find_among(s, s->nservices, name);
}

/* Asked for some fields of every service: the number of the row behind an offset is looked up once. */
struct origin spec_from(const struct spec_service *svc, const void *field)
{
	static uint16_t known[sizeof(struct spec_service)];	/* 0: not asked yet; else 2 + the row's number */
	const size_t at = (size_t)((const char *)field - (const char *)svc);
	const struct conf_index *x = service_index();

	if (at >= sizeof *svc)
		return (struct origin){ 0 };
	if (!known[at]) {
		const struct conf_key *k = conf_row_at(x, at);

		known[at] = (uint16_t)(2 + (k ? conf_number(x, k) : -1));
	}
	return svc->origins.slot ? origins_get(&svc->origins, known[at] - 2) : (struct origin){ 0 };
}

struct origin spec_machine_from(const struct spec *s, const void *field)
{
	const struct conf_index *x = top_index();
	const struct conf_key *k = conf_row_at(x, (size_t)((const char *)field - (const char *)s));

	if (!s->machine.origins.slot || !k)
		return (struct origin){ 0 };
	return origins_get(&s->machine.origins, conf_number(x, k));
}

const char *spec_origin_text(struct spec *s, struct origin o)
{
	const char *text = "default";

	if (o.kind == FROM_PRESET)
		text = arena_fmt(&s->arena, "preset %s", preset_names[o.file]);
	else if (o.kind == FROM_FILE)
		text = arena_fmt(&s->arena, "%s:%u", s->files[o.file], o.line);
	return text ? text : "?";
}
