/* `prior show` and `prior schema`. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/ctl/config.h"
#include "init/ctl/exposure.h"
#include "init/ctl/json.h"
#include "init/ctl/term.h"
#include "services/cell/cell.h"
#include "services/plan/compile.h"
#include "services/plan/image_door.h"
#include "services/spec/spec.h"

static void steps_json(void)
{
	struct json j = { .to = stdout };

	json_list(&j, NULL);
	for (unsigned i = 0; i < cell_step_count(); i++) {
		json_object(&j, NULL);
		json_int(&j, "step", i + 1);
		json_text(&j, "name", cell_step_name(i));
		json_text(&j, "why", cell_step_why(i));
		json_text(&j, "seen", cell_step_seen(i));
		json_end(&j);
	}
	json_end(&j);
}

static int steps(const struct ctl *c)
{
	if (has(c, OPT_JSON))
		return steps_json(), DONE;
	for (unsigned i = 0; i < cell_step_count(); i++) {
		const char *seen = cell_step_seen(i);

		printf("%3u  %-26s%s%s%s%s\n", i + 1, cell_step_name(i), cell_step_why(i), seen ? " [" : "",
		       seen ? seen : "", seen ? "]" : "");
	}
	return DONE;
}

static int show(struct ctl *c, struct spec *s)
{
	const char *service = c->args[0];
	struct err e;

	if (has(c, OPT_BUNDLE))
		return show_bundle(c, s);
	int rc = has(c, OPT_ISOLATION) ? spec_show_isolation(s, service, has(c, OPT_JSON), stdout, &e) :
					 spec_show(s, service, has(c, OPT_JSON), stdout, &e);

	if (rc < 0)
		return ctl_fail(c, FAILED, &e);
	return spec_has_errors(s, service) || spec_has_errors(s, NULL) ? FAILED : DONE;
}

/* Of the plan for a machine where everything can be isolated: the number does not depend on who asks. */
static int exposure(struct ctl *c, struct spec *s, unsigned threshold)
{
	struct machine_facts facts;
	owned_fd fd = FD_NONE;
	struct plan p;
	struct err e;

	facts_of_machine(&facts);
	image_door_open(&facts);
	int ret = plan_compile(s, &facts, &fd, &e);

	image_door_close(&facts);
	if (ret < 0 || plan_map(&p, fd, &e) < 0)
		return ctl_fail(c, FAILED, &e);
	const int n = plan_find(&p, c->args[0]);
	struct exposures x = { 0 };
	int code = n < 0 ? ctl_say(c, FAILED, "service %s is refused, so it has no exposure: prior check says why",
				   c->args[0]) : DONE;

	if (n >= 0 && exposures_of_plan(&x, &p, (uint32_t)n, &e) < 0)
		code = ctl_fail(c, FAILED, &e);
	else if (n >= 0 && has(c, OPT_EXPOSURE))
		exposures_show(&x, c->args[0], has(c, OPT_JSON));
	if (code == DONE && exposures_are_above(&x, threshold))
		code = ctl_say(c, FAILED, EXPOSURE_ABOVE(c->args[0], x.declared.score, threshold));
	plan_unmap(&p);
	return code;
}

int verb_show(struct ctl *c)
{
	unsigned threshold;

	struct spec s = { 0 };
	char path[CONFIG_PATH_MAX], trust[ANCHOR_MAX];
	struct err e;

	if (has(c, OPT_STEPS))
		return steps(c);
	if (c->nargs == 0)
		return ctl_say(c, USAGE, "which service of the configuration?");
	if (threshold_read(c, &threshold) < 0)
		return USAGE;
	const char *config = config_path(c, path);

	if (config_is_plan(config))
		return ctl_say(c, UNREADABLE, "%s is a compiled plan: it does not know where a value is from",
			       config);
	const struct spec_beside asked = { .instances = { c->args, spec_name_kind(c->args[0]) == NAME_INSTANCE },
					   .trust = config_trust(c, trust) };

	if (spec_load_with(&s, config, &asked, &e) < 0)
		return ctl_fail(c, config_code(&e), &e);
	spec_print_problems(&s, stderr);
	int code = has(c, OPT_EXPOSURE) ? DONE : show(c, &s);

	if (code == DONE && (has(c, OPT_EXPOSURE) || has(c, OPT_THRESHOLD)))
		code = exposure(c, &s, threshold);
	spec_free(&s);
	return code;
}

int verb_schema(struct ctl *c)
{
	(void)c;
	spec_print_schema(stdout);
	return DONE;
}
