/* Odd spellings around supervision: restart, backoff, dependencies, failure, health. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/rows.h"
#include <string.h>

/* The word, or Compose's on-failure:N. */
READER(set_restart)
{
	const char *text = NULL;

	if (conf_scalar(r, n, &text) < 0)
		return;
	if (!strncmp(text, "on-failure:", 11)) {
		struct node word = conf_made(n, "on-failure");

		conf_read_plainly(r, k, obj, &word);
		conf_read_text(r, "max_restarts", obj, n, text + 11);
	} else {
		conf_read_plainly(r, k, obj, n);
	}
}

/* One time is the first pause and the longest. */
READER(set_backoff)
{
	struct spec_service *svc = obj;

	conf_read_plainly(r, &k->sub[0], obj, n);
	svc->backoff_max = svc->backoff_initial;
}

READER(set_on_failure)
{
	struct spec_service *svc = obj;
	const char *text = NULL;

	if (conf_scalar(r, n, &text) < 0)
		return;
	if (!strncmp(text, "start:", 6) && text[6]) {
		svc->on_failure = ON_FAILURE_START;
		svc->on_failure_start = text + 6;
	} else if (!strncmp(text, "start", 5)) {
		conf_error(r, n, "'%.60s' does not name a service; write start:SERVICE", text);
	} else {
		conf_read_plainly(r, k, obj, n);
		svc->on_failure_start = NULL;
	}
}

PRINTER(put_on_failure)
{
	const struct spec_service *svc = obj;

	if (o->form == CONF_FORM_FROM)
		conf_put_origin(o, o->at);
	else if (svc->on_failure != ON_FAILURE_START)
		conf_put_text(o, k->words[svc->on_failure]);
	else
		fprintf(o->to, "\"start:%s\"", svc->on_failure_start);
}

static const char *const conditions[] = { "service_started", "service_healthy", "service_completed_successfully",
	NULL };

/* What stands behind a name in the map form: nothing, or {condition: WORD}. */
static void read_condition(struct conf_read *r, const struct node *n, unsigned *out)
{
	const struct node *c = n->first;
	const char *near;

	if (conf_is_empty(n))
		return;
	if (n->kind != NODE_MAP || n->n != 1 || strcmp(c->key, "condition") || c->kind != NODE_SCALAR) {
		conf_error(r, n, "must be {condition: service_started, service_healthy or "
			"service_completed_successfully}");
		return;
	}
	for (unsigned i = 0; conditions[i]; i++)
		if (!strcmp(c->text, conditions[i])) {
			*out = i;
			return;
		}
	near = value_nearest(c->text, conditions);
	conf_error(r, c, "'%.60s' is not one of service_started, service_healthy, "
		"service_completed_successfully%s%s%s", c->text,
		   near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

READER(set_depends_on)
{
	struct spec_dep_list *out = (struct spec_dep_list *)((char *)obj + k->at), deps = { 0 };
	struct str_list l = { 0 };

	if (n->kind != NODE_MAP && conf_list(r, n, &l) < 0)
		return;
	deps.v = arena_get(r->arena, ((n->kind == NODE_MAP ? n->n : l.n) + 1) * sizeof *deps.v);
	if (!deps.v) {
		conf_error(r, n, "no memory left for the configuration");
		return;
	}
	for (unsigned i = 0; i < l.n; i++)
		deps.v[deps.n++].name = l.v[i];
	if (n->kind == NODE_MAP)
		for (const struct node *c = n->first; c; c = c->next) {
			deps.v[deps.n].name = c->key;
			read_condition(r, c, &deps.v[deps.n++].condition);
		}
	*out = deps;
}

bool depends_on_given(const struct conf_key *k, const void *obj)
{
	return ((const struct spec_dep_list *)((const char *)obj + k->at))->n != 0;
}

PRINTER(put_depends_on)
{
	const struct spec_dep_list *l = (const struct spec_dep_list *)((const char *)obj + k->at);

	fputc('{', o->to);
	for (unsigned i = 0; i < l->n; i++) {
		fputs(i ? ", " : "", o->to);
		conf_put_text(o, l->v[i].name);
		fputs(": {", o->to);
		conf_put_text(o, "condition");
		fputs(": ", o->to);
		if (o->form == CONF_FORM_FROM)
			conf_put_origin(o, o->at);
		else
			conf_put_text(o, conditions[l->v[i].condition]);
		fputc('}', o->to);
	}
	fputc('}', o->to);
}

/* Compose: [NONE], [CMD, ARG...], [CMD-SHELL, TEXT], or one text for a shell. */
READER(set_health_test)
{
	struct str_list l, *out = (struct str_list *)((char *)obj + k->at);
	const char **shell = arena_get(r->arena, 3 * sizeof *shell);

	if (conf_list(r, n, &l) < 0 || !shell)
		return;
	shell[0] = "/bin/sh";
	shell[1] = "-c";
	if (n->kind == NODE_SCALAR && l.n == 1) {
		shell[2] = l.v[0];
		*out = (struct str_list){ shell, 3 };
	} else if (l.n == 2 && !strcmp(l.v[0], "CMD-SHELL")) {
		shell[2] = l.v[1];
		*out = (struct str_list){ shell, 3 };
	} else if (l.n > 1 && !strcmp(l.v[0], "CMD")) {
		*out = (struct str_list){ l.v + 1, l.n - 1 };
	} else if (l.n == 1 && !strcmp(l.v[0], "NONE")) {
		*out = (struct str_list){ 0 };
	} else {
		conf_error(r, n, "must be [CMD, PROGRAM, ARG...], [CMD-SHELL, TEXT], [NONE] or a text for a shell");
	}
}

/* As it is read: the program behind CMD, a shell's text behind the shell. */
PRINTER(put_health_test)
{
	const struct str_list *l = (const struct str_list *)((const char *)obj + k->at);

	if (o->form == CONF_FORM_FROM) {
		conf_put_origin(o, o->at);
		return;
	}
	fputc('[', o->to);
	conf_put_text(o, "CMD");
	for (unsigned i = 0; i < l->n; i++) {
		fputs(", ", o->to);
		conf_put_text(o, l->v[i]);
	}
	fputc(']', o->to);
}
