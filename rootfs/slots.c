/* The slots and their file: see slots.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/slots.h"
#include "init/base/sum.h"
#include "init/base/text.h"
#include "init/base/twice.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "prior-slots 1 "

bool slot_name_is_good(const char *name)
{
	const size_t n = strlen(name);

	return n > 0 && n < SLOT_NAME &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == n;
}

struct slot *slots_find(struct slots *s, const char *name)
{
	for (unsigned i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].name, name))
			return &s->v[i];
	return NULL;
}

void slots_prefer(struct slots *s, const char *name)
{
	struct slot *was = slots_find(s, name);

	if (!was)
		return;
	const struct slot first = *was;

	memmove(s->v + 1, s->v, (size_t)(was - s->v) * sizeof *s->v);
	s->v[0] = first;
}

static bool is_among(const char *name, const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

void slots_match(struct slots *s, const char *const *names, unsigned n, unsigned tries)
{
	struct slots kept = { .seq = s->seq };

	for (unsigned i = 0; i < s->n; i++)
		if (is_among(s->v[i].name, names, n) && !slots_find(&kept, s->v[i].name))
			kept.v[kept.n++] = s->v[i];
	for (unsigned i = 0; i < n && kept.n < SLOTS_MAX; i++) {
		if (slots_find(&kept, names[i]))
			continue;
		kept.v[kept.n] = (struct slot){ .left = tries };
		text_copy(kept.v[kept.n++].name, SLOT_NAME, names[i]);
	}
	*s = kept;
}

struct slot *slots_choose(struct slots *s, unsigned tries)
{
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < s->n; i++)
			if (s->v[i].left)
				return slots_try(s, s->v[i].name);
		for (unsigned i = 0; i < s->n; i++)
			s->v[i].left = tries;
	}
	return NULL;
}

struct slot *slots_try(struct slots *s, const char *name)
{
	struct slot *one = slots_find(s, name);

	if (one && one->left)
		one->left--;
	return one;
}

void slots_format(const struct slots *s, char sector[SLOTS_SECTOR])
{
	char lines[SLOTS_SECTOR - 80] = "";
	struct text l = TEXT_IN(lines), t = { .at = sector, .size = SLOTS_SECTOR };

	text_fmt(&l, "seq %llu\n", (unsigned long long)s->seq);
	for (unsigned i = 0; i < s->n; i++)
		text_fmt(&l, "%s %u%s\n", s->v[i].name, s->v[i].left, s->v[i].good ? " good" : "");
	memset(sector, 0, SLOTS_SECTOR);
	text_fmt(&t, MAGIC "%016llx\n%s", (unsigned long long)sum_more(SUM_START, lines, l.n), lines);
}

/* Digits up to `end`, which must follow; false: none, or too many. */
static bool number(const char **at, const char *end, uint64_t most, uint64_t *to)
{
	char *behind;

	if (**at < '0' || **at > '9')
		return false;
	errno = 0;
	*to = strtoull(*at, &behind, 10);
	if (errno || *to > most || !*behind || !strchr(end, *behind))
		return false;
	*at = behind;
	return true;
}

static bool line_is_slot(const char **at, struct slot *s)
{
	const size_t n = strcspn(*at, " \n");
	uint64_t left;

	if (n == 0 || n >= SLOT_NAME || (*at)[n] != ' ')
		return false;
	memcpy(s->name, *at, n);
	s->name[n] = '\0';
	*at += n + 1;
	if (!slot_name_is_good(s->name) || !number(at, " \n", SLOT_TRIES_MAX, &left))
		return false;
	s->left = (unsigned)left;
	s->good = !strncmp(*at, " good\n", 6);
	*at += s->good ? 5 : 0;
	return *(*at)++ == '\n';
}

bool slots_parse(struct slots *s, const char sector[SLOTS_SECTOR])
{
	char copy[SLOTS_SECTOR + 1];
	struct slots got = { 0 };
	char *behind;

	memcpy(copy, sector, SLOTS_SECTOR);
	copy[SLOTS_SECTOR] = '\0';
	if (strncmp(copy, MAGIC, strlen(MAGIC)) != 0)
		return false;
	const uint64_t sum = strtoull(copy + strlen(MAGIC), &behind, 16);

	if (behind != copy + strlen(MAGIC) + 16 || *behind++ != '\n' ||
	    sum != sum_more(SUM_START, behind, strlen(behind)))
		return false;
	const char *at = behind;

	if (strncmp(at, "seq ", 4) != 0)
		return false;
	at += 4;
	if (!number(&at, "\n", UINT64_MAX - 1, &got.seq))
		return false;
	for (at++; *at; got.n++)
		if (got.n == SLOTS_MAX || !line_is_slot(&at, &got.v[got.n]))
			return false;
	*s = got;
	return true;
}

static bool is_whole(const void *sector, uint64_t *seq)
{
	struct slots s = { 0 };
	bool is = slots_parse(&s, sector);

	*seq = s.seq;
	return is;
}

static const struct twice place = {
	.what = "slots", .magic = MAGIC, .size = SLOTS_SECTOR, .apart = SLOTS_APART, .is_whole = is_whole,
};

int slots_load(int fd, struct slots *s, struct err *e)
{
	char sector[SLOTS_SECTOR];

	if (twice_load(fd, &place, sector, e) < 0)
		return -e->code;
	slots_parse(s, sector);
	return 0;
}

int slots_save(int fd, struct slots *s, struct err *e)
{
	char sector[SLOTS_SECTOR];

	s->seq++;
	slots_format(s, sector);
	return twice_save(fd, &place, sector, s->seq, e);
}
