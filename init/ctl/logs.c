/* `prior logs` and `prior events`: which lines are asked for. */
/* SPDX-License-Identifier: ISC */
#include "init/run_dir.h"
#include "services/logs/logs.h"
#include "services/logs/record.h"
#include "init/base/mono.h"
#include "init/base/text.h"
#include "init/conf/value.h"
#include "init/ctl/live.h"
#include "init/ctl/verbs.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


/* A point in time: a duration ago, @SECONDS, or a date. */
static int point(const char *option, const char *s, int64_t *ms, struct err *e)
{
	static const char *const formats[] = {
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d",
	};
	int64_t v;

	if (s[0] == '@' && value_number(s + 1, &v) == 0 && v >= 0 && v < INT64_MAX / 1000) {
		*ms = v * 1000;
		return 0;
	}
	if (value_msec(s, &v) == 0) {
		*ms = wall_ms() - v;
		return 0;
	}
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		struct tm tm = { 0 };
		const char *end = strptime(s, formats[i], &tm);

		if (end && (*end == '\0' || strcmp(end, "Z") == 0)) {
			*ms = (int64_t)timegm(&tm) * 1000;
			return 0;
		}
	}
	return err_set(e, EINVAL, "--%s %s: not a time such as 10m, @1767225600 or 2026-01-31T12:00:00",
		       option, s);
}

/* As journalctl does: a pattern in small letters means large ones too. */
static int pattern(const char *text, regex_t *re, struct err *e)
{
	int flags = REG_EXTENDED | REG_NOSUB | REG_ICASE, rc;
	char why[120];

	for (const char *s = text; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			flags &= ~REG_ICASE;
	rc = regcomp(re, text, flags);
	if (rc == 0)
		return 0;
	regerror(rc, re, why, sizeof why);
	return err_set(e, EINVAL, "--grep %s: %s", text, why);
}

static int level_of(const char *word, unsigned *level, struct err *e)
{
	for (*level = 0; level_words[*level]; ++*level)
		if (!strcmp(word, level_words[*level]) || (word[0] == (char)('0' + *level) && !word[1])) {
			++*level;
			return 0;
		}
	if (!strcmp(word, "error"))
		return *level = LEVEL_ERROR + 1, 0;
	return err_set(e, EINVAL, "--level %s: not one of emerg, alert, crit, err, warning, notice, info, debug", word);
}

static int query(const struct ctl *c, struct logs_query *q, regex_t *re, struct err *e)
{
	int64_t n = -1;

	*q = (struct logs_query){
		.services = c->args, .n = -1, .follow = has(c, OPT_FOLLOW), .json = has(c, OPT_JSON),
		.colour = colour_wanted(stdout), .names = c->nargs != 1,
	};
	if (has(c, OPT_SINCE) && point("since", c->value[OPT_SINCE], &q->since_ms, e) < 0)
		return -e->code;
	if (has(c, OPT_UNTIL) && point("until", c->value[OPT_UNTIL], &q->until_ms, e) < 0)
		return -e->code;
	if (has(c, OPT_UNTIL) && q->follow)
		return err_set(e, EINVAL, "--until and --follow: what comes is always later");
	if (has(c, OPT_LEVEL) && level_of(c->value[OPT_LEVEL], &q->level, e) < 0)
		return -e->code;
	if (has(c, OPT_LINES) && (value_number(c->value[OPT_LINES], &n) < 0 || n < 0 || n > INT32_MAX))
		return err_set(e, EINVAL, "-n %s: not a number of lines", c->value[OPT_LINES]);
	q->n = (long)n;
	if (!has(c, OPT_GREP))
		return 0;
	q->grep = re;
	return pattern(c->value[OPT_GREP], re, e);
}

/* What the running prior knows: where its logs are, and which services there are. */
static int ask_live(const struct ctl *c, char dir[static 64], struct err *e)
{
	struct live live = { 0 };
	struct views views = { 0 };
	struct err unknown;
	int rc = 0;

	/* Logs outlive their prior: when none answers, look where the last one has kept them. */
	log_dir_left(ctl_run_dir(c), dir, 64);
	if (live_open(&live, ctl_run_dir(c), e) < 0)
		return 0;
	text_copy(dir, 64, live.ledger.head->log_dir);
	/* They outlive their service too: one that is in the configuration no more is known by its files. */
	for (int i = 0; rc == 0 && i < c->nargs; i++) {
		const char *name[] = { c->args[i], NULL };

		if (views_take(&views, &live, name, 0, &unknown) < 0 && !logs_exist(ctl_run_dir(c), dir, name[0])) {
			*e = unknown;
			rc = -e->code;
		}
		views_free(&views);
		views = (struct views){ 0 };
	}
	live_close(&live);
	return rc;
}

static int print(struct ctl *c, bool events)
{
	struct logs_query q;
	struct err e;
	char dir[64];
	regex_t re;

	if (query(c, &q, &re, &e) < 0)
		return ctl_fail(c, USAGE, &e);
	if (ask_live(c, dir, &e) < 0)
		return ctl_fail(c, UNKNOWN, &e);
	q.events = events;
	if (logs_print(ctl_run_dir(c), dir, &q, stdout, &e) < 0)
		return ctl_fail(c, FAILED, &e);
	return DONE;
}

int verb_logs(struct ctl *c)
{
	return print(c, false);
}

int verb_events(struct ctl *c)
{
	return print(c, true);
}
