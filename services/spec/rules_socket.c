/* Rules for the sockets that prior binds: addresses, paths and names. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/listen.h"
#include "services/spec/rows.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

int socket_address_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field, *colon = strrchr(s, ':');
	unsigned char ip[16];
	char host[64] = "";
	int64_t port = 0;
	size_t n = colon ? (size_t)(colon - s) : 0;
	bool v6 = *s == '[';

	if (!colon || value_number(colon + 1, &port) < 0 || port < 1 || port > 65535)
		return err_set(e, EINVAL, "'%.60s' does not end in a port from 1 to 65535", s);
	if (v6 && (n < 3 || s[n - 1] != ']'))
		return err_set(e, EINVAL, "'%.60s' is not [ADDRESS]:PORT", s);
	s += v6;
	n -= v6 ? 2 : 0;
	if (n < sizeof host)
		memcpy(host, s, n), host[n] = '\0';
	if (n == 0 || (!v6 && !strcmp(host, "*")))
		return 0;
	if (n < sizeof host && inet_pton(v6 ? AF_INET6 : AF_INET, host, ip) == 1)
		return 0;
	return err_set(e, EINVAL, "'%.*s' is not an address (no names here; V6 addresses in brackets)",
		(int)(n < 60 ? n : 60), s);
}

int socket_path_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	if (strlen(s) > 107)
		return err_set(e, ENAMETOOLONG,
			"'%.40s...' is longer than 107 bytes, the most that a UNIX socket's path can have", s);
	if (*s != '@' || !s[1])
		return paths_rule(&(const struct str_list){ &s, 1 }, e);
	return 0;
}

int fifo_path_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	if (strlen(s) > 107)
		return err_set(e, ENAMETOOLONG, "'%.40s...' is longer than 107 bytes", s);
	return paths_rule(&(const struct str_list){ &s, 1 }, e);
}

/* "CID:PORT", ":PORT" */
int socket_vsock_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field, *colon = strchr(s, ':');
	char cid[16] = "";
	int64_t n = 0;

	if (!colon || value_number(colon + 1, &n) < 0 || n < 0 || n >= UINT32_MAX)
		return err_set(e, EINVAL, "'%.60s' does not end in a colon and a port", s);
	if ((size_t)(colon - s) < sizeof cid)
		memcpy(cid, s, (size_t)(colon - s));
	if (colon != s && (value_number(cid, &n) < 0 || n < 0 || n >= UINT32_MAX))
		return err_set(e, EINVAL, "'%.*s' is not the number of a machine (CID)",
			       (int)(colon - s < 60 ? colon - s : 60), s);
	return 0;
}

/* "PROTOCOL", "PROTOCOL GROUPS" */
int socket_netlink_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field, *blank = strchr(s, ' ');
	const size_t n = strcspn(s, " ");
	char name[32] = "";
	int64_t groups = 0;

	if (n < sizeof name)
		memcpy(name, s, n);
	if (listen_netlink(name) < 0)
		return err_set(e, EINVAL, "'%.*s' is not a netlink protocol (route, kobject-uevent, audit, ... or 0 to "
			       "31)", (int)(n < 60 ? n : 60), s);
	if (blank && (value_number(blank + 1, &groups) < 0 || groups < 0 || groups > UINT32_MAX))
		return err_set(e, EINVAL, "'%.60s': the groups are a number with one bit each", blank + 1);
	return 0;
}

/* LISTEN_FDNAMES joins the names with colons. */
int socket_name_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	if (!*s || strlen(s) > 255)
		return err_set(e, EINVAL, "a socket's name has 1 to 255 bytes");
	for (; *s; s++)
		if (*s == ':' || (unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f)
			return err_set(e, EINVAL, "a socket's name may not hold ':', blanks or what is not ASCII");
	return 0;
}
