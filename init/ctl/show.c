/* `prior show` and `prior schema`. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/config.h"
#include "init/ctl/json.h"
#include "init/ctl/term.h"
#include "services/cell/cell.h"
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
	int rc = has(c, OPT_ISOLATION) ? spec_show_isolation(s, service, stdout, &e) :
					 spec_show(s, service, has(c, OPT_JSON), stdout, &e);

	if (rc < 0)
		return ctl_fail(c, FAILED, &e);
	return spec_has_errors(s, service) || spec_has_errors(s, NULL) ? FAILED : DONE;
}

int verb_show(struct ctl *c)
{
	struct spec s = { 0 };
	char path[CONFIG_PATH_MAX];
	struct err e;

	if (has(c, OPT_STEPS))
		return steps(c);
	if (c->nargs == 0)
		return ctl_say(c, USAGE, "which service of the configuration?");
	const char *config = config_path(c, path);

	if (config_is_plan(config))
		return ctl_say(c, UNREADABLE, "%s is a compiled plan: it does not know where a value is from",
			       config);
	if (spec_load(&s, config, &e) < 0)
		return ctl_fail(c, UNREADABLE, &e);
	spec_print_problems(&s, stderr);
	int code = show(c, &s);

	spec_free(&s);
	return code;
}

int verb_schema(struct ctl *c)
{
	(void)c;
	spec_print_schema(stdout);
	return DONE;
}
