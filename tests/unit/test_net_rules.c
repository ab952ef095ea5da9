/* What the same facts make rules of, and that the version says when it is something else. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sum.h"
#include "netns/ruleset.h"
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct net_addr nets[] = { { .family = AF_INET, .prefix = 24, .ip = { 10, 88, 0, 1 } },
					{ .family = AF_INET6, .prefix = 64, .ip = { 0xfd, 0x88, [15] = 1 } } };
static const struct net_addr addrs[] = { { .family = AF_INET, .prefix = 24, .ip = { 10, 88, 0, 2 } },
					 { .family = AF_INET6, .prefix = 64, .ip = { 0xfd, 0x88, [15] = 2 } } };
static const struct rules_port ports[] = { { .from = 8080, .to = 80, .proto = IPPROTO_TCP },
					   { { .family = AF_INET, .ip = { 127, 0, 0, 1 } }, 53, 53, IPPROTO_UDP } };
static const struct rules_egress egress[] = { { nets[0], 0, 0, 0 }, { nets[1], 80, 90, IPPROTO_TCP } };

static uint64_t sum_of(void (*make)(struct nft *b, const struct rules *r))
{
	const struct rules_bridge bridges[] = { { "br0", nets, 2, true }, { "br1", nets, 1, false } };
	const struct rules_cell cells[] = {
		{ .name = "web", .ifname = "p-web", .addrs = addrs, .naddrs = 2, .ports = ports, .nports = 2 },
		{ .name = "db", .ifname = "p-db", .addrs = addrs, .naddrs = 1, .egress = egress, .negress = 2,
		  .bridge = 1, .limited = true, .several = true },
	};
	const struct rules r = { bridges, cells, 2, 2, 1 };
	struct nft b;

	nft_begin(&b);
	make(&b, &r);
	assert_false(b.failed);
	assert_true(b.used);
	const uint64_t sum = sum_long(SUM_START, b.at, b.used);

	nft_free(&b);
	return sum;
}

/* They fail? Then raise RULES_VERSION, so that an upgrade replaces the rules of an older prior, and write it here. */
static void other_rules_have_another_version(void **state)
{
	(void)state;
	assert_int_equal(RULES_VERSION, 1);
	assert_int_equal(sum_of(ruleset_bridge), 0x85ec7e928178faa7);
	assert_int_equal(sum_of(ruleset_inet), 0xf8b76c5e8887ffe2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_rules_have_another_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
