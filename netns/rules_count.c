/* What the rules have dropped: the sums of their counters, chain by chain. See rules.h. */
/* SPDX-License-Identifier: ISC */
#include "netns/ruleset.h"
#include <endian.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

struct counting {
	rules_each *each;
	void *ctx;
};

static uint64_t value(const struct nlattr *data, int type)
{
	const struct nlattr *a = nla_find(nla_data(data), nla_len(data), type);
	uint64_t v;

	if (!a || nla_len(a) != sizeof v)
		return 0;
	memcpy(&v, nla_data(a), sizeof v);
	return be64toh(v);
}

static void one_rule(struct nlmsghdr *h, void *arg)
{
	const struct counting *c = arg;
	const struct nlattr *chain = nlmsg_find_attr(h, sizeof(struct nfgenmsg), NFTA_RULE_CHAIN);
	const struct nlattr *list = nlmsg_find_attr(h, sizeof(struct nfgenmsg), NFTA_RULE_EXPRESSIONS), *x;
	int left = list ? nla_len(list) : 0;

	for (x = list ? nla_data(list) : NULL; chain && x && nla_ok(x, left); x = nla_next(x, &left)) {
		const struct nlattr *name = nla_find(nla_data(x), nla_len(x), NFTA_EXPR_NAME);
		const struct nlattr *data = nla_find(nla_data(x), nla_len(x), NFTA_EXPR_DATA);

		if (name && data && !nla_strcmp(name, "counter"))
			c->each(c->ctx, nla_data(chain), value(data, NFTA_COUNTER_PACKETS),
				value(data, NFTA_COUNTER_BYTES));
	}
}

int rules_count(rules_each *each, void *ctx, struct err *e)
{
	static const uint8_t families[] = { NFPROTO_BRIDGE, NFPROTO_INET };
	struct counting c = { each, ctx };

	for (unsigned i = 0; i < sizeof families; i++)
		if (nft_dump(families[i], NET_TABLE, NFT_MSG_GETRULE, NULL, one_rule, &c, e) < 0)
			return -e->code;
	return 0;
}
