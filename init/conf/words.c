/* A command line as words, and which word somebody meant. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/value.h"
#include <errno.h>
#include <string.h>

#define WORDS_MAX 4096u

struct split {
	struct arena *arena;
	const char *s;
	char *word;		/* being written; as long as the whole text, which is enough */
	size_t n;
	const char *why;
};

static void quoted(struct split *p, char quote)
{
	for (p->s++; *p->s && *p->s != quote; p->s++) {
		/* Inside double quotes a shell takes a backslash as such unless one of these follows. */
		if (quote == '"' && *p->s == '\\' && p->s[1] && strchr("\"\\$`\n", p->s[1]))
			p->s++;
		p->word[p->n++] = *p->s;
	}
	if (!*p->s)
		p->why = quote == '"' ? "a double quote is not closed" : "a single quote is not closed";
	else
		p->s++;
}

static void word(struct split *p)
{
	while (*p->s && !strchr(" \t\r\n", *p->s) && !p->why) {
		if (*p->s == '\'' || *p->s == '"') {
			quoted(p, *p->s);
		} else if (*p->s == '\\' && !p->s[1]) {
			p->why = "ends in a backslash";
		} else {
			p->s += *p->s == '\\';
			p->word[p->n++] = *p->s++;
		}
	}
}

static unsigned count_words(const char *s)
{
	unsigned n = 0;

	for (bool in = false; *s; s++) {
		bool blank = strchr(" \t\r\n", *s);

		n += !blank && !in;
		in = !blank;
	}
	return n;
}

int value_split(struct arena *a, const char *s, struct str_list *out, const char **why)
{
	unsigned room = count_words(s);	/* quoting only joins */
	struct str_list l = { arena_get(a, (room + 1) * sizeof *l.v), 0 };
	struct split p = { .arena = a, .s = s, .word = arena_get(a, strlen(s) + 1) };

	if (!l.v || !p.word)
		return -ENOMEM;
	for (;;) {
		p.s += strspn(p.s, " \t\r\n");
		if (!*p.s)
			break;
		p.n = 0;
		word(&p);
		if (l.n == WORDS_MAX)
			p.why = "more than 4096 words";
		*why = p.why;
		if (p.why)
			return -EINVAL;
		l.v[l.n] = arena_copy(a, p.word, p.n);
		if (!l.v[l.n++])
			return -ENOMEM;
	}
	*out = l;
	return 0;
}

#define NEAR_LENGTH 48u

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edits from a to b: insert, delete, replace, or swap two neighbours. */
static unsigned edits(const char *a, const char *b)
{
	unsigned row[3][NEAR_LENGTH + 1];
	unsigned *before = row[0], *above = row[1], *now = row[2];
	size_t la = strlen(a), lb = strlen(b);

	if (la > NEAR_LENGTH || lb > NEAR_LENGTH)
		return NEAR_LENGTH;
	for (unsigned j = 0; j <= lb; j++)
		above[j] = j;
	for (unsigned i = 1; i <= la; i++) {
		now[0] = i;
		for (unsigned j = 1; j <= lb; j++) {
			now[j] = least(above[j] + 1, now[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1, now[j]);
		}
		unsigned *spare = before;

		before = above;
		above = now;
		now = spare;
	}
	return above[lb];
}

bool value_is_near(const char *s, const char *w, unsigned *distance)
{
	size_t n = strlen(s);

	*distance = edits(s, w);
	if (n >= 4 && !strncmp(s, w, n) && *distance > 2)
		*distance = 2;	/* its beginning: NET_BIND for NET_BIND_SERVICE */
	return *distance <= (n < 3 ? 1 : n < 6 ? 2 : n / 3) && *distance < strlen(w);
}

const char *value_nearest(const char *s, const char *const *words)
{
	const char *best = NULL;
	unsigned least_so_far = NEAR_LENGTH, d;

	for (; *words; words++)
		if (value_is_near(s, *words, &d) && d < least_so_far) {
			least_so_far = d;
			best = *words;
		}
	return best;
}
