/* A DHCP lease on its way: told by udhcpc's script, which is us, in its cell; carried out by the service lease@NAME. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/name_servers.h"
#include "init/online.h"
#include "netns/net.h"
#include "services/spec/lease.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SOCKET 3	/* the first of LISTEN_FDS */
#define DIR "/run/" LEASE_NAMES

/* --- in the client's cell --- */

static void address_of(const char *name, uint8_t ip[4])
{
	const char *text = getenv(name);
	char first[32] = "";

	if (text && sscanf(text, "%31s", first) == 1)
		inet_pton(AF_INET, first, ip);
}

static uint32_t number_of(const char *name)
{
	const char *text = getenv(name);

	return text ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

static void names_of(const char *text, uint8_t names[4][4])
{
	char one[32];
	int n;

	for (unsigned i = 0; text && i < 4 && sscanf(text, " %31s%n", one, &n) == 1; text += n)
		i += inet_pton(AF_INET, one, names[i]) == 1;
}

/* deconfig: at its start and when the lease is over; leasefail and nak say nothing new. */
int tell_main(int argc, char **argv)
{
	const char *event = argc > 1 ? argv[1] : "", *name = getenv("interface");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct net_lease l = { .magic = NET_LEASE };

	l.is_there = !strcmp(event, "bound") || !strcmp(event, "renew");
	if (!name || (!l.is_there && strcmp(event, "deconfig") != 0))
		return 0;
	if (l.is_there) {
		address_of("ip", l.ip);
		address_of("router", l.gateway);
		names_of(getenv("dns"), l.names);
		l.prefix = number_of("mask");
		l.seconds = number_of("lease");
	}
	snprintf(to.sun_path, sizeof to.sun_path, LEASE_SOCKET "%s", name);
	owned_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && sendto(fd, &l, sizeof l, 0, (struct sockaddr *)&to, sizeof to) == sizeof l)
		return 0;
	perror(to.sun_path);
	return 1;
}

/* --- in the service that carries it out --- */

/* An address without name servers is better than none. */
static void tell(const char *name, const char *source, const char *own, const struct name_server *v, unsigned n)
{
	struct err e;

	if (name_servers_tell(DIR, source, own, v, n, NULL, &e) < 0)
		fprintf(stderr, "%s: its name servers are not written down: %s\n", name, e.text);
}

static void tell_names(const char *name, const char *source, const char *own, const struct net_lease *l)
{
	static const uint8_t none[4];
	struct name_server v[4];
	unsigned i = 0;

	for (; l->is_there && i < 4 && memcmp(l->names[i], none, 4) != 0; i++) {
		v[i].until_ms = mono_now().ms + (int64_t)l->seconds * 1000;
		inet_ntop(AF_INET, l->names[i], v[i].address, sizeof v[i].address);
	}
	tell(name, source, own, v, i);
}

static int carry_out(struct net *n, const char *name, const char *own, const struct net_lease *l, struct err *e)
{
	char ip[INET_ADDRSTRLEN], gateway[INET_ADDRSTRLEN], source[32];
	struct name_server before[NAME_SERVERS_MAX];

	if (net_lease_check(l, e) < 0)
		return -e->code;
	snprintf(source, sizeof source, SOURCE_LEASE "%s", name);
	const unsigned nbefore = name_servers_of(DIR, source, before);

	/* First: who has waited for the address is to find them. */
	tell_names(name, source, own, l);
	if (net_lease(n, name, l, e) < 0) {
		tell(name, source, own, before, nbefore);
		return -e->code;
	}
	if (l->is_there)
		printf("%s: %s/%u for %u s, gateway %s\n", name, inet_ntop(AF_INET, l->ip, ip, sizeof ip), l->prefix,
		       l->seconds, inet_ntop(AF_INET, l->gateway, gateway, sizeof gateway));
	else
		printf("%s: no lease\n", name);
	fflush(stdout);
	return 0;
}

int lease_main(int argc, char **argv)
{
	struct net_lease l;
	struct net *n;
	struct err e;

	if (argc != 3) {
		fprintf(stderr, "usage: prior network-lease NAME NAMESERVERS 3<SOCKET\n");
		return 2;
	}
	if (net_open(&n, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	for (;;) {
		struct pollfd p = { .fd = SOCKET, .events = POLLIN };

		poll(&p, 1, -1);
		const ssize_t got = recv(SOCKET, &l, sizeof l, MSG_TRUNC);

		if (got < 0 && errno != EINTR && errno != EAGAIN)
			break;
		if (got != (ssize_t)sizeof l)
			continue;
		if (carry_out(n, argv[1], argv[2], &l, &e) < 0)
			fprintf(stderr, "%s: a lease is not carried out: %s\n", argv[1], e.text);
	}
	perror("receive leases");
	net_close(&n);
	return 1;
}
