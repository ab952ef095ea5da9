/* Tests of where a configuration is: one file or a folder, and how far a mistake in each file reaches. */
/* SPDX-License-Identifier: ISC */
#include "conf_sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_OF_A_FOLDER 4094	/* all that there may be */

static struct spec s;

static int fresh(void **state)
{
	static const char *const files[] = { "prior.yaml", "services.d/10-web.yaml", "services.d/20-db.yaml",
		"services.d/x.txt",
					     "services.d/.30.yaml" };

	(void)state;
	spec_free(&s);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		remove(files[i]);
	return 0;
}

static void files_of_a_folder_are_read_in_the_order_of_bytes(void **state)
{
	(void)state;
	conf_write("prior.yaml", "defaults: {umask: \"0077\"}\nservices: {first: {command: [x]}}\n");
	conf_write("services.d/20-db.yaml", "services: {db: {command: [x]}}\n");
	conf_write("services.d/10-web.yaml", "services: {web: {command: [x], depends_on: [db]}}\n");
	conf_write("services.d/x.txt", "not: [read\n");
	conf_write("services.d/.30.yaml", "not: [read\n");
	conf_load(&s, ".");
	assert_string_equal(conf_problems(&s), "");
	assert_int_equal(s.nservices, 3);
	assert_string_equal(s.services[0].name, "first");
	assert_string_equal(s.services[1].name, "web");
	assert_string_equal(s.services[2].name, "db");
	assert_int_equal(s.services[2].umask, 077);
	assert_string_equal(s.files[3], "./services.d/20-db.yaml");
}

static void a_file_that_ends_in_yml_is_not_overlooked_in_silence(void **state)
{
	(void)state;
	conf_write("prior.yaml", "services: {first: {command: [x]}}\n");
	conf_write("services.d/y.yml", "services: {web: {command: [x]}}\n");
	conf_load(&s, ".");
	remove("services.d/y.yml");
	assert_string_equal(conf_problems(&s),
			    "note: ./services.d/y.yml is not read: the name of a configuration ends in .yaml\n");
	assert_int_equal(s.nservices, 1);
}

static void services_d_alone_is_a_configuration(void **state)
{
	(void)state;
	conf_write("services.d/10-web.yaml", "services: {web: {command: [x]}}\n");
	conf_load(&s, ".");
	assert_string_equal(conf_problems(&s), "");
	assert_int_equal(s.nservices, 1);
	assert_string_equal(spec_origin_text(&s, s.services[0].from), "./services.d/10-web.yaml:1");
}

static void a_service_in_two_files_is_refused_with_both_places(void **state)
{
	(void)state;
	conf_write("prior.yaml", "services:\n  web: {command: [x]}\n");
	conf_write("services.d/10-web.yaml", "services: {web: {command: [y]}, db: {command: [x]}}\n");
	conf_load(&s, ".");
	assert_string_equal(conf_problems(&s),
		"./services.d/10-web.yaml:1:12: error: service web: is given twice; first at ./prior.yaml:2\n");
	assert_true(spec_has_errors(&s, "web"));
	assert_false(spec_has_errors(&s, "db"));
	assert_int_equal(s.nservices, 2);
}

static void a_machine_s_key_in_two_files_is_refused_with_both_places(void **state)
{
	(void)state;
	conf_write("prior.yaml", "machine:\n  hostname: a\nnetwork: {bridges: {b: {subnets: [10.0.0.0/24]}}}\n");
	conf_write("services.d/10-web.yaml", "machine: {hostname: b}\nnetwork: {bridges: {b: {}}}\n");
	conf_load(&s, ".");
	assert_string_equal(conf_problems(&s),
			    "./services.d/10-web.yaml:1:21: error: machine.hostname: is given twice; first at "
			    "./prior.yaml:2\n"
			    "./services.d/10-web.yaml:2:21: error: network.bridges: 'b' is given twice; first at "
			    "./prior.yaml:3\n");
}

static void a_malformed_file_of_services_d_condemns_itself_alone(void **state)
{
	(void)state;
	conf_write("prior.yaml", "services: {a: {command: [x]}}\n");
	conf_write("services.d/10-web.yaml", "services: {web: {command: [x}\n");
	conf_write("services.d/20-db.yaml", "services: {db: {command: [x]}}\n");
	conf_load(&s, ".");
	assert_int_equal(s.nservices, 2);
	assert_int_equal(s.nerrors, 1);
	assert_true(s.problems->of_file);
	assert_null(s.problems->service);
	assert_false(spec_has_errors(&s, NULL));
	assert_false(spec_has_errors(&s, "a"));
	assert_false(spec_has_errors(&s, "db"));
}

static void a_mistake_outside_of_a_file_s_services_condemns_all_of_them(void **state)
{
	(void)state;
	conf_write("prior.yaml", "services: {a: {command: [x]}}\n");
	conf_write("services.d/10-web.yaml", "servces: {}\nservices: {web: {command: [x]}}\n");
	conf_load(&s, ".");
	assert_string_equal(conf_problems(&s),
		"./services.d/10-web.yaml:1:1: error: unknown key 'servces' (did you mean 'services'?)\n");
	assert_false(spec_has_errors(&s, NULL));
	assert_false(spec_has_errors(&s, "a"));
	assert_true(spec_has_errors(&s, "web"));
}

static void a_malformed_prior_yaml_condemns_all(void **state)
{
	(void)state;
	conf_write("prior.yaml", "services: {a: {command: [x]}\n");
	conf_write("services.d/20-db.yaml", "services: {db: {command: [x]}}\n");
	conf_load(&s, ".");
	assert_true(spec_has_errors(&s, NULL));
	assert_true(spec_has_errors(&s, "db"));
	spec_free(&s);
	conf_load(&s, "prior.yaml");
	assert_true(spec_has_errors(&s, NULL));
}

static void a_duplicate_or_an_alias_in_a_service_condemns_it_alone(void **state)
{
	(void)state;
	conf_write("prior.yaml", "services:\n"
				   "  a: {command: [x], umask: 1, umask: 2}\n"
				   "  b: {command: &c [x]}\n"
				   "  c: {command: [\"${UNSET_BY_ALL}\"]}\n"
				   "  d: {command: [x]}\n"
				   "  e: {command: [x]}\n"
				   "  e: {command: [x]}\n");
	conf_load(&s, "prior.yaml");
	assert_int_equal(s.nerrors, 4);
	assert_false(spec_has_errors(&s, NULL));
	assert_true(spec_has_errors(&s, "a"));
	assert_true(spec_has_errors(&s, "b"));
	assert_true(spec_has_errors(&s, "c"));
	assert_false(spec_has_errors(&s, "d"));
	assert_true(spec_has_errors(&s, "e"));
}

static void what_is_not_a_regular_file_is_refused(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(spec_load(&s, "/dev/null", &e), -22);
	assert_string_equal(e.text, "/dev/null: not a regular file");
	conf_write("prior.yaml", "services: {a: {command: [x]}}\n");
	assert_int_equal(mkdir("services.d/20-db.yaml", 0755), 0);
	conf_load(&s, ".");
	assert_string_equal(conf_problems(&s), "error: ./services.d/20-db.yaml: not a regular file\n");
	assert_false(spec_has_errors(&s, "a"));
	assert_int_equal(rmdir("services.d/20-db.yaml"), 0);
}

/* One file more than there may be is what the interfaces bring along. */
static void services_of_the_interfaces_are_not_missing_in_silence(void **state)
{
	struct err e = { 0 };
	char name[32];
	int rc;

	(void)state;
	conf_write("prior.yaml", "network: {interfaces: {eth0: {dhcp: true}}}\nservices: {}\n");
	conf_write("services.d/0000.yaml", "{}\n");
	for (unsigned i = 1; i < FILES_OF_A_FOLDER; i++) {
		snprintf(name, sizeof name, "services.d/%04u.yaml", i);
		assert_int_equal(link("services.d/0000.yaml", name), 0);	/* quicker made than a file */
	}
	rc = spec_load(&s, ".", &e);
	for (unsigned i = 0; i < FILES_OF_A_FOLDER; i++) {
		snprintf(name, sizeof name, "services.d/%04u.yaml", i);
		remove(name);
	}
	assert_int_equal(rc, -E2BIG);
	assert_string_equal(e.text, "network.interfaces: more than 4094 files");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(files_of_a_folder_are_read_in_the_order_of_bytes, fresh),
		cmocka_unit_test_teardown(a_file_that_ends_in_yml_is_not_overlooked_in_silence, fresh),
		cmocka_unit_test_teardown(services_d_alone_is_a_configuration, fresh),
		cmocka_unit_test_teardown(a_service_in_two_files_is_refused_with_both_places, fresh),
		cmocka_unit_test_teardown(a_machine_s_key_in_two_files_is_refused_with_both_places, fresh),
		cmocka_unit_test_teardown(a_malformed_file_of_services_d_condemns_itself_alone, fresh),
		cmocka_unit_test_teardown(a_mistake_outside_of_a_file_s_services_condemns_all_of_them, fresh),
		cmocka_unit_test_teardown(a_malformed_prior_yaml_condemns_all, fresh),
		cmocka_unit_test_teardown(a_duplicate_or_an_alias_in_a_service_condemns_it_alone, fresh),
		cmocka_unit_test_teardown(what_is_not_a_regular_file_is_refused, fresh),
		cmocka_unit_test_teardown(services_of_the_interfaces_are_not_missing_in_silence, fresh),
	};

	return cmocka_run_group_tests(tests, conf_enter, conf_leave);
}
