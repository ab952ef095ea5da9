/* The rows of a socket that prior binds for a service. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/rows.h"

#define L(f, ctype) CONF_FIELD(struct spec_listen, f, ctype)
#define TEXT(f) .type = CONF_TEXT, L(f, const char *)
#define BOOL(f) .type = CONF_BOOL, L(f, bool), .def = "false"
#define BYTES(f) .type = CONF_SIZE, L(f, uint64_t), .min = 256, .max = 1 << 30

static const char *const activate_words[] = { "eager", "lazy", "connection", NULL };
static const char *const in_words[] = { "machine", "cell", NULL };
static const char *const pass_words[] = { "fd", "stdio", NULL };

const struct conf_key listen_keys[] = {
	{ "name", TEXT(name), .check = socket_name_rule,
	  .doc = "Name of the socket in LISTEN_FDNAMES; the service's name when absent.", .example = "http" },
	{ "tcp", TEXT(tcp), .check = socket_address_rule,
	  .doc = "Address of a TCP socket: HOST:PORT, [V6]:PORT or :PORT for all addresses of both families.",
	  .example = "\"127.0.0.1:8080\"" },
	{ "udp", TEXT(udp), .check = socket_address_rule, .doc = "Address of a UDP socket, written in the same way." },
	{ "unix", TEXT(unix_path), .check = socket_path_rule,
	  .doc = "Path of a UNIX stream socket, or @NAME for an abstract one." },
	{ "unix_dgram", TEXT(unix_dgram), .check = socket_path_rule, .doc = "The same, for datagrams." },
	{ "unix_seqpacket", TEXT(unix_seqpacket), .check = socket_path_rule,
	  .doc = "The same, for connections that keep the bounds of messages." },
	{ "fifo", TEXT(fifo), .check = fifo_path_rule,
	  .doc = "Path of a FIFO; the service gets it open for reading and writing, so that it never ends." },
	{ "vsock", TEXT(vsock), .check = socket_vsock_rule,
	  .doc = "Address between a virtual machine and its host: CID:PORT, or :PORT for any CID." },
	{ "netlink", TEXT(netlink), .check = socket_netlink_rule,
	  .doc = "Protocol of a netlink socket, as kobject-uevent or route, or its number; then, after a blank, its "
		 "multicast groups as a number with one bit each." },
	{ "activate", .type = CONF_WORD, L(activate, unsigned), .words = activate_words, .def = "eager",
	  .doc = "lazy: the service is started by the first connection or message at one of its sockets; one lazy "
		 "socket makes the service so; connection: prior accepts, and starts the service for each connection "
		 "(see connections)." },
	{ "in", .type = CONF_WORD, L(in_cell, unsigned), .words = in_words, .def = "machine",
	  .doc = "Whose network it is bound in: the machine's, or with cell that of the service (isolation.network), "
		 "made anew with it at each start; for tcp, udp, netlink and abstract UNIX sockets, not lazy." },
	{ "mode", .type = CONF_OCTAL, L(mode, int64_t),
	  .doc = "Permissions of a UNIX socket's or FIFO's file; 0660 when absent." },
	{ "backlog", .type = CONF_COUNT, L(backlog, int64_t), .min = 1, .max = 65535,
	  .doc = "Connections that may wait to be accepted; 4096 when absent." },
	{ "user", TEXT(user), .check = user_rule, .doc = "Owner of a UNIX socket's or FIFO's file; root when absent." },
	{ "group", TEXT(group), .check = user_rule,
	  .doc = "Group of a UNIX socket's or FIFO's file; the service's own when absent." },
	{ "ipv6_only", BOOL(ipv6_only),
	  .doc = "An IPv6 socket takes no IPv4; otherwise IPv4 comes by mapped addresses (::ffff:192.0.2.1)." },
	{ "reuse_port", BOOL(reuse_port),
	  .doc = "Others of the same user may bind the address, too, with SO_REUSEPORT; the kernel spreads what "
		 "comes." },
	{ "keepalive", BOOL(keepalive), .doc = "TCP: a peer that is gone is noticed without traffic (SO_KEEPALIVE)." },
	{ "no_delay", BOOL(no_delay), .doc = "TCP: small messages do not wait for others (TCP_NODELAY)." },
	{ "freebind", BOOL(freebind), .doc = "The address may come later than the socket (IP_FREEBIND)." },
	{ "transparent", BOOL(transparent),
	  .doc = "The address may be another machine's whose traffic is routed here (IP_TRANSPARENT)." },
	{ "broadcast", BOOL(broadcast), .doc = "UDP: it may send to broadcast addresses (SO_BROADCAST)." },
	{ "pass_credentials", BOOL(pass_credentials),
	  .doc = "UNIX and netlink: each message comes with its sender's pid, uid and gid (SO_PASSCRED)." },
	{ "device", TEXT(device), .check = interface_rule,
	  .doc = "TCP and UDP: the interface whose traffic alone it takes (SO_BINDTODEVICE)." },
	{ "receive_buffer", BYTES(receive_buffer),
	  .doc = "Room for what has come and was not read; beyond the kernel's limit only for root (SO_RCVBUFFORCE)." },
	{ "send_buffer", BYTES(send_buffer), .doc = "Room for what was sent and has not gone (SO_SNDBUFFORCE)." },
	{ 0 }
};

#define F(f, ctype) CONF_FIELD(struct spec_service, f, ctype)

const struct conf_key connections_keys[] = {
	{ "max", .type = CONF_COUNT, F(connections_max, int64_t), .min = 1, .max = 1024,
	  .doc = "Connections that may be served at once, 64 when absent; further ones wait in the backlog until one "
		 "has ended." },
	{ "per_source", .type = CONF_COUNT, F(connections_per_source, int64_t), .min = 1, .max = 1024,
	  .doc = "The same from one IPv4 address, IPv6 /64 network, UNIX user or CID; further ones are closed; "
		 "all when absent." },
	{ "pass", .type = CONF_WORD, F(connections_pass, unsigned), .words = pass_words, .def = "fd",
	  .doc = "How the service gets it: fd: as descriptor 3, with LISTEN_FDS=1; stdio: as standard input and "
		 "output, as under inetd; standard error is its log either way." },
	{ 0 }
};
