/* `prior chart`: the last start of each service on one axis of time, as SVG or JSON. */
/* SPDX-License-Identifier: ISC */
#include "init/boot.h"
#include "init/ctl/graph.h"
#include "init/ctl/json.h"

#define ROW 18
#define LEFT 170
#define WIDTH 900
#define TOP 30

/* What is drawn of one start: the cell is made, then it runs, then it is ready. Microseconds of CLOCK_BOOTTIME. */
struct bar {
	const char *name;
	int64_t from, ran, ready;	/* ready 0: not, or it has ended */
	unsigned state;
};

static bool bar_of(const struct live *l, uint32_t i, struct bar *b)
{
	struct ledger_svc s = { 0 };

	if (i >= l->ledger.head->nservices || !ledger_read_svc(&l->ledger, i, &s) || !s.started_us ||
	    s.state >= SVC_STATES)
		return false;
	*b = (struct bar){ .name = plan_str(&l->plan, plan_service(&l->plan, i)->name), .from = s.started_us,
			   .ran = s.started_us + s.setup_us, .ready = s.ready_us ? s.started_us + s.ready_us : 0,
			   .state = s.state };
	return true;
}

/* The first moment and the last one. Stages of boot count from the kernel's start. */
static void span_of(const struct live *l, int64_t *from, int64_t *to)
{
	struct bar b;

	*from = l->ledger.head->mode == MODE_MACHINE ? 0 : INT64_MAX;
	*to = 0;
	for (uint32_t i = 0; i < l->plan.head->services.n; i++) {
		if (!bar_of(l, i, &b))
			continue;
		int64_t end = b.ready > b.ran ? b.ready : b.ran;

		*from = b.from < *from ? b.from : *from;
		*to = end > *to ? end : *to;
	}
	if (*to <= *from)
		*to = *from + 1;
}

void chart_json(const struct live *l, FILE *to)
{
	struct json j = { .to = to };
	struct bar b;

	json_list(&j, NULL);
	for (uint32_t i = 0; i < l->plan.head->services.n; i++) {
		if (!bar_of(l, i, &b))
			continue;
		json_object(&j, NULL);
		json_text(&j, "service", b.name);
		json_text(&j, "state", svc_state_name[b.state]);
		json_int(&j, "started_us", b.from);
		json_int(&j, "ran_us", b.ran);
		if (b.ready)
			json_int(&j, "ready_us", b.ready);
		else
			json_null(&j, "ready_us");
		json_end(&j);
	}
	json_end(&j);
}

struct scale {
	int64_t from, to;
	FILE *out;
	unsigned row;
};

static double x_of(const struct scale *s, int64_t us)
{
	return LEFT + (double)(us - s->from) * WIDTH / (double)(s->to - s->from);
}

static void draw(const struct scale *s, int64_t from, int64_t to, const char *colour)
{
	double x = x_of(s, from), w = x_of(s, to) - x;

	fprintf(s->out, "<rect x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", x,
		TOP + s->row * ROW, w < 1 ? 1 : w, ROW - 4, colour);
}

static void label(const struct scale *s, const char *name, int64_t us)
{
	fprintf(s->out, "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">%s</text>"
		"<text x=\"%d\" y=\"%u\" fill=\"#666\">%.1f ms</text>\n", LEFT - 8, TOP + s->row * ROW + ROW - 6, name,
		LEFT + WIDTH + 8, TOP + s->row * ROW + ROW - 6, (double)us / 1000);
}

/* From the kernel's start on; its own time is the first. */
static void draw_stages(struct scale *s, const struct ledger_head *h)
{
	int64_t was = 0;

	for (unsigned i = 0; h->mode == MODE_MACHINE && i < BOOT_STAGES_MAX && boot_stage_name(i); i++) {
		if (!h->boot_us[i])
			continue;
		draw(s, was, h->boot_us[i], "#8ab");
		label(s, boot_stage_name(i), h->boot_us[i] - was);
		was = h->boot_us[i];
		s->row++;
	}
}

void chart_svg(const struct live *l, FILE *to)
{
	const uint32_t *order = PLAN_FIRST(&l->plan, l->plan.head->start_order, uint32_t);
	uint32_t n = l->plan.head->services.n;
	struct scale s = { .out = to };
	struct bar b;

	span_of(l, &s.from, &s.to);
	fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" font-family=\"sans-serif\" "
		"font-size=\"11\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
		"<text x=\"%d\" y=\"18\">%.1f ms; blue: boot, grey: its cell is made, orange: not ready yet</text>\n",
		LEFT + WIDTH + 90, TOP + (n + BOOT_STAGES_MAX) * ROW, LEFT, (double)(s.to - s.from) / 1000);
	draw_stages(&s, l->ledger.head);
	for (uint32_t k = 0; k < n; k++) {
		if (!bar_of(l, order[k], &b))
			continue;
		draw(&s, b.from, b.ran, "#bbb");
		if (b.ready > b.ran)
			draw(&s, b.ran, b.ready, "#e83");
		label(&s, b.name, (b.ready > b.ran ? b.ready : b.ran) - b.from);
		s.row++;
	}
	fputs("</svg>\n", to);
}

int verb_chart(struct ctl *c)
{
	struct live live = { 0 };
	struct err e;

	if (live_open(&live, ctl_run_dir(c), &e) < 0)
		return ctl_fail(c, FAILED, &e);
	if (has(c, OPT_JSON))
		chart_json(&live, stdout);
	else
		chart_svg(&live, stdout);
	live_close(&live);
	return DONE;
}
