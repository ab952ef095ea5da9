/* `prior check` and `prior compile`. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/config.h"
#include "init/base/fd.h"
#include "init/ctl/exposure.h"
#include "init/ctl/json.h"
#include "init/ctl/term.h"
#include "init/ctl/whole.h"
#include "services/plan/compile.h"
#include "services/plan/image_door.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool config_is_plan(const char *path)
{
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);	/* a FIFO must not hold us up */
	char magic[8] = { 0 };

	return fd >= 0 && pread(fd, magic, sizeof magic, 0) == (ssize_t)sizeof magic &&
	       memcmp(magic, PLAN_MAGIC, sizeof magic) == 0;
}

static const char *severity(unsigned s)
{
	return s == SEV_ERROR ? "error" : "note";
}

static void problems_json(const struct spec *s, struct json *j)
{
	for (const struct problem *p = s->problems; p; p = p->next) {
		bool placed = p->at.kind == FROM_FILE && p->at.line;

		json_object(j, NULL);
		json_text(j, "file", placed && p->at.file <= s->nfiles ? s->files[p->at.file] : NULL);
		json_int(j, "line", placed ? p->at.line : 0);
		json_int(j, "column", placed ? p->at.col : 0);
		json_text(j, "severity", severity(p->severity));
		json_text(j, "service", p->service);
		json_text(j, "message", p->text);
		json_end(j);
	}
}

/* Services whose declared exposure is above the threshold, said one by one; their number. */
static int above(struct ctl *c, int fd, unsigned threshold, struct err *e)
{
	struct plan p;
	int n = 0;

	if (plan_map(&p, fd, e) < 0)
		return -e->code;
	for (uint32_t i = 0; i < p.head->services.n && n >= 0; i++) {
		struct exposures x = { 0 };

		if (exposures_of_plan(&x, &p, i, e) < 0) {
			n = -e->code;
		} else if (exposures_are_above(&x, threshold)) {
			const char *name = plan_str(&p, plan_service(&p, i)->name);

			ctl_say(c, FAILED, EXPOSURE_ABOVE(name, x.declared.score, threshold));
			n++;
		}
	}
	plan_unmap(&p);
	return n;
}

/* Problems that only this machine can show are added to the others. Number of services above the threshold. */
static int plan_here(struct ctl *c, struct spec *s, unsigned threshold, struct err *e)
{
	struct machine_facts facts;
	owned_fd plan = FD_NONE;

	if (has(c, OPT_OFFLINE))
		facts_of_machine(&facts);
	else
		facts_find(&facts);
	image_door_open(&facts);
	int ret = plan_compile(s, &facts, &plan, e);

	image_door_close(&facts);
	return ret < 0 || !has(c, OPT_THRESHOLD) ? ret : above(c, plan, threshold, e);
}

static int check_plan(const char *path, const char *trust, struct err *e)
{
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC), sealed = FD_NONE;
	struct plan p;

	if (fd < 0)
		return err_sys(e, "%s", path);
	if (plan_seal(fd, &sealed, e) < 0 || plan_map(&p, sealed, e) < 0)
		return err_in(e, "%s", path);
	plan_unmap(&p);
	return trust ? anchor_verify_plan(trust, path, sealed, e) : 0;
}

/* One path: its problems are printed, or added to the JSON list. Returns the exit code. */
static int check_one(struct ctl *c, const char *path, unsigned threshold, struct json *j)
{
	char trust[ANCHOR_MAX];
	const struct spec_beside beside = { .trust = config_trust(c, trust) };
	struct spec s = { 0 };
	struct err e;
	int code = DONE, exposed = 0;

	if (config_is_plan(path)) {
		if (check_plan(path, beside.trust, &e) < 0)
			return ctl_fail(c, FAILED, &e);
		if (!j)
			printf("%s: a compiled plan, whole\n", path);
		return DONE;
	}
	if (spec_load_with(&s, path, &beside, &e) < 0)
		return ctl_fail(c, config_code(&e), &e);
	/* Of a text that is wrong as a whole no plan is made: there is nothing more to find. */
	if ((!has(c, OPT_OFFLINE) || has(c, OPT_THRESHOLD)) && !spec_has_errors(&s, NULL) &&
	    (exposed = plan_here(c, &s, threshold, &e)) < 0)
		code = ctl_fail(c, FAILED, &e);
	if (j)
		problems_json(&s, j);
	else
		spec_print_problems(&s, stdout);
	if (s.nerrors > 0)
		code = FAILED;
	if (exposed > 0 && code == DONE) {
		spec_free(&s);
		return FAILED;
	}
	if (!j && code == DONE && s.nservices == 0)
		printf("%s: nothing wrong, but no services: nothing would run\n", path);
	else if (!j && code == DONE)
		printf("%s: %u service%s, nothing wrong\n", path, s.nservices, PLURAL(s.nservices));
	else if (!j)
		printf("%s: %u error%s in %u service%s\n", path, s.nerrors, PLURAL(s.nerrors), s.nservices,
		       PLURAL(s.nservices));
	spec_free(&s);
	return code;
}

int verb_check(struct ctl *c)
{
	struct json writer = { .to = stdout }, *j = has(c, OPT_JSON) ? &writer : NULL;
	char path[CONFIG_PATH_MAX];
	unsigned threshold;
	int code = DONE;

	if (threshold_read(c, &threshold) < 0)
		return USAGE;
	if (j)
		json_list(j, NULL);
	if (c->nargs == 0)
		code = check_one(c, config_path(c, path), threshold, j);
	for (int i = 0; i < c->nargs; i++) {
		int one = check_one(c, c->args[i], threshold, j);

		code = one > code ? one : code;
	}
	if (j)
		json_end(j);
	return code;
}

static int compile(struct ctl *c, struct spec *s)
{
	struct machine_facts facts;
	owned_fd plan = FD_NONE;
	struct err e;

	/* The build host says nothing about where the plan will run: what is not possible there is refused there. */
	facts_of_machine(&facts);
	if (has(c, OPT_CONTAINER)) {
		facts.can_namespaces = facts.can_userns = facts.can_mount = facts.can_cgroup = false;
		facts.container = true;
	}
	image_door_open(&facts);
	int rc = plan_compile(s, &facts, &plan, &e);

	image_door_close(&facts);
	spec_print_problems(s, stderr);
	if (rc < 0)
		return ctl_fail(c, FAILED, &e);
	if (s->nerrors > 0)
		return ctl_say(c, FAILED, "%u errors, nothing was written", s->nerrors);
	if (whole_write(c->value[OPT_OUTPUT], plan, &e) < 0)
		return ctl_fail(c, FAILED, &e);
	return DONE;
}

int verb_compile(struct ctl *c)
{
	struct spec s = { 0 };
	char path[CONFIG_PATH_MAX], trust[ANCHOR_MAX];
	const struct spec_beside beside = { .trust = config_trust(c, trust) };
	struct err e;

	if (!has(c, OPT_OUTPUT))
		return ctl_say(c, USAGE, "say with -o which file to write");
	if (spec_load_with(&s, c->nargs ? c->args[0] : config_path(c, path), &beside, &e) < 0)
		return ctl_fail(c, config_code(&e), &e);
	int code = compile(c, &s);

	spec_free(&s);
	return code;
}
