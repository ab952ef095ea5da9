/* What contradicts itself in the sockets of a service. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/listen.h"
#include "services/spec/load.h"
#include <string.h>

static const char *const *address_of(const struct spec_listen *s, enum listen_kind kind)
{
	switch (kind) {
	case LISTEN_TCP:
		return &s->tcp;
	case LISTEN_UNIX_STREAM:
		return &s->unix_path;
	case LISTEN_UDP:
		return &s->udp;
	case LISTEN_UNIX_DGRAM:
		return &s->unix_dgram;
	case LISTEN_UNIX_SEQPACKET:
		return &s->unix_seqpacket;
	case LISTEN_FIFO:
		return &s->fifo;
	case LISTEN_VSOCK:
		return &s->vsock;
	case LISTEN_NETLINK:
		return &s->netlink;
	case LISTEN_CONNECTION:
	case LISTEN_KINDS:
		break;
	}
	return NULL;
}

const char *spec_listen_address(const struct spec_listen *s, unsigned *kind)
{
	const char *address = NULL;
	unsigned n = 0;

	for (unsigned k = 0; k < LISTEN_CONNECTION; k++)
		if (*address_of(s, k)) {
			n++;
			*kind = k;
			address = *address_of(s, k);
		}
	return n == 1 ? address : n ? "" : NULL;
}

int64_t spec_connections_max(const struct spec_service *s)
{
	return s->connections_max == UNSET_NUM ? 64 : s->connections_max;
}

uint32_t spec_listen_flags(const struct spec_listen *s)
{
	const bool on[LISTEN_OPTIONS] = { s->ipv6_only, s->reuse_port, s->keepalive, s->no_delay, s->freebind,
					  s->transparent, s->broadcast, s->pass_credentials };
	uint32_t flags = 0;

	for (unsigned i = 0; i < LISTEN_OPTIONS; i++)
		flags |= (uint32_t)on[i] << i;
	return flags;
}

/* Which of its keys are for sockets of another kind. */
static void check_options(struct load *l, struct spec_service *svc, const struct spec_listen *s, unsigned kind)
{
	const uint32_t flags = spec_listen_flags(s);
	const struct listen_row *row = &listen_rows[kind];

	if (!row->has_path && (s->user || s->group))
		check_wrong(l, svc, s->from, "listen: socket '%s': user and group are for unix sockets and FIFOs",
			    s->name);
	if (!row->has_path && s->mode != UNSET_NUM)
		check_wrong(l, svc, s->from, "listen: socket '%s': mode is for unix sockets and FIFOs", s->name);
	if (!row->connects && s->backlog != UNSET_NUM)
		check_wrong(l, svc, s->from, "listen: socket '%s': backlog has no meaning for %s: nothing connects",
			    s->name, row->key);
	for (unsigned i = 0; i < LISTEN_OPTIONS; i++)
		if (flags >> i & 1 && !(listen_options[i].kinds >> kind & 1))
			check_wrong(l, svc, s->from, "listen: socket '%s': %s has no meaning for %s", s->name,
				    listen_options[i].key, row->key);
	if (s->device && !row->has_port)
		check_wrong(l, svc, s->from, "listen: socket '%s': device has no meaning for %s", s->name, row->key);
	if (s->in_cell && !row->has_port && kind != LISTEN_NETLINK && *spec_listen_address(s, &kind) != '@')
		check_wrong(l, svc, s->from, "listen: socket '%s': in: cell: %s%s belongs to no "
			    "network", s->name, row->key, row->has_path ? " with a path" : "");
	if (s->in_cell && s->activate != ACTIVATE_EAGER)
		check_wrong(l, svc, s->from, "listen: socket '%s': in: cell: it is made with the cell, so that it "
			    "cannot start the service; activate must be eager", s->name);
	if (kind == LISTEN_FIFO && (s->receive_buffer || s->send_buffer))
		check_wrong(l, svc, s->from, "listen: socket '%s': a FIFO has no buffers to set", s->name);
}

/* What a service that runs for one connection cannot have. */
static void check_connections(struct load *l, struct spec_service *svc)
{
	const struct {
		const void *field;
		bool on;
		const char *text;
	} not[] = {
		{ &svc->type, svc->type != TYPE_SIMPLE, "type: must be simple" },
		{ &svc->restart, spec_from(svc, &svc->restart).kind == FROM_FILE && svc->restart != RESTART_NO,
		  "restart: has no meaning: a connection is served once" },
		{ &svc->on_failure, svc->on_failure != ON_FAILURE_NONE, "on_failure: has no meaning" },
		{ &svc->critical, svc->critical, "critical: has no meaning" },
		{ &svc->cron, svc->cron != NULL, "cron: has no meaning" },
		{ &svc->every, svc->every != 0, "every: has no meaning" },
		{ &svc->fd_store_max, svc->fd_store_max != 0, "fd_store_max: has no meaning" },
		{ &svc->healthcheck.interval, svc->healthcheck.test.n || svc->healthcheck.http ||
		  svc->healthcheck.tcp, "healthcheck: has no meaning" },
		{ &svc->network.link.bridge, svc->network.link.bridge != NULL,
		  "isolation.network: an address can be one connection's only; use true or false" },
		{ &svc->network.link.macvlan, svc->network.link.macvlan != NULL,
		  "isolation.network: an address can be one connection's only; use true or false" },
		{ &svc->network.link.ipvlan, svc->network.link.ipvlan != NULL,
		  "isolation.network: an address can be one connection's only; use true or false" },
		{ &svc->network.service, svc->network.service != NULL,
		  "isolation.network.service: has no meaning; use true or false" },
		{ &svc->network.keep, svc->network.keep, "isolation.network.keep: has no meaning" },
		{ &svc->runtime_directory, svc->runtime_directory.n && !svc->runtime_directory_preserve,
		  "runtime_directory: the end of one connection would remove it under the others; say "
		  "runtime_directory_preserve: true" },
	};

	for (unsigned i = 0; i < sizeof not / sizeof *not; i++)
		if (not[i].on)
			check_wrong(l, svc, spec_from(svc, not[i].field), "activate: connection: %s", not[i].text);
	if (strchr(svc->name, '@'))
		check_wrong(l, svc, svc->from, "activate: connection: the service's name may not have an '@'");
}

/* All or none; -1: they differ. */
static int accepts(struct load *l, struct spec_service *svc)
{
	unsigned n = 0, kind = 0;

	for (unsigned i = 0; i < svc->listen.n; i++) {
		const struct spec_listen *s = &svc->listen.v[i];
		const char *address = spec_listen_address(s, &kind);

		if (s->activate != ACTIVATE_CONNECTION)
			continue;
		n++;
		if (address && *address && !listen_rows[kind].connects)
			check_wrong(l, svc, s->from, "listen: socket '%s': activate: connection has no meaning for %s",
				    s->name, listen_rows[kind].key);
	}
	return n == 0 ? 0 : n == svc->listen.n ? 1 : -1;
}

static void check_activation(struct load *l, struct spec_service *svc)
{
	const int all = accepts(l, svc);

	if (all < 0)
		check_wrong(l, svc, svc->listen.v[0].from, "listen: activate: connection is for all sockets of a "
			    "service or for none");
	if (all > 0)
		check_connections(l, svc);
	const void *given = svc->connections_max != UNSET_NUM	     ? (const void *)&svc->connections_max
			    : svc->connections_per_source != UNSET_NUM ? (const void *)&svc->connections_per_source
			    : svc->connections_pass		     ? (const void *)&svc->connections_pass : NULL;

	if (!all && given)
		check_wrong(l, svc, spec_from(svc, given), "connections: is for sockets with activate: connection");
	if (svc->connections_per_source > spec_connections_max(svc))
		check_wrong(l, svc, spec_from(svc, &svc->connections_per_source),
			    "connections.per_source: is more than connections.max, which is %d",
			    (int)spec_connections_max(svc));
}

/* When it has nothing to do must be possible to know, and it must be possible to come back. */
static void check_idle(struct load *l, struct spec_service *svc)
{
	bool lazy = false, unknown = false, apart = false;
	unsigned kind = 0;

	if (!svc->idle_timeout)
		return;
	for (unsigned i = 0; i < svc->listen.n; i++) {
		const char *address = spec_listen_address(&svc->listen.v[i], &kind);

		lazy |= svc->listen.v[i].activate == ACTIVATE_LAZY;
		unknown |= address && *address && kind == LISTEN_VSOCK;
		apart |= svc->listen.v[i].in_cell;
	}
	if (!lazy)
		check_wrong(l, svc, spec_from(svc, &svc->idle_timeout),
			    "idle_timeout: is for a service with a lazy socket, which brings it back");
	if (unknown)
		check_wrong(l, svc, spec_from(svc, &svc->idle_timeout),
			    "idle_timeout: whether a vsock connection is open cannot be known");
	if (apart)
		check_wrong(l, svc, spec_from(svc, &svc->idle_timeout),
			    "idle_timeout: what comes to a socket with in: cell cannot be seen from outside");
	if (svc->idle_timeout < 1000)
		check_wrong(l, svc, spec_from(svc, &svc->idle_timeout), "idle_timeout: is shorter than 1s");
}

void check_listen(struct load *l, struct spec_service *svc)
{
	for (unsigned i = 0; i < svc->listen.n; i++) {
		const struct spec_listen *s = &svc->listen.v[i];
		unsigned kind = 0;
		const char *address = spec_listen_address(s, &kind);

		if (!address || !*address)
			check_wrong(l, svc, s->from, "listen: socket '%s' has %s; give it exactly one of tcp, udp, "
				    "unix, unix_dgram, unix_seqpacket, fifo, vsock and netlink", s->name,
				    address ? "several addresses" : "no address");
		else
			check_options(l, svc, s, kind);
		for (unsigned j = 0; j < i; j++)
			if (!strcmp(s->name, svc->listen.v[j].name))
				check_wrong(l, svc, s->from, "listen: a second socket with the name '%s'; name each",
					    s->name);
	}
	check_activation(l, svc);
	check_idle(l, svc);
	if (svc->ready == READY_LISTENING && svc->listen.n == 0)
		check_wrong(l, svc, spec_from(svc, &svc->ready), "ready: 'listening' needs a socket in listen");
}
