/* A plan between two: who waits for what still stops, and who does not. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/plan/between.h"
#include "services/plan/changes.h"
#include "services/spec/spec.h"
#include "tests/unit/made_plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define COUNT(...) (sizeof((struct made_svc[]){ __VA_ARGS__ }) / sizeof(struct made_svc))
#define PLAN(p, ...) map(p, (const struct made_svc[]){ __VA_ARGS__ }, COUNT(__VA_ARGS__))
#define NEEDS(on) .deps = { { on, DEP_REQUIRES, COND_STARTED } }
#define AT(path, how) .listen = { { path, how } }
#define OTHER .sh = "exec sleep 999"

static struct plan now, next, between;
static uint8_t leaving[2048];

static void map(struct plan *p, const struct made_svc *rows, unsigned n)
{
	owned_fd fd = made_plan(rows, n);
	struct err e;

	if (plan_map(p, fd, &e) < 0)
		fail_msg("%s", e.text);
}

static int begin(void **state)
{
	(void)state;
	memset(leaving, 0, sizeof leaving);
	return 0;
}

static int end(void **state)
{
	(void)state;
	plan_unmap(&now);
	plan_unmap(&next);
	plan_unmap(&between);
	return 0;
}

static void is(const char *name, enum leaving l)
{
	leaving[plan_find(&now, name)] = (uint8_t)l;
}

/* Its services: "a" as in both, "+b" as in next alone, "-c" as in now alone. */
static const char *made(void)
{
	static char text[256];
	owned_fd fd = FD_NONE;
	struct err e;
	const int rc = plan_between(&now, &next, leaving, &fd, &e);

	text[0] = '\0';
	if (rc < 0)
		fail_msg("%s", e.text);
	if (rc == 0)
		return "none";
	plan_unmap(&between);
	if (plan_map(&between, fd, &e) < 0)
		fail_msg("%s", e.text);
	for (uint32_t x = 0; x < between.head->services.n; x++) {
		const char *name = plan_str(&between, plan_service(&between, x)->name);
		const int i = plan_find(&now, name), k = plan_find(&next, name);
		const bool was = i >= 0 && !changes_service(&between, x, &now, (uint32_t)i);
		const bool comes = k >= 0 && !changes_service(&between, x, &next, (uint32_t)k);

		assert_true(was || comes);
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s%s", x ? " " : "",
			 was && comes ? "" : was ? "-" : "+", name);
	}
	return text;
}

static void what_does_not_depend_on_one_that_stops_is_there(void **state)
{
	(void)state;
	PLAN(&now, { .name = "down" }, { .name = "gone" }, { .name = "same" }, { .name = "slow" });
	PLAN(&next, { .name = "down", OTHER }, { .name = "far", NEEDS("near") }, { .name = "near", NEEDS("slow") },
	     { .name = "new", NEEDS("same") }, { .name = "same" }, { .name = "slow", OTHER });
	is("slow", LEAVING_ALIVE);
	is("gone", LEAVING_AT_REST);
	is("down", LEAVING_AT_REST);
	assert_string_equal(made(), "+down +new same -slow");
	is("slow", LEAVING_AT_REST);
	is("gone", LEAVING_ALIVE);
	assert_string_equal(made(), "+down +far -gone +near +new same +slow");
	is("down", LEAVING_ALIVE);
	is("slow", LEAVING_ALIVE);
	assert_string_equal(made(), "-down -gone +new same -slow");
}

static void one_that_was_stopped_with_it_holds_up_what_needs_it(void **state)
{
	(void)state;
	PLAN(&now, { .name = "mid", NEEDS("slow") }, { .name = "slow" });
	PLAN(&next, { .name = "mid", NEEDS("slow") }, { .name = "new" }, { .name = "slow", OTHER },
	     { .name = "top", NEEDS("mid") });
	is("slow", LEAVING_ALIVE);
	is("mid", LEAVING_AT_REST);
	assert_string_equal(made(), "mid +new -slow");
	/* Once it has been let go, nobody waits for it any more. */
	is("slow", LEAVING_AT_REST);
	assert_string_equal(made(), "mid +new +slow +top");
}

static void nothing_to_be_gained_is_no_plan(void **state)
{
	(void)state;
	PLAN(&now, { .name = "gone" }, { .name = "same" });
	PLAN(&next, { .name = "same" });
	is("gone", LEAVING_ALIVE);
	assert_string_equal(made(), "none");
}

static void an_address_is_not_taken_from_one_that_has_it_open(void **state)
{
	(void)state;
	PLAN(&now, { .name = "held", AT("/tmp/b", 0) }, { .name = "slow", AT("/tmp/a", 0) });
	PLAN(&next, { .name = "free", AT("/tmp/c", 0) }, { .name = "heir", AT("/tmp/a", 0) },
	     { .name = "held", OTHER, NEEDS("heir") }, { .name = "other", AT("/tmp/b", 0) });
	is("slow", LEAVING_ALIVE);
	is("held", LEAVING_AT_REST);
	assert_string_equal(made(), "+free -held -slow");
	is("slow", LEAVING_AT_REST);
	assert_string_equal(made(), "+free +heir +held +other");
}

/* The heir of what was another's is there only when that has gone. */
static void what_only_one_can_have_is_not_taken_from_one_that_lives(void **state)
{
	static const struct { struct made_svc was, comes; bool waits; } rows[] = {
		{ { .flags = CELL_DYNAMIC, .uid = 61190 }, { .flags = CELL_DYNAMIC, .uid = 61190 }, true },
		{ { .flags = CELL_DYNAMIC, .uid = 61190 }, { .flags = CELL_DYNAMIC, .uid = 61191 }, false },
		{ { .uid = 61190 }, { .uid = 61190 }, false },
		{ { .address = "10.0.0.2" }, { .address = "10.0.0.2" }, true },
		{ { .address = "10.0.0.2" }, { .address = "10.0.0.3" }, false },
		{ { .port = 8080 }, { .port = 8080 }, true },
		{ { .port = 8080 }, { .port = 8081 }, false },
		{ { .state = "db" }, { .state = "db" }, true },
		{ { .state = "db" }, { .state = "web" }, false },
		{ { .bind = "/srv" }, { .bind = "/srv" }, true },
		{ { .bind = "/srv" }, { .bind = "/opt" }, false },
		{ { .bind = "ro:/srv" }, { .bind = "/srv" }, false },
		{ { .bind = "/srv" }, { .bind = "ro:/srv" }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct made_svc was = rows[i].was, comes = rows[i].comes;

		was.name = "old";
		comes.name = "heir";
		plan_unmap(&now);
		plan_unmap(&next);
		PLAN(&now, was);
		PLAN(&next, comes, { .name = "new" });
		is("old", LEAVING_ALIVE);
		if (strcmp(made(), rows[i].waits ? "+new -old" : "+heir +new -old"))
			fail_msg("row %zu: %s", i, made());
		is("old", LEAVING_AT_REST);
		assert_string_equal(made(), "+heir +new");
	}
}

static void a_service_for_each_connection_and_its_slots_go_together(void **state)
{
	(void)state;
	PLAN(&now, { .name = "in", .connections = 2, .per_source = 2, AT("/tmp/in", ACTIVATE_CONNECTION) },
	     { .name = "in@1", .base = "in" }, { .name = "in@2", .base = "in" });
	PLAN(&next, { .name = "in", .connections = 1, .per_source = 1, AT("/tmp/in", ACTIVATE_CONNECTION) },
	     { .name = "in@1", OTHER, .base = "in" }, { .name = "new" });
	is("in", LEAVING_AT_REST);
	is("in@1", LEAVING_AT_REST);
	is("in@2", LEAVING_ALIVE);
	assert_string_equal(made(), "-in -in@1 -in@2 +new");
	is("in@2", LEAVING_AT_REST);
	assert_string_equal(made(), "+in +in@1 +new");
}

static void what_together_goes_in_a_circle_waits(void **state)
{
	(void)state;
	PLAN(&now, { .name = "a", NEEDS("b") }, { .name = "b", .deps = { { "c", DEP_AFTER, 0 } } }, { .name = "c" });
	PLAN(&next, { .name = "a", OTHER }, { .name = "b", .deps = { { "a", DEP_AFTER, 0 } } },
	     { .name = "c", OTHER, NEEDS("b") });
	is("a", LEAVING_ALIVE);
	is("c", LEAVING_AT_REST);
	assert_string_equal(made(), "none");
}

/* Each one's heir waits for it, and all for whoever has the folder; a table and not 4 million pairs says so. */
static void a_thousand_are_not_compared_with_a_thousand(void **state)
{
	enum { MANY = 2000 };
	static struct made_svc was[MANY], come[MANY + 1];
	static char names[2][MANY][8], paths[MANY][16];
	owned_fd fd = FD_NONE;
	struct err e;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(names[0][i], 8, "a%05u", i);
		snprintf(names[1][i], 8, "b%05u", i);
		snprintf(paths[i], 16, "/tmp/%u", i);
		was[i] = (struct made_svc){ .name = names[0][i], .listen = { { paths[i], 0 } }, .bind = "/srv" };
		come[i] = (struct made_svc){ .name = names[1][i], .listen = { { paths[MANY - 1 - i], 0 } } };
	}
	come[MANY] = (struct made_svc){ .name = "new" };
	map(&now, was, MANY);
	map(&next, come, MANY + 1);
	memset(leaving, LEAVING_ALIVE, MANY);
	assert_int_equal(plan_between(&now, &next, leaving, &fd, &e), 1);
	assert_int_equal(plan_map(&between, fd, &e), 0);
	assert_int_equal(between.head->services.n, MANY + 1);
	assert_true(plan_find(&between, "new") >= 0 && plan_find(&between, names[1][0]) < 0);
	fd_drop(&fd);
	plan_unmap(&between);
	/* One of them has ended. */
	leaving[7] = LEAVING_AT_REST;
	assert_int_equal(plan_between(&now, &next, leaving, &fd, &e), 1);
	assert_int_equal(plan_map(&between, fd, &e), 0);
	assert_true(plan_find(&between, names[1][MANY - 1 - 7]) >= 0 && plan_find(&between, names[0][7]) < 0);
	assert_int_equal(between.head->services.n, MANY + 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_does_not_depend_on_one_that_stops_is_there),
		TEST(one_that_was_stopped_with_it_holds_up_what_needs_it),
		TEST(nothing_to_be_gained_is_no_plan),
		TEST(an_address_is_not_taken_from_one_that_has_it_open),
		TEST(what_only_one_can_have_is_not_taken_from_one_that_lives),
		TEST(a_service_for_each_connection_and_its_slots_go_together),
		TEST(what_together_goes_in_a_circle_waits),
		TEST(a_thousand_are_not_compared_with_a_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
