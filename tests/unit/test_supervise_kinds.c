/* Sockets of every kind: made, passed on, watched, made anew when their file is gone; what others put in the way. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=logger_start,--wrap=logger_send,--wrap=logger_flush,--wrap=panic_arm */
#include "services/cell/bind.h"
#include "services/plan/listen.h"
#include "services/spec/spec.h"
#include "services/supervise/fsm.h"
#include "services/supervise/sockets.h"
#include "tests/unit/served.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <cmocka.h>

static char dir[64], path[80], row[100];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/prior-kinds-%d", (int)getpid());
	snprintf(path, sizeof path, "%s/a/b", dir);
	return 0;
}

static int teardown(void **state)
{
	char cmd[100];

	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	serve_stop(state);
	return system(cmd);
}

/* One lazy service with one socket of this kind, whose file is `path` where it has one. */
static int serve_kind(const char *kind, uint32_t lazy)
{
	snprintf(row, sizeof row, "%s:%s", kind, path);
	struct made_svc svc = { .name = "svc", .listen = { { row, lazy } } };

	serve_rows(&svc, 1);
	return prior.ledger.listen[0];
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t n = sizeof value;

	getsockopt(fd, SOL_SOCKET, name, &value, &n);
	return value;
}

static int talker(int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, path);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		fd_drop(&fd);
	return fd;
}

static void a_datagram_starts_a_lazy_service(void **state)
{
	int fd = serve_kind("dgram", 1);

	(void)state;
	assert_int_equal(option(fd, SO_TYPE), SOCK_DGRAM);
	assert_true(is_in("svc", SVC_LISTENING));
	owned_fd t = talker(SOCK_DGRAM);

	assert_true(t >= 0);
	served_turn();
	assert_true(is_in("svc", SVC_LISTENING));	/* a datagram has no connection that could start it */
	assert_int_equal(send(t, "x", 1, 0), 1);
	UNTIL(is_in("svc", SVC_UP));
}

static void a_seqpacket_connection_starts_a_lazy_service(void **state)
{
	int fd = serve_kind("seqpacket", 1);

	(void)state;
	assert_int_equal(option(fd, SO_TYPE), SOCK_SEQPACKET);
	assert_int_equal(option(fd, SO_ACCEPTCONN), 1);
	owned_fd t = talker(SOCK_SEQPACKET);

	assert_true(t >= 0);
	UNTIL(is_in("svc", SVC_UP));
}

static void what_is_written_to_a_fifo_starts_a_lazy_service(void **state)
{
	int fd = serve_kind("fifo", 1);
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISFIFO(st.st_mode) && (st.st_mode & 0777) == 0600);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	owned_fd w = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);

	assert_true(w >= 0);
	assert_int_equal(write(w, "x", 1), 1);
	UNTIL(is_in("svc", SVC_UP));
}

static void a_udp_datagram_starts_a_lazy_service(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	owned_fd t = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	/* A port that was free a moment ago. */
	assert_int_equal(bind(t, (struct sockaddr *)&a, sizeof a), 0);
	getsockname(t, (struct sockaddr *)&a, &len);
	fd_put(&t, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	snprintf(path, sizeof path, "%u", ntohs(a.sin_port));
	serve_kind("udp", 1);
	assert_true(is_in("svc", SVC_LISTENING));
	assert_int_equal(sendto(t, "x", 1, 0, (struct sockaddr *)&a, sizeof a), 1);
	UNTIL(is_in("svc", SVC_UP));
}

static void a_netlink_socket_is_bound(void **state)
{
	struct sockaddr_nl a;
	socklen_t len = sizeof a;

	(void)state;
	snprintf(path, sizeof path, "%d", NETLINK_KOBJECT_UEVENT);
	int fd = serve_kind("netlink", 0);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(a.nl_family, AF_NETLINK);
	UNTIL(is_in("svc", SVC_UP));
}

static void a_fifo_that_is_there_is_taken(void **state)
{
	struct stat before, now;

	(void)state;
	mkdir(dir, 0755);
	snprintf(path, sizeof path, "%s/b", dir);
	assert_int_equal(mkfifo(path, 0644), 0);
	lstat(path, &before);
	serve_kind("fifo", 0);
	UNTIL(is_in("svc", SVC_UP));
	lstat(path, &now);
	assert_true(before.st_ino == now.st_ino && (now.st_mode & 0777) == 0600);
}

static void what_is_no_fifo_is_left_alone(void **state)
{
	char why[200];

	(void)state;
	mkdir(dir, 0755);
	snprintf(path, sizeof path, "%s/b", dir);
	assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
	serve_kind("fifo", 0);
	assert_true(is_in("svc", SVC_REFUSED));
	snprintf(why, sizeof why, "service svc: listen on %s: something that is no FIFO is there", path);
	assert_string_equal(named("svc")->why, why);
}

/* What can be made in a folder of ours that others may write to, they can have made. */
static void a_link_in_a_folder_that_others_write_to_is_not_followed(void **state)
{
	char link[80], why[240];

	(void)state;
	mkdir(dir, 0755);
	chmod(dir, 01777);
	snprintf(link, sizeof link, "%s/a", dir);
	assert_int_equal(symlink("/tmp", link), 0);
	serve_kind("dgram", 0);
	assert_true(is_in("svc", SVC_REFUSED));
	snprintf(why, sizeof why, "service svc: listen on %s: a is a link in a directory that others can write to",
		 path);
	assert_string_equal(named("svc")->why, why);
}

static void a_link_in_a_folder_of_ours_is_followed(void **state)
{
	char link[80], real[80];
	struct stat st;

	(void)state;
	mkdir(dir, 0755);
	snprintf(link, sizeof link, "%s/a", dir);
	snprintf(real, sizeof real, "%s/c", dir);
	assert_true(mkdir(real, 0755) == 0 && symlink("c", link) == 0);
	serve_kind("dgram", 0);
	UNTIL(is_in("svc", SVC_UP));
	snprintf(real, sizeof real, "%s/c/b", dir);
	assert_true(lstat(real, &st) == 0 && S_ISSOCK(st.st_mode));
}

static void a_socket_whose_file_is_gone_is_made_anew_at_the_next_start(void **state)
{
	int first = serve_kind("dgram", 0);
	struct stat st, other;

	(void)state;
	UNTIL(is_in("svc", SVC_UP));
	fstat(first, &st);
	assert_int_equal(unlink(path), 0);
	svc_post(&prior, 0, EV_RESTART);
	UNTIL(named("svc")->starts == 2 && is_in("svc", SVC_UP));
	assert_int_equal(fstat(prior.ledger.listen[0], &other), 0);
	assert_true(st.st_ino != other.st_ino);
	owned_fd t = talker(SOCK_DGRAM);

	assert_true(t >= 0);
}

static void the_file_that_another_put_in_its_place_is_not_removed_at_the_end(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	owned_fd theirs = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();		/* who may not ask which file is his sees that a socket is there */
	serve_kind("dgram", 0);
	UNTIL(is_in("svc", SVC_UP));
	strcpy(a.sun_path, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(bind(theirs, (struct sockaddr *)&a, sizeof a), 0);
	serve_shutdown(&prior, SHUTDOWN_EXIT);
	serve(&prior);
	assert_int_equal(lstat(path, &st), 0);
}

/* By the row alone: no service is needed. */
static int opened(const struct plan_listen *l, struct err *e)
{
	const struct plan none = { .at = (const unsigned char *)"" };
	int fd = FD_NONE;

	return bind_socket(&none, l, &fd, e) < 0 ? -e->code : fd;
}

static struct plan_listen any_port(uint32_t kind, uint8_t family)
{
	return (struct plan_listen){ .kind = kind, .backlog = 5, .addr = { .family = family } };
}

static void what_is_asked_for_is_set_before_it_is_bound(void **state)
{
	struct plan_listen l = any_port(LISTEN_TCP, AF_INET6);
	struct err e;
	int value = -1;
	socklen_t n = sizeof value;

	(void)state;
	owned_fd both = opened(&l, &e);

	assert_true(both >= 0);
	getsockopt(both, IPPROTO_IPV6, IPV6_V6ONLY, &value, &n);
	assert_int_equal(value, 0);
	assert_int_equal(option(both, SO_KEEPALIVE), 0);
	l.flags = LISTEN_F_V6ONLY | LISTEN_F_REUSE_PORT | LISTEN_F_KEEPALIVE | LISTEN_F_NO_DELAY | LISTEN_F_FREEBIND;
	l.receive_buffer = 65536;
	owned_fd six = opened(&l, &e);

	assert_true(six >= 0);
	getsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &value, &n);
	assert_int_equal(value, 1);
	assert_int_equal(option(six, SO_KEEPALIVE), 1);
	assert_int_equal(option(six, SO_REUSEPORT), 1);
	assert_int_equal(option(six, SO_RCVBUF), 2 * 65536);
}

static void an_address_to_come_needs_freebind(void **state)
{
	struct plan_listen l = any_port(LISTEN_UDP, AF_INET);
	struct err e;

	(void)state;
	memcpy(l.addr.ip, (unsigned char[]){ 192, 0, 2, 77 }, 4);
	l.port = 5353;
	assert_int_equal(opened(&l, &e), -EADDRNOTAVAIL);
	assert_string_equal(e.text, "listen on udp 192.0.2.77:5353: Cannot assign requested address");
	l.flags = LISTEN_F_FREEBIND;
	owned_fd fd = opened(&l, &e);

	assert_true(fd >= 0);
}

static void what_is_handed_in_must_be_of_the_kind(void **state)
{
	struct plan_listen tcp = any_port(LISTEN_TCP, AF_INET), udp = any_port(LISTEN_UDP, AF_INET),
			   fifo = { .kind = LISTEN_FIFO };
	struct err e;

	(void)state;
	owned_fd t = opened(&tcp, &e), u = opened(&udp, &e);
	int ends[2];

	assert_int_equal(bind_check(&tcp, t, &e), 0);
	assert_int_equal(bind_check(&udp, u, &e), 0);
	assert_int_equal(bind_check(&tcp, u, &e), -EINVAL);
	assert_string_equal(e.text, "what LISTEN_FDS hands in by that name is not 'tcp'");
	assert_int_equal(pipe(ends), 0);
	owned_fd rd = ends[0], wr = ends[1];

	assert_int_equal(bind_check(&fifo, rd, &e), 0);
	assert_int_equal(bind_check(&fifo, t, &e), -EINVAL);
	assert_true(wr >= 0);
}

static void netlink_protocols_have_names(void **state)
{
	(void)state;
	assert_int_equal(listen_netlink("kobject-uevent"), NETLINK_KOBJECT_UEVENT);
	assert_int_equal(listen_netlink("31"), 31);
	assert_int_equal(listen_netlink("32"), -1);
	assert_int_equal(listen_netlink("kobject"), -1);
	assert_string_equal(listen_netlink_name(NETLINK_AUDIT), "audit");
	assert_null(listen_netlink_name(30));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_datagram_starts_a_lazy_service),
		TEST(a_seqpacket_connection_starts_a_lazy_service),
		TEST(what_is_written_to_a_fifo_starts_a_lazy_service),
		TEST(a_udp_datagram_starts_a_lazy_service),
		TEST(a_netlink_socket_is_bound),
		TEST(a_fifo_that_is_there_is_taken),
		TEST(what_is_no_fifo_is_left_alone),
		TEST(a_link_in_a_folder_that_others_write_to_is_not_followed),
		TEST(a_link_in_a_folder_of_ours_is_followed),
		TEST(a_socket_whose_file_is_gone_is_made_anew_at_the_next_start),
		TEST(the_file_that_another_put_in_its_place_is_not_removed_at_the_end),
		cmocka_unit_test(what_is_asked_for_is_set_before_it_is_bound),
		cmocka_unit_test(an_address_to_come_needs_freebind),
		cmocka_unit_test(what_is_handed_in_must_be_of_the_kind),
		cmocka_unit_test(netlink_protocols_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
