/* Filter profiles from files: a BPF program as the kernel takes it, or the JSON of OCI runtimes; each is read once. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/compile_profile.h"
#include "services/plan/types.h"
#include "services/spec/caps.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>

#define KERNEL_OLDEST 0x60001u	/* 6.1: what a plan that is compiled elsewhere may meet */

static const struct oci_facts *facts_of(struct compiling *c, const struct work *w, struct oci_facts *f)
{
	*f = (struct oci_facts){
		.arch = PLAN_ARCH, .kernel = c->f->kernel ? c->f->kernel : KERNEL_OLDEST,
		.caps = w->out.flags & CELL_CAPS ? w->out.caps : w->out.uid == 0 && c->f->is_root ? CAPS_ALL : 0,
	};
	return f;
}

static void read_program(struct profile *p, const char *text, size_t n, struct err *e)
{
	const char *why;

	p->program = (const struct sock_filter *)(const void *)text;
	p->nprogram = (unsigned)(n / sizeof *p->program);
	if (n % sizeof *p->program || !n || n > BPF_MAXINSNS * sizeof *p->program) {
		err_set(e, EINVAL, "%s: %zu bytes are neither JSON nor a BPF program (of 1 to %d instructions of 8 "
			"bytes)", p->path, n, BPF_MAXINSNS);
		return;
	}
	why = plan_filter_wrong(p->program, p->nprogram);
	if (why)
		err_set(e, EINVAL, "%s: not a BPF program: %s", p->path, why);
}

static void read_file(struct compiling *c, struct profile *p, const struct oci_facts *f)
{
	struct err e = { 0 };
	size_t n = 0, blanks = 0;
	char *text = look_read(c, c->machine_root, p->path, OCI_BYTES_MAX, &n);

	if (!text) {
		err_sys(&e, "%s", p->path);
	} else {
		if (c->s->trusted)
			signed_bytes_of(&p->bytes, text, n);
		while (blanks < n && isspace((unsigned char)text[blanks]))
			blanks++;
		if (blanks < n && text[blanks] == '{') {
			struct policy *base = compiling_get(c, sizeof *base);

			p->base = base;
			if (base)
				oci_read(base, &c->s->arena, p->path, text, n, f, &p->said, &e);
		} else {
			read_program(p, text, n, &e);
		}
	}
	if (e.code)
		p->why_not = compiling_fmt(c, "%s", e.text);
}

const struct profile *profile_get(struct compiling *c, const struct work *w)
{
	struct oci_facts f;
	struct profile *p = c->profiles;

	facts_of(c, w, &f);
	while (p && (strcmp(p->path, w->eff.seccomp_path) != 0 || p->caps != f.caps))
		p = p->next;
	if (p)
		return p;
	p = compiling_get(c, sizeof *p);
	if (!p)
		return NULL;
	*p = (struct profile){ .next = c->profiles, .path = w->eff.seccomp_path, .caps = f.caps };
	c->profiles = p;
	read_file(c, p, &f);
	return p;
}
