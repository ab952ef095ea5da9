/* `prior audit`: what the kernel says about running services now, beside what was planned. */
/* SPDX-License-Identifier: ISC */
#include "services/cell/attest.h"
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/base/text.h"
#include "init/ctl/audit_files.h"
#include "init/ctl/exposure.h"
#include "init/ctl/json.h"
#include "init/ctl/live.h"
#include "init/ctl/verbs.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* One service's audit while it is printed. */
struct audit {
	FILE *to;
	struct json *json;	/* NULL: text */
	bool colour, list;	/* list: the questions of the exposure, too */
	unsigned threshold;
	unsigned equal, different;
};

/* The kernel's files have tabs between numbers and newlines at the end; people and programs want neither. */
static const char *one_line(const char *s, char buf[static 96])
{
	size_t n = 0;

	for (; *s && n < 95; s++) {
		bool blank = *s == ' ' || *s == '\t' || *s == '\n';

		if (!blank)
			buf[n++] = *s;
		else if (n > 0 && buf[n - 1] != ' ')
			buf[n++] = ' ';
	}
	n -= n > 0 && buf[n - 1] == ' ';
	buf[n] = '\0';
	return buf;
}

static void fact(void *ctx, const struct attest_fact *f)
{
	struct audit *a = ctx;
	char want[96], got[96];

	one_line(f->want, want);
	one_line(f->got, got);
	if (f->equal)
		a->equal++;
	else
		a->different++;
	if (a->json) {
		json_object(a->json, NULL);
		json_text(a->json, "name", f->name);
		json_text(a->json, "want", want);
		json_text(a->json, "got", got);
		json_bool(a->json, "equal", f->equal);
		if (f->mend)
			json_text(a->json, "mend", f->mend);
		json_end(a->json);
		return;
	}
	enum colour c = f->equal ? GREEN : RED;

	fprintf(a->to, "  %s%s%s %s: ", colour_on(a->colour, c), f->equal ? "✓" : "✗",
		colour_off(a->colour, c), f->name);
	put_clean(a->to, *got ? got : "none");
	if (!f->equal) {
		fputs(", planned ", a->to);
		put_clean(a->to, *want ? want : "none");
	}
	if (f->mend) {
		fputs("\n    mend it: ", a->to);
		put_clean(a->to, f->mend);
	}
	fputc('\n', a->to);
}

static bool runs(const struct view *v)
{
	return !v->refused && v->now.pid > 0 && v->now.state != SVC_STARTING;
}

/* Why there is nothing to compare; NULL: there is. */
static const char *exempt(const struct view *v)
{
	if (v->refused)
		return "refused, does not run";
	if (v->unseen && v->now.state != SVC_STARTING)
		return NULL;
	if (!runs(v))
		return "does not run";
	if (v->plan->runtime_kind == OCI_RUNSC)
		return "under runsc: its own kernel confines it, of which nothing can be read back";
	if (!(v->plan->flags & CELL_ATTEST))
		return "preset none: nothing is planned that could be compared";
	return NULL;
}

/* Of whom it shares it with, as that one was started; 0: it has its own. */
static uint64_t network_of(const struct live *l, const struct view *v)
{
	struct ledger_svc s;

	if (!v->plan->share.n || !ledger_read_svc(&l->ledger, PLAN_FIRST(&l->plan, v->plan->share,
									struct plan_dep)->service, &s))
		return 0;
	return s.net;
}

static int compare(struct audit *a, const struct live *l, const struct view *v, int procfs,
		   struct err *e)
{
	if (a->json)
		json_list(a->json, "facts");
	int rc = v->unseen ? err_set(e, ESRCH, "its process is not to be found from here (it has just ended, or "
				     "hides): ask again, or ask inside the container") :
		 attest(&l->plan, v->index, v->now.pid, procfs, network_of(l, v), 0, fact, a, e);

	audit_files(&l->plan, v->plan, fact, a);
	if (a->json)
		json_end(a->json);
	return rc;
}

/* Declared and attested; true: it could be asked, and the worse one is not above the threshold. */
static bool expose(struct audit *a, const struct live *l, const struct view *v, int procfs)
{
	struct exposures x = { 0 };
	struct err e;

	if (exposures_of_plan(&x, &l->plan, v->index, &e) < 0 ||
	    exposures_of_process(&x, &l->plan, v->index, v->now.pid, procfs, &e) < 0) {
		if (a->json)
			json_null(a->json, "exposure");
		else
			fprintf(a->to, "%s: its exposure cannot be asked for: %s\n", v->name, e.text);
		return false;
	}
	if (a->json)
		exposures_json(a->json, "exposure", &x);
	else
		exposures_text(a->to, v->name, &x, a->list);
	return !exposures_are_above(&x, a->threshold);
}

/* 1: as planned; 0: not, or not known. */
static bool one_json(struct audit *a, const struct live *l, const struct view *v, int procfs)
{
	const char *why = exempt(v);
	struct err e = { 0 };
	struct json *j = a->json;
	bool good = true;

	json_object(j, NULL);
	json_text(j, "service", v->name);
	if (v->now.pid > 0)
		json_int(j, "pid", v->now.pid);
	else
		json_null(j, "pid");
	if (!why)
		good = compare(a, l, v, procfs, &e) >= 0 && a->different == 0;
	if (!why && a->different && !*e.text)
		text_copy(e.text, sizeof e.text, "files are not as they should be: see the facts");
	json_text(j, "runtime", v->plan && v->plan->runtime_kind ? oci_runtimes[v->plan->runtime_kind] : NULL);
	json_bool(j, "compared", !why);
	json_text(j, "why", why ? why : good ? NULL : e.text);
	if (runs(v))
		good &= expose(a, l, v, procfs);
	else
		json_null(j, "exposure");
	json_bool(j, "ok", good);
	json_int(j, "equal", a->equal);
	json_int(j, "different", a->different);
	json_end(j);
	return good;
}

static bool one_text(struct audit *a, const struct live *l, const struct view *v, int procfs)
{
	const char *why = exempt(v);
	struct err e = { 0 };

	fprintf(a->to, "%s%s%s", colour_on(a->colour, BOLD), v->name, colour_off(a->colour, BOLD));
	if (why) {
		fprintf(a->to, ": %s\n", why);
		return !runs(v) || expose(a, l, v, procfs);
	}
	fprintf(a->to, " (pid %d%s%s)\n", v->now.pid, v->plan->runtime_kind ? ", under " : "",
		oci_runtimes[v->plan->runtime_kind]);
	int rc = compare(a, l, v, procfs, &e);

	if (rc < 0 && a->different == 0)
		fprintf(a->to, "%s: cannot be compared: %s\n", v->name, e.text);
	else if (a->different > 0)
		fprintf(a->to, "%s: %u of %u facts differ from the plan\n", v->name, a->different,
			a->equal + a->different);
	else
		fprintf(a->to, "%s: %u facts, all as planned%s\n", v->name, a->equal, v->plan->runtime_kind
			? "; its mounts and its filter are its runtime's, and not compared" : "");
	return expose(a, l, v, procfs) && rc >= 0 && a->different == 0;
}

/* What PID 1 was started with; for everybody, not for one service. */
static bool configuration(struct audit *a, const struct live *l)
{
	const char *path = l->ledger.head->config;

	if (path[0] != '/')
		return true;
	if (a->json) {
		json_object(a->json, NULL);
		json_text(a->json, "service", "prior");
		json_list(a->json, "facts");
	} else {
		fprintf(a->to, "%sprior%s\n", colour_on(a->colour, BOLD), colour_off(a->colour, BOLD));
	}
	audit_configuration(path, fact, a);
	if (a->json) {
		json_end(a->json);
		json_bool(a->json, "ok", a->different == 0);
		json_int(a->json, "equal", a->equal);
		json_int(a->json, "different", a->different);
		json_end(a->json);
	} else {
		fprintf(a->to, "prior: its configuration: %u of %u files can be written by others\n", a->different,
			a->equal + a->different);
	}
	return a->different == 0;
}

static int all(struct ctl *c, const struct live *live, unsigned threshold)
{
	struct views views = { 0 };
	struct json writer = { .to = stdout }, *j = has(c, OPT_JSON) ? &writer : NULL;
	struct err e;
	bool good = true;
	owned_fd procfs = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (procfs < 0)
		return ctl_say(c, FAILED, "open /proc: %s", strerror(errno));
	if (views_take(&views, live, c->args, mono_now().ms, &e) < 0)
		return ctl_fail(c, UNKNOWN, &e);
	if (j)
		json_list(j, NULL);
	for (unsigned i = 0; i < views.n; i++) {
		struct audit a = { .to = stdout, .json = j, .colour = colour_wanted(stdout),
				   .list = has(c, OPT_EXPOSURE), .threshold = threshold };

		good &= (j ? one_json : one_text)(&a, live, &views.v[i], procfs);
	}
	if (!c->args || !c->args[0]) {
		struct audit a = { .to = stdout, .json = j, .colour = colour_wanted(stdout) };

		good &= configuration(&a, live);
	}
	if (j)
		json_end(j);
	views_free(&views);
	return good ? DONE : FAILED;
}

int verb_audit(struct ctl *c)
{
	struct live live = { 0 };
	unsigned threshold;
	struct err e;

	if (threshold_read(c, &threshold) < 0)
		return USAGE;
	if (live_open(&live, ctl_run_dir(c), &e) < 0)
		return ctl_fail(c, UNKNOWN, &e);
	live_enter_users(&live);
	int code = all(c, &live, threshold);

	live_close(&live);
	return code;
}
