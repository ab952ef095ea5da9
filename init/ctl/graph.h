/* The graph of a plan and the chart of a start, printed. They print what they are given, so that a test can compare. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/ctl/live.h"
#include "init/ctl/verbs.h"

struct graph {
	const struct plan *plan;
	const unsigned char *state;	/* enum svc_state by index; NULL: it does not run */
};

const char *graph_name(const struct graph *g, uint32_t i);
void graph_dot(const struct graph *g, FILE *to);
void graph_json(const struct graph *g, FILE *to);
int graph_svg(const struct graph *g, FILE *to, struct err *e);	/* a plain layout, without Graphviz */

/* When services were started, ran and were ready; in a machine the stages of boot before them. */
void chart_svg(const struct live *live, FILE *to);
void chart_json(const struct live *live, FILE *to);
