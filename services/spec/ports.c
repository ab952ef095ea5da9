/* Reading of published ports and of egress rules: see ports.h. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/ports.h"
#include "init/base/text.h"
#include "services/spec/rows.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool read_number(const char **at, unsigned long most, unsigned long *out)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*out = strtoul(*at, &end, 10);
	*at = end;
	return *out <= most;
}

/* "80" or "80-89"; the cursor is behind it. */
static bool read_range(const char **at, uint16_t *first, uint16_t *last)
{
	unsigned long a, b;

	if (!read_number(at, 65535, &a))
		return false;
	b = a;
	if (**at == '-') {
		++*at;
		if (!read_number(at, 65535, &b))
			return false;
	}
	*first = (uint16_t)a;
	*last = (uint16_t)b;
	return a > 0 && a <= b;
}

/* "", "/tcp", "/udp" to the end of the text. */
static bool read_proto(const char *at, uint16_t *proto, uint16_t otherwise)
{
	*proto = !*at ? otherwise : !strcmp(at, "/udp") ? IPPROTO_UDP : IPPROTO_TCP;
	return !*at || !strcmp(at, "/udp") || !strcmp(at, "/tcp");
}

bool ip_parse(const char *text, size_t n, enum ip_prefix prefix, struct spec_ip *out)
{
	char host[64];
	struct spec_ip ip = { 0 };
	unsigned long length;

	if (n >= sizeof host)
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	char *slash = strchr(host, '/');
	const char *number = slash ? slash + 1 : "";

	if (slash)
		*slash = '\0';
	ip.family = strchr(host, ':') ? AF_INET6 : AF_INET;
	const unsigned long most = ip.family == AF_INET ? 32 : 128;

	if (slash ? prefix == PREFIX_NONE || !read_number(&number, most, &length) || *number : prefix == PREFIX_NEEDED)
		return false;
	ip.prefix = (uint8_t)(slash ? length : most);
	if (inet_pton(ip.family, host, ip.ip) != 1)
		return false;
	*out = ip;
	return true;
}

/* "ADDRESS:" or "[ADDRESS]:" in front; the rest begins behind the colon. NULL: it is no address. */
static const char *read_front(const char *text, const char *colon, enum ip_prefix prefix, struct spec_ip *out)
{
	const char *end = text[0] == '[' ? strchr(text, ']') : NULL;

	if (text[0] != '[')
		return colon && ip_parse(text, (size_t)(colon - text), prefix, out) ? colon + 1 : NULL;
	return end && end[1] == ':' && ip_parse(text + 1, (size_t)(end - text - 1), prefix, out) &&
	       out->family == AF_INET6 ? end + 2 : NULL;
}

int port_parse(const char *text, struct spec_port *out, struct err *e)
{
	struct spec_port p = { 0 };
	const char *at = text, *colon = strchr(text, ':');
	uint16_t from_last, to_last;

	if (*text == '[' || (colon && strchr(colon + 1, ':')))
		at = read_front(text, colon, PREFIX_NONE, &p.on);
	if (!at || !read_range(&at, &p.from, &from_last) || *at++ != ':' || !read_range(&at, &p.to, &to_last) ||
	    !read_proto(at, &p.proto, IPPROTO_TCP))
		return err_set(e, EINVAL, "'%.60s' is not MACHINE:SERVICE like 8080:80, 127.0.0.1:53:53/udp or "
			       "\"[fd00::1]:80:80\"", text);
	if (from_last - p.from != to_last - p.to || from_last - p.from >= PORTS_OF_ONE)
		return err_set(e, EINVAL, "'%.60s': both ranges have the same length, at most %d ports", text,
			       PORTS_OF_ONE);
	if (p.on.family == AF_INET6 && !memcmp(p.on.ip, &in6addr_loopback, sizeof p.on.ip))
		return err_set(e, EINVAL, "'%.60s': the kernel lets nothing leave ::1 for another network; 127.0.0.1 "
			       "and the machine's other addresses work", text);
	p.n = (uint16_t)(from_last - p.from + 1);
	*out = p;
	return 0;
}

int egress_parse(const char *text, struct spec_egress *out, struct err *e)
{
	struct spec_egress g = { 0 };
	const char *colon = strchr(text, ':'), *at;
	bool plain = *text != '[' && (!colon || strchr(colon + 1, ':'));	/* no port behind it */

	if (plain) {
		if (!ip_parse(text, strlen(text), PREFIX_ALLOWED, &g.to))
			goto bad;
	} else {
		at = read_front(text, colon, PREFIX_ALLOWED, &g.to);
		if (!at || !read_range(&at, &g.first, &g.last) || !read_proto(at, &g.proto, 0))
			goto bad;
	}
	*out = g;
	return 0;
bad:
	return err_set(e, EINVAL, "'%.60s' is not NETWORK[:PORT[/udp]] like 10.0.0.0/8, 192.0.2.1:443/tcp or "
		       "\"[fd00::/8]:53\", and not " EGRESS_NONE, text);
}

int ports_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;
	struct spec_port p;

	for (unsigned i = 0; i < l->n; i++)
		if (port_parse(l->v[i], &p, e) < 0)
			return -e->code;
	return 0;
}

int egress_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;
	struct spec_egress g;

	if (l->n == 1 && !strcmp(l->v[0], EGRESS_NONE))
		return 0;
	for (unsigned i = 0; i < l->n; i++)
		if (egress_parse(l->v[i], &g, e) < 0)
			return -e->code;
	return 0;
}
