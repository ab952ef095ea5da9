/* Unit tests of what routers say of name servers: whatever they write, hosts come of it or nothing. */
/* SPDX-License-Identifier: ISC */
#include "netns/net.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

/* As the kernel passes it on: its own heads, then the option with n addresses. */
struct said {
	struct nlmsghdr h;
	struct nduseroptmsg o;
	uint8_t option[8 + 130 * 16];
};

static struct said of(unsigned n, const char *const *servers)
{
	struct said s = { .h = { .nlmsg_type = RTM_NEWNDUSEROPT, .nlmsg_len = (uint32_t)(40 + n * 16) },
			  .o = { .nduseropt_family = AF_INET6, .nduseropt_opts_len = (uint16_t)(8 + n * 16),
				 .nduseropt_ifindex = 7, .nduseropt_icmp_type = 134 },
			  .option = { 25, (uint8_t)(1 + 2 * n), 0, 0, 0, 0, 2, 88 } };

	for (unsigned i = 0; i < n; i++)
		assert_int_equal(inet_pton(AF_INET6, servers[i], s.option + 8 + i * (size_t)16), 1);
	return s;
}

/* In memory of just that size, so that a byte read past its end is found. */
static bool reads(const struct said *s, size_t n, struct net_advert *a)
{
	void *exact = malloc(n ? n : 1);

	memcpy(exact, s, n);
	const bool r = net_advert_read(exact, n, a);

	free(exact);
	return r;
}

static void servers_come_with_their_interface_and_their_time(void **state)
{
	static const char *const two[] = { "2001:db8::53", "fe80::1" };
	const struct said s = of(2, two);
	struct net_advert a;

	(void)state;
	assert_true(reads(&s, s.h.nlmsg_len, &a));
	assert_int_equal(a.index, 7);
	assert_int_equal(a.seconds, 600);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.servers[1][0], 0xfe);
	assert_int_equal(a.servers[1][15], 1);
	assert_true(reads(&s, sizeof s, &a));	/* an attribute with the sender follows it */
}

static void of_many_the_first_eight_count(void **state)
{
	static const char *const one[] = { "2001:db8::53" };
	struct said s = of(1, one);
	struct net_advert a;

	(void)state;
	for (unsigned i = 1; i < 127; i++)
		memcpy(s.option + 8 + i * (size_t)16, s.option + 8, 16), s.option[8 + i * 16 + 15] = (uint8_t)i;
	s.option[1] = 255;
	s.o.nduseropt_opts_len = 8 * 255;
	s.h.nlmsg_len = 32 + 8 * 255;
	assert_true(reads(&s, s.h.nlmsg_len, &a));
	assert_int_equal(a.n, NET_ADVERT_MAX);
	assert_int_equal(a.servers[7][15], 7);
}

static void what_is_no_host_is_left_out(void **state)
{
	static const char *const some[] = { "::", "::1", "ff02::1", "::ffff:192.0.2.1", "::192.0.2.1", "fd00::1" };
	struct said s = of(6, some);
	struct net_advert a;

	(void)state;
	assert_true(reads(&s, s.h.nlmsg_len, &a));
	assert_int_equal(a.n, 1);
	assert_int_equal(a.servers[0][0], 0xfd);
	s = of(5, some);
	assert_false(reads(&s, s.h.nlmsg_len, &a));
}

static void a_length_that_is_not_so_is_nothing(void **state)
{
	static const char *const two[] = { "2001:db8::53", "2001:db8::54" };
	const struct said good = of(2, two);
	struct net_advert a;
	struct said s;

	(void)state;
	for (size_t n = 0; n < good.h.nlmsg_len; n++) {	/* cut off anywhere */
		assert_false(reads(&good, n, &a));
		s = good, s.h.nlmsg_len = (uint32_t)n;
		assert_false(reads(&s, n, &a));
	}
	for (unsigned units = 0; units < 256; units++) {
		s = good, s.option[1] = (uint8_t)units;
		assert_int_equal(reads(&s, s.h.nlmsg_len, &a), units == 3 || units == 5);
	}
	for (unsigned n = 0; n < 65536; n++) {
		s = good, s.o.nduseropt_opts_len = (uint16_t)n;
		assert_int_equal(reads(&s, s.h.nlmsg_len, &a), n == 40);
	}
}

static void another_option_or_message_says_nothing(void **state)
{
	static const char *const one[] = { "2001:db8::53" };
	const struct said good = of(1, one);
	struct net_advert a;
	struct said s;

	(void)state;
	s = good, s.option[0] = 31;	/* DNSSL */
	assert_false(reads(&s, s.h.nlmsg_len, &a));
	s = good, s.h.nlmsg_type = RTM_NEWROUTE;
	assert_false(reads(&s, s.h.nlmsg_len, &a));
	s = good, s.o.nduseropt_icmp_type = 137;
	assert_false(reads(&s, s.h.nlmsg_len, &a));
	s = good, s.o.nduseropt_icmp_code = 1;
	assert_false(reads(&s, s.h.nlmsg_len, &a));
	s = good, s.o.nduseropt_family = AF_INET;
	assert_false(reads(&s, s.h.nlmsg_len, &a));
	s = good, s.o.nduseropt_ifindex = -1;
	assert_false(reads(&s, s.h.nlmsg_len, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_come_with_their_interface_and_their_time),
		cmocka_unit_test(of_many_the_first_eight_count),
		cmocka_unit_test(what_is_no_host_is_left_out),
		cmocka_unit_test(a_length_that_is_not_so_is_nothing),
		cmocka_unit_test(another_option_or_message_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
