/* The life of a service, with actions that are faked: every pair is decided, and the states tell the truth. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=svc_wait,--wrap=svc_wait_pulled,--wrap=svc_listen,--wrap=svc_bind,--wrap=svc_dep_failed */
/* link: -Wl,--wrap=svc_backoff,--wrap=svc_rest,--wrap=svc_ended,--wrap=svc_done,--wrap=svc_fail */
/* link: -Wl,--wrap=svc_refuse,--wrap=svc_spawn,--wrap=svc_ran,--wrap=svc_up,--wrap=svc_stop */
/* link: -Wl,--wrap=svc_restart,--wrap=svc_again,--wrap=svc_stay_down,--wrap=svc_term,--wrap=svc_kill */
/* link: -Wl,--wrap=svc_too_late,--wrap=svc_unwell,--wrap=svc_sweep,--wrap=svc_judge,--wrap=deps_changed */
/* link: -Wl,--wrap=svc_hooked,--wrap=svc_ready,--wrap=svc_hook_failed,--wrap=svc_signal,--wrap=svc_empty */
/* link: -Wl,--wrap=svc_forked */
/* link: -Wl,--wrap=svc_checked,--wrap=svc_skip,--wrap=sockets_unwatch,--wrap=prior_event */
#include "services/supervise/fsm.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ROUNDS 1000000

static struct prior p;
static struct svc_run run[2];
static struct ledger_svc svc[1];
static struct ledger_head head;
static struct plan_head plan_head;
static int64_t due[8];
static uint32_t heap[8], place[8];
static bool process;		/* of the faked world */
static unsigned depth, said;

static enum svc_event one_of(const enum svc_event *events, size_t n)
{
	return events[(size_t)random() % n];
}
#define ONE_OF(...) one_of((const enum svc_event[]){ __VA_ARGS__ }, sizeof((int[]){ __VA_ARGS__ }) / sizeof(int))

#define FAKE(name) enum svc_event __wrap_##name(struct prior *q, uint32_t i); \
	enum svc_event __wrap_##name(struct prior *q, uint32_t i)

#define QUIET(name) FAKE(name) { (void)q, (void)i; assert_false(process); return EV_NONE; }
#define QUIET_LIVE(name) FAKE(name) { (void)q, (void)i; assert_true(process); return EV_NONE; }

QUIET(svc_rest)
QUIET(svc_ended)
QUIET(svc_done)
QUIET(svc_fail)
QUIET(svc_refuse)
QUIET(svc_dep_failed)
QUIET(svc_backoff)
QUIET_LIVE(svc_again)
QUIET_LIVE(svc_stay_down)
QUIET_LIVE(svc_up)

FAKE(svc_wait)
{
	(void)q, (void)i;
	return ONE_OF(EV_NONE, EV_DEPS_READY, EV_DEP_FAILED);
}

FAKE(svc_wait_pulled)
{
	return __wrap_svc_wait(q, i);
}

FAKE(svc_listen)
{
	(void)q, (void)i;
	return ONE_OF(EV_NONE, EV_NONE, EV_NONE, EV_REFUSED);
}

FAKE(svc_bind)
{
	(void)q, (void)i;
	return ONE_OF(EV_START, EV_REFUSED);
}

FAKE(svc_spawn)
{
	(void)q, (void)i;
	assert_false(process);
	process = true;
	return ONE_OF(EV_NONE, EV_NONE, EV_START_FAILED);
}

QUIET_LIVE(svc_checked)

FAKE(svc_skip)
{
	(void)q, (void)i;
	assert_true(process);
	process = false;
	return EV_NONE;
}

FAKE(svc_ran)
{
	(void)q, (void)i;
	assert_true(process);
	return ONE_OF(EV_NONE, EV_READY);
}

FAKE(svc_stop)
{
	(void)q, (void)i;
	assert_true(process);
	return ONE_OF(EV_NONE, EV_FREE);
}

FAKE(svc_restart)
{
	return __wrap_svc_stop(q, i);
}

FAKE(svc_term)
{
	(void)q, (void)i;
	assert_true(process);
	return ONE_OF(EV_NONE, EV_NONE, EV_EMPTY);
}

FAKE(svc_kill)
{
	return __wrap_svc_term(q, i);
}

FAKE(svc_too_late)
{
	return __wrap_svc_term(q, i);
}

FAKE(svc_hook_failed)
{
	return __wrap_svc_term(q, i);
}

FAKE(svc_signal)
{
	return __wrap_svc_term(q, i);
}

FAKE(svc_hooked)
{
	(void)q, (void)i;
	assert_true(process);
	return ONE_OF(EV_NONE, EV_UP, EV_START_FAILED);
}

FAKE(svc_forked)
{
	(void)q, (void)i;
	assert_true(process);
	return ONE_OF(EV_NONE, EV_START_FAILED);
}

FAKE(svc_ready)
{
	(void)q, (void)i;
	assert_true(process);
	return ONE_OF(EV_NONE, EV_UP, EV_HOOK_FAILED);
}

FAKE(svc_empty)
{
	(void)q, (void)i;
	assert_true(process);
	return ONE_OF(EV_NONE, EV_GONE);
}

FAKE(svc_unwell)
{
	return __wrap_svc_term(q, i);
}

FAKE(svc_sweep)
{
	return __wrap_svc_term(q, i);
}

FAKE(svc_judge)
{
	(void)q, (void)i;
	assert_true(process);
	process = false;
	return ONE_OF(EV_END_NOW, EV_END_AGAIN, EV_END_LISTEN, EV_END_DOWN, EV_END_DONE, EV_END_BAD);
}

void __wrap_deps_changed(struct prior *q, uint32_t i);
void __wrap_deps_changed(struct prior *q, uint32_t i)
{
	/* What a change brings about comes through the queue, never by a nested step. */
	assert_int_equal(depth++, 0);
	if (random() % 8 == 0)
		svc_post(q, i, ONE_OF(EV_DEPS_READY, EV_DEP_FAILED, EV_FREE, EV_STOP, EV_PULL));
	depth--;
}

void __wrap_sockets_unwatch(struct prior *q, uint32_t i);
void __wrap_sockets_unwatch(struct prior *q, uint32_t i)
{
	(void)q, (void)i;
}

void __wrap_prior_event(struct prior *q, struct event *ev);
void __wrap_prior_event(struct prior *q, struct event *ev)
{
	(void)q, (void)ev;
	said++;
}

static int setup(void **state)
{
	static const struct plan_service one;
	static unsigned char plan[4096];

	(void)state;
	srandom(20);
	memset(svc, 0, sizeof svc);
	memset(run, 0, sizeof run);
	memset(&head, 0, sizeof head);
	memset(place, 0, sizeof place);
	memcpy(plan + 64, &one, sizeof one);
	plan_head.services = (struct plan_ref){ 64, 1 };
	p = (struct prior){ .n = 1, .run = run, .ledger = { .head = &head, .svc = svc },
			    .plan = { .at = plan, .head = &plan_head },
			    .loop = { .due = due, .heap = heap, .place = place, .ntimers = 8 } };
	ledger_open_svc(&svc[0]);
	ledger_seal_svc(&svc[0]);
	process = false;
	depth = said = 0;
	return 0;
}

static void every_row_says_why(void **state)
{
	(void)state;
	for (int st = 0; st < SVC_STATES; st++)
		for (int ev = 0; ev < SVC_EVENTS; ev++) {
			const struct svc_move *m = svc_move(st, ev);

			assert_true((m->kind == NEVER) == (m->why == NULL));
			assert_true((m->kind == GO) == (m->act != NULL));
		}
}

static void every_state_and_every_event_has_a_name(void **state)
{
	(void)state;
	for (int st = 0; st < SVC_STATES; st++)
		assert_non_null(svc_state_name[st]);
	for (int ev = 0; ev < SVC_EVENTS; ev++)
		assert_non_null(svc_event_name[ev]);
}

static void what_a_person_asks_is_answered_in_every_state(void **state)
{
	(void)state;
	for (int st = 0; st < SVC_STATES; st++) {
		assert_int_not_equal(svc_move(st, EV_START)->kind, NEVER);
		assert_int_not_equal(svc_move(st, EV_STOP)->kind, NEVER);
		assert_int_not_equal(svc_move(st, EV_RESTART)->kind, NEVER);
	}
}

static void what_other_services_bring_about_is_answered_in_every_state(void **state)
{
	static const enum svc_event from_others[] = { EV_PULL, EV_LISTEN, EV_DEPS_READY, EV_DEP_FAILED, EV_FREE };

	(void)state;
	for (int st = 0; st < SVC_STATES; st++)
		for (size_t k = 0; k < sizeof from_others / sizeof *from_others; k++)
			assert_int_not_equal(svc_move(st, from_others[k])->kind, NEVER);
}

static void every_state_can_be_entered_and_left(void **state)
{
	bool entered[SVC_STATES] = { [SVC_DOWN] = true }, left[SVC_STATES] = { false };

	(void)state;
	for (int st = 0; st < SVC_STATES; st++)
		for (int ev = 0; ev < SVC_EVENTS; ev++) {
			const struct svc_move *m = svc_move(st, ev);

			if (m->kind == GO && (int)m->to != st)
				left[st] = entered[m->to] = true;
		}
	for (int st = 0; st < SVC_STATES; st++)
		assert_true(entered[st] && left[st]);
}

/* Events as the world sends them, in every state: what is left undecided is counted, and nothing else is wrong. */
static void a_process_exists_exactly_when_the_state_says(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		enum svc_event ev = (enum svc_event)((unsigned)random() % EV_END_NOW);

		svc_post(&p, 0, ev);
		assert_true(svc[0].state < SVC_STATES);
		assert_int_equal(process, state_is_live(svc[0].state));
		assert_true(ledger_svc_is_whole(&svc[0]) || round % 1000);
		assert_int_equal(p.queue_head, 0);
		assert_int_equal(p.live, process);
		assert_int_equal(p.unsettled, !state_is_settled(svc[0].state));
	}
	assert_true(head.impossible > 0);
	assert_int_equal(head.impossible, said);
}

static void a_pair_that_nobody_decided_changes_nothing(void **state)
{
	(void)state;
	svc_post(&p, 0, EV_TIMEOUT);
	assert_int_equal(svc[0].state, SVC_DOWN);
	assert_int_equal(head.impossible, 1);
	assert_int_equal(said, 1);
}

static void the_queue_keeps_the_order_of_services(void **state)
{
	(void)state;
	p.settling = true;	/* as if inside an action */
	svc_post(&p, 0, EV_STOP);
	svc_post(&p, 0, EV_STOP);
	assert_int_equal(p.queue_head, 1);
	assert_int_equal(run[0].queued, 1u << EV_STOP);
	p.settling = false;
	svc_post(&p, 0, EV_FREE);
	assert_int_equal(p.queue_head, 0);
	assert_int_equal(run[0].queued, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_row_says_why, setup),
		cmocka_unit_test_setup(every_state_and_every_event_has_a_name, setup),
		cmocka_unit_test_setup(what_a_person_asks_is_answered_in_every_state, setup),
		cmocka_unit_test_setup(what_other_services_bring_about_is_answered_in_every_state, setup),
		cmocka_unit_test_setup(every_state_can_be_entered_and_left, setup),
		cmocka_unit_test_setup(a_process_exists_exactly_when_the_state_says, setup),
		cmocka_unit_test_setup(a_pair_that_nobody_decided_changes_nothing, setup),
		cmocka_unit_test_setup(the_queue_keeps_the_order_of_services, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
