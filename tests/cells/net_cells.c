/* Networks for real: bridges, veth pairs and routes in namespaces of our own. Run by net_cells.sh, as root. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "netns/net.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

static const char *now_testing;
static unsigned failures;
static int machine_ns;
static struct net *machine;

#define GOOD(c) ((c) == 0 ? (void)0 : fail(__LINE__, e.text))
#define MUST(c) ((c) ? (void)0 : fail(__LINE__, #c))

static void fail(int line, const char *what)
{
	printf("not ok net: %s\n    tests/cells/net_cells.c:%d: %s\n", now_testing, line, what);
	failures++;
}

static void ok(unsigned before)
{
	if (failures == before)
		printf("ok net: %s\n", now_testing);
	fflush(stdout);
}

static void enter(int ns)
{
	if (setns(ns, CLONE_NEWNET) < 0) {
		perror("setns");
		exit(2);
	}
}

/* A namespace without a process; the caller stays in the machine's. */
static int new_ns(void)
{
	if (unshare(CLONE_NEWNET) < 0) {
		perror("unshare");
		exit(2);
	}
	int ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (machine_ns > 0)
		enter(machine_ns);
	return ns;
}

/* What `ip ARGS` prints, in the namespace we are in. */
static char *ip(int ns, const char *a, const char *b, const char *c, const char *d)
{
	static char text[2][65536];
	static unsigned turn;
	char *t = text[turn++ % 2];
	size_t n = 0;
	ssize_t r;
	int p[2], status;

	if (pipe(p) < 0)
		exit(2);
	pid_t pid = fork();

	if (pid == 0) {
		enter(ns);
		dup2(p[1], 1);
		execlp("ip", "ip", "-j", a, b, c, d, (char *)NULL);
		_exit(127);
	}
	fd_drop(&p[1]);
	while ((r = read(p[0], t + n, sizeof text[0] - 1 - n)) > 0)
		n += (size_t)r;
	fd_drop(&p[0]);
	t[n] = '\0';
	waitpid(pid, &status, 0);
	MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return t;
}

static void add_strangers_veth(const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		enter(machine_ns);
		execlp("ip", "ip", "link", "add", name, "type", "veth", "peer", "name", "other-end",
		       (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	/* Up and down once: the first time changes the queueing discipline from noop to noqueue for good. */
	for (int up = 1; up >= 0; up--) {
		pid = fork();
		if (pid == 0) {
			enter(machine_ns);
			execlp("ip", "ip", "link", "set", name, up ? "up" : "down", (char *)NULL);
			_exit(127);
		}
		waitpid(pid, NULL, 0);
	}
}

static struct net_addr addr(const char *s, uint8_t prefix)
{
	struct net_addr a = { .family = strchr(s, ':') ? AF_INET6 : AF_INET, .prefix = prefix };

	MUST(inet_pton(a.family, s, a.ip) == 1);
	return a;
}

static socklen_t sockaddr(const char *ip_text, unsigned port, struct sockaddr_storage *s)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)s;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)s;

	memset(s, 0, sizeof *s);
	if (strchr(ip_text, ':')) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		inet_pton(AF_INET6, ip_text, &v6->sin6_addr);
		return sizeof *v6;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, ip_text, &v4->sin_addr);
	return sizeof *v4;
}

static int listen_in(int ns, const char *at)
{
	struct sockaddr_storage s;
	socklen_t n = sockaddr(at, 80, &s);

	enter(ns);
	int fd = socket(s.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (void *)&s, n) < 0 || listen(fd, 4) < 0) {
		perror(at);
		MUST(!"listening");
	}
	enter(machine_ns);
	return fd;
}

/* 0 or the errno of connecting from ns, ETIMEDOUT after so many ms: few where nobody is to answer. */
static int connect_within(int ms, int ns, const char *to)
{
	struct sockaddr_storage s;
	socklen_t n = sockaddr(to, 80, &s);
	int code = 0;
	socklen_t size = sizeof code;

	enter(ns);
	owned_fd fd = socket(s.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	enter(machine_ns);
	if (connect(fd, (void *)&s, n) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (poll(&p, 1, ms) == 0)
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
	return code;
}

static bool connects(int ns, const char *to)
{
	return connect_within(60000, ns, to) == 0;
}

static int cell_in(int ns, const char *ifname, const char *v4, const char *v6, struct err *e)
{
	struct net_addr a[] = { addr(v4, 24), addr(v6, 64) }, g4 = addr("10.88.0.1", 0),
			g6 = addr("fd88::1", 0);
	struct net *n;

	enter(ns);
	int r = net_loopback_up(e);

	if (r == 0)
		r = net_open(&n, e);
	enter(machine_ns);
	if (r < 0)
		return r;
	r = net_cell(n, "host0", a, 2, &g4, &g6, e);
	if (r == 0)
		r = net_ready(machine, ifname, n, "host0", a, 2, e);
	net_close(&n);
	return r;
}

static int bridge(struct err *e)
{
	struct net_addr a[] = { addr("10.88.0.1", 24), addr("fd88::1", 64) };

	return net_bridge(machine, "prior0", a, 2, 0, e);
}

static void links_come_and_go(int a, int b, const char *mac)
{
	struct err e = { 0 };
	unsigned before = failures;
	char *t;

	now_testing = "removing a cell's link removes both ends, and twice is no error";
	GOOD(net_veth_remove(machine, "pr-a", &e));
	GOOD(net_veth_remove(machine, "pr-a", &e));
	MUST(connect_within(500, b, "10.88.0.2") != 0);
	GOOD(net_veth(machine, "pr-a", "prior0", a, "host0", "a", 0, &e));
	t = ip(a, "link", "show", "host0", NULL);
	MUST(mac[0] && strstr(t, mac) != NULL);
	ok(before);

	before = failures;
	now_testing = "a left-over link of a service that died is replaced";
	owned_fd d = new_ns();

	GOOD(net_veth(machine, "pr-a", "prior0", d, "host0", "a", 0, &e));
	GOOD(cell_in(d, "pr-a", "10.88.0.2", "fd88::2", &e));
	owned_fd again = listen_in(d, "10.88.0.2");

	MUST(connects(b, "10.88.0.2"));
	GOOD(net_veth_remove(machine, "pr-a", &e));
	GOOD(net_veth_remove(machine, "pr-b", &e));
	ok(before);
}

static void cells_talk(void)
{
	struct err e = { 0 };
	unsigned before = failures;
	owned_fd a = new_ns(), b = new_ns(), c = new_ns();

	now_testing =
		"two cells on a bridge reach each other and the machine at once, over IPv4 and IPv6";
	GOOD(bridge(&e));
	GOOD(net_veth(machine, "pr-a", "prior0", a, "host0", "a", 0, &e));
	GOOD(net_veth(machine, "pr-b", "prior0", b, "host0", "b", 0, &e));
	if (cell_in(a, "pr-a", "10.88.0.2", "fd88::2", &e) < 0 ||
	    cell_in(b, "pr-b", "10.88.0.3", "fd88::3", &e) < 0)
		fail(__LINE__, e.text);
	owned_fd l4 = listen_in(a, "10.88.0.2"), l6 = listen_in(a, "fd88::2"),
		 lo = listen_in(a, "127.0.0.1");
	owned_fd m4 = listen_in(machine_ns, "10.88.0.1"), m6 = listen_in(machine_ns, "fd88::1");

	MUST(connects(b, "10.88.0.2"));
	MUST(connects(b, "fd88::2"));
	MUST(connects(a, "127.0.0.1"));
	MUST(connects(a, "10.88.0.1"));
	MUST(connects(b, "fd88::1"));
	MUST(connects(machine_ns, "10.88.0.2"));
	MUST(connects(machine_ns, "fd88::2"));
	ok(before);

	before = failures;
	now_testing = "a cell that is not on the bridge reaches nobody";
	MUST(connect_within(500, c, "10.88.0.2") == ENETUNREACH);
	MUST(connect_within(500, c, "fd88::2") == ENETUNREACH ||
	     connect_within(500, c, "fd88::2") == EADDRNOTAVAIL);
	MUST(connect_within(500, b, "127.0.0.1") != 0); /* a's loopback is a's alone */
	ok(before);

	before = failures;
	now_testing =
		"a cell has host0 with a stable address of its own, its routes, and no tentative address";
	char *t = ip(a, "link", "show", "host0", NULL);
	char mac[18] = "";

	MUST(sscanf(strstr(t, "\"address\":\"") ?: "", "\"address\":\"%17s", mac) == 1);
	MUST(strchr("26ae", mac[1]) != NULL);
	t = ip(a, "addr", "show", "dev", "host0");
	MUST(strstr(t, "fd88::2") != NULL);
	MUST(strstr(strstr(t, "fd88::2"), "\"nodad\":true") != NULL);
	t = ip(a, "route", "show", "default", NULL);
	MUST(strstr(t, "10.88.0.1") != NULL);
	ok(before);

	links_come_and_go(a, b, mac);
}

static void bridge_repeats(void)
{
	struct err e = { 0 };
	struct net_addr other[] = { addr("10.99.0.1", 16), addr("fd88::1", 64) };
	unsigned before = failures;
	char first[65536];

	now_testing =
		"a bridge made twice is the same bridge; other addresses replace the old ones";
	GOOD(bridge(&e));
	snprintf(first, sizeof first, "%s", ip(machine_ns, "addr", "show", "dev", "prior0"));
	GOOD(bridge(&e));
	MUST(strcmp(first, ip(machine_ns, "addr", "show", "dev", "prior0")) == 0);
	GOOD(net_bridge(machine, "prior0", other, 2, 0, &e));
	char *t = ip(machine_ns, "addr", "show", "dev", "prior0");

	MUST(strstr(t, "10.88.0.1") == NULL && strstr(t, "10.99.0.1") != NULL);
	MUST(strstr(t, "fd88::1") != NULL);
	GOOD(net_bridge_remove(machine, "prior0", &e));
	GOOD(net_bridge_remove(machine, "prior0", &e));
	ok(before);
}

/* The link-local address of a bridge leaves this state when it likes. */
static void without_tentative(char *t)
{
	static const char word[] = "\"tentative\":true,";

	while ((t = strstr(t, word)))
		memmove(t, t + sizeof word - 1, strlen(t + sizeof word - 1) + 1);
}

/* What fails must say why and leave every interface as it was. */
static void refused(const char *what, int got, int want, const struct err *e, const char *before)
{
	char *after = ip(machine_ns, "addr", NULL, NULL, NULL);

	without_tentative(after);
	if (got != -want || e->code != want) {
		printf("    %s: got %d, wanted %d\n", what, got, -want);
		MUST(!"the right errno");
	}
	if (strcmp(before, after) != 0) {
		printf("    %s\n    before %s\n    after  %s\n", what, before, after);
		MUST(!"nothing changed");
	}
	printf("    %s\n", e->text);
}

/* The state of a link without a carrier settles within a second, by the kernel's link watch. */
static void settle(void)
{
	poll(NULL, 0, 1200);
}

static void failures_leave_nothing(void)
{
	struct err e = { 0 };
	unsigned before = failures;
	owned_fd a = new_ns();
	owned_fd file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct net_addr bad4[] = { addr("10.1.0.1", 24), addr("10.1.0.2", 33) },
			g4 = addr("10.2.0.9", 0);
	struct net_addr good4[] = { addr("10.1.0.1", 24), addr("10.1.0.2", 24) };
	struct net_addr mc[] = { addr("fd77::1", 64), addr("ff02::1", 64) };
	static char was[65536];

	now_testing = "what fails half-way leaves the interfaces as they were and says why";
	add_strangers_veth("taken");
	GOOD(bridge(&e));
	settle();
	snprintf(was, sizeof was, "%s", ip(machine_ns, "addr", NULL, NULL, NULL));
	without_tentative(was);
	refused("missing bridge", net_veth(machine, "pr-a", "absent0", a, "host0", "a", 0, &e), ENODEV, &e,
		was);
	refused("not a bridge", net_veth(machine, "pr-a", "taken", a, "host0", "a", 0, &e), EINVAL, &e, was);
	refused("name taken", net_veth(machine, "taken", "prior0", a, "host0", "a", 0, &e), EEXIST, &e, was);
	refused("no descriptor", net_veth(machine, "pr-a", "prior0", -1, "host0", "a", 0, &e), EBADF, &e, was);
	int r = net_veth(machine, "pr-a", "prior0", file, "host0", "a", 0, &e);

	refused("not a namespace", r, -r, &e, was);
	MUST(r < 0);
	refused("long name", net_veth(machine, "0123456789abcdef", "prior0", a, "host0", "a", 0, &e), EINVAL,
		&e, was);
	refused("bridge's name taken", net_bridge(machine, "taken", good4, 2, 0, &e), EEXIST, &e, was);
	refused("prefix too long", net_bridge(machine, "new0", bad4, 2, 0, &e), EINVAL, &e, was);
	r = net_bridge(machine, "new0", mc, 2, 0, &e);
	refused("second address is multicast", r, -r, &e, was);
	MUST(r < 0);
	refused("no such interface", net_interface(machine, "eth7", good4, 2, NULL, &e), ENODEV, &e,
		was);
	r = net_interface(machine, "taken", good4, 2, &g4, &e);
	settle();
	refused("gateway off the link", r, -r, &e, was);
	MUST(r < 0);
	refused("not our veth", net_veth_remove(machine, "taken", &e), EEXIST, &e, was);
	refused("not our bridge", net_bridge_remove(machine, "taken", &e), EPERM, &e, was);
	GOOD(net_veth(machine, "pr-a", "prior0", a, "host0", "a", 0, &e));
	settle();
	snprintf(was, sizeof was, "%s", ip(machine_ns, "addr", NULL, NULL, NULL));
	without_tentative(was);
	MUST(net_veth(machine, "pr-b", "prior0", a, "host0", "b", 0, &e) ==
	     -EEXIST); /* host0 is there already */
	refused("host0 there", -e.code, EEXIST, &e, was);
	ok(before);
}

static void cell_undo(void)
{
	struct err e = { 0 };
	unsigned before = failures;
	owned_fd a = new_ns();
	struct net_addr at[] = { addr("10.88.0.2", 24), addr("fd88::2", 64) },
			g4 = addr("10.88.0.1", 0), g6 = addr("fd99::1", 0);
	struct net *n;
	static char was[65536];

	now_testing = "a cell's link whose last route is refused is as before";
	GOOD(net_veth_remove(machine, "pr-a", &e));
	GOOD(net_veth(machine, "pr-a", "prior0", a, "host0", "a", 0, &e));
	enter(a);
	GOOD(net_open(&n, &e));
	enter(machine_ns);
	MUST(net_cell(n, "host0", at, 2, &g4, &g6, &e) < 0);
	snprintf(was, sizeof was, "%s", ip(a, "addr", NULL, NULL, NULL));
	MUST(strstr(was, "10.88.0.2") == NULL && strstr(was, "\"UP\"") == NULL);
	MUST(net_cell(n, "host0", at, 2, &g4, &g6, &e) < 0);
	printf("    %s\n", e.text);
	MUST(strcmp(was, ip(a, "addr", NULL, NULL, NULL)) == 0);
	MUST(strcmp("[ ]", ip(a, "route", NULL, NULL, NULL)) == 0 ||
	     strstr(ip(a, "route", NULL, NULL, NULL), "dst") == NULL);
	net_close(&n);
	ok(before);
}

static int64_t start_us(unsigned i)
{
	struct timespec t0, t1;
	struct err e = { 0 };
	char name[16];
	int ns = new_ns(); /* stays open, so that the link stays */

	snprintf(name, sizeof name, "pr-%u", i);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	GOOD(net_veth(machine, name, "prior0", ns, "host0", name, 0, &e));
	clock_gettime(CLOCK_MONOTONIC, &t1);
	return (t1.tv_sec - t0.tv_sec) * 1000000 + (t1.tv_nsec - t0.tv_nsec) / 1000;
}

static int by_value(const void *a, const void *b)
{
	return (*(const int64_t *)a > *(const int64_t *)b) -
		(*(const int64_t *)a < *(const int64_t *)b);
}

static void cost_is_flat(void)
{
	int64_t t[200];
	unsigned before = failures;

	now_testing = "the 200th link costs about what the first ones cost";
	for (unsigned i = 0; i < 200; i++)
		t[i] = start_us(i);
	qsort(t, 40, sizeof *t, by_value);
	qsort(t + 160, 40, sizeof *t, by_value);
	printf("    best of the first 40: %lld us, of the last 40: %lld us\n", (long long)t[0],
	       (long long)t[160]);
	MUST(t[160] < 4 * t[0] + 500);
	ok(before);
}

static void vlans(void)
{
	struct err e = { 0 };
	unsigned before = failures;

	now_testing = "a VLAN is made once, adopted, and another's is refused by name";
	MUST(net_vlan(machine, "v9", "absent0", 9, &e) == -ENODEV && strstr(e.text, "its parent absent0"));
	MUST(net_mtu(machine, "v9", 1400, &e) == -ENODEV);
	if (net_vlan(machine, "v7", "prior0", 7, &e) == -EOPNOTSUPP)
		return (void)printf("skip net: %s: %s\n", now_testing, e.text);
	GOOD(net_vlan(machine, "v7", "prior0", 7, &e));
	MUST(net_vlan(machine, "v7", "prior0", 8, &e) == -EEXIST && strstr(e.text, "not VLAN 8 of prior0"));
	GOOD(net_mtu(machine, "v7", 1400, &e));
	ok(before);
}

int main(void)
{
	struct err e = { 0 };

	machine_ns = new_ns();
	now_testing = "a netlink socket stays with the namespace it was opened in";
	if (net_open(&machine, &e) < 0 || net_loopback_up(&e) < 0) {
		printf("not ok net: open\n    %s\n", e.text);
		return 1;
	}
	bridge_repeats();
	cells_talk();
	failures_leave_nothing();
	cell_undo();
	vlans();
	cost_is_flat();
	net_close(&machine);
	return failures != 0;
}
