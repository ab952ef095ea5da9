/* Reading a cell back: see attest.h. The parts are in attest_*.c. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/cell/attest_inner.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static attest_part *const parts[] = {
	attest_ids, attest_caps, attest_flags, attest_namespaces, attest_cgroup, attest_mounts,
	attest_files, attest_descriptors, attest_limits, attest_sched, attest_filter,
};

void fact(struct attest_run *r, const char *name, const char *want, const char *got, bool equal)
{
	struct attest_fact f = { .name = name, .equal = equal };

	r->facts++;
	if (!equal && !r->differs) {
		r->differs = true;
		err_set(r->e, EPERM, "%s: planned %s; the kernel says %s", name, *want ? want : "nothing",
			*got ? got : "nothing");
	}
	if (!r->in->each)
		return;
	text_copy(f.want, sizeof f.want, want);
	text_copy(f.got, sizeof f.got, got);
	r->in->each(r->in->ctx, &f);
}

void fact_text(struct attest_run *r, const char *name, const char *want, const char *got)
{
	fact(r, name, want, got, !strcmp(want, got));
}

void fact_num(struct attest_run *r, const char *name, int64_t want, int64_t got)
{
	char w[24], g[24];

	snprintf(w, sizeof w, "%" PRId64, want);
	snprintf(g, sizeof g, "%" PRId64, got);
	fact(r, name, w, g, want == got);
}

void fact_hex(struct attest_run *r, const char *name, uint64_t want, uint64_t got)
{
	char w[24], g[24];

	snprintf(w, sizeof w, "0x%" PRIx64, want);
	snprintf(g, sizeof g, "0x%" PRIx64, got);
	fact(r, name, w, g, want == got);
}

const char *status_value(const char *status, const char *key, char *to, size_t size)
{
	const size_t n = strlen(key);

	to[0] = '\0';
	for (const char *line = status; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, key, n) || line[n] != ':')
			continue;
		const char *v = line + n + 1 + strspn(line + n + 1, " \t");
		size_t len = strcspn(v, "\n");

		while (len && (v[len - 1] == ' ' || v[len - 1] == '\t'))
			len--;
		if (len >= size)
			len = size - 1;
		memcpy(to, v, len);
		to[len] = '\0';
		break;
	}
	return to;
}

static int open_dir(int procfs, pid_t pid, struct err *e)
{
	char name[16];

	snprintf(name, sizeof name, "%d", (int)pid);
	const int fd = openat(procfs, pid ? name : "self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "procfs of pid %s", pid ? name : "self") : fd;
}

static int prepare(struct attest_in *in, int ref, int own, struct err *e)
{
	char status[8192], count[16];

	if (file_read(ref, "status", status, sizeof status, e) < 0)
		return -e->code;
	in->ref.filters = atoi(status_value(status, "Seccomp_filters", count, sizeof count));
	if (spaces_prepare(&in->ref, ref, own, e) < 0)
		return -e->code;
	in->ref.filled = true;
	return 0;
}

int attest_prepare(struct attest_in *in, struct err *e)
{
	owned_fd ref = open_dir(in->procfs, in->reference, e);
	owned_fd own = ref < 0 ? ref : open_dir(in->procfs, 0, e);

	return own < 0 ? -e->code : prepare(in, ref, own, e);
}

int attest_all(struct attest_in *in, struct err *e)
{
	struct attest_run r = { .in = in, .e = e };
	owned_fd dir = open_dir(in->procfs, in->pid, e);
	owned_fd ref = dir < 0 ? dir : open_dir(in->procfs, in->reference, e);

	if (ref < 0 || (!in->ref.filled && prepare(in, ref, FD_NONE, e) < 0))
		return -e->code;
	r.dir = dir;
	r.ref = ref;
	if (file_read(dir, "status", r.status, sizeof r.status, e) < 0)
		return err_in(e, "attestation");
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct err unread;

		/* A difference that was found is the news, whatever cannot be read behind it. */
		if (parts[i](&r, &unread) == 0)
			continue;
		if (!r.differs)
			*e = unread;
		return err_in(e, "attestation");
	}
	return r.differs ? err_in(e, "attestation") : (int)r.facts;
}

int attest(const struct plan *p, uint32_t service, pid_t pid, int procfs, int at_exec, attest_each *each, void *ctx,
	   struct err *e)
{
	struct attest_in in = { .plan = p, .svc = plan_service(p, service), .pid = pid, .procfs = procfs,
				.at_exec = at_exec, .tracing = at_exec, .npass = -1, .each = each, .ctx = ctx };

	return attest_all(&in, e);
}
