/* The service router-names: name servers that routers advertise, until they are over, go to resolv.conf. */
/* SPDX-License-Identifier: ISC */
#include "init/base/mono.h"
#include "init/name_servers.h"
#include "init/online.h"
#include "netns/net.h"
#include "services/spec/lease.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SOCKET 3	/* the first of LISTEN_FDS */
#define DIR "/run/" LEASE_NAMES
#define PAUSE_MS 100	/* after each message, so that who sends many does not keep the machine busy */

/* Where an address of the link is, is a part of it. */
static void address_text(const uint8_t ip[16], const char *name, char text[64])
{
	const int is_local = ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
	char bare[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, ip, bare, sizeof bare);
	snprintf(text, 64, "%s%s%.15s", bare, is_local ? "%" : "", is_local ? name : "");
}

/* What is new or goes is said; that something lasts longer is not. */
static unsigned change(struct name_server *v, unsigned n, const char *name, const char *address, uint32_t seconds)
{
	unsigned i = 0;

	while (i < n && strcmp(v[i].address, address) != 0)
		i++;
	if (i < n && !seconds)
		printf("%s: %s is no name server any more\n", name, address);
	if (i == n && seconds)
		printf("%s: name server %s for %u s\n", name, address, seconds);
	return name_servers_put(v, n, address, seconds);
}

/* When the next one is over, as name_servers_tell() says. */
static int64_t take(const struct net_advert *a, const char *name, const char *own)
{
	struct name_server v[NAME_SERVERS_MAX];
	char source[32], address[64];
	int64_t next = 0;
	struct err e;

	snprintf(source, sizeof source, SOURCE_ROUTER "%s", name);
	unsigned n = name_servers_of(DIR, source, v);

	for (unsigned i = 0; i < a->n; i++) {
		address_text(a->servers[i], name, address);
		n = change(v, n, name, address, a->seconds);
	}
	fflush(stdout);
	if (name_servers_tell(DIR, source, own, v, n, &next, &e) < 0)
		fprintf(stderr, "%s: its name servers are not written down: %s\n", name, e.text);
	return next;
}

/* The interface's name, where the configuration believes routers on it; NULL. */
static const char *believed(char **names, unsigned index)
{
	char name[IF_NAMESIZE];

	for (; if_indextoname(index, name) && *names; names++)
		if (!strcmp(*names, name))
			return *names;
	return NULL;
}

static void receive(char **names, const char *own, int64_t *next)
{
	struct sockaddr_nl from = { .nl_pid = 1 };
	socklen_t size = sizeof from;
	struct net_advert a;
	char message[4096];
	const ssize_t n = recvfrom(SOCKET, message, sizeof message, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
	const char *name = n > 0 && !from.nl_pid && net_advert_read(message, (size_t)n, &a)
			   ? believed(names, a.index) : NULL;

	if (name)
		*next = take(&a, name, own);
}

int routers_main(int argc, char **argv)
{
	int64_t next = 0;
	struct err e;

	if (argc < 3) {
		fprintf(stderr, "usage: prior network-routers NAMESERVERS NAME... 3<SOCKET\n");
		return 2;
	}
	/* Of a run before this one something may be left. */
	if (name_servers_tell(DIR, NULL, argv[1], NULL, 0, &next, &e) < 0) {
		fprintf(stderr, "router-names: %s\n", e.text);
		return 1;
	}
	for (;;) {
		struct pollfd p = { .fd = SOCKET, .events = POLLIN };
		const int64_t left = next - mono_now().ms;

		if (next && left <= 0 && name_servers_tell(DIR, NULL, argv[1], NULL, 0, &next, &e) < 0)
			fprintf(stderr, "router-names: %s\n", e.text);
		else if (!next || left > 0)
			poll(&p, 1, !next ? -1 : left < INT32_MAX ? (int)left : INT32_MAX);
		if (!p.revents)
			continue;
		receive(argv + 2, argv[1], &next);
		poll(NULL, 0, PAUSE_MS);
	}
}
