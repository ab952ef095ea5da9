/* Sockets that PID 1 binds for a service. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compiling.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_MOST 16

/* "HOST:PORT", "[V6]:PORT", ":PORT" (all addresses of both families). NULL, or why it is none. */
static const char *parse_tcp(struct compiling *c, const char *text, struct plan_listen *l)
{
	const char *colon = strrchr(text, ':');
	char *end;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;

	if (!colon || colon[1] < '1' || colon[1] > '9' || *end || port > 65535)
		return "not HOST:PORT with a port from 1 to 65535";
	size_t n = (size_t)(colon - text);
	bool brackets = n >= 2 && text[0] == '[' && text[n - 1] == ']';
	const char *host = compiling_fmt(c, "%.*s", (int)(n - (brackets ? 2 : 0)), text + brackets);

	l->port = (uint16_t)port;
	if (!*host || !strcmp(host, "*"))
		host = "::";
	else if (!strcmp(host, "localhost"))
		host = "127.0.0.1";
	else if (!brackets && strchr(host, ':'))
		return "an IPv6 address stands in brackets: [::1]:80";
	return parse_address(host, &l->addr) ? NULL : "its host is not an address (names are not looked up)";
}

static void unix_socket(struct compiling *c, struct work *w, const struct spec_listen *s, struct plan_listen *l)
{
	const char *why;

	l->kind = LISTEN_UNIX_STREAM;
	l->mode = s->mode == UNSET_NUM ? 0660 : (uint32_t)s->mode & 0777;
	/* Its clients are in the service's own group, unless the file says which. */
	l->uid = c->f->is_root ? 0 : geteuid();
	l->gid = w->out.gid;
	l->path = write_string(&c->w, s->unix_path);
	if ((s->unix_path[0] != '/' && s->unix_path[0] != '@') || l->path.n < 2 || l->path.n > 107)
		refuse_at(c, w, s->from, "listen: '%s' is neither an absolute path nor '@NAME' of at most 107 bytes",
			  s->unix_path);
	if (s->user && !find_user(c, "", s->user, &l->uid, &why))
		refuse_at(c, w, s->from, "listen: user '%s': %s", s->user, why);
	if (s->group && !find_group(c, "", s->group, &l->gid, &why))
		refuse_at(c, w, s->from, "listen: group '%s': %s", s->group, why);
}

static void one_socket(struct compiling *c, struct work *w, const struct spec_listen *s, struct plan_listen *l)
{
	const char *name = s->name ? s->name : w->svc->name, *why = NULL;

	*l = (struct plan_listen){ .name = write_string(&c->w, name), .lazy = s->activate == 1,
				   .backlog = s->backlog == UNSET_NUM ||
					s->backlog <= 0 ? 4096 : (uint32_t)s->backlog };
	if (s->tcp)
		why = parse_tcp(c, s->tcp, l);
	else if (s->unix_path)
		unix_socket(c, w, s, l);
	else
		why = "this version binds tcp and unix stream sockets only";
	if (why)
		refuse_at(c, w, s->from, "listen: %s%s%s", s->tcp ? s->tcp : "", s->tcp ? ": " : "", why);
	for (const char *p = name; *p; p++)
		if (*p == ':' || (unsigned char)*p < 0x20) {
			refuse_at(c, w, s->from, "listen: name '%s': no ':' or control character may be in it", name);
			break;
		}
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
	if (w->eff.ready == READY_LISTENING && !s->n)
		refuse(c, w, ready, "ready: listening: it has no sockets to listen on");
	w->out.listen = write_table(&c->w, l, s->n, sizeof *l);
}
