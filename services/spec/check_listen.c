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
	case LISTEN_KINDS:
		break;
	}
	return NULL;
}

const char *spec_listen_address(const struct spec_listen *s, unsigned *kind)
{
	const char *address = NULL;
	unsigned n = 0;

	for (unsigned k = 0; k < LISTEN_KINDS; k++)
		if (*address_of(s, k)) {
			n++;
			*kind = k;
			address = *address_of(s, k);
		}
	return n == 1 ? address : n ? "" : NULL;
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
	for (unsigned i = 0; i < LISTEN_OPTIONS; i++)
		if (flags >> i & 1 && !(listen_options[i].kinds >> kind & 1))
			check_wrong(l, svc, s->from, "listen: socket '%s': %s has no meaning for %s", s->name,
				    listen_options[i].key, row->key);
	if (s->device && !row->has_port)
		check_wrong(l, svc, s->from, "listen: socket '%s': device has no meaning for %s", s->name, row->key);
	if (kind == LISTEN_FIFO && (s->receive_buffer || s->send_buffer))
		check_wrong(l, svc, s->from, "listen: socket '%s': a FIFO has no buffers to set", s->name);
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
	if (svc->ready == READY_LISTENING && svc->listen.n == 0)
		check_wrong(l, svc, spec_from(svc, &svc->ready), "ready: 'listening' needs a socket in listen");
}
