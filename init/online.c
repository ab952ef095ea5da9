/* The service network@NAME: ends when that interface, or with @all each that is not optional, has its addresses. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/online.h"
#include "netns/net.h"
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct wanted {
	char name[16];
	bool v4, v6, optional;
	const char *said;	/* what it was told to wait for; NULL: nothing yet */
};

/* "eth0=46?": see machine_services.c. False: there is no more. */
static bool next(const char **at, struct wanted *w)
{
	char families[8] = "";
	int n = 0;

	*w = (struct wanted){ .said = NULL };
	if (sscanf(*at, " %15[^= ]=%n%7[^ ]%n", w->name, &n, families, &n) < 1)
		return false;
	*at += n;
	w->v4 = strchr(families, '4');
	w->v6 = strchr(families, '6');
	w->optional = strchr(families, '?');
	return true;
}

/* Room for all that the list may name, and one more, which next() fills last; NULL: there is no memory. */
static struct wanted *room_for(const char *list)
{
	size_t n = 1;

	for (const char *c = list; *c; c++)
		n += *c == '=';
	return calloc(n, sizeof(struct wanted));
}

static unsigned select_of(const char *list, const char *which, struct wanted *v)
{
	const bool all = !strcmp(which, "all");
	unsigned n = 0;

	while (next(&list, v + n))
		n += all ? !v[n].optional : !strcmp(v[n].name, which);
	return n;
}

/* 1: all have what they are to have. Each change of what is missing is a line of the service's log. */
static int look(struct net *n, struct wanted *v, unsigned nv, struct err *e)
{
	bool well = true;

	for (unsigned i = 0; i < nv; i++) {
		const char *why = NULL;
		const int r = net_is_online(n, v[i].name, v[i].v4, v[i].v6, &why, e);

		if (r < 0)
			return r;
		if (r == 0 && v[i].said != why)
			fprintf(stderr, "waiting for %s: %s\n", v[i].name, why);
		v[i].said = why;
		well &= r == 1;
	}
	return well;
}

static void drain(int fd)
{
	char message[8192];

	while (recv(fd, message, sizeof message, MSG_DONTWAIT) > 0)
		;
}

static int wait_for(struct wanted *v, unsigned n, struct err *e)
{
	owned_fd changes = net_changes(e);	/* before the first look: nothing is missed */
	struct net *net;
	int r;

	if (changes < 0 || net_open(&net, e) < 0)
		return -e->code;
	while ((r = look(net, v, n, e)) == 0) {
		struct pollfd p = { .fd = changes, .events = POLLIN };

		poll(&p, 1, -1);
		drain(changes);
	}
	net_close(&net);
	return r;
}

int online_main(int argc, char **argv)
{
	struct err e;

	if (argc != 3) {
		fprintf(stderr, "usage: prior network-online NAME|all LIST\n");
		return 2;
	}
	struct wanted *v = room_for(argv[2]);	/* until this program ends */

	if (!v) {
		fprintf(stderr, "no memory left for the interfaces\n");
		return 1;
	}
	const unsigned n = select_of(argv[2], argv[1], v);

	if (!n && *argv[2] && strcmp(argv[1], "all") != 0) {
		fprintf(stderr, "network.interfaces has no '%s'\n", argv[1]);
		return 1;
	}
	if (wait_for(v, n, &e) == 1)
		return 0;
	fprintf(stderr, "%s\n", e.text);
	return 1;
}
