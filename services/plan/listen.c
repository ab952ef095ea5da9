/* The rows behind listen.h, and what must be true of the numbers in a socket's record. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/listen.h"
#include "init/conf/value.h"
#include "services/plan/types.h"
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#ifndef IP_FREEBIND
#define IP_FREEBIND 15
#endif
#ifndef IP_TRANSPARENT
#define IP_TRANSPARENT 19
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif
#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT 75
#endif

const struct listen_row listen_rows[LISTEN_KINDS] = {
	[LISTEN_TCP]		= { "tcp", AF_UNSPEC, SOCK_STREAM, .connects = true, .has_port = true },
	[LISTEN_UNIX_STREAM]	= { "unix", AF_UNIX, SOCK_STREAM, .connects = true, .has_path = true },
	[LISTEN_UDP]		= { "udp", AF_UNSPEC, SOCK_DGRAM, .has_port = true },
	[LISTEN_UNIX_DGRAM]	= { "unix_dgram", AF_UNIX, SOCK_DGRAM, .has_path = true },
	[LISTEN_UNIX_SEQPACKET] = { "unix_seqpacket", AF_UNIX, SOCK_SEQPACKET, .connects = true, .has_path = true },
	[LISTEN_FIFO]		= { "fifo", AF_UNSPEC, 0, .has_path = true },
	[LISTEN_VSOCK]		= { "vsock", AF_VSOCK, SOCK_STREAM, .connects = true },
	[LISTEN_NETLINK]	= { "netlink", AF_NETLINK, SOCK_RAW },
	[LISTEN_CONNECTION]	= { "connection", AF_UNSPEC, SOCK_STREAM },
};

#define INET (1u << LISTEN_TCP | 1u << LISTEN_UDP)
#define UNIX (1u << LISTEN_UNIX_STREAM | 1u << LISTEN_UNIX_DGRAM | 1u << LISTEN_UNIX_SEQPACKET)

const struct listen_option listen_options[LISTEN_OPTIONS] = {
	{ "ipv6_only", 0, 0, IPPROTO_IPV6, IPV6_V6ONLY, INET },
	{ "reuse_port", SOL_SOCKET, SO_REUSEPORT, 0, 0, INET },
	{ "keepalive", SOL_SOCKET, SO_KEEPALIVE, 0, 0, 1u << LISTEN_TCP },
	{ "no_delay", IPPROTO_TCP, TCP_NODELAY, 0, 0, 1u << LISTEN_TCP },
	{ "freebind", IPPROTO_IP, IP_FREEBIND, IPPROTO_IPV6, IPV6_FREEBIND, INET },
	{ "transparent", IPPROTO_IP, IP_TRANSPARENT, IPPROTO_IPV6, IPV6_TRANSPARENT, INET },
	{ "broadcast", SOL_SOCKET, SO_BROADCAST, 0, 0, 1u << LISTEN_UDP },
	{ "pass_credentials", SOL_SOCKET, SO_PASSCRED, 0, 0, UNIX | 1u << LISTEN_NETLINK },
};
_Static_assert(LISTEN_F_ALL == (1u << LISTEN_OPTIONS) - 1, "a flag per option");

static const struct { const char *name; int protocol; } netlinks[] = {
	{ "route", NETLINK_ROUTE }, { "usersock", NETLINK_USERSOCK }, { "inet-diag", NETLINK_INET_DIAG },
	{ "nflog", NETLINK_NFLOG }, { "xfrm", NETLINK_XFRM }, { "selinux", NETLINK_SELINUX },
	{ "iscsi", NETLINK_ISCSI }, { "audit", NETLINK_AUDIT }, { "fib-lookup", NETLINK_FIB_LOOKUP },
	{ "connector", NETLINK_CONNECTOR }, { "netfilter", NETLINK_NETFILTER }, { "dnrtmsg", NETLINK_DNRTMSG },
	{ "kobject-uevent", NETLINK_KOBJECT_UEVENT }, { "generic", NETLINK_GENERIC },
	{ "scsitransport", NETLINK_SCSITRANSPORT }, { "ecryptfs", NETLINK_ECRYPTFS }, { "rdma", NETLINK_RDMA },
};

int listen_netlink(const char *name)
{
	int64_t number;

	for (size_t i = 0; i < sizeof netlinks / sizeof *netlinks; i++)
		if (!strcmp(netlinks[i].name, name))
			return netlinks[i].protocol;
	return value_number(name, &number) == 0 && number >= 0 && number < 32 ? (int)number : -1;
}

const char *listen_netlink_name(uint32_t protocol)
{
	for (size_t i = 0; i < sizeof netlinks / sizeof *netlinks; i++)
		if ((uint32_t)netlinks[i].protocol == protocol)
			return netlinks[i].name;
	return NULL;
}

static bool options_are_its(const struct plan_listen *l)
{
	for (unsigned i = 0; i < LISTEN_OPTIONS; i++)
		if (l->flags >> i & 1 && !(listen_options[i].kinds >> l->kind & 1))
			return false;
	return !(l->flags & ~LISTEN_F_ALL) && (!(l->flags & LISTEN_F_V6ONLY) || l->addr.family == AF_INET6);
}

static const char *listen_wrong(const struct plan *p, const void *record)
{
	const struct plan_listen *l = record;
	const char *path = plan_str(p, l->path);

	if (l->kind >= LISTEN_KINDS || l->activate > ACTIVATE_CONNECTION)
		return "unknown kind of socket";
	const struct listen_row *row = &listen_rows[l->kind];

	if (row->has_path != (l->path.n != 0) || row->has_port != (l->addr.family != 0) || !options_are_its(l))
		return "what it has is not its kind's";
	if (row->has_path && (l->path.n < 2 || l->path.n > 107 || l->mode > 0777 ||
			      (path[0] != '/' && (path[0] != '@' || l->kind == LISTEN_FIFO))))
		return "its path or mode is unusable";
	if (l->receive_buffer > INT32_MAX / 2 || l->send_buffer > INT32_MAX / 2 || l->backlog > 65535)
		return "its size is unusable";
	if (l->device.n && !row->has_port)
		return "it has no interface";
	if (l->in_cell > (l->activate == ACTIVATE_EAGER && (row->has_port || path[0] == '@' ||
							    l->kind == LISTEN_NETLINK)))
		return "it cannot be in a cell's network";
	if (l->activate == ACTIVATE_CONNECTION && !row->connects)
		return "there are no connections to accept";
	if (l->kind == LISTEN_NETLINK)
		return l->number > 31 ? "there is no such protocol" : NULL;
	return row->has_port && (!plan_addr_is_one(&l->addr) || !l->port) ? "its address or port is unusable" : NULL;
}

static const struct plan_field listen_fields[] = {
	{ .name = "name", .at = offsetof(struct plan_listen, name), .of = &plan_string_type, .text = TEXT_LISTEN,
	  .needed = 1 },
	{ .name = "path", .at = offsetof(struct plan_listen, path), .of = &plan_string_type },
	{ .name = "device", .at = offsetof(struct plan_listen, device), .of = &plan_string_type,
	  .text = TEXT_INTERFACE },
};
const struct plan_type plan_listen_type = {
	.name = "plan_listen", .size = sizeof(struct plan_listen), .align = _Alignof(struct plan_listen),
	.fields = listen_fields, .nfields = sizeof listen_fields / sizeof *listen_fields, .wrong = listen_wrong,
};
