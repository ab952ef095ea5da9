/* From answers to one number. */
/* SPDX-License-Identifier: ISC */
#include "services/exposure/exposure.h"
#include <stddef.h>

/* Its part of the sum of badness, rounded up. */
static uint64_t part(const struct exposure_check *c, uint8_t badness)
{
	return ((uint64_t)badness * c->weight + c->range - 1) / c->range;
}

void exposure_ask(struct exposure *to, const struct exposed *x, const struct exposure_check *rows, unsigned n)
{
	*to = (struct exposure){ 0 };
	for (const struct exposure_check *c = rows; n ? c < rows + n : c->name != NULL; c++) {
		const uint8_t badness = c->badness(x, c->param);

		to->badness[to->rows++] = badness;
		if (badness == NOT_ASKED)
			continue;
		to->bad += part(c, badness);
		to->all += c->weight;
	}
	to->score = to->all ? (unsigned)((to->bad * 100 + to->all - 1) / to->all) : 0;
}

unsigned exposure_share(const struct exposure *r, const struct exposure_check *row, uint8_t badness)
{
	return badness == NOT_ASKED || !r->all ? 0 : (unsigned)((part(row, badness) * 1000 + r->all - 1) / r->all);
}

const char *exposure_word(unsigned score)
{
	static const struct {
		unsigned from;
		const char *word;
	} words[] = {
		{ 100, "DANGEROUS" }, { 90, "UNSAFE" }, { 75, "EXPOSED" },
		{ 50, "MEDIUM" }, { 10, "OK" }, { 1, "SAFE" },
	};

	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (score >= words[i].from)
			return words[i].word;
	return "PERFECT";
}
