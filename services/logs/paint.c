/* Lines for people and programs: see paint.h. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/paint.h"
#include "init/base/sum.h"
#include "services/logs/record.h"
#include "services/logs/stamp.h"
#include <string.h>

/* What an operator looks for stands out; what he seldom does stays back. */
static const char *paint_of(unsigned level)
{
	return level <= LEVEL_ERROR ? "\033[31m" : level == LEVEL_WARNING ? "\033[33m" :
	       level == LEVEL_DEBUG ? "\033[2m" : NULL;
}

void line_plain(struct text *t, const char *name, unsigned width, bool colour, unsigned level, const char *text,
		size_t n)
{
	static const char pad[] = "                                                                ";
	static const char *const paint[] = { "\033[36m", "\033[33m", "\033[32m", "\033[35m", "\033[34m", "\033[31m" };
	size_t len = name ? strlen(name) : 0;

	if (name) {
		if (colour)
			text_add(t, paint[(sum_more(SUM_START, name, len) >> 20) % (sizeof paint / sizeof *paint)]);
		text_add_n(t, name, len);
		if (width > len)
			text_add_n(t, pad, width - len < sizeof pad ? width - len : sizeof pad - 1);
		text_add(t, colour ? " |\033[0m " : " | ");
	}
	const char *tint = colour ? paint_of(level) : NULL;

	text_add(t, tint ? tint : "");
	text_add_n(t, text, n);
	text_add(t, tint ? "\033[0m\n" : "\n");
}

void line_json(struct text *t, int64_t ms, const char *service, unsigned level, bool part, const char *raw, size_t n)
{
	/* The words of the events, which a program reads together with these. */
	static const char *const words[] = {
		"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
	};

	text_add(t, "{\"time\":\"");
	stamp_put(t, ms);
	text_add(t, "\",\"level\":\"");
	text_add(t, words[level & 7]);
	text_add(t, "\",\"service\":");
	text_json(t, service, strlen(service));
	text_add(t, part ? ",\"stream\":\"output\",\"partial\":true,\"msg\":" :
			  ",\"stream\":\"output\",\"msg\":");
	text_json(t, raw, n);
	text_add_n(t, "}\n", 2);
}
