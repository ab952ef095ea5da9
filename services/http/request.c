/* Reading a request: a line, fields that nobody needs, an empty line. Bytes in, a page or a status out. */
/* SPDX-License-Identifier: ISC */
#include "services/http/http.h"
#include <string.h>
#include <strings.h>

static const char *const pages[HTTP_PAGES] = {
	[HTTP_LIVEZ] = "/livez", [HTTP_READYZ] = "/readyz", [HTTP_HEALTHZ] = "/healthz", [HTTP_METRICS] = "/metrics",
};

static const struct {
	unsigned status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" }, { 400, "Bad Request" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
	{ 414, "URI Too Long" }, { 431, "Request Header Fields Too Large" }, { 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

const char *http_reason(unsigned status)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

/* Part of the request; not ended by a NUL. */
struct span {
	const char *at;
	size_t n;
};

static bool is(struct span s, const char *word)
{
	return s.n == strlen(word) && !memcmp(s.at, word, s.n);
}

/* Up to `end`, which is taken off too; all that is left when there is none. */
static struct span cut(struct span *from, char end)
{
	const char *at = memchr(from->at, end, from->n);
	struct span s = { from->at, at ? (size_t)(at - from->at) : from->n };
	const size_t taken = s.n + (at ? 1 : 0);

	from->at += taken;
	from->n -= taken;
	return s;
}

static struct span cut_line(struct span *from)
{
	struct span s = cut(from, '\n');

	s.n -= s.n && s.at[s.n - 1] == '\r';
	return s;
}

static bool is_token(struct span s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.n; i++) {
		const char c = s.at[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c && strchr(others, c))))
			return false;
	}
	return s.n > 0;
}

/* No byte that a request never has: whoever sends one is told at once. */
static bool is_text(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		const unsigned char c = (unsigned char)s.at[i];

		if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
			return false;
	}
	return true;
}

/* "/metrics?x" and "http://host/metrics" are the page; -1: there is none of that name. */
static int find_page(struct span target)
{
	static const char scheme[] = "http://";

	if (target.n >= sizeof scheme - 1 && !strncasecmp(target.at, scheme, sizeof scheme - 1)) {
		const char *path = memchr(target.at + sizeof scheme - 1, '/', target.n - (sizeof scheme - 1));

		target.n = path ? (size_t)(target.at + target.n - path) : 0;
		target.at = path ? path : target.at;
	}
	target = cut(&target, '?');
	for (int i = 0; i < HTTP_PAGES; i++)
		if (is(target, pages[i]))
			return i;
	return -1;
}

static unsigned take_line(struct span line, struct http_request *r, bool *wants_host)
{
	const struct span method = cut(&line, ' '), target = cut(&line, ' '), version = line;
	const int page = find_page(target);

	if (!is_token(method) || target.n == 0 || version.n != 8 || memcmp(version.at, "HTTP/", 5) ||
	    version.at[6] != '.')
		return 400;
	if (version.at[5] != '1')
		return 505;
	r->head = is(method, "HEAD");
	if (!r->head && !is(method, "GET"))
		return 405;
	*wants_host = version.at[7] != '0';
	if (page < 0)
		return 404;
	r->page = (enum http_page)page;
	return 200;
}

/* What a field may say that matters: that more than the head comes. Two Hosts, or none, are a trick. */
static unsigned take_field(struct span line, unsigned *hosts)
{
	const struct span name = cut(&line, ':');

	if (!is_token(name) || name.at + name.n == line.at)	/* no colon; a line that goes on has no name */
		return 400;
	while (line.n && (*line.at == ' ' || *line.at == '\t'))
		line.at++, line.n--;
	if (name.n == 4 && !strncasecmp(name.at, "host", 4))
		(*hosts)++;
	if (name.n == 17 && !strncasecmp(name.at, "transfer-encoding", 17))
		return 400;
	return name.n == 14 && !strncasecmp(name.at, "content-length", 14) && !is(line, "0") ? 400 : 200;
}

/* The head is complete. */
static unsigned take_all(struct span all, struct http_request *r)
{
	bool wants_host = false;
	unsigned hosts = 0;
	const unsigned status = take_line(cut_line(&all), r, &wants_host);

	if (status != 200)
		return status;
	for (struct span line = cut_line(&all); line.n; line = cut_line(&all))
		if (take_field(line, &hosts) != 200)
			return 400;
	return hosts > 1 || (wants_host && !hosts) ? 400 : 200;
}

/* Where the empty line ends; 0: it has not come. */
static size_t head_end(struct span all)
{
	size_t line = 0;

	for (size_t i = 0; i < all.n; i++) {
		if (all.at[i] != '\n')
			continue;
		if (i - line == 0 || (i - line == 1 && all.at[line] == '\r'))
			return i + 1;
		line = i + 1;
	}
	return 0;
}

bool http_parse(const char *text, size_t n, struct http_request *r)
{
	struct span all = { text, n < HTTP_HEAD_MAX ? n : HTTP_HEAD_MAX };
	const bool full = all.n == HTTP_HEAD_MAX;

	*r = (struct http_request){ .status = 400 };
	while (all.n && (*all.at == '\r' || *all.at == '\n'))	/* left over from what a client sent before */
		all.at++, all.n--;
	const size_t end = head_end(all);

	all.n = end ? end : all.n;
	if (!is_text(all))
		return true;
	if (!end) {
		r->status = memchr(all.at, '\n', all.n) ? 431 : 414;
		return full;
	}
	r->status = take_all(all, r);
	return true;
}
