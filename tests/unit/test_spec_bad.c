/* Tests of bad input: each kind of mistake is one clear message at its place, and condemns no more than it must. */
/* SPDX-License-Identifier: ISC */
#include "conf_sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct bad {
	const char *text, *says;
};

#include "spec_bad.inc"

#define AROUND "network: {bridges: {br0: {subnets: [10.0.0.0/24]}}}\n" \
	"services:\n" \
	"  s2: {command: [x], wants: [s], isolation: {preset: none}}\n" \
	"  s:  {command: [x], %s}\n" \
	"  s3: {command: [x], after: [s]}\n"

/* The problems without "t.yaml:" before each. */
static void expect(const char *yaml, const struct bad *b)
{
	char said[4000] = "";

	for (const char *line = conf_problems_of(yaml), *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		if (!strncmp(line, "t.yaml:", 7))
			line += 7;
		assert_true(strlen(said) + (size_t)(end - line) + 2 < sizeof said);
		strncat(said, line, (size_t)(end - line) + 1);
	}
	if (strcmp(said, b->says))
		print_error("for: %s\n", b->text);
	assert_string_equal(said, b->says);
}

static void every_mistake_in_a_service_is_one_message_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof in_service / sizeof *in_service; i++) {
		char yaml[1000];

		snprintf(yaml, sizeof yaml, AROUND, in_service[i].text);
		expect(yaml, &in_service[i]);
	}
}

static void a_mistake_in_a_service_condemns_it_alone(void **state)
{
	struct spec s;

	(void)state;
	for (size_t i = 0; i < sizeof in_service / sizeof *in_service; i++) {
		char yaml[1000];

		snprintf(yaml, sizeof yaml, AROUND, in_service[i].text);
		conf_load_text(&s, yaml);
		assert_true(spec_has_errors(&s, "s"));
		assert_false(spec_has_errors(&s, "s2"));
		assert_false(spec_has_errors(&s, NULL));
		assert_non_null(spec_find(&s, "s"));
		spec_free(&s);
	}
}

static void every_mistake_outside_of_services_is_one_message_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof at_top / sizeof *at_top; i++)
		expect(at_top[i].text, &at_top[i]);
}

static void a_mistake_in_the_defaults_or_the_machine_condemns_all(void **state)
{
	static const char *const texts[] = { "defaults: {x: 1}", "machine: {x: 1}", "x: 1", "defaults: {umask: 9}",
		"services: 1",
					     "trust: {require_signatures: true}" };
	struct spec s;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		conf_load_text(&s, texts[i]);
		assert_true(spec_has_errors(&s, NULL));
		spec_free(&s);
	}
}

static void all_problems_come_at_once_in_the_order_of_the_file(void **state)
{
	(void)state;
	assert_string_equal(conf_problems_of("services:\n"
					       "  b: {command: [x], colour: red, umask: 9}\n"
					       "  a: {command: [x], after: [c], type: what}\n"
					       "machne: {}\n"),
			    "t.yaml:2:21: error: service b: unknown key 'colour'\n"
			    "t.yaml:2:41: error: service b: umask: '9' is not an octal mode like 0644\n"
			    "t.yaml:3:28: error: service a: after: there is no service 'c'\n"
			    "t.yaml:3:39: error: service a: type: 'what' is not one of simple, oneshot, forking\n"
			    "t.yaml:4:1: error: unknown key 'machne' (did you mean 'machine'?)\n");
}

static void the_seed_that_reads_its_quota_as_one_cpu_gets_a_note(void **state)
{
	(void)state;
	assert_string_equal(conf_problems_of("services:\n  a:\n    command: [x]\n    limits: {cgroup: {cpu_max: "
		"\"100000 50000\"}}\n"),
			    "t.yaml:4:32: note: service a: limits.cgroup.cpu_max: \"100000 50000\" is quota 100000 "
			    "per period 50000 "
			    "(microseconds): 200%, the time of 2 CPUs\n");
}

static void a_file_that_is_not_there_is_no_configuration(void **state)
{
	struct spec s;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(spec_load(&s, "nowhere.yaml", &e), -2);
	assert_string_equal(e.text, "nowhere.yaml: No such file or directory");
	assert_int_equal(spec_load(&s, "services.d", &e), -2);
	assert_string_equal(e.text, "services.d/prior.yaml: No such file or directory");
}

static void a_cycle_of_thousands_is_found_without_a_deep_stack(void **state)
{
	enum { N = 3000 };
	char *text = malloc(N * 64), *at = text;
	struct spec s;

	(void)state;
	assert_non_null(text);
	at += sprintf(at, "services:\n");
	for (int i = 0; i < N; i++)
		at += sprintf(at, "  s%d: {command: [x], after: [s%d]}\n", i, (i + 1) % N);
	conf_load_text(&s, text);
	assert_int_equal(s.nservices, N);
	assert_int_equal(s.nerrors, N);
	assert_non_null(strstr(s.problems->text,
		"waits for itself: s0 (t.yaml:2) -> s1 (t.yaml:3) -> s2 (t.yaml:4) -> "));
	spec_free(&s);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mistake_in_a_service_is_one_message_at_its_place),
		cmocka_unit_test(a_mistake_in_a_service_condemns_it_alone),
		cmocka_unit_test(every_mistake_outside_of_services_is_one_message_at_its_place),
		cmocka_unit_test(a_mistake_in_the_defaults_or_the_machine_condemns_all),
		cmocka_unit_test(all_problems_come_at_once_in_the_order_of_the_file),
		cmocka_unit_test(the_seed_that_reads_its_quota_as_one_cpu_gets_a_note),
		cmocka_unit_test(a_file_that_is_not_there_is_no_configuration),
		cmocka_unit_test(a_cycle_of_thousands_is_found_without_a_deep_stack),
	};

	return cmocka_run_group_tests(tests, conf_enter, conf_leave);
}
