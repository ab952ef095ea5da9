/* Datagrams, and packets that no program of this machine's should send, for tests. */
/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE
#include "probe.h"
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* udp-serve PORT: answers every datagram. */
int udp_serve(char **argv)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(argv[0])) };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage from;
	char buf[512];

	if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof any) < 0)
		return fail("bind");
	for (;;) {
		socklen_t len = sizeof from;

		if (recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &len) >= 0)
			sendto(fd, "hello\n", 6, 0, (struct sockaddr *)&from, len);
	}
}

/* udp-call HOST PORT: one datagram, and what is answered within two seconds. */
int udp_call(char **argv)
{
	const struct timeval patience = { .tv_sec = 2 };
	struct sockaddr_storage to;
	socklen_t len = address(argv[0], argv[1], &to);
	int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char buf[512];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, len) < 0 || send(fd, "x", 1, 0) < 0)
		return fail("send");
	const ssize_t n = recv(fd, buf, sizeof buf, 0);

	return n < 0 ? fail("recv") : write(1, buf, (size_t)n) != n;
}

/* As from a router or a neighbour: 255 hops to go. iface NULL: as the routes say. */
static int send_icmp6(const unsigned char *message, size_t n, const char *to, const char *iface)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_scope_id = iface ? if_nametoindex(iface) : 0 };
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6), hops = 255;

	inet_pton(AF_INET6, to, &a.sin6_addr);
	return fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops) < 0 ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops) < 0 ||
	       sendto(fd, message, n, 0, (struct sockaddr *)&a, sizeof a) < 0 ? fail("send") : 0;
}

/* rogue-router IFACE [HEX]: "I am a router", to everybody on the link, with options of these bytes. */
int rogue_router(char **argv)
{
	unsigned char advert[1024] = { 134, 0, 0, 0, 64, 0, 7, 8 }, *end = advert + 16;

	for (const char *hex = argv[1]; hex && end < advert + sizeof advert && sscanf(hex, "%2hhx", end) == 1; hex += 2)
		end++;
	return send_icmp6(advert, (size_t)(end - advert), "ff02::1", argv[0]);
}

/* icmp6 TYPE TO TARGET: a message of that type about that address, with data in it. */
int icmp6(char **argv)
{
	unsigned char message[64] = { (unsigned char)atoi(argv[0]) };

	inet_pton(AF_INET6, argv[2], message + 8);
	memcpy(message + 24, "leak", 4);
	return send_icmp6(message, sizeof message, argv[1], NULL);
}

/* raw-frame IFACE FROM TO PORT: a UDP datagram by a packet socket, to all on the link, past every rule inside. */
int raw_frame(char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_halen = 6,
				  .sll_addr = { 255, 255, 255, 255, 255, 255 } };
	unsigned char p[40] = { 0x45, 0, 0, 40, 0, 1, 0, 0, 64, IPPROTO_UDP };
	unsigned sum = 0;
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP));

	to.sll_ifindex = (int)if_nametoindex(argv[0]);
	inet_pton(AF_INET, argv[1], p + 12);
	inet_pton(AF_INET, argv[2], p + 16);
	p[20] = 0x30, p[22] = (unsigned char)(atoi(argv[3]) >> 8), p[23] = (unsigned char)atoi(argv[3]);
	p[25] = 20;
	for (int i = 0; i < 20; i += 2)
		sum += (unsigned)(p[i] << 8 | p[i + 1]);
	sum = ~((sum & 0xffff) + (sum >> 16));
	p[10] = (unsigned char)(sum >> 8), p[11] = (unsigned char)sum;
	return fd < 0 || sendto(fd, p, sizeof p, 0, (struct sockaddr *)&to, sizeof to) < 0 ? fail("send") : 0;
}
