/* The rules read back from the kernel and compared with what was sent: see rules.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sum.h"
#include "netns/own.h"
#include "netns/ruleset.h"
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

/*
 * The kernel answers with what it was told and more: counters' values, handles, sizes. So everything that was sent must
 * be in the answer, at any depth, in any order of the attributes of one level; and there must be as many rules, chains,
 * sets and elements as were sent.
 */
static bool covers(const struct nlattr *said, int said_len, const struct nlattr *sent, int sent_len);

static bool is_nested(const struct nlattr *a)
{
	return a->nla_type & NLA_F_NESTED;
}

static bool same(const struct nlattr *said, const struct nlattr *sent)
{
	if (nla_type(said) != nla_type(sent))
		return false;
	if (is_nested(sent))
		return covers(nla_data(said), nla_len(said), nla_data(sent), nla_len(sent));
	return nla_len(said) == nla_len(sent) && memcmp(nla_data(said), nla_data(sent), (size_t)nla_len(sent)) == 0;
}

static const struct nlattr *next(const struct nlattr *a, int *left)
{
	return nla_next(a, left);
}

/* Lists (expressions of a rule) are in one order on both sides: a match is looked for behind the last one. */
static bool covers(const struct nlattr *said, int said_len, const struct nlattr *sent, int sent_len)
{
	const struct nlattr *from = said;
	int from_len = said_len;

	for (; nla_ok(sent, sent_len); sent = next(sent, &sent_len)) {
		const bool listed = nla_type(sent) == NFTA_LIST_ELEM && is_nested(sent);
		const struct nlattr *a = listed ? from : said;
		int left = listed ? from_len : said_len;

		while (nla_ok(a, left) && !same(a, sent))
			a = next(a, &left);
		if (!nla_ok(a, left))
			return false;
		if (listed)
			from = next(a, &left), from_len = left;
	}
	return true;
}

static int count(const struct nlattr *a, int left, int type)
{
	int n = 0;

	for (; nla_ok(a, left); a = nla_next(a, &left))
		n += nla_type(a) == type;
	return n;
}

struct against {
	const struct nft *b;	/* what was sent */
	const struct nlmsghdr **sent; /* of one kind, in the order in which the kernel has them */
	unsigned nsent, n;	/* how many; how many the kernel has */
	uint64_t elems;		/* sum over the elements of a set, whatever their order */
	bool differs;
	char what[64];
};

static const struct nlmsghdr *next_sent(const struct nft *b, size_t *at, int type)
{
	while (*at < b->used) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)(b->at + *at);

		*at += NLMSG_ALIGN(h->nlmsg_len);
		if ((h->nlmsg_type & 0xff) == type)
			return h;
	}
	return NULL;
}

static const struct nlattr *attr(const struct nlmsghdr *h, int type)
{
	return nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)h, sizeof(struct nfgenmsg), type);
}

static void name_it(struct against *g, const struct nlmsghdr *h)
{
	const struct nlattr *a = attr(h, (h->nlmsg_type & 0xff) == NFT_MSG_NEWCHAIN ? NFTA_CHAIN_NAME : 2);

	if (!g->what[0] && a)
		nla_strlcpy(g->what, a, sizeof g->what);
}

/* A rule, chain or set. */
static void compare(struct nlmsghdr *h, void *arg)
{
	struct against *g = arg;
	const struct nlmsghdr *sent = g->n < g->nsent ? g->sent[g->n] : NULL;
	const struct nlattr *said = nlmsg_attrdata(h, sizeof(struct nfgenmsg));

	g->n++;
	if (g->differs)
		return;
	const bool rule = sent && (sent->nlmsg_type & 0xff) == NFT_MSG_NEWRULE;
	const struct nlattr *x = rule ? attr(sent, NFTA_RULE_EXPRESSIONS) : NULL, *y = attr(h, NFTA_RULE_EXPRESSIONS);

	const bool set = sent && (sent->nlmsg_type & 0xff) == NFT_MSG_NEWSET;

	if (!sent || !covers(said, nlmsg_attrlen(h, sizeof(struct nfgenmsg)),
			     nlmsg_attrdata(sent, sizeof(struct nfgenmsg)),
			     nlmsg_attrlen(sent, sizeof(struct nfgenmsg)) - (set ? NLA_HDRLEN + 4 : 0)) ||
	    (x && (!y || count(nla_data(x), nla_len(x), NFTA_LIST_ELEM) !=
			 count(nla_data(y), nla_len(y), NFTA_LIST_ELEM)))) {
		g->differs = true;
		name_it(g, sent ? sent : h);
	}
}

static uint64_t value_sum(uint64_t h, const struct nlattr *data)
{
	const struct nlattr *v = data ? nla_find(nla_data(data), nla_len(data), NFTA_DATA_VALUE) : NULL;
	const struct nlattr *j = data ? nla_find(nla_data(data), nla_len(data), NFTA_DATA_VERDICT) : NULL;

	j = j ? nla_find(nla_data(j), nla_len(j), NFTA_VERDICT_CHAIN) : NULL;
	if (j)
		return sum_more(h, nla_data(j), (size_t)nla_len(j));
	return v ? sum_more(h, nla_data(v), (size_t)nla_len(v)) : h;
}

/* All elements of a message, as sent or as answered. */
static void add_elems(const struct nlmsghdr *h, struct against *g)
{
	const struct nlattr *list = attr(h, NFTA_SET_ELEM_LIST_ELEMENTS), *a = list ? nla_data(list) : NULL;
	int left = list ? nla_len(list) : 0;

	for (; a && nla_ok(a, left); a = nla_next(a, &left), g->n++)
		g->elems += value_sum(value_sum(SUM_START, nla_find(nla_data(a), nla_len(a), NFTA_SET_ELEM_KEY)),
				      nla_find(nla_data(a), nla_len(a), NFTA_SET_ELEM_DATA));
}

static void hear_elems(struct nlmsghdr *h, void *arg)
{
	add_elems(h, arg);
}

static int bad(struct err *e, const char *what, const char *name)
{
	return err_set(e, EBADMSG, "nf_tables " NET_TABLE ": %s %s: the kernel has something else than was made", what,
		       name);
}

static int check_set(const struct nft *b, const char *set, struct err *e)
{
	struct against want = { .b = b }, have = { .b = b };
	size_t at = 0;

	for (const struct nlmsghdr *h; (h = next_sent(b, &at, NFT_MSG_NEWSETELEM));)
		if (!strcmp(nla_data(attr(h, NFTA_SET_ELEM_LIST_SET)), set))
			add_elems(h, &want);
	if (nft_dump(b->family, NET_TABLE, NFT_MSG_GETSETELEM, set, hear_elems, &have, e) < 0)
		return -e->code;
	return want.n != have.n || want.elems != have.elems ? bad(e, "elements of set", set) : 0;
}

/* Chains and sets: as they were made. Rules: chain by chain, and in each as they were made. */
static void in_order(struct against *g, int type)
{
	size_t at = 0, chains = 0;
	const struct nlmsghdr *h, *c;

	if (type != NFT_MSG_NEWRULE) {
		while ((h = next_sent(g->b, &at, type)))
			g->sent[g->nsent++] = h;
		return;
	}
	while ((c = next_sent(g->b, &chains, NFT_MSG_NEWCHAIN)))
		for (at = 0; (h = next_sent(g->b, &at, type));)
			if (!strcmp(nla_data(attr(h, NFTA_RULE_CHAIN)), nla_data(attr(c, NFTA_CHAIN_NAME))))
				g->sent[g->nsent++] = h;
}

static int check_kind(const struct nft *b, int get, int type, const char *what, struct err *e)
{
	struct against g = { .b = b, .sent = calloc(b->used / NLMSG_HDRLEN + 1, sizeof *g.sent) };

	if (!g.sent)
		return err_set(e, ENOMEM, "nf_tables: %s", strerror(ENOMEM));
	in_order(&g, type);
	int ret = nft_dump(b->family, NET_TABLE, get, NULL, compare, &g, e);

	if (ret == 0 && !g.differs && g.n < g.nsent)
		name_it(&g, g.sent[g.n]);
	if (ret == 0 && (g.differs || g.n != g.nsent))
		ret = bad(e, what, g.what);
	free(g.sent);
	return ret;
}

static int check_family(struct nft *b, struct err *e)
{
	size_t at = 0;

	if (b->failed)
		return err_set(e, ENOMEM, "nf_tables: %s", strerror(ENOMEM));
	if (check_kind(b, NFT_MSG_GETCHAIN, NFT_MSG_NEWCHAIN, "chain", e) < 0 ||
	    check_kind(b, NFT_MSG_GETSET, NFT_MSG_NEWSET, "set", e) < 0 ||
	    check_kind(b, NFT_MSG_GETRULE, NFT_MSG_NEWRULE, "rules of chain", e) < 0)
		return -e->code;
	for (const struct nlmsghdr *h; (h = next_sent(b, &at, NFT_MSG_NEWSET));)
		if (check_set(b, nla_data(attr(h, NFTA_SET_NAME)), e) < 0)
			return -e->code;
	return 0;
}

int rules_check(const struct rules *r, struct err *e)
{
	static void (*const of[])(struct nft *, const struct rules *) = { ruleset_bridge, ruleset_inet };

	for (unsigned i = 0; i < sizeof of / sizeof *of; i++) {
		struct nft b;

		nft_begin(&b);
		of[i](&b, r);
		const int ret = check_family(&b, e);

		nft_free(&b);
		if (ret < 0)
			return ret;
	}
	return rules_there(r->tag, e);
}
