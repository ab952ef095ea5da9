/* `prior graph`: who needs whom, as DOT, as SVG or as JSON. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/graph.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/ctl/config.h"
#include "init/ctl/json.h"
#include "init/ctl/live.h"
#include "services/plan/compile.h"
#include "services/spec/spec.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

static const struct { const char *word, *dot; } kinds[] = {
	[DEP_REQUIRES] = { "requires", "" },
	[DEP_WANTS] = { "wants", " [style=dashed]" },
	[DEP_AFTER] = { "after", " [style=dotted, color=gray]" },
	[DEP_CONFLICTS] = { "conflicts", " [color=red, dir=none, constraint=false]" },
};

static const char *const conditions[] = { [COND_STARTED] = "service_started", [COND_HEALTHY] = "service_healthy",
					  [COND_COMPLETED] = "service_completed_successfully" };

const char *graph_name(const struct graph *g, uint32_t i)
{
	return plan_str(g->plan, plan_service(g->plan, i)->name);
}

/* Of two services that conflict both have the edge; it is drawn once. */
static bool is_drawn(uint32_t from, const struct plan_dep *d)
{
	return d->kind != DEP_CONFLICTS || from < d->service;
}

/* Not a slot that serves no connection: nobody knows it. */
static bool is_shown(const struct graph *g, uint32_t i)
{
	return !plan_service(g->plan, i)->base.n || (g->state && g->state[i] != SVC_DOWN);
}

void graph_dot(const struct graph *g, FILE *to)
{
	fputs("digraph prior {\n\trankdir=LR;\n\tnode [shape=box, fontname=\"sans-serif\"];\n", to);
	for (uint32_t i = 0; i < g->plan->head->services.n; i++)
		if (is_shown(g, i))
			fprintf(to, "\t\"%s\" [label=\"%s%s%s\"%s];\n", graph_name(g, i), graph_name(g, i),
				g->state ? "\\n" : "", g->state ? svc_state_name[g->state[i]] : "",
				g->state && g->state[i] == SVC_FAILED ? ", color=red" : "");
	for (uint32_t i = 0; i < g->plan->head->services.n; i++) {
		struct plan_ref deps = plan_service(g->plan, i)->deps;

		if (!is_shown(g, i))
			continue;
		PLAN_EACH(struct plan_dep, d, g->plan, deps)
			if (is_drawn(i, d))
				fprintf(to, "\t\"%s\" -> \"%s\"%s;\n", graph_name(g, i), graph_name(g, d->service),
					kinds[d->kind].dot);
	}
	fputs("}\n", to);
}

void graph_json(const struct graph *g, FILE *to)
{
	struct json j = { .to = to };

	json_list(&j, NULL);
	for (uint32_t i = 0; i < g->plan->head->services.n; i++) {
		struct plan_ref deps = plan_service(g->plan, i)->deps;

		if (!is_shown(g, i))
			continue;
		json_object(&j, NULL);
		json_text(&j, "service", graph_name(g, i));
		json_text(&j, "state", g->state ? svc_state_name[g->state[i]] : NULL);
		json_list(&j, "edges");
		PLAN_EACH(struct plan_dep, d, g->plan, deps) {
			json_object(&j, NULL);
			json_text(&j, "service", graph_name(g, d->service));
			json_text(&j, "kind", kinds[d->kind].word);
			json_text(&j, "condition", d->kind == DEP_REQUIRES ? conditions[d->condition] : NULL);
			json_end(&j);
		}
		json_end(&j);
		json_end(&j);
	}
	json_end(&j);
}

/* --- a layout of our own: a column for each step of the longest way, what needs nothing on the left --- */

#define BOX_W 150
#define BOX_H 34
#define GAP_X 70
#define GAP_Y 16
#define EDGE 20

struct place {
	uint32_t column, row;
};

static int x_of(struct place p)
{
	return EDGE + (int)p.column * (BOX_W + GAP_X);
}

static int y_of(struct place p)
{
	return EDGE + (int)p.row * (BOX_H + GAP_Y);
}

static void lay_out(const struct graph *g, struct place *at, uint32_t *columns, uint32_t *rows)
{
	const uint32_t *order = PLAN_FIRST(g->plan, g->plan->head->start_order, uint32_t);
	uint32_t n = g->plan->head->services.n, *used = calloc(n + 1, sizeof *used);

	*columns = *rows = 0;
	for (uint32_t k = 0; used && k < n; k++) {
		struct plan_ref deps = plan_service(g->plan, order[k])->deps;
		struct place *p = &at[order[k]];

		if (!is_shown(g, order[k]))
			continue;
		PLAN_EACH(struct plan_dep, d, g->plan, deps)
			if ((d->kind == DEP_REQUIRES || d->kind == DEP_AFTER) && at[d->service].column >= p->column)
				p->column = at[d->service].column + 1;
		p->row = used[p->column]++;
		*columns = p->column + 1 > *columns ? p->column + 1 : *columns;
		*rows = p->row + 1 > *rows ? p->row + 1 : *rows;
	}
	free(used);
}

static void draw_edges(const struct graph *g, const struct place *at, FILE *to)
{
	static const char *const strokes[] = {
		[DEP_REQUIRES] = "stroke=\"#333\"", [DEP_WANTS] = "stroke=\"#333\" stroke-dasharray=\"6 4\"",
		[DEP_AFTER] = "stroke=\"#999\" stroke-dasharray=\"2 3\"", [DEP_CONFLICTS] = "stroke=\"#c00\"",
	};

	for (uint32_t i = 0; i < g->plan->head->services.n; i++) {
		struct plan_ref deps = plan_service(g->plan, i)->deps;

		if (!is_shown(g, i))
			continue;
		PLAN_EACH(struct plan_dep, d, g->plan, deps) {
			int x = x_of(at[i]), y = y_of(at[i]) + BOX_H / 2;
			int x2 = x_of(at[d->service]) + BOX_W, y2 = y_of(at[d->service]) + BOX_H / 2;

			if (is_drawn(i, d))
				fprintf(to, "<path d=\"M%d %d C%d %d %d %d %d %d\" fill=\"none\" %s/>\n", x, y, x - 35,
					y, x2 + 35, y2, x2, y2, strokes[d->kind]);
		}
	}
}

int graph_svg(const struct graph *g, FILE *to, struct err *e)
{
	uint32_t n = g->plan->head->services.n, columns, rows;
	struct place *at = calloc(n + 1, sizeof *at);

	if (!at)
		return err_set(e, ENOMEM, "there is not enough memory for %u services", n);
	lay_out(g, at, &columns, &rows);
	fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"font-family=\"sans-serif\" font-size=\"12\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		2 * EDGE + columns * (BOX_W + GAP_X), 2 * EDGE + rows * (BOX_H + GAP_Y));
	draw_edges(g, at, to);
	for (uint32_t i = 0; i < n; i++)
		if (is_shown(g, i))
			fprintf(to, "<g><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\" fill=\"#f4f4f4\" "
			"stroke=\"%s\"/><text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s%s%s</text></g>\n",
			x_of(at[i]), y_of(at[i]), BOX_W, BOX_H,
			g->state && g->state[i] == SVC_FAILED ? "#c00" : "#666", x_of(at[i]) + BOX_W / 2,
			y_of(at[i]) + BOX_H / 2 + 4, graph_name(g, i), g->state ? ": " : "",
			g->state ? svc_state_name[g->state[i]] : "");
	fputs("</svg>\n", to);
	free(at);
	return 0;
}

/* --- Graphviz, where it is --- */

static bool find_dot(char *path, size_t size)
{
	const char *dirs = getenv("PATH");

	for (const char *d = dirs ? dirs : "/usr/bin"; *d; d += strcspn(d, ":") + (d[strcspn(d, ":")] == ':'))
		if (snprintf(path, size, "%.*s/dot", (int)strcspn(d, ":"), d) < (int)size && access(path, X_OK) == 0)
			return true;
	return false;
}

/* Its standard input is a file in memory with the graph in it; what it says goes where ours goes. */
static int run_dot(const struct graph *g, const char *dot, struct err *e)
{
	owned_fd in = memfd_create("graph", MFD_CLOEXEC);
	FILE *f = in < 0 ? NULL : fdopen(dup(in), "w");
	int status = 0;

	if (!f)
		return err_sys(e, "a place for the graph");
	graph_dot(g, f);
	fclose(f);
	fflush(stdout);
	pid_t pid = lseek(in, 0, SEEK_SET) < 0 ? -1 : fork();

	if (pid == 0) {
		dup2(in, 0);
		execl(dot, "dot", "-Tsvg", (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || sys_wait(pid, &status) < 0)
		return err_sys(e, "run %s", dot);
	return status ? err_set(e, EIO, "%s ended with code %d", dot, WEXITSTATUS(status)) : 0;
}

static int print(struct ctl *c, const struct graph *g)
{
	char dot[4096];
	struct err e;
	int rc = 0;

	if (has(c, OPT_JSON))
		graph_json(g, stdout);
	else if (!has(c, OPT_SVG))
		graph_dot(g, stdout);
	else if (find_dot(dot, sizeof dot))
		rc = run_dot(g, dot, &e);
	else
		rc = graph_svg(g, stdout, &e);
	return rc < 0 ? ctl_fail(c, FAILED, &e) : DONE;
}

/* Of a configuration that does not run: planned as `prior check` does. */
static int of_config(struct ctl *c)
{
	char path[CONFIG_PATH_MAX], trust[ANCHOR_MAX];
	const struct spec_beside beside = { .trust = config_trust(c, trust) };
	struct machine_facts facts;
	owned_fd fd = FD_NONE;
	struct spec s = { 0 };
	struct plan p = { 0 };
	struct err e;

	if (spec_load_with(&s, config_path(c, path), &beside, &e) < 0)
		return ctl_fail(c, config_code(&e), &e);
	facts_find(&facts);
	int rc = plan_compile(&s, &facts, &fd, &e);

	spec_print_problems(&s, stderr);
	if (rc == 0)
		rc = plan_map(&p, fd, &e);
	int code = rc < 0 ? ctl_fail(c, FAILED, &e) : print(c, &(struct graph){ &p, NULL });

	plan_unmap(&p);
	spec_free(&s);
	return code;
}

int verb_graph(struct ctl *c)
{
	struct live live = { 0 };
	struct err e;

	if (has(c, OPT_CONFIG))
		return of_config(c);
	if (live_open(&live, ctl_run_dir(c), &e) < 0)
		return ctl_fail(c, FAILED, &e);
	uint32_t n = live.plan.head->services.n;
	unsigned char *state = calloc(n + 1, 1);

	for (uint32_t i = 0; state && i < n && i < live.ledger.head->nservices; i++) {
		struct ledger_svc s = { .state = SVC_DOWN };

		if (ledger_read_svc(&live.ledger, i, &s) && s.state < SVC_STATES)
			state[i] = s.state;
	}
	int code = print(c, &(struct graph){ &live.plan, state });

	free(state);
	live_close(&live);
	return code;
}
