/* The names of pledge(2) on OpenBSD, and which of them have no meaning here. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/promises.h"
#include "init/base/text.h"
#include "init/conf/value.h"
#include "services/spec/rows.h"
#include <errno.h>
#include <string.h>

static const char *const names[PROMISES + 1] = {
	[PROMISE_STDIO] = "stdio", [PROMISE_RPATH] = "rpath", [PROMISE_WPATH] = "wpath", [PROMISE_CPATH] = "cpath",
	[PROMISE_DPATH] = "dpath", [PROMISE_TMPPATH] = "tmppath", [PROMISE_INET] = "inet", [PROMISE_MCAST] = "mcast",
	[PROMISE_FATTR] = "fattr", [PROMISE_CHOWN] = "chown", [PROMISE_FLOCK] = "flock", [PROMISE_UNIX] = "unix",
	[PROMISE_DNS] = "dns", [PROMISE_GETPW] = "getpw", [PROMISE_SENDFD] = "sendfd", [PROMISE_RECVFD] = "recvfd",
	[PROMISE_TTY] = "tty", [PROMISE_PROC] = "proc", [PROMISE_EXEC] = "exec", [PROMISE_PROT_EXEC] = "prot_exec",
	[PROMISE_SETTIME] = "settime", [PROMISE_PS] = "ps", [PROMISE_VMINFO] = "vminfo", [PROMISE_ID] = "id",
	[PROMISE_ROUTE] = "route", [PROMISE_WROUTE] = "wroute", [PROMISE_UNVEIL] = "unveil", [PROMISE_ERROR] = "error",
};
static const char *const elsewhere[] = { "tape", "pf", "audio", "video", "bpf", "disklabel", "drm", "vmm", NULL };

static int one_promise(const char *word, uint64_t *set, struct err *e)
{
	const char *near;

	for (unsigned i = 0; i < PROMISES; i++)
		if (!strcmp(names[i], word)) {
			*set |= UINT64_C(1) << i;
			return 0;
		}
	for (unsigned i = 0; elsewhere[i]; i++)
		if (!strcmp(elsewhere[i], word))
			return err_set(e, EINVAL, "'%s' is a promise about OpenBSD's own devices: there is nothing on "
				       "Linux to hold it to", word);
	near = value_nearest(word, names);
	return near ? err_set(e, EINVAL, "'%.40s' is not a promise (did you mean '%s'?)", word, near)
		    : err_set(e, EINVAL, "'%.40s' is not a promise like stdio, rpath or inet", word);
}

int promises_read(const char *text, uint64_t *set, struct err *e)
{
	uint64_t all = 0;
	char word[64];

	while (*(text += strspn(text, " \t"))) {
		const size_t n = strcspn(text, " \t");

		snprintf(word, sizeof word, "%.*s", (int)n, text);
		text += n;
		if (one_promise(word, &all, e) < 0)
			return -e->code;
	}
	if (!(all >> PROMISE_STDIO & 1))
		return err_set(e, EINVAL, "a program that may not even 'stdio' cannot be started");
	*set = all;
	return 0;
}

const char *promise_name(unsigned promise)
{
	return promise < PROMISES ? names[promise] : NULL;
}

int pledge_rule(const void *field, struct err *e)
{
	uint64_t set;

	return promises_read(*(const char *const *)field, &set, e);
}
