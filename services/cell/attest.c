/* Reading a cell back: see attest.h. The parts are in attest_*.c. */
/* SPDX-License-Identifier: ISC */
#include "init/base/sys.h"
#include "init/base/text.h"
#include "services/cell/attest_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>

static attest_part *const parts[] = {
	attest_ids, attest_caps, attest_flags, attest_namespaces, attest_cgroup, attest_mounts,
	attest_files, attest_dirs, attest_labels, attest_descriptors, attest_limits, attest_sched, attest_filter,
};

/* Under an OCI runtime: what that makes in its own way (mounts, the filter) has nothing to compare with. */
static attest_part *const oci_parts[] = {
	attest_ids, attest_caps, attest_flags, attest_namespaces, attest_cgroup, attest_files, attest_labels,
	attest_descriptors, attest_limits, attest_sched,
};

/* Our own namespaces and filters, which are the machine's: they do not change while we live. */
static struct attest_ref ours;

bool fact_is_plain(struct attest_run *r, bool equal)
{
	if (!equal || r->in->each)
		return false;
	r->facts++;
	return true;
}

void fact(struct attest_run *r, const char *name, const char *want, const char *got, bool equal)
{
	struct attest_fact f;

	r->facts++;
	if (!equal && !r->differs) {
		r->differs = true;
		err_set(r->e, EPERM, "%s: planned %s; the kernel says %s", name, *want ? want : "nothing",
			*got ? got : "nothing");
	}
	if (!r->in->each)
		return;
	f.name = name;
	f.equal = equal;
	f.mend = NULL;
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

	if (fact_is_plain(r, want == got))
		return;
	snprintf(w, sizeof w, "%" PRId64, want);
	snprintf(g, sizeof g, "%" PRId64, got);
	fact(r, name, w, g, want == got);
}

void fact_hex(struct attest_run *r, const char *name, uint64_t want, uint64_t got)
{
	char w[24], g[24];

	if (fact_is_plain(r, want == got))
		return;
	snprintf(w, sizeof w, "0x%" PRIx64, want);
	snprintf(g, sizeof g, "0x%" PRIx64, got);
	fact(r, name, w, g, want == got);
}

/* Is this line of text about key? Then where its value starts. */
static const char *value_in(const char *line, const char *key, size_t n)
{
	if (strncmp(line, key, n) || line[n] != ':')
		return NULL;
	return line + n + 1 + strspn(line + n + 1, " \t");
}

const char *status_find(const char *status, const char *from, const char *key, size_t *n)
{
	const size_t len = strlen(key);
	const char *v = NULL, *line = from, *end;

	while (*line && !(v = value_in(line, key, len)))
		line = (end = strchr(line, '\n')) ? end + 1 : "";
	for (line = status; !v && line < from; line = strchr(line, '\n') + 1)
		v = value_in(line, key, len);
	if (!v)
		return NULL;
	*n = strcspn(v, "\n");
	while (*n && (v[*n - 1] == ' ' || v[*n - 1] == '\t'))
		(*n)--;
	return v;
}

/* As status_find(); remembers where it was. */
static const char *status_next(struct attest_run *r, const char *key, size_t *n)
{
	const char *v = status_find(r->status, r->next, key, n), *end = v ? strchr(v, '\n') : NULL;

	if (end)
		r->next = end + 1;
	return v;
}

const char *status_value(struct attest_run *r, const char *key, char *to, size_t size)
{
	size_t n = 0;
	const char *v = status_next(r, key, &n);

	n = n < size ? n : size - 1;
	if (v)
		memcpy(to, v, n);
	to[n] = '\0';
	return to;
}

uint64_t digits(const char **s, unsigned base)
{
	uint64_t v = 0;

	for (;; (*s)++) {
		const unsigned char c = (unsigned char)**s;
		const unsigned d = c >= '0' && c <= '9' ? c - 48u : c >= 'a' && c <= 'f' ? c - 87u : 16u;

		if (d >= base)
			break;
		v = v * base + d;
	}
	*s += **s == ' ' || **s == '\t';
	return v;
}

uint64_t status_number(struct attest_run *r, const char *key, unsigned base)
{
	size_t n;
	const char *v = status_next(r, key, &n);

	return v ? digits(&v, base) : 0;
}

static int open_dir(int procfs, pid_t pid, struct err *e)
{
	char name[16];
	struct text t = TEXT_IN(name);

	if (pid)
		text_num(&t, pid);
	else
		text_add(&t, "self");
	const int fd = openat(procfs, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "procfs of pid %s", name) : fd;
}

int run_ref(struct attest_run *r, struct err *e)
{
	if (r->ref < 0)
		r->ref = open_dir(r->in->procfs, r->in->reference, e);
	return r->ref;
}

int run_root(struct attest_run *r, struct err *e)
{
	if (r->root < 0)
		r->root = openat(r->dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return r->root < 0 ? err_sys(e, "its root") : r->root;
}

int attest_look(struct attest_ref *ref, int dir, struct err *e)
{
	char status[STATUS_ROOM];
	size_t n;

	if (file_read(dir, "status", status, sizeof status, e) < 0 || spaces_of(dir, ref->machine, e) < 0)
		return -e->code;
	const char *v = status_find(status, status, "Seccomp_filters", &n);

	ref->filters = v ? (int)digits(&v, 10) : 0;
	ref->filled = true;
	return 0;
}

void attest_remember(void)
{
	struct err lost;

	if (ours.filled)
		return;
	owned_fd self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (self >= 0)
		attest_look(&ours, self, &lost);
}

int attest_prepare(struct attest_in *in, struct err *e)
{
	in->ref = ours;
	if (!in->ref.filled) {
		owned_fd ref = open_dir(in->procfs, in->reference, e);

		if (ref < 0 || attest_look(&in->ref, ref, e) < 0)
			return -e->code;
	}
	owned_fd own = open_dir(in->procfs, 0, e);

	return own < 0 ? own : spaces_of_children(own, in->ref.own, e);
}

static int all_parts(struct attest_run *r)
{
	const bool oci = r->in->svc->runtime_kind;
	attest_part *const *part = oci ? oci_parts : parts;
	const unsigned n = oci ? sizeof oci_parts / sizeof *oci_parts : sizeof parts / sizeof *parts;
	struct err *e = r->e;

	for (unsigned i = 0; i < n; i++) {
		struct err unread;

		/* A difference that was found is the news, whatever cannot be read behind it. */
		if (part[i](r, &unread) == 0)
			continue;
		if (!r->differs)
			*e = unread;
		return err_in(e, "attestation");
	}
	return r->differs ? err_in(e, "attestation") : (int)r->facts;
}

static int attest_parts(struct attest_in *in, struct err *e)
{
	char room[STATUS_ROOM + FILE_ROOM] __attribute__((aligned(8)));
	struct attest_run r = { .in = in, .e = e, .ref = FD_NONE, .root = FD_NONE, .status = room, .next = room };
	owned_fd dir = open_dir(in->procfs, in->pid, e);
	int ret = dir;

	r.dir = dir;
	if (dir >= 0 && !in->ref.filled)
		ret = run_ref(&r, e) < 0 ? -e->code : attest_look(&in->ref, r.ref, e);
	const ssize_t n = ret < 0 ? ret : file_read(dir, "status", room, STATUS_ROOM, e);

	r.room = room + (n < 0 ? 0 : (size_t)n / 8 * 8 + 8);
	ret = n < 0 ? (int)n : all_parts(&r);
	fd_drop(&r.ref);
	fd_drop(&r.root);
	return ret;
}

static bool may_look_at_others(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	return syscall(SYS_capget, &h, d) == 0 && d[0].effective & 1u << CAP_SYS_PTRACE;
}

/*
 * An ordinary container has no CAP_SYS_PTRACE, and then /proc/PID shows the better half only to whom has the same ids.
 * The builder may take them: for file systems, for /proc, and for as long as it looks.
 */
static void look_as(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
}

int attest_all(struct attest_in *in, struct err *e)
{
	const bool disguised = in->tracing && !may_look_at_others();

	if (disguised)
		look_as(in->svc->uid, in->svc->gid);
	const int facts = attest_parts(in, e);

	if (disguised)
		look_as(geteuid(), getegid());
	return facts;
}

int attest(const struct plan *p, uint32_t service, pid_t pid, int procfs, uint64_t net, int at_exec,
	   attest_each *each, void *ctx, struct err *e)
{
	struct attest_in in = { .plan = p, .svc = plan_service(p, service), .pid = pid, .procfs = procfs,
				.net = net, .at_exec = at_exec, .tracing = at_exec, .npass = -1, .leaf = FD_NONE,
				.policy = { FD_NONE, FD_NONE }, .each = each, .ctx = ctx };

	return attest_all(&in, e);
}
