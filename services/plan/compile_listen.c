/* Sockets that PID 1 binds for a service. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compiling.h"
#include "services/plan/listen.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_MOST 16

const char *parse_inet(const char *text, struct plan_addr *addr, uint16_t *to)
{
	char host_text[64];
	const char *colon = strrchr(text, ':');
	char *end;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;

	if (!colon || colon[1] < '1' || colon[1] > '9' || *end || port > 65535)
		return "not HOST:PORT with a port from 1 to 65535";
	size_t n = (size_t)(colon - text);
	bool brackets = n >= 2 && text[0] == '[' && text[n - 1] == ']';
	const char *host = host_text;

	snprintf(host_text, sizeof host_text, "%.*s", (int)(n - (brackets ? 2 : 0)), text + brackets);
	*to = (uint16_t)port;
	if (!*host || !strcmp(host, "*"))
		host = "::";
	else if (!strcmp(host, "localhost"))
		host = "127.0.0.1";
	else if (!brackets && strchr(host, ':'))
		return "an IPv6 address stands in brackets: [::1]:80";
	return parse_address(host, addr) ? NULL : "its host is not an address (names are not looked up)";
}

static void parse_vsock(const char *text, struct plan_listen *l)
{
	l->number = text[0] == ':' ? UINT32_MAX : (uint32_t)strtoul(text, NULL, 10);
	l->port32 = (uint32_t)strtoul(strchr(text, ':') + 1, NULL, 10);
}

static void parse_netlink(struct compiling *c, const char *text, struct plan_listen *l)
{
	const size_t n = strcspn(text, " ");

	l->number = (uint32_t)listen_netlink(compiling_fmt(c, "%.*s", (int)n, text));
	l->port32 = text[n] ? (uint32_t)strtoul(text + n, NULL, 10) : 0;
}

static void parse_path(struct compiling *c, struct work *w, const struct spec_listen *s, const char *path,
		       struct plan_listen *l)
{
	const char *why;

	l->mode = s->mode == UNSET_NUM ? 0660 : (uint32_t)s->mode & 0777;
	/* Its clients are in the service's own group, unless the file says which. */
	l->uid = c->f->is_root ? 0 : geteuid();
	l->gid = w->out.gid;
	l->path = write_string(&c->w, path);
	if ((path[0] != '/' && (path[0] != '@' || l->kind == LISTEN_FIFO)) || l->path.n < 2 || l->path.n > 107)
		refuse_at(c, w, s->from, "listen: '%s' is neither an absolute path nor '@NAME' of at most 107 bytes",
			  path);
	if (s->user && !find_user(c, "", s->user, &l->uid, &why))
		refuse_at(c, w, s->from, "listen: user '%s': %s", s->user, why);
	if (s->group && !find_group(c, "", s->group, &l->gid, &why))
		refuse_at(c, w, s->from, "listen: group '%s': %s", s->group, why);
}

static void parse_address_of(struct compiling *c, struct work *w, const struct spec_listen *s, const char *address,
			     struct plan_listen *l)
{
	const struct listen_row *row = &listen_rows[l->kind];
	const char *why = NULL;

	if (row->has_port) {
		why = parse_inet(address, &l->addr, &l->port);
		if (!why && l->flags & LISTEN_F_V6ONLY && l->addr.family != AF_INET6)
			why = "ipv6_only is for an IPv6 address";
	} else if (row->has_path) {
		parse_path(c, w, s, address, l);
	} else if (l->kind == LISTEN_VSOCK) {
		parse_vsock(address, l);
	} else {
		parse_netlink(c, address, l);
	}
	if (why)
		refuse_at(c, w, s->from, "listen: %s: %s", address, why);
}

static void one_socket(struct compiling *c, struct work *w, const struct spec_listen *s, struct plan_listen *l)
{
	const char *name = s->name ? s->name : w->svc->name;
	unsigned kind = 0;
	const char *address = spec_listen_address(s, &kind);

	*l = (struct plan_listen){ .name = write_string(&c->w, name), .device = write_string(&c->w, s->device),
				   .activate = s->activate, .in_cell = s->in_cell, .kind = kind,
				   .flags = spec_listen_flags(s),
				   .receive_buffer = (uint32_t)s->receive_buffer,
				   .send_buffer = (uint32_t)s->send_buffer,
				   .backlog = s->backlog == UNSET_NUM ||
					s->backlog <= 0 ? 4096 : (uint32_t)s->backlog };
	if (!listen_rows[kind].connects)
		l->backlog = 0;
	if (address && *address)
		parse_address_of(c, w, s, address, l);
	if (s->in_cell && !(w->out.flags & CELL_NET))
		refuse_at(c, w, s->from, "listen: socket '%s': in: cell: the service has no network of its own; "
			  "isolation.network gives it one", name);
	if (s->in_cell && w->out.runtime_kind)
		refuse_at(c, w, s->from, "listen: socket '%s': in: cell: an OCI runtime makes the cell", name);
}

void compile_listen(struct compiling *c, struct work *w)
{
	const struct spec_listen_list *s = &w->eff.listen;
	struct plan_listen l[LISTEN_MOST];

	if (s->n > LISTEN_MOST) {
		refuse(c, w, listen, "listen: at most %d sockets for a service", LISTEN_MOST);
		return;
	}
	for (unsigned i = 0; i < s->n; i++)
		one_socket(c, w, s->v + i, l + i);
	w->out.listen = write_table(&c->w, l, s->n, sizeof *l);
	if (s->n && l[0].activate == ACTIVATE_CONNECTION) {
		const int64_t some = w->eff.connections_per_source;
		struct plan_connections n = { .max = (uint32_t)spec_connections_max(&w->eff) };

		n.per_source = some == UNSET_NUM ? n.max : (uint32_t)some;
		w->out.connections = write_table(&c->w, &n, 1, sizeof n);
		if (w->out.runtime_kind)
			refuse(c, w, runtime, "security.runtime: an OCI runtime cannot run a service for each "
			       "connection");
	}
}
