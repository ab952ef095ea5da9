/* The exposure of a service, printed: see exposure.h. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/exposure.h"
#include "init/ctl/term.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void ask(const struct exposed *facts, struct exposure *comparable, struct exposure *further)
{
	exposure_ask(comparable, facts, exposure_checks, EXPOSURE_CHECKS);
	exposure_ask(further, facts, exposure_further, 0);
}

int exposures_of_plan(struct exposures *x, const struct plan *p, uint32_t service, struct err *e)
{
	struct exposed facts;

	if (exposed_by_plan(&facts, p, plan_service(p, service), e) < 0)
		return err_in(e, "service %s", plan_str(p, plan_service(p, service)->name));
	ask(&facts, &x->declared, &x->further);
	exposed_free(&facts);
	return 0;
}

int exposures_of_process(struct exposures *x, const struct plan *p, uint32_t service, pid_t pid, int procfs,
			 struct err *e)
{
	struct exposed facts;

	if (exposed_by_kernel(&facts, p, plan_service(p, service), pid, procfs, e) < 0)
		return err_in(e, "service %s", plan_str(p, plan_service(p, service)->name));
	ask(&facts, &x->attested, &x->further_attested);
	x->has_attested = true;
	exposed_free(&facts);
	return 0;
}

bool exposures_are_above(const struct exposures *x, unsigned threshold)
{
	return x->declared.score > threshold || (x->has_attested && x->attested.score > threshold);
}

static void score_text(FILE *to, const struct exposure *r, const char *how)
{
	fprintf(to, "%u.%u %s %s", r->score / 10, r->score % 10, exposure_word(r->score), how);
}

/* "0.45", "?": the kernel does not show it, "-": nothing is missing. */
static void share_cell(struct table *t, const struct exposure *r, const struct exposure_check *c, uint8_t badness)
{
	const unsigned share = exposure_share(r, c, badness);

	if (badness == NOT_ASKED)
		table_cell(t, DIM, "?");
	else if (badness == 0)
		table_cell(t, GREEN, "-");
	else
		table_cell(t, RED, "%u.%02u", share / 100, share % 100);
}

static void list_text(FILE *to, const struct exposure_check *rows, const struct exposure *declared,
		      const struct exposure *attested)
{
	struct table t = { 0 };
	unsigned open = 0;

	table_row(&t);
	table_cell(&t, BOLD, "declared");
	if (attested)
		table_cell(&t, BOLD, "attested");
	table_cell(&t, BOLD, rows == exposure_checks ? "question" : "further question");
	for (unsigned i = 0; i < declared->rows; i++) {
		const uint8_t a = declared->badness[i], b = attested ? attested->badness[i] : 0;

		if ((a == 0 || a == NOT_ASKED) && (b == 0 || b == NOT_ASKED))
			continue;
		open++;
		table_row(&t);
		share_cell(&t, declared, &rows[i], a);
		if (attested)
			share_cell(&t, attested, &rows[i], b);
		table_cell(&t, PLAIN, "%s", rows[i].name);
	}
	table_print(&t, colour_wanted(to), to);
	fprintf(to, "%u of %u answered in full\n", declared->rows - open, declared->rows);
}

void exposures_text(FILE *to, const char *service, const struct exposures *x, bool all)
{
	fprintf(to, "%s: exposure ", service);
	score_text(to, &x->declared, "declared");
	if (x->has_attested) {
		fputs(", ", to);
		score_text(to, &x->attested, "attested");
	}
	fprintf(to, "; further questions %u.%u", x->further.score / 10, x->further.score % 10);
	if (x->has_attested)
		fprintf(to, ", %u.%u attested", x->further_attested.score / 10, x->further_attested.score % 10);
	fputc('\n', to);
	if (!all)
		return;
	list_text(to, exposure_checks, &x->declared, x->has_attested ? &x->attested : NULL);
	list_text(to, exposure_further, &x->further, x->has_attested ? &x->further_attested : NULL);
}

static void badness_json(struct json *j, const char *key, uint8_t badness)
{
	if (badness == NOT_ASKED)
		json_null(j, key);
	else
		json_int(j, key, badness);
}

static void list_json(struct json *j, const char *key, const struct exposure_check *rows,
		      const struct exposure *declared, const struct exposure *attested)
{
	json_object(j, key);
	json_tenths(j, "declared", declared->score);
	if (attested)
		json_tenths(j, "attested", attested->score);
	json_list(j, "checks");
	for (unsigned i = 0; i < declared->rows; i++) {
		json_object(j, NULL);
		json_text(j, "name", rows[i].name);
		json_int(j, "weight", rows[i].weight);
		json_int(j, "range", rows[i].range);
		badness_json(j, "declared", declared->badness[i]);
		if (attested)
			badness_json(j, "attested", attested->badness[i]);
		json_end(j);
	}
	json_end(j);
	json_end(j);
}

void exposures_json(struct json *j, const char *key, const struct exposures *x)
{
	json_object(j, key);
	json_text(j, "word", exposure_word(x->has_attested ? x->attested.score : x->declared.score));
	list_json(j, "comparable", exposure_checks, &x->declared, x->has_attested ? &x->attested : NULL);
	list_json(j, "further", exposure_further, &x->further, x->has_attested ? &x->further_attested : NULL);
	json_end(j);
}

void exposures_show(const struct exposures *x, const char *service, bool json)
{
	struct json j = { .to = stdout };

	if (!json) {
		exposures_text(stdout, service, x, true);
		return;
	}
	json_object(&j, NULL);
	json_text(&j, "service", service);
	exposures_json(&j, "exposure", x);
	json_end(&j);
}

int threshold_read(struct ctl *c, unsigned *tenths)
{
	const char *text = c->value[OPT_THRESHOLD];
	char *end;

	*tenths = THRESHOLD_NONE;
	if (!text)
		return 0;
	const unsigned long whole = strtoul(text, &end, 10);
	const bool one_more = end > text && *end == '.' && end[1] >= '0' && end[1] <= '9' && !end[2];
	const unsigned long n = whole * 10 + (one_more ? (unsigned long)(end[1] - '0') : 0);

	if (*text < '0' || *text > '9' || (*end && !one_more) || whole > 10 || n > 100) {
		ctl_say(c, USAGE, "--threshold is a number from 0 to 10, such as 1.3, not '%s'", text);
		return -EINVAL;
	}
	*tenths = (unsigned)n;
	return 0;
}
