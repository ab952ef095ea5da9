/* `prior probe`: what works here, by having tried it, and which services need what. */
/* SPDX-License-Identifier: ISC */
#include "services/probe/probe.h"
#include "init/base/fd.h"
#include "init/ctl/config.h"
#include "init/ctl/json.h"
#include "init/ctl/term.h"
#include "init/rootless.h"
#include "services/plan/compile.h"
#include "services/plan/image_door.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>



/* All answers, and whose needs they are compared with. */
struct probing {
	struct ctl *c;
	struct plan plan;		/* at == NULL: no configuration, so nobody asks for anything */
	const char *only;		/* one service; NULL: all */
	struct probe_answer answer[PROBE_ROWS_MAX];
	unsigned missing;		/* rows that are needed and do not work */
};

static bool is_asked(const struct probing *g, uint32_t i)
{
	return !g->only || !strcmp(g->only, plan_str(&g->plan, plan_service(&g->plan, i)->name));
}

/* The next service from i on that needs the row; -1: none. */
static int next_in_need(const struct probing *g, const struct probe_row *row, uint32_t i)
{
	for (; g->plan.at && i < g->plan.head->services.n; i++)
		if (is_asked(g, i) && probe_is_wanted(row, &g->plan, plan_service(&g->plan, i)))
			return (int)i;
	return -1;
}

static bool is_missing(const struct probing *g, unsigned n)
{
	return g->answer[n].code && !probe_rows[n].optional && next_in_need(g, &probe_rows[n], 0) >= 0;
}

static void needed_by(const struct probing *g, const struct probe_row *row)
{
	const char *before = "; needed by ";

	for (int i = next_in_need(g, row, 0); i >= 0; i = next_in_need(g, row, (uint32_t)i + 1)) {
		printf("%s%s", before, plan_str(&g->plan, plan_service(&g->plan, (uint32_t)i)->name));
		before = ", ";
	}
}

static void row_text(const struct probing *g, unsigned n, bool colour)
{
	const struct probe_row *row = &probe_rows[n];
	const struct probe_answer *a = &g->answer[n];
	const enum colour c = !a->code ? GREEN : is_missing(g, n) ? RED : YELLOW;

	printf("  %s%s%s %s", colour_on(colour, c), a->code ? "✗" : "✓", colour_off(colour, c), row->name);
	if (!a->code) {
		printf("%s%s\n", *a->detail ? ": " : "", a->detail);
		return;
	}
	printf(": %s%s%s", a->detail, *a->detail ? ": " : "", strerror(a->code));
	if (!g->only)
		needed_by(g, row);
	printf("\n      it takes %s\n", row->mend);
}

static void all_text(const struct probing *g)
{
	const bool colour = colour_wanted(stdout);
	const char *group = "";
	unsigned shown = 0, works = 0;

	for (unsigned n = 0; probe_rows[n].name; n++) {
		if (g->only && next_in_need(g, &probe_rows[n], 0) < 0)
			continue;
		if (strcmp(group, probe_rows[n].group) != 0)
			printf("%s%s%s\n", colour_on(colour, BOLD), probe_rows[n].group, colour_off(colour, BOLD));
		group = probe_rows[n].group;
		row_text(g, n, colour);
		shown++;
		works += !g->answer[n].code;
	}
	printf("%u of %u work", works, shown);
	if (g->missing)
		printf("; %u that %s needed %s missing\n", g->missing, g->missing == 1 ? "is" : "are",
		       g->missing == 1 ? "is" : "are");
	else if (g->plan.at && g->only)
		printf("; %s has all that it needs\n", g->only);
	else
		printf("%s\n", g->plan.at ? "; every service has all that it needs" : "");
}

static void all_json(const struct probing *g)
{
	struct json j = { .to = stdout };

	json_list(&j, NULL);
	for (unsigned n = 0; probe_rows[n].name; n++) {
		const struct probe_row *row = &probe_rows[n];
		const struct probe_answer *a = &g->answer[n];

		json_object(&j, NULL);
		json_text(&j, "group", row->group);
		json_text(&j, "name", row->name);
		json_bool(&j, "works", !a->code);
		json_text(&j, "detail", *a->detail ? a->detail : NULL);
		json_text(&j, "error", a->code ? strerror(a->code) : NULL);
		json_text(&j, "takes", a->code ? row->mend : NULL);
		json_bool(&j, "optional", row->optional);
		json_bool(&j, "missing", is_missing(g, n));
		json_list(&j, "needed_by");
		for (int i = next_in_need(g, row, 0); i >= 0; i = next_in_need(g, row, (uint32_t)i + 1))
			json_text(&j, NULL, plan_str(&g->plan, plan_service(&g->plan, (uint32_t)i)->name));
		json_end(&j);
		json_end(&j);
	}
	json_end(&j);
}

static int probe(struct probing *g)
{
	for (unsigned n = 0; probe_rows[n].name && n < PROBE_ROWS_MAX; n++)
		probe_ask(&probe_rows[n], &g->answer[n]);
	for (unsigned n = 0; probe_rows[n].name && n < PROBE_ROWS_MAX; n++)
		g->missing += is_missing(g, n);
	if (has(g->c, OPT_JSON))
		all_json(g);
	else
		all_text(g);
	return g->missing ? FAILED : DONE;
}

/* What the file asks for, wherever it may run: not what would be left of it here. */
static int plan_of(struct probing *g, const char *path, struct err *e)
{
	char trust[ANCHOR_MAX];
	const struct spec_beside asked = { .instances = { (const char **)&g->only, g->only &&
							  spec_name_kind(g->only) == NAME_INSTANCE },
					   .trust = config_trust(g->c, trust) };
	struct spec s = { 0 };
	struct machine_facts facts;
	owned_fd fd = FD_NONE;

	if (config_is_plan(path)) {
		owned_fd file = open(path, O_RDONLY | O_CLOEXEC);

		if (file < 0)
			return err_sys(e, "%s", path);
		if (plan_seal(file, &fd, e) < 0 || (asked.trust && anchor_verify_plan(asked.trust, path, fd, e) < 0))
			return -e->code;
		return plan_map(&g->plan, fd, e);
	}
	if (spec_load_with(&s, path, &asked, e) < 0)
		return -e->code;
	facts_of_machine(&facts);
	image_door_open(&facts);
	int ret = plan_compile(&s, &facts, &fd, e);

	image_door_close(&facts);
	if (ret >= 0)
		ret = plan_map(&g->plan, fd, e);
	if (s.nerrors)	/* what would only be told at a start is what the table is about */
		spec_print_problems(&s, stderr);
	spec_free(&s);
	return ret;
}

int verb_probe(struct ctl *c)
{
	struct probing g = { .c = c, .only = c->nargs ? c->args[0] : NULL };
	char path[CONFIG_PATH_MAX];
	const char *config = config_path(c, path);
	struct err e;

	/* Where `up` would make this user's cells: there we are executed anew. Otherwise what needs none is left. */
	if (rootless_enter(&e) < 0)
		fprintf(stderr, "prior: probe: %s\n", e.text);
	/* Without a service the configuration is looked at when there is one. */
	if ((g.only || has(c, OPT_CONFIG) || access(config, F_OK) == 0) && plan_of(&g, config, &e) < 0)
		return ctl_fail(c, config_code(&e), &e);
	int code = g.only && plan_find(&g.plan, g.only) < 0 ?
		   ctl_say(c, UNKNOWN, "%s has no service '%s' that could be planned", config, g.only) : probe(&g);

	if (g.plan.at)
		plan_unmap(&g.plan);
	return code;
}
