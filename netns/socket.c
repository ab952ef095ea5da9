/* The netlink socket: requests, answers, and the kernel's own words for what went wrong. */
/* SPDX-License-Identifier: ISC */
#include "netns/own.h"
#include <errno.h>
#include <netlink/errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

/* libnl would count, and refuse every answer behind a request that could not be sent, or was not read to its end. */
static int is_answer(struct nl_msg *m, void *arg)
{
	const struct net *n = arg;

	return nlmsg_hdr(m)->nlmsg_seq == n->seq ? NL_OK : NL_SKIP;
}

static int on_object(struct nl_msg *m, void *arg)
{
	struct net *n = arg;

	if (n->each)
		n->each(nlmsg_hdr(m), n->arg);
	return NL_OK;
}

static int on_end(struct nl_msg *m, void *arg)
{
	struct net *n = arg;

	(void)m;
	n->done = true;
	return NL_STOP;
}

/*
 * libnl folds errno values together and drops the extended acknowledgement: both are picked out of the message
 * here.
 */
static int on_error(struct sockaddr_nl *from, struct nlmsgerr *err, void *arg)
{
	struct net *n = arg;
	struct nlmsghdr *h = (struct nlmsghdr *)((char *)err - NLMSG_HDRLEN);
	size_t head = sizeof *err;

	(void)from;
	n->code = -err->error;
	if (!(h->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > sizeof err->msg)
		head += NLMSG_ALIGN(err->msg.nlmsg_len - sizeof err->msg);
	if ((h->nlmsg_flags & NLM_F_ACK_TLVS) && h->nlmsg_len > NLMSG_HDRLEN + head) {
		const struct nlattr *a = nla_find((struct nlattr *)((char *)err + head),
						  (int)(h->nlmsg_len - NLMSG_HDRLEN - head),
						  NLMSGERR_ATTR_MSG);

		if (a)
			nla_strlcpy(n->why, a, sizeof n->why);
	}
	return NL_STOP;
}

int net_open(struct net **n, struct err *e)
{
	struct net *new = calloc(1, sizeof *new);
	int on = 1, r;

	if (new)
		new->sk = nl_socket_alloc();
	if (!new || !new->sk) {
		free(new);
		return err_set(e, ENOMEM, "netlink socket: %s", strerror(ENOMEM));
	}
	errno = 0;
	r = nl_connect(new->sk, NETLINK_ROUTE);
	if (r < 0) {
		err_set(e, errno ? errno : EIO, "netlink socket: %s",
			errno ? strerror(errno) : nl_geterror(r));
		net_close(&new);
		return -e->code;
	}
	/* Kernels before 4.12 and 4.20 lack these: fewer words in messages, and address dumps that we filter. */
	setsockopt(nl_socket_get_fd(new->sk), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
	setsockopt(nl_socket_get_fd(new->sk), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
	setsockopt(nl_socket_get_fd(new->sk), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
	nl_socket_modify_cb(new->sk, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, is_answer, new);
	nl_socket_modify_cb(new->sk, NL_CB_VALID, NL_CB_CUSTOM, on_object, new);
	nl_socket_modify_cb(new->sk, NL_CB_ACK, NL_CB_CUSTOM, on_end, new);
	nl_socket_modify_cb(new->sk, NL_CB_FINISH, NL_CB_CUSTOM, on_end, new);
	nl_socket_modify_err_cb(new->sk, NL_CB_CUSTOM, on_error, new);
	*n = new;
	return 0;
}

void net_close(struct net **n)
{
	if (!*n)
		return;
	nl_socket_free((*n)->sk);
	free(*n);
	*n = NULL;
}

struct nl_msg *net_msg(int type, int flags, const void *head, size_t n)
{
	struct nl_msg *m = nlmsg_alloc_simple(type, flags);

	if (m && nlmsg_append(m, (void *)head, n, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(m);
		m = NULL;
	}
	return m;
}

/* An object and its acknowledgement may come in one read or in two; a dump has an end instead of the latter. */
static int exchange(struct net *n, struct nl_msg *m)
{
	int r = nl_send_auto(n->sk, m);

	n->seq = nlmsg_hdr(m)->nlmsg_seq;
	n->done = false;
	while (r >= 0 && !n->done && n->code == 0)
		r = nl_recvmsgs_default(n->sk);
	return r;
}

/* -NLE_*: not the kernel's refusal, which is in n->code, but libnl's trouble with the exchange. */
static int ask(struct net *n, struct nl_msg *m, void (*each)(struct nlmsghdr *, void *), void *arg)
{
	n->code = 0;
	n->why[0] = '\0';
	n->each = each;
	n->arg = arg;
	if (!m) {
		n->code = ENOMEM;
		return 0;
	}
	nlmsg_hdr(m)->nlmsg_seq = NL_AUTO_SEQ;
	const int r = exchange(n, m);

	n->each = NULL;
	return n->code ? 0 : r;
}

static int asked(struct net *n, struct nl_msg *m, int r)
{
	if (r < 0) {
		n->code = EIO;
		snprintf(n->why, sizeof n->why, "netlink: %s", nl_geterror(r));
	}
	nlmsg_free(m);
	return -n->code;
}

int net_ask(struct net *n, struct nl_msg *m, void (*each)(struct nlmsghdr *, void *), void *arg)
{
	return asked(n, m, ask(n, m, each, arg));
}

/* The kernel marks a list that interfaces came to, or went from, while it was sent in parts: some may be missing. */
int net_dump(struct net *n, struct nl_msg *m, void (*each)(struct nlmsghdr *, void *), void *arg, size_t size)
{
	void *first = malloc(size);
	int r = 0;

	if (first)
		memcpy(first, arg, size);
	for (unsigned i = 0; i < DUMPS_MAX; i++) {
		if (i && first)
			memcpy(arg, first, size);
		r = ask(n, m, each, arg);
		if (r != -NLE_DUMP_INTR || !first)
			break;
	}
	free(first);
	return asked(n, m, r);
}

int net_fail(const struct net *n, struct err *e, const char *fmt, ...)
{
	char what[120];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	if (n->why[0])
		return err_set(e, n->code, "%s: %s (%s)", what, strerror(n->code), n->why);
	return err_set(e, n->code, "%s: %s", what, strerror(n->code));
}
