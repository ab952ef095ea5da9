/* Tests of what is printed: show reads back to itself, JSON has one shape, documents agree with the rows. */
/* SPDX-License-Identifier: ISC */
#include "conf_sample.h"
#include "init/conf/conf.h"
#include "services/spec/rows.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static char *printed(void (*print)(FILE *))
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	print(f);
	fclose(f);
	return text;
}

/* Without the places, which differ. */
static char *shown(struct spec *s, const char *service)
{
	char *out = strdup(conf_show(s, service, false)), *to = out;

	for (const char *c = out; *c; c++) {
		if (!strncmp(c, "  # ", 4))
			c = strchr(c, '\n');
		*to++ = *c;
	}
	*to = '\0';
	return out;
}

/* What show prints of a service, with what it refers to, is a configuration that shows the same. */
static void expect_round_trip(const char *text, const char *service, const char *around)
{
	struct spec s;

	conf_load_text(&s, text);
	assert_int_equal(s.nerrors, 0);
	char *once = shown(&s, service), *file = malloc(strlen(once) + strlen(around) + 1);

	spec_free(&s);
	sprintf(file, "%s%s", once, around);
	conf_load_text(&s, file);
	if (s.nerrors)
		fail_msg("%s", conf_problems(&s));
	char *twice = shown(&s, service);

	assert_string_equal(once, twice);
	spec_free(&s);
	free(once);
	free(twice);
	free(file);
}

static void what_show_prints_reads_back_to_the_same(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PRESETS; i++) {
		char text[100];

		snprintf(text, sizeof text, "services: {a: {command: [x], isolation: {preset: %s}}}", preset_names[i]);
		expect_round_trip(text, "a", "");
	}
	char *example = printed(spec_print_example);

	expect_round_trip(example, "web", "  db: {command: [x]}\n  metrics: {command: [x]}\n"
			  "  web-old: {command: [x]}\n"
					  "network: {bridges: {prior0: {subnets: [10.88.0.0/24]}}}\n");
	free(example);
}

static void odd_texts_read_back_to_the_same(void **state)
{
	(void)state;
	expect_round_trip("services:\n"
			  "  a:\n"
			  "    command: [\"a b\", \"no\", \"\", \"# x\", \"a: b\", \"$${HOME}\", "
			  "\"\\\"\\\\\\n\\t\\e\", \"'\", \"-x\", \"{\", \"\xc3\xa4\", \"1\", \"null\"]\n"
			  "    environment: {A: \"yes\", B: \"\", C: \"x # y\", D: \"$${\"}\n"
			  "    limits: {stack: {soft: 1, hard: unlimited}, cgroup: {memory_max: max, pids_max: max, "
			  "cpu_max: \"33333 100000\"}}\n"
			  "    stop_signal: SIGRTMIN+3\n"
			  "    isolation: {user: first, network: true, protect_home: read-only, tmpfs: {/x: \"\"}}\n"
			  "    security: {seccomp: {deny: [ptrace]}, restrict_address_families: []}\n"
			  "    listen: [{name: a, tcp: \"[::1]:80\", backlog: 5}, {name: b, unix: \"@abstract\", "
			  "activate: lazy}]\n",
			  "a", "");
}

static void an_emptied_list_stays_empty(void **state)
{
	(void)state;
	expect_round_trip("services: {a: {command: [x], isolation: {preset: strict}, security: "
		"{restrict_address_families: []}}}", "a", "");
}

#define BRIDGES "network: {bridges: {b0: {subnets: [10.0.0.0/24]}, b1: {subnets: [10.1.0.0/24]}}}\n"

/* Nothing and an empty list are not the same there: the first interface's list holds, or nothing can be reached. */
static void further_networks_read_back_with_what_was_emptied(void **state)
{
	static const char text[] = BRIDGES "services: {a: {command: [x], isolation: {network: [{bridge: b0}, "
					   "{bridge: b1, egress: []}]}}}";
	struct spec s;

	(void)state;
	expect_round_trip(text, "a", BRIDGES);
	conf_load_text(&s, text);
	assert_non_null(strstr(conf_show(&s, "a", false), "also: [{bridge: b1, egress: []}]"));
	spec_free(&s);
}

static void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in: %s", part, text);
}

static void json_has_bytes_milliseconds_and_full_names(void **state)
{
	struct spec s;

	(void)state;
	conf_load_text(&s, "services:\n"
			     "  web:\n"
			     "    command: \"nginx -g 'daemon off;'\"\n"
			     "    stop_timeout: 1m\n"
			     "    capabilities: [net_bind_service]\n"
			     "    isolation: {resources: {memory_max: 512M, cpu_max: \"100000 50000\"}}\n");
	const char *json = conf_show(&s, "web", true);

	expect_in(json, "{\n  \"service\": \"web\",\n  \"config\": {\n    \"command\": [\"nginx\", \"-g\", \"daemon "
		"off;\"],\n");
	expect_in(json, "\n    \"stop_timeout\": 60000,\n");
	expect_in(json, "\n      \"cap_add\": [\"CAP_NET_BIND_SERVICE\"],\n");
	expect_in(json, "\n        \"memory_max\": 536870912,\n");
	expect_in(json, "\n        \"memory_high\": null,\n");
	expect_in(json, "\n        \"cpu_max\": \"200%\",\n");
	expect_in(json, "\n    \"stop_timeout\": \"t.yaml:4\",\n");
	expect_in(json, "\n      \"cap_add\": \"t.yaml:5\",\n");
	expect_in(json, "\n        \"memory_max\": \"t.yaml:6\",\n");
	expect_in(json, "\n      \"private_tmp\": \"preset server\",\n");
	expect_in(json, "\n    \"start_timeout\": \"default\",\n");
	assert_null(strstr(json, "capabilities"));
	spec_free(&s);
}

static void a_service_that_is_not_there_is_named_with_its_neighbour(void **state)
{
	struct spec s;
	struct err e = { 0 };

	(void)state;
	conf_load_text(&s, "services: {web: {command: [x]}}");
	assert_int_equal(spec_show(&s, "wbe", false, stderr, &e), -2);
	assert_string_equal(e.text, "there is no service 'wbe' (did you mean 'web'?)");
	spec_free(&s);
}

static void the_short_table_says_what_the_kernel_will_be_told(void **state)
{
	struct spec s;

	(void)state;
	conf_load_text(&s, "services:\n"
			     "  my-api:\n"
			     "    command: [x]\n"
			     "    isolation:\n"
			     "      resources: {memory_max: 512M, memory_high: 384M, cpu_max: 200%, pids_limit: "
			     "4096}\n");
	assert_string_equal(conf_isolation(&s, "my-api"), "  Preset:       server\n"
							    "  DynamicUser:  yes\n"
							    "  Seccomp:      @system-service\n"
							    "  Capabilities: none\n"
							    "  Namespaces:   user, pid, mount, ipc, uts, cgroup\n"
							    "  Memory:       512M (max), 384M (high)\n"
							    "  CPU:          200%\n"
							    "  PIDs:         4096\n");
	spec_free(&s);
}

static void the_example_with_every_key_loads_without_a_problem(void **state)
{
	char *text = printed(spec_print_example);

	(void)state;
	assert_string_equal(conf_problems_of(text), "");
	free(text);
}

static void check_rows(const struct conf_key *keys, const char *schema, const char *reference)
{
	for (const struct conf_key *k = keys; k->name; k++) {
		char quoted[100], last[100];

		snprintf(quoted, sizeof quoted, "\"%s\":{\"description\":\"", k->name);
		expect_in(schema, quoted);
		snprintf(last, sizeof last, "%s : Ar ", k->name);
		expect_in(reference, last);
		assert_non_null(k->doc);
		assert_int_equal(k->doc[strlen(k->doc) - 1], '.');
		if (k->sub && k->sub != service_keys)
			check_rows(k->sub, schema, reference);
	}
}

static void every_row_is_documented_in_schema_and_reference(void **state)
{
	char *schema = printed(spec_print_schema), *reference = printed(spec_print_reference);

	(void)state;
	check_rows(top_keys, schema, reference);
	check_rows(service_keys, schema, reference);
	free(schema);
	free(reference);
}

/* An alias that leads nowhere would be found only by the user who writes it. */
static void check_aliases(const struct conf_key *keys)
{
	for (const struct conf_key *k = keys; k->name; k++) {
		if (k->alias && !k->set && !k->sub && !k->size)
			assert_non_null(conf_row(service_keys, k->alias));
		if (k->sub && k->sub != service_keys)
			check_aliases(k->sub);
	}
}

static void every_alias_leads_to_a_row_and_every_table_is_numbered(void **state)
{
	(void)state;
	check_aliases(service_keys);
	check_aliases(top_keys);
	assert_true(service_index()->tables < CONF_TABLES);
	assert_true(top_index()->tables < CONF_TABLES);
	assert_true(service_index()->rows > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_show_prints_reads_back_to_the_same),
		cmocka_unit_test(odd_texts_read_back_to_the_same),
		cmocka_unit_test(an_emptied_list_stays_empty),
		cmocka_unit_test(further_networks_read_back_with_what_was_emptied),
		cmocka_unit_test(json_has_bytes_milliseconds_and_full_names),
		cmocka_unit_test(a_service_that_is_not_there_is_named_with_its_neighbour),
		cmocka_unit_test(the_short_table_says_what_the_kernel_will_be_told),
		cmocka_unit_test(the_example_with_every_key_loads_without_a_problem),
		cmocka_unit_test(every_row_is_documented_in_schema_and_reference),
		cmocka_unit_test(every_alias_leads_to_a_row_and_every_table_is_numbered),
	};

	return cmocka_run_group_tests(tests, conf_enter, conf_leave);
}
