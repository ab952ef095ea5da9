/* Tests of templates: what %i becomes, which instances are made, and what is said of names that lead nowhere. */
/* SPDX-License-Identifier: ISC */
#include "conf_sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static struct spec s;

static int clean(void **state)
{
	(void)state;
	spec_free(&s);
	return 0;
}

static struct spec_service *load(const char *text, const char *name)
{
	conf_load_text(&s, text);
	assert_string_equal(conf_problems(&s), "");
	if (name)
		assert_non_null(spec_find(&s, name));
	return spec_find(&s, name ? name : "");
}

static void an_instance_has_its_name_in_values_and_keys_of_maps(void **state)
{
	struct spec_service *a = load("services:\n"
				      "  job@: {command: [x, '%i', '-%i-%i', '%%i', '5%', '%n'],\n"
				      "         environment: {\"N%i\": 'a%i'}, isolation: {unveil: {\"/srv/%i\": r}}}\n"
				      "  web: {command: x, wants: [job@a1]}\n", "job@a1");

	(void)state;
	assert_int_equal(s.nservices, 2);
	assert_int_equal(a->command.n, 6);
	assert_string_equal(a->command.v[1], "a1");
	assert_string_equal(a->command.v[2], "-a1-a1");
	assert_string_equal(a->command.v[3], "%i");
	assert_string_equal(a->command.v[4], "5%");
	assert_string_equal(a->command.v[5], "%n");
	assert_string_equal(a->environment.v[0].key, "Na1");
	assert_string_equal(a->environment.v[0].value, "aa1");
	assert_string_equal(a->unveil.v[0].path, "/srv/a1");
	assert_string_equal(a->instance, "a1");
	assert_false(a->asked);
	assert_string_equal(a->hostname, "job-a1");
	assert_string_equal(spec_origin_text(&s, spec_from(a, &a->command)), "t.yaml:2");
}

static void a_template_is_no_service_and_a_percent_sign_outside_of_one_is_itself(void **state)
{
	struct spec_service *web = load("services: {\"job@\": {command: x}, web: {command: [x, '%i']}}", "web");

	(void)state;
	assert_int_equal(s.nservices, 1);
	assert_string_equal(web->command.v[1], "%i");
	assert_null(web->instance);
	assert_non_null(spec_template_of(&s, "job@whatever"));
	assert_null(spec_template_of(&s, "jo@b"));
	assert_null(spec_template_of(&s, "web"));
}

static void an_instance_names_further_ones(void **state)
{
	load("services:\n"
	     "  a@: {command: x, depends_on: [b@%i], conflicts: [c@x]}\n"
	     "  b@: {command: x, after: [plain]}\n"
	     "  c@: {command: x, on_failure: \"start:b@%i\"}\n"
	     "  plain: {command: x, before: [a@1]}\n", "b@1");
	(void)state;
	assert_int_equal(s.nservices, 5);	/* plain, a@1, b@1, c@x, b@x */
	assert_non_null(spec_find(&s, "b@x"));
}

static void lines_of_a_declared_instance_stand_over_its_templates(void **state)
{
	struct spec_service *tty2 = load("services:\n"
					 "  getty@tty1: {}\n"
					 "  getty@tty2: {environment: {X: \"1\"}, umask: \"0077\",\n"
					 "               isolation: {preset: none}}\n"
					 "  getty@: {command: [g, '%i'], environment: {T: '%i'}, umask: \"0027\",\n"
					 "           isolation: {preset: strict}}\n", "getty@tty2");

	(void)state;
	assert_int_equal(s.nservices, 2);
	assert_string_equal(tty2->command.v[1], "tty2");
	assert_int_equal(tty2->umask, 077);
	assert_int_equal(tty2->environment.n, 2);
	assert_int_equal(tty2->preset, PRESET_NONE);
	assert_int_equal(spec_find(&s, "getty@tty1")->umask, 027);
	assert_int_equal(spec_find(&s, "getty@tty1")->preset, PRESET_STRICT);
	assert_string_equal(spec_origin_text(&s, spec_from(tty2, &tty2->umask)), "t.yaml:3");
}

static void instances_are_made_for_who_asks_and_are_known_as_such(void **state)
{
	const char *names[] = { "job@b", "job@a", "job@../b", "none@a" };
	struct err e;

	(void)state;
	conf_write("t.yaml", "services: {\"job@\": {command: x, wants: [\"log@%i\"]},\n"
		   "  \"log@\": {command: x},\n"
		   "  web: {command: x, wants: [\"job@a\"]}}");
	assert_int_equal(spec_load_with(&s, "t.yaml", &(struct spec_beside){ .instances = { names, 4 } }, &e), 0);
	assert_string_equal(conf_problems(&s), "");
	assert_int_equal(s.nservices, 5);
	assert_false(spec_find(&s, "job@a")->asked || spec_find(&s, "log@a")->asked);
	assert_true(spec_find(&s, "job@b")->asked && spec_find(&s, "log@b")->asked);
}

static void what_is_wrong_with_a_template_is_told_without_an_instance(void **state)
{
	(void)state;
	conf_load_text(&s, "services: {\"a@\": {command: x, stop_timeout: soon}}");
	assert_string_equal(conf_problems(&s),
			    "t.yaml:1:45: error: service a@: stop_timeout: 'soon' is not a time like 500ms, 30s, "
			    "5m, 2h, 1d or whole seconds\n");
	assert_int_equal(s.nservices, 0);
	spec_free(&s);
	/* What depends on the instance is not guessed at. */
	load("services: {\"a@\": {command: x, restart: '%i', stop_timeout: '%i'}}", NULL);
	spec_free(&s);
	conf_load_text(&s, "services: {\"a@\": {command: x, restart: '%i'}, b: {command: x, wants: [\"a@never\"]}}");
	assert_string_equal(conf_problems(&s),
			    "t.yaml:1:40: error: service a@never: restart: 'never' is not one of no, "
			    "on-failure, always, unless-stopped\n");
}

static void a_template_that_breeds_is_stopped(void **state)
{
	(void)state;
	conf_load_text(&s, "services: {\"a@\": {command: x, wants: [\"a@0%i\", \"a@1%i\"]},\n"
		       "b: {command: x, wants: [\"a@x\"]}}");
	assert_non_null(strstr(conf_problems(&s), "would be instance 1025 of templates: at most 1024 can be"));
	assert_int_equal(s.nservices, 1025);
	spec_free(&s);
	/* A name that grows becomes too long, and that is one message. */
	conf_load_text(&s, "services: {\"a@\": {command: x, wants: [\"a@0%i\"]}, b: {command: x, wants: [\"a@x\"]}}");
	assert_non_null(strstr(conf_problems(&s), "the name of an instance must be [a-z0-9][a-z0-9_.-]*, at most 63 "
			       "bytes with its template's"));
}

static void a_template_is_declared_once_and_found_from_any_file(void **state)
{
	(void)state;
	conf_write("prior.yaml", "services: {\"a@x\": {umask: \"0077\"}}");
	conf_write("services.d/a.yaml", "services: {\"a@\": {command: x}}");
	conf_write("services.d/b.yaml", "services: {\"a@\": {command: y}, \"a@x\": {command: z}}");
	conf_load(&s, ".");
	assert_string_equal(conf_problems(&s),
			    "./services.d/b.yaml:1:12: error: service a@: is given twice; first at "
			    "./services.d/a.yaml:1\n"
			    "./services.d/b.yaml:1:32: error: service a@x: is given twice; first at ./prior.yaml:1\n");
	assert_string_equal(spec_find(&s, "a@x")->command.v[0], "x");
}

static void names_are_told_apart(void **state)
{
	static const struct { const char *name; enum name_kind is; } rows[] = {
		{ "web", NAME_SERVICE }, { "w.e-b_1", NAME_SERVICE }, { "web@", NAME_TEMPLATE },
		{ "web@1", NAME_INSTANCE }, { "web@a.b-c_d", NAME_INSTANCE }, { "", NAME_BAD }, { "@", NAME_BAD },
		{ "@a", NAME_BAD }, { "web@.", NAME_BAD }, { "web@..", NAME_BAD }, { "web@../x", NAME_BAD },
		{ "web@/x", NAME_BAD }, { "web@A", NAME_BAD }, { "web@a@b", NAME_BAD }, { "web@a b", NAME_BAD },
		{ "web@a\n", NAME_BAD }, { "web@%i", NAME_BAD },
		{ "a@bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", NAME_BAD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(spec_name_kind(rows[i].name), rows[i].is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(an_instance_has_its_name_in_values_and_keys_of_maps, clean),
		cmocka_unit_test_teardown(a_template_is_no_service_and_a_percent_sign_outside_of_one_is_itself, clean),
		cmocka_unit_test_teardown(an_instance_names_further_ones, clean),
		cmocka_unit_test_teardown(lines_of_a_declared_instance_stand_over_its_templates, clean),
		cmocka_unit_test_teardown(instances_are_made_for_who_asks_and_are_known_as_such, clean),
		cmocka_unit_test_teardown(what_is_wrong_with_a_template_is_told_without_an_instance, clean),
		cmocka_unit_test_teardown(a_template_that_breeds_is_stopped, clean),
		cmocka_unit_test_teardown(a_template_is_declared_once_and_found_from_any_file, clean),
		cmocka_unit_test(names_are_told_apart),
	};

	return cmocka_run_group_tests(tests, conf_enter, conf_leave);
}
