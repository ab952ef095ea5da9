/* What is wrong with a configuration: kept with its place, printed in the form that editors jump to. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "services/spec/spec.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static struct problem *add(struct spec *s, unsigned severity, struct origin at, const char *service, const char *text)
{
	struct problem *p = arena_get(&s->arena, sizeof *p);

	s->nerrors += severity == SEV_ERROR;	/* counts even when there is no memory to keep it */
	if (!p)
		return NULL;
	*p = (struct problem){ .severity = severity, .at = at, .service = service,
			       .text = arena_copy(&s->arena, text, strlen(text)) };
	if (!p->text)
		p->text = "no memory left for the configuration";
	*(s->last_problem ? &s->last_problem->next : &s->problems) = p;
	s->last_problem = p;
	s->nproblems++;
	return p;
}

void spec_problem(struct spec *s, unsigned severity, struct origin at, const char *service, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	text_tame(text);
	add(s, severity, at, service, text);
}

void spec_problem_file(struct spec *s, struct origin at, const char *text)
{
	struct problem *p = add(s, SEV_ERROR, at, NULL, text);

	if (p)
		p->of_file = true;
}

bool spec_has_errors(const struct spec *s, const char *service)
{
	const struct spec_service *svc = service ? spec_find(s, service) : NULL;

	/* Errors that could not be kept are errors of everything. */
	if (s->nerrors && !s->problems)
		return true;
	for (const struct problem *p = s->problems; p; p = p->next) {
		if (p->severity != SEV_ERROR)
			continue;
		if (!p->service && !p->of_file)
			return true;
		if (service && p->service && !strcmp(p->service, service))
			return true;
		if (svc && p->of_file && svc->from.file == p->at.file)
			return true;
	}
	return false;
}

static int by_place(const void *a, const void *b)
{
	const struct problem *x = *(const struct problem *const *)a, *y = *(const struct problem *const *)b;

	if (x->at.file != y->at.file)
		return x->at.file < y->at.file ? -1 : 1;
	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	return x->at.col == y->at.col ? 0 : x->at.col < y->at.col ? -1 : 1;
}

static void print_one(const struct spec *s, const struct problem *p, FILE *to)
{
	if (p->at.kind == FROM_FILE && p->at.line)
		fprintf(to, "%s:%u:%u: ", s->files[p->at.file], p->at.line, p->at.col);
	else if (p->at.kind == FROM_PRESET)
		fprintf(to, "preset %s: ", preset_names[p->at.file]);
	fprintf(to, "%s: ", p->severity == SEV_ERROR ? "error" : "note");
	if (p->service)
		fprintf(to, "service %s: ", p->service);
	fprintf(to, "%s\n", p->text);
}

void spec_print_problems(const struct spec *s, FILE *to)
{
	const struct problem **v = calloc(s->nproblems + 1, sizeof *v);
	unsigned n = 0;

	for (const struct problem *p = s->problems; v && p; p = p->next)
		v[n++] = p;
	if (v)
		qsort(v, n, sizeof *v, by_place);
	for (unsigned i = 0; i < n; i++)
		print_one(s, v[i], to);
	if (s->nproblems == 0 && s->nerrors)
		fprintf(to, "error: no memory left for the configuration\n");
	free(v);
}
