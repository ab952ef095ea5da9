/* The services that the machine's interfaces bring along: a DHCP client, who carries its leases out, who waits. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/lease.h"
#include "services/spec/load.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * The client is nobody's friend: it hears what anybody on the network says. So it has its packets and nothing else,
 * and what it learnt goes, as a message of fixed size, to a socket that its group alone can write to; behind it is the
 * one that may change this machine's network, and believes a message only as far as it goes.
 */
#define CLIENT_ID "61182"	/* uid and gid; below the range of services' own */
#define LEASE_ID  "61183"

static const char waiting[] =
	"  network@:\n"
	"    type: oneshot\n"
	"    restart: on-failure\n"
	"    command: [\"%s\", network-online, \"%%i\", \"%s\"]\n"
	"    isolation: {preset: server, network: false}\n"
	"    security: {restrict_address_families: [netlink]}\n";

static const char leases[] =
	"  lease@:\n"
	"    command: [\"%s\", network-lease, \"%%i\", \"%s\"]\n"
	"    restart: always\n"
	"    user: \"" LEASE_ID "\"\n"
	"    listen: [{unix_dgram: \"" LEASE_SOCKET "%%i\", group: \"" CLIENT_ID "\", activate: lazy}]\n"
	"    runtime_directory: " LEASE_NAMES "\n"
	"    runtime_directory_preserve: true\n"
	"    isolation: {preset: server, user: false, network: false}\n"
	"    security: {dynamic_user: false, cap_add: [NET_ADMIN], restrict_address_families: [netlink, unix]}\n"
	"  link@:\n"
	"    type: oneshot\n"
	"    restart: on-failure\n"
	"    command: [\"%s\", network-online, \"%%i\", \"%%i=\"]\n"
	"    isolation: {preset: server, network: false}\n"
	"    security: {restrict_address_families: [netlink]}\n"
	"  dhcp@:\n"
	"    depends_on: [\"link@%%i\"]\n"
	"    command: [%s, -f, -i, \"%%i\", -t, \"5\", -T, \"2\", -A, \"5\", -s, " LEASE_SCRIPT "]\n"
	"    restart: always\n"
	"    user: \"" CLIENT_ID "\"\n"
	"    isolation: {preset: server, user: false, network: false, volumes: [\"%s:" LEASE_SCRIPT "\"]}\n"
	"    security: {dynamic_user: false, cap_add: [NET_RAW, NET_BIND_SERVICE],\n"
	"      restrict_address_families: [packet, inet, unix]}\n";

/*
 * The kernel believes a router itself, and passes on what it says of name servers. Who reads that has no capability,
 * and is not there before a router says anything.
 */
static const char routers[] =
	"  router-names:\n"
	"    command: [\"%s\", network-routers, \"%s\"%s]\n"
	"    restart: always\n"
	"    user: \"" LEASE_ID "\"\n"
	"    listen: [{netlink: \"" ROUTER_SOCKET "\", activate: lazy}]\n"
	"    runtime_directory: " LEASE_NAMES "\n"
	"    runtime_directory_preserve: true\n"
	"    isolation: {preset: server, network: false}\n"
	"    security: {dynamic_user: false, restrict_address_families: [netlink, unix]}\n";

/* Where this very program is for the services that are made of it. */
static const char *own_program(struct load *l)
{
	static const char gone[] = " (deleted)";
	char path[256];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	path[n > 0 ? n : 0] = '\0';
	/* Replaced by a newer one, which is as good. */
	if (n > (ssize_t)sizeof gone && !strcmp(path + n - (sizeof gone - 1), gone))
		path[n - (ssize_t)(sizeof gone - 1)] = '\0';
	if (!conf_path_is_plain(path) || strpbrk(path, "\"\\:$%"))
		return "/sbin/prior";
	return arena_copy(&l->s->arena, path, strlen(path));
}

/* As words of a command. */
static const char *dhcp_client(void)
{
	static const char *const known[][2] = {
		{ "/sbin/udhcpc", "/sbin/udhcpc" }, { "/usr/sbin/udhcpc", "/usr/sbin/udhcpc" },
		{ "/bin/busybox", "/bin/busybox, udhcpc" }, { "/usr/bin/busybox", "/usr/bin/busybox, udhcpc" },
	};

	for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
		if (access(known[i][0], X_OK) == 0)
			return known[i][1];
	return known[0][1];
}

static bool has_family(const struct spec_interface *s, bool v6)
{
	for (unsigned i = 0; i < s->addresses.n; i++)
		if ((strchr(s->addresses.v[i], ':') != NULL) == v6)
			return true;
	return v6 ? s->accept_ra : s->dhcp;
}

/* "eth0=46 eth1=4?": which families it has to have, and whether it is left out of `all`. */
static const char *interfaces_text(struct load *l)
{
	const char *text = "";

	for (const struct spec_interface *i = l->s->interfaces; text && i < l->s->interfaces + l->s->ninterfaces; i++)
		text = arena_fmt(&l->s->arena, "%s%s%s=%s%s%s", text, *text ? " " : "", i->name,
				 has_family(i, false) ? "4" : "", has_family(i, true) ? "6" : "",
				 i->optional ? "?" : "");
	return text;
}

static const char *names_text(struct load *l)
{
	const char *text = "";

	for (unsigned i = 0; text && i < l->s->nameservers.n; i++)
		text = arena_fmt(&l->s->arena, "%s%s%s", text, i ? " " : "", l->s->nameservers.v[i]);
	return text;
}

static const char *dhcp_text(struct load *l, const char *program)
{
	struct spec *s = l->s;
	const char *text = "", *names = names_text(l);

	for (const struct spec_interface *i = s->interfaces; text && i < s->interfaces + s->ninterfaces; i++) {
		if (!i->dhcp)
			continue;
		const char *name = arena_fmt(&s->arena, "dhcp@%s", i->name);

		if (!name || spec_name_kind(name) != NAME_INSTANCE)
			spec_problem(s, SEV_ERROR, i->from, NULL, "network.interfaces.%s: dhcp: its name must be one "
				     "that a service can have: small letters, digits, _ . -", i->name);
		else
			text = arena_fmt(&s->arena, "%s  dhcp@%s: {}\n  lease@%s: {}\n", text, i->name, i->name);
	}
	if (!text || !names || !*text)
		return text;
	const char *made = arena_fmt(&s->arena, leases, program, names, program, dhcp_client(),
						   program);

	return made ? arena_fmt(&s->arena, "%s%s", made, text) : NULL;
}

static const char *routers_text(struct load *l, const char *program)
{
	const char *text = "", *names = names_text(l);

	for (const struct spec_interface *i = l->s->interfaces; text && i < l->s->interfaces + l->s->ninterfaces; i++)
		if (i->accept_ra)
			text = arena_fmt(&l->s->arena, "%s, \"%s\"", text, i->name);
	return !text || !names || !*text ? text : arena_fmt(&l->s->arena, routers, program, names, text);
}

const char *machine_services(struct load *l)
{
	const char *program = own_program(l), *dhcp, *names, *all, *wait;

	if (!l->s->ninterfaces)
		return "";
	/* A container's network is there, and its runtime's business. */
	all = l->container ? "" : interfaces_text(l);
	dhcp = l->container ? "" : program ? dhcp_text(l, program) : NULL;
	names = l->container ? "" : program ? routers_text(l, program) : NULL;
	wait = program && all && dhcp ? arena_fmt(&l->s->arena, waiting, program, all) : NULL;
	return wait && names ? arena_fmt(&l->s->arena, "services:\n%s%s%s", wait, dhcp, names) : NULL;
}
