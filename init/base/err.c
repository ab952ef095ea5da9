/* Errors as values: see err.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/err.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	e->code = code;
	return -code;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int code = errno;
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return err_set(e, code, "%s: %s", what, strerror(code));
}

int err_in(struct err *e, const char *fmt, ...)
{
	char what[100];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);

	/* Too long together? Shorten what we were doing, never the cause. */
	size_t cause = strlen(e->text), room = sizeof e->text - 1 - cause, n = strlen(what);

	if (room < 2)
		return -e->code;
	if (n > room - 2)
		n = room - 2;
	memmove(e->text + n + 2, e->text, cause + 1);
	memcpy(e->text, what, n);
	memcpy(e->text + n, ": ", 2);
	return -e->code;
}
