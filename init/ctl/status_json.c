/* `prior status --json`, and what PID 1 says about itself. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/json.h"
#include "init/ctl/status.h"
#include "services/spec/spec.h"
#include <inttypes.h>
#include <string.h>

static void json_date(struct json *j, const char *key, int64_t wall_ms)
{
	char date[SHORT_TEXT];

	json_text(j, key, wall_ms ? date_text(wall_ms, date) : NULL);
}

static void exit_object(struct json *j, const struct ledger_svc *n)
{
	char text[LINE_TEXT];

	if (n->exit_kind == EXIT_NONE) {
		json_null(j, "exit");
		return;
	}
	json_object(j, "exit");
	json_text(j, "kind", n->exit_kind < EXIT_KINDS ? exit_kind_name[n->exit_kind] : "?");
	json_int(j, "status", n->exit_status);
	json_text(j, "text", end_text(n, text));
	json_end(j);
}

static void planned(struct json *j, const struct plan *p, const struct view *v)
{
	char buf[LINE_TEXT];

	json_text(j, "preset", v->plan->preset < PRESETS ? preset_names[v->plan->preset] : NULL);
	json_bool(j, "contained", v->plan->flags & CELL_CONTAINED);
	json_list(j, "listen");
	PLAN_EACH(struct plan_listen, l, p, v->plan->listen)
		json_text(j, NULL, listen_text(p, l, buf));
	json_end(j);
	if (v->plan->connections.n)
		json_int(j, "connections", v->served);
	if (v->plan->base.n)
		json_text(j, "peer", v->conn.family ? peer_text(v, buf) : NULL);
	json_list(j, "addresses");
	PLAN_EACH(struct plan_link, k, p, plan_network(p, v->plan)->links)
		PLAN_EACH(struct plan_addr, a, p, k->addrs)
			json_text(j, NULL, planned_addr_text(a, true, buf));
	json_end(j);
	json_text(j, "note", v->plan->note.at ? plan_str(p, v->plan->note) : NULL);
}

static void usage(struct json *j, const struct view *v)
{
	if (v->has_memory)
		json_int(j, "memory", (int64_t)v->memory);
	else
		json_null(j, "memory");
	if (v->has_peak)
		json_int(j, "memory_peak", (int64_t)v->peak);
	else
		json_null(j, "memory_peak");
	if (v->has_tasks)
		json_int(j, "tasks", (int64_t)v->tasks);
	else
		json_null(j, "tasks");
	if (v->has_cpu)
		json_int(j, "cpu_us", (int64_t)v->cpu_us);
	else
		json_null(j, "cpu_us");
}

static void one(struct json *j, const struct live *live, const struct view *v)
{
	const struct plan *p = &live->plan;
	const struct ledger_svc *n = &v->now;
	bool waits = n->waits_for && n->waits_for <= p->head->services.n;

	json_object(j, NULL);
	json_text(j, "service", v->name);
	json_text(j, "state", n->state < SVC_STATES ? svc_state_name[n->state] : "?");
	if (n->pid > 0)
		json_int(j, "pid", n->pid);
	else
		json_null(j, "pid");
	json_date(j, "since", n->since_wall_ms);
	json_int(j, "since_ms", n->since_ms);
	json_int(j, "starts", n->starts);
	json_int(j, "restarts", n->restarts);
	json_int(j, "failures", n->failures);
	json_bool(j, "ready", n->flags & SVC_F_READY);
	json_text(j, "health", n->health <= HEALTH_BAD ? health_name[n->health] : NULL);
	json_bool(j, "attested", n->pid > 0 && (n->flags & SVC_F_ATTESTED));
	json_int(j, "attested_facts", n->attested_facts);
	json_text(j, "runtime", v->plan && v->plan->runtime_kind ? oci_runtimes[v->plan->runtime_kind] : NULL);
	exit_object(j, n);
	json_text(j, "why", v->refused ? v->refused : n->why[0] ? n->why : NULL);
	json_text(j, "waits_for", waits ? plan_str(p, plan_service(p, n->waits_for - 1)->name) : NULL);
	json_text(j, "status", n->status[0] ? n->status : NULL);
	json_date(j, "next", n->next_wall_ms);
	json_bool(j, "enabled", v->plan && view_is_enabled(live, v));
	json_int(j, "generation", n->generation);
	json_int(j, "setup_us", n->setup_us);
	json_int(j, "attest_us", n->attest_us);
	json_int(j, "ready_us", n->ready_us);
	usage(j, v);
	if (v->plan)
		planned(j, p, v);
	json_end(j);
}

void status_json(const struct status *s)
{
	struct json j = { .to = s->to };

	json_list(&j, NULL);
	for (unsigned i = 0; i < s->views->n; i++)
		one(&j, s->live, &s->views->v[i]);
	json_end(&j);
}
