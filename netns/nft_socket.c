/* Speaking with nf_tables: a batch and its verdict, questions and their answers. See nft.h. */
/* SPDX-License-Identifier: ISC */
#include "netns/nft.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ANSWER_MAX 65536
#define ANSWER_S   10	/* the kernel answers within the send; this is for a machine under a great load */

static int open_nft(struct nl_sock **s, struct err *e)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };
	const int room = 32 << 20;

	*s = nl_socket_alloc();
	if (!*s)
		return err_set(e, ENOMEM, "nf_tables socket: %s", strerror(ENOMEM));
	errno = 0;
	if (nl_connect(*s, NETLINK_NETFILTER) < 0) {
		const int code = errno ? errno : EIO;

		nl_socket_free(*s);
		return err_set(e, code, "nf_tables socket: %s%s", strerror(code), code == EPROTONOSUPPORT ?
			       " (this kernel has no nf_tables)" : "");
	}
	/* Beyond the machine's limits: a batch is one message. Where that is refused, a large one says so itself. */
	setsockopt(nl_socket_get_fd(*s), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	setsockopt(nl_socket_get_fd(*s), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	setsockopt(nl_socket_get_fd(*s), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return 0;
}

static struct nlmsghdr edge(int type, uint32_t seq, struct nfgenmsg *g)
{
	*g = (struct nfgenmsg){ .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };
	return (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(sizeof *g), .nlmsg_type = (uint16_t)type,
				  .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = seq };
}

/* What a refused message was about, for people: its kind and its first two names. */
static const char *what(const struct nft *b, uint32_t seq, char *text, size_t size)
{
	static const char *const kinds[] = {
		[NFT_MSG_NEWTABLE] = "table", [NFT_MSG_DELTABLE] = "remove table", [NFT_MSG_NEWCHAIN] = "chain",
		[NFT_MSG_NEWRULE] = "rule in chain", [NFT_MSG_NEWSET] = "set", [NFT_MSG_NEWSETELEM] = "elements of set",
	};
	size_t left = b->used;

	for (const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)b->at; left >= sizeof *h;) {
		const unsigned kind = h->nlmsg_type & 0xff;
		const struct nlattr *a = nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)h, sizeof(struct nfgenmsg), 2);

		if (h->nlmsg_seq == seq && kind < sizeof kinds / sizeof *kinds && kinds[kind]) {
			snprintf(text, size, "%s %.40s", kinds[kind], kind == NFT_MSG_NEWTABLE || kind ==
				 NFT_MSG_DELTABLE || !a ? b->table : (const char *)nla_data(a));
			return text;
		}
		left -= NLMSG_ALIGN(h->nlmsg_len);
		h = (const struct nlmsghdr *)(const void *)((const char *)h + NLMSG_ALIGN(h->nlmsg_len));
	}
	return "the batch";
}

static int refusal(const struct nft *b, const struct nlmsgerr *r, uint32_t seq, struct err *e)
{
	const bool missing = r->error == -EOPNOTSUPP || r->error == -ENOENT;
	/* What a rule for known connections gets where no bridge knows any. */
	const bool untracked = r->error == -EPROTO;
	char text[80];

	return err_set(e, -r->error, "nf_tables: %s: %s%s", what(b, seq, text, sizeof text), strerror(-r->error),
		       untracked ? ": `egress` needs the kernel's module nf_conntrack_bridge, which is missing: load "
		       "it (modprobe nf_conntrack_bridge; on a machine of prior's put it into /lib/modules)" :
		       missing ? " (is a module of the kernel missing?)" : "");
}

/*
 * Errors come in the order of the messages, and the last message's acknowledgement behind them; an error of the batch
 * as a whole names its beginning, number 0, and nothing follows. 1: there is more to come.
 */
static int judge(const struct nft *b, char *at, size_t left, uint32_t last, int *code, struct err *e)
{
	while (left >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)at;
		const size_t n = NLMSG_ALIGN(h->nlmsg_len);

		if (h->nlmsg_len < sizeof *h || n > left)
			break;
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *r = nlmsg_data(h);

			if (r->error && !*code)
				*code = refusal(b, r, h->nlmsg_seq, e);
			if (h->nlmsg_seq == last || h->nlmsg_seq == 0)
				return 0;
		}
		at += n;
		left -= n;
	}
	return 1;
}

static int wait_for_verdict(int fd, const struct nft *b, uint32_t last, struct err *e)
{
	static char answer[ANSWER_MAX] __attribute__((aligned(8)));
	int code = 0;

	for (;;) {
		const ssize_t n = recv(fd, answer, sizeof answer, 0);

		if (n < 0 && errno != EINTR)
			return err_sys(e, "nf_tables: wait for the answer");
		if (n > 0 && judge(b, answer, (size_t)n, last, &code, e) == 0)
			return code;
	}
}

/* The acknowledgement is asked for with the last message. */
static uint32_t ask_for_answer(struct nft *b)
{
	size_t at = 0;

	for (;;) {
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)(b->at + at);

		if (at + NLMSG_ALIGN(h->nlmsg_len) >= b->used) {
			h->nlmsg_flags |= NLM_F_ACK;
			return h->nlmsg_seq;
		}
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
}

int nft_commit(struct nft *b, struct err *e)
{
	struct { struct nlmsghdr h; struct nfgenmsg g; } first, end;
	struct nl_sock *s;

	if (b->failed || b->used == 0)
		return err_set(e, ENOMEM, "nf_tables: %s", strerror(ENOMEM));
	const uint32_t last = ask_for_answer(b);

	first.h = edge(NFNL_MSG_BATCH_BEGIN, 0, &first.g);
	end.h = edge(NFNL_MSG_BATCH_END, last + 1, &end.g);
	struct iovec v[] = { { &first, sizeof first }, { b->at, b->used }, { &end, sizeof end } };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr m = { .msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = v, .msg_iovlen = 3 };

	if (open_nft(&s, e) < 0)
		return -e->code;
	int ret = sendmsg(nl_socket_get_fd(s), &m, 0) < 0 ? err_sys(e, "nf_tables: send %zu bytes", b->used)
							  : wait_for_verdict(nl_socket_get_fd(s), b, last, e);

	nl_socket_free(s);
	return ret;
}

/* --- questions --- */

struct question {
	void (*each)(struct nlmsghdr *h, void *arg);
	void *arg;
	const char *table;
	int code;	/* errno of the kernel's answer */
	bool done;
};

/* Attribute 1 is the table, in every kind; the kernel answers about chains of all tables, whatever was asked. */
static int on_object(struct nl_msg *m, void *arg)
{
	const struct question *q = arg;
	const struct nlattr *table = nlmsg_find_attr(nlmsg_hdr(m), sizeof(struct nfgenmsg), 1);

	if (table && !nla_strcmp(table, q->table))
		q->each(nlmsg_hdr(m), q->arg);
	return NL_OK;
}

static int on_end(struct nl_msg *m, void *arg)
{
	(void)m;
	((struct question *)arg)->done = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *r, void *arg)
{
	struct question *q = arg;

	(void)from;
	q->code = -r->error;
	q->done = true;
	return NL_STOP;
}

/* Names in the order of their attributes' numbers, which table, chain, set and rule have in common: 1, then 2. */
static int ask(uint8_t family, int type, int flags, const char *one, const char *two, struct question *q, struct err *e)
{
	struct nfgenmsg g = { .nfgen_family = family, .version = NFNETLINK_V0 };
	struct nl_msg *m = nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | type, flags);
	struct nl_sock *s = NULL;
	int r = open_nft(&s, e);

	if (r < 0) {
		nlmsg_free(m);
		return r;
	}
	if (!m || nlmsg_append(m, &g, sizeof g, NLMSG_ALIGNTO) < 0 || nla_put_string(m, 1, one) < 0 ||
	    (two && nla_put_string(m, 2, two) < 0)) {
		nlmsg_free(m);
		nl_socket_free(s);
		return err_set(e, ENOMEM, "nf_tables: %s", strerror(ENOMEM));
	}
	q->table = one;
	nl_socket_modify_cb(s, NL_CB_VALID, NL_CB_CUSTOM, on_object, q);
	nl_socket_modify_cb(s, NL_CB_ACK, NL_CB_CUSTOM, on_end, q);
	nl_socket_modify_cb(s, NL_CB_FINISH, NL_CB_CUSTOM, on_end, q);
	nl_socket_modify_err_cb(s, NL_CB_CUSTOM, on_error, q);
	nl_socket_disable_seq_check(s);
	errno = 0;
	r = nl_send_auto(s, m);
	while (r >= 0 && !q->done)
		r = nl_recvmsgs_default(s);
	const int code = errno ? errno : EIO;

	nl_socket_free(s);
	nlmsg_free(m);
	if (!q->done)
		return err_set(e, code, "nf_tables: table %s: no answer from the kernel: %s", one, strerror(code));
	return q->code ? err_set(e, q->code, "nf_tables: table %s: %s", one, strerror(q->code)) : 0;
}

static void read_tag(struct nlmsghdr *h, void *arg)
{
	const struct nlattr *a = nlmsg_find_attr(h, sizeof(struct nfgenmsg), NFTA_TABLE_USERDATA);

	const char *note = a ? nla_data(a) : NULL;

	if (a && nla_len(a) == 2 + TAG_TEXT && note[1] == TAG_TEXT && !note[1 + TAG_TEXT])
		*(uint64_t *)arg = strtoull(note + 2, NULL, 16);
}

int nft_tag(uint8_t family, const char *table, uint64_t *tag, struct err *e)
{
	uint64_t got = 0;
	struct question q = { .each = read_tag, .arg = &got };
	const int r = ask(family, NFT_MSG_GETTABLE, NLM_F_ACK, table, NULL, &q, e);

	if (r == -ENOENT || (r == 0 && !got))
		return 0;
	if (r < 0)
		return r;
	*tag = got;
	return 1;
}

int nft_dump(uint8_t family, const char *table, int type, const char *set,
	     void (*each)(struct nlmsghdr *h, void *arg), void *arg, struct err *e)
{
	struct question q = { .each = each, .arg = arg };

	return ask(family, type, NLM_F_DUMP, table, set, &q, e);
}
