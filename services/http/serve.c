/* The endpoint's loop: few connections, little time for each, one request, one answer. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/base/pass.h"
#include "init/base/text.h"
#include "services/http/http.h"
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { LISTEN_FD = 3, SOCK_FD = 4, CGROUP_FD = 5 };
#define LINGER_MS 1000	/* for the client to read the answer, while what it still sends is thrown away */

enum doing { READS, WRITES, LINGERS };	/* the later, the sooner it makes room for others */

struct caller {
	int fd;			/* FD_NONE: free */
	enum doing doing;
	int64_t until_ms;
	size_t n;		/* bytes of head */
	char head[HTTP_HEAD_MAX];
	char front[320];	/* the answer: its head, its body, and how much of both is sent */
	size_t front_n, sent;
	struct http_body body;
};

static struct {
	struct caller callers[HTTP_CLIENTS];
	struct http_view view;
	bool alive;		/* PID 1 has answered the last time, at asked_ms */
	int64_t asked_ms, now_ms;
	struct http_body kept[HTTP_PAGES];	/* what was made of this view; at NULL: nothing yet */
	size_t bodies;		/* bytes of all bodies that callers have */
} here;

/* --- PID 1 --- */

static void forget_view(void)
{
	ledger_unmap(&here.view.ledger);
	if (here.view.rows)
		munmap((void *)(uintptr_t)here.view.rows, here.view.nrows * sizeof *here.view.rows);
	here.view.rows = NULL;
	here.view.nrows = 0;
	here.alive = false;
	for (unsigned i = 0; i < HTTP_PAGES; i++) {
		free(here.kept[i].at);
		here.kept[i] = (struct http_body){ 0 };
	}
}

static bool take_view(int ledger, int rows)
{
	struct stat st;
	struct err e;
	const bool sized = fstat(rows, &st) == 0 && st.st_size % sizeof *here.view.rows == 0;
	void *at = !sized || !st.st_size ? NULL : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, rows, 0);

	if (!sized || at == MAP_FAILED)
		return false;
	here.view.rows = at;
	here.view.nrows = (uint32_t)((size_t)st.st_size / sizeof *here.view.rows);
	return ledger_map(&here.view.ledger, ledger, false, &e) == 0;
}

/* What comes after its time is no answer to the next question. False: PID 1 has closed the socket. */
static bool drop_late_answers(void)
{
	char byte;

	for (;;) {
		const ssize_t n = pass_receive(SOCK_FD, &byte, 1, NULL, MSG_DONTWAIT);

		if (n <= 0)
			return n < 0;
	}
}

static void ask(void)
{
	struct pollfd p = { .fd = SOCK_FD, .events = POLLIN };
	int fds[2] = { FD_NONE, FD_NONE };
	unsigned n = 0;
	bool lost;
	char byte = HTTP_ASK;

	if (here.alive && here.now_ms - here.asked_ms < HTTP_FRESH_MS)
		return;
	forget_view();
	drop_late_answers();
	if (send(SOCK_FD, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 && poll(&p, 1, HTTP_ASK_MS) == 1 &&
	    pass_receive_many(SOCK_FD, &byte, 1, fds, 2, &n, &lost, MSG_DONTWAIT) == 1 && n == 2)
		here.alive = take_view(fds[0], fds[1]);
	if (!here.alive)
		forget_view();
	for (unsigned i = 0; i < n; i++)
		fd_drop(&fds[i]);
	here.now_ms = here.asked_ms = mono_now().ms;
}

/* A copy for one caller: a page is made once from each answer of PID 1's, however many ask. */
static void page_of(enum http_page page, struct http_body *b)
{
	struct http_body *kept = &here.kept[page];

	ask();
	if (!here.alive) {
		http_page(page, NULL, b);
		return;
	}
	if (!kept->at)
		http_page(page, &here.view, kept);
	*b = *kept;
	b->at = kept->at ? malloc(kept->n + 1) : NULL;
	if (b->at)
		memcpy(b->at, kept->at, kept->n);
}

/* --- one connection --- */

static void hang_up(struct caller *c)
{
	here.bodies -= c->body.n;
	free(c->body.at);
	fd_drop(&c->fd);
	*c = (struct caller){ .fd = FD_NONE };
}

static void linger(struct caller *c)
{
	shutdown(c->fd, SHUT_WR);
	c->doing = LINGERS;
	c->until_ms = here.now_ms + LINGER_MS;
}

static void write_some(struct caller *c)
{
	while (c->sent < c->front_n + c->body.n) {
		const bool front = c->sent < c->front_n;
		const char *at = front ? c->front + c->sent : c->body.at + (c->sent - c->front_n);
		const size_t left = front ? c->front_n - c->sent : c->front_n + c->body.n - c->sent;
		const ssize_t n = send(c->fd, at, left, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			hang_up(c);
			return;
		}
		c->sent += (size_t)n;
	}
	linger(c);
}

static void answer(struct caller *c, const struct http_request *r)
{
	struct text t = TEXT_IN(c->front);

	if (r->status != 200)
		http_error(r->status, &c->body);
	else
		page_of(r->page, &c->body);
	if (!c->body.at || here.bodies + c->body.n > HTTP_BODIES_MAX) {
		free(c->body.at);
		c->body = (struct http_body){ .status = 503, .type = "text/plain" };
	}
	text_fmt(&t, "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sCache-Control: no-store\r\n"
		 "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n", c->body.status,
		 http_reason(c->body.status), c->body.type, c->body.n,
		 r->status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (r->head) {
		free(c->body.at);
		c->body = (struct http_body){ 0 };
	}
	here.bodies += c->body.n;
	c->front_n = t.n;
	c->doing = WRITES;
	c->until_ms = here.now_ms + HTTP_CLIENT_MS;
	write_some(c);
}

static void read_some(struct caller *c)
{
	struct http_request r;
	const ssize_t n = recv(c->fd, c->head + c->n, sizeof c->head - c->n, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		hang_up(c);
		return;
	}
	c->n += (size_t)n;
	if (http_parse(c->head, c->n, &r))
		answer(c, &r);
}

static void throw_away(struct caller *c)
{
	const ssize_t n = recv(c->fd, c->head, sizeof c->head, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		hang_up(c);
}

/* --- all of them --- */

/* A free place; else that of who has had its answer, or has kept us waiting longest. */
static struct caller *make_room(void)
{
	struct caller *worst = NULL;

	for (struct caller *c = here.callers; c < here.callers + HTTP_CLIENTS; c++) {
		if (c->fd < 0)
			return c;
		const bool sooner = !worst || (c->doing == LINGERS) > (worst->doing == LINGERS) ||
				    (c->doing == worst->doing && c->until_ms < worst->until_ms) ||
				    (c->doing == READS && worst->doing == WRITES);

		worst = sooner ? c : worst;
	}
	hang_up(worst);
	return worst;
}

/* One a turn: a request that is there already is read before others push it out. */
static void take_one(void)
{
	owned_fd fd = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	struct caller *c = make_room();

	*c = (struct caller){ .fd = fd_take(&fd), .until_ms = here.now_ms + HTTP_CLIENT_MS };
	read_some(c);
}

static int wait_for_all(struct pollfd *p)
{
	int64_t wait = -1;

	p[0] = (struct pollfd){ .fd = SOCK_FD, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = LISTEN_FD, .events = POLLIN };
	for (unsigned i = 0; i < HTTP_CLIENTS; i++) {
		const struct caller *c = &here.callers[i];
		const int64_t left = c->until_ms > here.now_ms ? c->until_ms - here.now_ms : 0;

		p[i + 2] = (struct pollfd){ .fd = c->fd, .events = c->doing == WRITES ? POLLOUT : POLLIN };
		if (c->fd >= 0 && (wait < 0 || left < wait))
			wait = left;
	}
	const int n = poll(p, HTTP_CLIENTS + 2, (int)wait);

	here.now_ms = mono_now().ms;
	return n;
}

static void turn(const struct pollfd *p)
{
	for (unsigned i = 0; i < HTTP_CLIENTS; i++) {
		struct caller *c = &here.callers[i];

		if (c->fd < 0)
			continue;
		if (p[i + 2].revents && c->doing == READS)
			read_some(c);
		else if (p[i + 2].revents && c->doing == WRITES)
			write_some(c);
		else if (p[i + 2].revents)
			throw_away(c);
		else if (here.now_ms >= c->until_ms)
			hang_up(c);
	}
	if (p[1].revents)
		take_one();
}

/* PID 1 has gone to another helper, or has ended: so do we. */
static int serve_all(void)
{
	struct pollfd p[HTTP_CLIENTS + 2];

	for (;;) {
		const int n = wait_for_all(p);

		if (n < 0 && errno != EINTR)
			return 1;
		if (n >= 0 && p[0].revents && !drop_late_answers())
			return 0;
		if (n >= 0)
			turn(p);
	}
}

int http_main(int argc, char **argv)
{
	char word[HTTP_TELL_MAX] = { HTTP_TELL };
	struct err e;

	for (unsigned i = 0; i < HTTP_CLIENTS; i++)
		here.callers[i].fd = FD_NONE;
	here.now_ms = mono_now().ms;
	const bool cgroup = fcntl(CGROUP_FD, F_GETFD) >= 0;
	const int rc = http_confine(argc > 1 && !strcmp(argv[1], "spaces"), cgroup, word + 1, sizeof word - 1, &e);

	if (rc < 0)
		text_copy(word + 1, sizeof word - 1, e.text);
	if (word[1])
		send(SOCK_FD, word, strlen(word), MSG_NOSIGNAL | MSG_DONTWAIT);
	if (rc < 0)
		return 125;
	here.view.cgroup_fd = CGROUP_FD;
	return serve_all();
}
