/* Facts of the ledger and the plan in words. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "init/ctl/live.h"
#include "init/ctl/term.h"
#include "services/plan/listen.h"
#include "services/spec/spec.h"
#include "services/supervise/connections.h"
#include "services/supervise/stop.h"
#include <arpa/inet.h>
#include <string.h>

const struct state_row *state_row(unsigned state)
{
	static const struct state_row rows[SVC_STATES] = {
		[SVC_DOWN]	= { false, DIM },
		[SVC_WAITING]	= { false, YELLOW },
		[SVC_LISTENING]	= { true, GREEN },
		[SVC_STARTING]	= { true, YELLOW },
		[SVC_UP]	= { true, GREEN },
		[SVC_STOPPING]	= { true, YELLOW },
		[SVC_BACKOFF]	= { false, RED },
		[SVC_DONE]	= { false, GREEN },
		[SVC_FAILED]	= { false, RED },
		[SVC_REFUSED]	= { false, RED },
		[SVC_SKIPPED]	= { false, DIM },
	};

	return &rows[state < SVC_STATES ? state : SVC_FAILED];
}

const char *end_text(const struct ledger_svc *s, char buf[static LINE_TEXT])
{
	struct text t = { .at = buf, .size = LINE_TEXT };

	buf[0] = '\0';
	exit_text(&t, s->exit_kind, s->exit_status);
	return buf;
}

bool sandbox_is_bad(const struct view *v)
{
	return v->plan && v->now.state == SVC_UP && (v->plan->flags & CELL_ATTEST) &&
	       !(v->now.flags & SVC_F_ATTESTED);
}

const char *sandbox_text(const struct view *v, char buf[static LINE_TEXT])
{
	struct text t = { .at = buf, .size = LINE_TEXT };

	buf[0] = '\0';
	if (!v->plan) {
		text_add(&t, "-");
		return buf;
	}
	text_add(&t, v->plan->preset < PRESETS ? preset_names[v->plan->preset] : "?");
	if (v->plan->runtime_kind)
		text_fmt(&t, ", under %s", oci_runtimes[v->plan->runtime_kind]);
	if (v->now.pid > 0 && (v->now.flags & SVC_F_ATTESTED))
		text_fmt(&t, ", attested %u facts", v->now.attested_facts);
	else if (v->now.pid > 0 && (v->plan->flags & CELL_ATTEST))
		text_add(&t, v->now.state == SVC_STARTING ? ", being made" : ", not attested");
	else if (v->now.pid > 0 && v->plan->runtime_kind)
		text_add(&t, ", nothing to read back");
	return buf;
}

const char *planned_addr_text(const struct plan_addr *a, bool prefix, char buf[static LINE_TEXT])
{
	if (!inet_ntop(a->family, a->ip, buf, LINE_TEXT))
		memcpy(buf, "?", 2);
	if (prefix) {
		struct text t = { .at = buf, .size = LINE_TEXT, .n = strlen(buf) };

		text_fmt(&t, "/%u", a->prefix);
	}
	return buf;
}

/* "kobject-uevent, groups 1", "-1:1024" for any CID */
static void add_numbers(struct text *t, const struct plan_listen *l)
{
	const char *protocol = listen_netlink_name(l->number);

	if (l->kind == LISTEN_VSOCK)
		text_fmt(t, l->number == UINT32_MAX ? "*" : "%u", l->number), text_fmt(t, ":%u", l->port32);
	else if (protocol)
		text_fmt(t, "%s, groups %u", protocol, l->port32);
	else
		text_fmt(t, "%u, groups %u", l->number, l->port32);
}

static void add_properties(struct text *t, const struct plan *p, const struct plan_listen *l)
{
	for (unsigned i = 0; i < LISTEN_OPTIONS; i++)
		if (l->flags >> i & 1)
			text_fmt(t, ", %s", listen_options[i].key);
	if (l->in_cell)
		text_add(t, ", in the cell's network");
	if (l->device.n)
		text_fmt(t, ", on %s", plan_str(p, l->device));
}

const char *listen_text(const struct plan *p, const struct plan_listen *l, char buf[static LINE_TEXT])
{
	static const char *const how[] = { "", ", lazy", ", for each connection" };
	const struct listen_row *row = &listen_rows[l->kind];
	struct text t = { .at = buf, .size = LINE_TEXT };
	char ip[LINE_TEXT];

	buf[0] = '\0';
	text_fmt(&t, "%s ", row->key);
	if (row->has_path)
		text_fmt(&t, "%.110s", plan_str(p, l->path));
	else if (row->has_port)
		text_fmt(&t, l->addr.family == AF_INET6 ? "[%s]:%u" : "%s:%u", planned_addr_text(&l->addr, false, ip),
			 l->port);
	else
		add_numbers(&t, l);
	text_fmt(&t, " (%.60s%s", plan_str(p, l->name), how[l->activate]);
	add_properties(&t, p, l);
	text_add(&t, ")");
	return buf;
}

const char *peer_text(const struct view *v, char buf[static LINE_TEXT])
{
	struct text t = { .at = buf, .size = LINE_TEXT };

	buf[0] = '\0';
	connection_source(&v->conn, &t);
	if (v->conn.port)
		text_fmt(&t, " port %u", v->conn.port);
	return buf;
}
