/* cron and every: the expression becomes sets, the time zone the list of its changes, so that PID 1 only counts. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compiling.h"
#include "services/plan/cron.h"
#include <errno.h>
#include <string.h>

#define ZONES "/usr/share/zoneinfo/"
#define FILE_MAX (1u << 20)

static bool is_utc(const char *name)
{
	return !strcmp(name, "UTC") || !strcmp(name, "Etc/UTC") || !strcmp(name, "GMT");
}

/* The machine's file of that name, else a rule. */
static int find_zone(struct compiling *c, const char *name, struct plan_offset *v, struct err *e)
{
	size_t n = 0;
	char *bytes = strpbrk(name, ",<>") ? NULL :
		      look_read(c, c->machine_root, compiling_fmt(c, ZONES "%s", name), FILE_MAX, &n);

	if (bytes)
		return zone_read((const unsigned char *)bytes, n, v, ZONE_CHANGES_MAX, e);
	if (is_utc(name))
		return zone_rule("UTC0", v, ZONE_CHANGES_MAX, e);
	if (strpbrk(name, ",<>0123456789"))
		return zone_rule(name, v, ZONE_CHANGES_MAX, e);
	return err_set(e, ENOENT, "there is no " ZONES "%s here; install tzdata, or write the rule itself, as "
		       "CET-1CEST,M3.5.0,M10.5.0/3", name);
}

void compile_timer(struct compiling *c, struct work *w)
{
	static struct plan_offset v[ZONE_CHANGES_MAX];
	const struct spec_service *s = &w->eff;
	struct plan_cron cron;
	struct err e;

	w->out.every_ms = s->every > 0 ? (uint32_t)s->every : 0;
	if (!s->cron)
		return;
	if (cron_parse(s->cron, &cron, &e) < 0) {
		refuse(c, w, cron, "cron: %s", e.text);
		return;
	}
	memset(v, 0, sizeof v);
	int n = find_zone(c, s->cron_timezone ? s->cron_timezone : "UTC", v, &e);

	if (n < 0) {
		refuse(c, w, cron_timezone, "cron.timezone: %s", e.text);
		return;
	}
	cron.zone = write_table(&c->w, v, (size_t)n, sizeof *v);
	cron.text = write_string(&c->w, compiling_fmt(c, "%s %s", s->cron,
						      s->cron_timezone ? s->cron_timezone : "UTC"));
	w->out.cron = write_table(&c->w, &cron, 1, sizeof cron);
	if (cron_next(&cron, v, (uint32_t)n, 1767225600) == 0)	/* 2026 */
		refuse(c, w, cron, "cron: '%s' never comes", s->cron);
}
