/* Dependencies with faked processes: what starts and stops when, and that it takes linear time. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=svc_spawn,--wrap=svc_term,--wrap=svc_sweep,--wrap=svc_judge,--wrap=svc_kill */
/* link: -Wl,--wrap=svc_too_late,--wrap=prior_event,--wrap=sockets_watch,--wrap=sockets_unwatch */
#include "services/spec/spec.h"
#include "services/supervise/deps.h"
#include "services/supervise/devices.h"
#include "services/supervise/ending.h"
#include "services/supervise/fsm.h"
#include "tests/unit/made_plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct prior p;
static uint32_t log_of[4096];	/* services in the order in which they were spawned (or told to stop) */
static unsigned nlog;
static enum svc_event verdict;	/* of the next end that nobody asked for */

#define FAKE(name) enum svc_event __wrap_##name(struct prior *q, uint32_t i); \
	enum svc_event __wrap_##name(struct prior *q, uint32_t i)

FAKE(svc_spawn)
{
	svc_of(q, i)->waits_for = 0;
	log_of[nlog++] = i;
	return EV_NONE;
}

FAKE(svc_term)
{
	log_of[nlog++] = i;
	svc_of(q, i)->flags |= SVC_F_SIGNALLED;
	return EV_NONE;
}

FAKE(svc_sweep)
{
	svc_of(q, i)->flags |= SVC_F_SIGNALLED;
	return EV_EMPTY;
}

FAKE(svc_kill)
{
	(void)q, (void)i;
	return EV_NONE;
}

FAKE(svc_too_late)
{
	(void)q, (void)i;
	return EV_NONE;
}

FAKE(svc_judge)
{
	struct ledger_svc *s = svc_of(q, i);

	s->flags &= ~SVC_F_SIGNALLED;
	if (s->flags & SVC_F_RESTART)
		return EV_END_NOW;
	return s->flags & SVC_F_WANTED ? verdict : EV_END_DOWN;
}

void __wrap_prior_event(struct prior *q, struct event *ev);
void __wrap_prior_event(struct prior *q, struct event *ev)
{
	(void)q, (void)ev;
}

int __wrap_sockets_watch(struct prior *q, uint32_t i, struct err *e);
int __wrap_sockets_watch(struct prior *q, uint32_t i, struct err *e)
{
	(void)q, (void)i, (void)e;
	return 0;
}

void __wrap_sockets_unwatch(struct prior *q, uint32_t i);
void __wrap_sockets_unwatch(struct prior *q, uint32_t i)
{
	(void)q, (void)i;
}

static void begin(const struct made_svc *rows, unsigned n)
{
	owned_fd fd = made_plan(rows, n);
	struct err e;

	memset(&p, 0, sizeof p);
	assert_int_equal(plan_map(&p.plan, fd, &e), 0);
	assert_int_equal(ledger_create(&p.ledger, &p.plan, &e), 0);
	assert_int_equal(prior_memory(&p, &e), 0);
	nlog = 0;
	verdict = EV_END_DOWN;
}

static int end(void **state)
{
	int fd = p.ledger.fd;

	(void)state;
	prior_free(&p);
	ledger_unmap(&p.ledger);
	fd_drop(&fd);
	plan_unmap(&p.plan);
	return 0;
}

static void start_all(void)
{
	const uint32_t *order = PLAN_FIRST(&p.plan, p.plan.head->start_order, uint32_t);

	for (uint32_t k = 0; k < p.n; k++)
		svc_post(&p, order[k], svc_is_lazy(&p, plan_service(&p.plan, order[k])) ? EV_LISTEN : EV_PULL);
}

static uint32_t named(const char *name)
{
	return (uint32_t)plan_find(&p.plan, name);
}

static void post(const char *name, enum svc_event ev)
{
	svc_post(&p, named(name), ev);
}

#define assert_state(name, st) \
	assert_string_equal(svc_state_name[svc_of(&p, named(name))->state], svc_state_name[st])

static const struct made_svc chain[] = {
	{ "app", .deps = { { "db", DEP_REQUIRES, COND_STARTED }, { "migrate", DEP_REQUIRES, COND_COMPLETED },
			   { "metrics", DEP_WANTS, 0 } } },
	{ .name = "db" },
	{ .name = "metrics" },
	{ "migrate", .type = TYPE_ONESHOT, .deps = { { "db", DEP_REQUIRES, COND_STARTED } } },
	{ "web", .deps = { { "app", DEP_REQUIRES, COND_STARTED } } },
	{ "zlast", .deps = { { "web", DEP_AFTER, 0 } } },
};

static void up_chain(void)
{
	begin(chain, 6);
	start_all();
	post("db", EV_READY);
	post("metrics", EV_READY);
	verdict = EV_END_DONE;
	post("migrate", EV_EXITED);	/* the fake judge answers with verdict */
	post("app", EV_READY);
	post("web", EV_READY);
	post("zlast", EV_READY);
}

static void a_service_waits_for_what_it_requires(void **state)
{
	(void)state;
	begin(chain, 6);
	start_all();
	assert_state("db", SVC_STARTING);
	assert_state("metrics", SVC_STARTING);
	assert_state("migrate", SVC_WAITING);
	assert_state("app", SVC_WAITING);
	assert_state("web", SVC_WAITING);
	assert_state("zlast", SVC_WAITING);
	assert_int_equal(svc_of(&p, named("app"))->waits_for, named("db") + 1);
	post("db", EV_READY);
	assert_state("migrate", SVC_STARTING);
	assert_int_equal(svc_of(&p, named("app"))->waits_for, named("migrate") + 1);
	verdict = EV_END_DONE;
	post("migrate", EV_EXITED);
	assert_state("migrate", SVC_DONE);
	assert_state("app", SVC_STARTING);
	assert_int_equal(svc_of(&p, named("app"))->waits_for, 0);
	post("app", EV_READY);
	assert_state("web", SVC_STARTING);
	assert_state("zlast", SVC_WAITING);
	post("web", EV_READY);
	assert_state("zlast", SVC_STARTING);
	assert_int_equal(p.unsettled, 2);	/* metrics, zlast */
}

static void what_is_wanted_may_fail(void **state)
{
	(void)state;
	begin(chain, 6);
	start_all();
	verdict = EV_END_BAD;
	post("metrics", EV_EXITED);
	assert_state("metrics", SVC_FAILED);
	assert_state("app", SVC_WAITING);
}

static void what_is_required_may_not(void **state)
{
	(void)state;
	begin(chain, 6);
	start_all();
	post("db", EV_READY);
	verdict = EV_END_BAD;
	post("migrate", EV_EXITED);
	assert_state("app", SVC_FAILED);
	assert_state("web", SVC_FAILED);
	assert_non_null(strstr(svc_of(&p, named("app"))->why, "needs migrate, which is failed"));
	assert_state("zlast", SVC_STARTING);	/* order only */
	assert_int_equal(p.unsettled, 2);
}

static void what_comes_back_brings_back_what_failed_for_it(void **state)
{
	(void)state;
	begin(chain, 6);
	start_all();
	post("db", EV_READY);
	verdict = EV_END_BAD;
	post("migrate", EV_EXITED);
	post("migrate", EV_START);
	verdict = EV_END_DONE;
	post("migrate", EV_EXITED);
	assert_state("app", SVC_STARTING);
	post("app", EV_READY);
	assert_state("web", SVC_STARTING);
}

static void a_stop_waits_for_those_that_need_it(void **state)
{
	(void)state;
	up_chain();
	nlog = 0;
	post("db", EV_STOP);
	assert_state("db", SVC_STOPPING);
	assert_state("app", SVC_STOPPING);
	assert_state("web", SVC_STOPPING);
	assert_int_equal(nlog, 1);
	assert_int_equal(log_of[0], named("web"));
	assert_int_equal(svc_of(&p, named("app"))->waits_for, named("web") + 1);
	post("web", EV_EMPTY);
	assert_int_equal(log_of[1], named("app"));
	post("app", EV_EMPTY);
	assert_int_equal(log_of[2], named("db"));
	post("db", EV_EMPTY);
	assert_state("db", SVC_DOWN);
	assert_state("web", SVC_DOWN);
	assert_state("zlast", SVC_UP);	/* order only */
	assert_int_equal(p.live, 2);	/* metrics, zlast */
}

static void a_restart_takes_its_dependents_along(void **state)
{
	(void)state;
	up_chain();
	post("app", EV_RESTART);
	post("web", EV_EMPTY);
	assert_state("web", SVC_WAITING);
	post("app", EV_EMPTY);
	assert_state("app", SVC_STARTING);
	post("app", EV_READY);
	assert_state("web", SVC_STARTING);
}

static void a_start_pulls_in_what_is_needed(void **state)
{
	(void)state;
	begin(chain, 6);
	post("web", EV_START);
	assert_state("db", SVC_STARTING);
	assert_state("metrics", SVC_STARTING);
	assert_state("app", SVC_WAITING);
	assert_state("zlast", SVC_DOWN);
}

static void a_failure_later_does_not_stop_who_needed_it(void **state)
{
	(void)state;
	up_chain();
	verdict = EV_END_BAD;
	post("db", EV_EXITED);
	assert_state("db", SVC_FAILED);
	assert_state("app", SVC_UP);
}

static void a_start_while_stopping_comes_after_the_stop(void **state)
{
	(void)state;
	up_chain();
	post("web", EV_STOP);
	post("web", EV_START);
	assert_state("web", SVC_STOPPING);
	post("web", EV_EMPTY);
	assert_state("web", SVC_STARTING);
}

static void a_lazy_service_is_there_once_it_listens(void **state)
{
	static const struct made_svc rows[] = {
		{ "lazy", .listen = { { "/tmp/lazy.sock", 1 } }, .deps = { { "store", DEP_REQUIRES, COND_STARTED } } },
		{ .name = "store" },
		{ "user", .deps = { { "lazy", DEP_REQUIRES, COND_STARTED } } },
	};

	(void)state;
	begin(rows, 3);
	start_all();
	assert_state("lazy", SVC_LISTENING);
	assert_state("user", SVC_STARTING);
	assert_state("store", SVC_STARTING);
	post("lazy", EV_CONNECTION);
	assert_state("lazy", SVC_WAITING);
	post("store", EV_READY);
	assert_state("lazy", SVC_STARTING);
}

static void shutdown_is_the_graph_backwards(void **state)
{
	(void)state;
	up_chain();
	p.logger_closing = true;	/* there is none to drain */
	nlog = 0;
	ending_begin(&p, SHUTDOWN_EXIT);
	assert_int_equal(nlog, 2);	/* metrics and zlast: nothing needs them */
	post("zlast", EV_EMPTY);
	assert_int_equal(log_of[2], named("web"));
	post("web", EV_EMPTY);
	post("app", EV_EMPTY);
	assert_int_equal(log_of[4], named("db"));
	post("db", EV_EMPTY);
	post("metrics", EV_EMPTY);
	assert_int_equal(p.live, 0);
}

/* n services that need one, in a row of n: steps grow with services and edges, not with their product. */
static uint64_t steps_of(unsigned n, bool star)
{
	struct made_svc *rows = calloc(n, sizeof *rows);
	char (*names)[16] = calloc(n, sizeof *names);

	for (unsigned i = 0; i < n; i++) {
		snprintf(names[i], sizeof names[i], "s%05u", i);
		rows[i].name = names[i];
		if (i)
			rows[i].deps[0] = (struct made_dep){ names[star ? 0 : i - 1], DEP_REQUIRES, COND_STARTED };
	}
	begin(rows, n);
	start_all();
	for (unsigned i = 0; i < n; i++)
		svc_post(&p, i, EV_READY);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(svc_of(&p, i)->state, SVC_UP);
	svc_post(&p, 0, EV_STOP);
	for (unsigned i = n; i-- > 0;)
		svc_post(&p, i, EV_EMPTY);
	assert_int_equal(p.live, 0);
	uint64_t steps = p.steps;

	end(NULL);
	free(rows);
	free(names);
	return steps;
}

static void starting_and_stopping_a_thousand_is_linear(void **state)
{
	(void)state;
	for (int star = 0; star < 2; star++) {
		uint64_t hundred = steps_of(100, star), thousand = steps_of(1000, star);

		if (thousand > hundred * 11)
			fail_msg("%s: %lu steps for 100, %lu for 1000", star ? "star" : "row", (unsigned long)hundred,
				 (unsigned long)thousand);
	}
}

/* A row of n: the first waits for a device without an end, each other for the one before it. */
static uint64_t steps_to_see_that_all_wait(unsigned n)
{
	struct made_svc *rows = calloc(n, sizeof *rows);
	char (*names)[16] = calloc(n, sizeof *names);

	for (unsigned i = 0; i < n; i++) {
		snprintf(names[i], sizeof names[i], "s%05u", i);
		rows[i].name = names[i];
		if (i)
			rows[i].deps[0] = (struct made_dep){ names[i - 1], DEP_REQUIRES, COND_STARTED };
	}
	begin(rows, n);
	p.run[0].absent = p.run[0].unmet = 1;	/* the plan has none, nor a timeout: that word would have come */
	p.run[0].devices_told = true;
	for (unsigned i = 0; i < n; i++) {
		svc_of(&p, i)->state = SVC_WAITING;
		svc_of(&p, i)->waits_for = i;	/* the index before it, + 1 */
	}
	p.unsettled = p.waiting = n;
	uint64_t before = p.steps;

	assert_true(devices_may_never_come(&p));
	uint64_t steps = p.steps - before;

	p.run[0].devices_told = false;	/* nobody knows yet: it may be there */
	assert_false(devices_may_never_come(&p));
	p.run[0].devices_told = true;
	svc_of(&p, n / 2)->waits_for = 0;	/* for something else, which comes */
	assert_false(devices_may_never_come(&p));
	end(NULL);
	free(rows);
	free(names);
	return steps;
}

static void that_a_thousand_wait_for_one_device_is_seen_in_linear_time(void **state)
{
	(void)state;
	assert_int_equal(steps_to_see_that_all_wait(100), 100);
	assert_int_equal(steps_to_see_that_all_wait(1000), 1000);
}

#define TEST(f) cmocka_unit_test_teardown(f, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_service_waits_for_what_it_requires),
		TEST(what_is_wanted_may_fail),
		TEST(what_is_required_may_not),
		TEST(what_comes_back_brings_back_what_failed_for_it),
		TEST(a_stop_waits_for_those_that_need_it),
		TEST(a_restart_takes_its_dependents_along),
		TEST(a_start_pulls_in_what_is_needed),
		TEST(a_failure_later_does_not_stop_who_needed_it),
		TEST(a_start_while_stopping_comes_after_the_stop),
		TEST(a_lazy_service_is_there_once_it_listens),
		TEST(shutdown_is_the_graph_backwards),
		cmocka_unit_test(starting_and_stopping_a_thousand_is_linear),
		cmocka_unit_test(that_a_thousand_wait_for_one_device_is_seen_in_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
