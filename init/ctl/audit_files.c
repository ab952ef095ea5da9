/* What `prior audit` compares besides the kernel's account: who can write what root believes, and who may connect. */
/* SPDX-License-Identifier: ISC */
#include "init/ctl/audit_files.h"
#include "services/supervise/network.h"
#include "services/spec/trust.h"
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

struct facts {
	attest_each *each;
	void *ctx;
};

static void tell(struct facts *f, const char *what, const char *path, const char *want, const char *got,
		 const char *mend)
{
	char name[PATH_MAX + 32];
	struct attest_fact fact = { .name = name, .equal = !mend, .mend = mend };

	snprintf(name, sizeof name, "%s %s", what, path);
	snprintf(fact.want, sizeof fact.want, "%s", want);
	snprintf(fact.got, sizeof fact.got, "%s", got);
	f->each(f->ctx, &fact);
}

/* trust_wrong() ends in the command. */
static void trusted(struct facts *f, const char *what, const char *path)
{
	char text[TRUST_TEXT], got[96];
	struct statvfs fs;
	struct stat st;
	bool all;

	if (path[0] != '/' || stat(path, &st) < 0)
		return;
	snprintf(got, sizeof got, "%u:%u %04o", st.st_uid, st.st_gid, st.st_mode & 07777);
	const bool fixed = statvfs(path, &fs) == 0 && fs.f_flag & ST_RDONLY;
	const char *wrong = fixed ? NULL : trust_wrong(text, path, &st, &all);
	const char *colon = wrong ? strstr(wrong, ": ") : NULL;

	tell(f, what, path, "written by root alone", got, colon ? colon + 2 : wrong);
}

static void one_socket(struct facts *f, const struct plan *p, const struct plan_listen *l)
{
	const char *path = plan_str(p, l->path);
	const char *what = l->kind == LISTEN_FIFO ? "fifo" : "socket";
	char want[64], got[64], mend[PATH_MAX + 96];
	struct stat st;

	const mode_t type = l->kind == LISTEN_FIFO ? S_IFIFO : S_IFSOCK;

	if (path[0] != '/')
		return;
	snprintf(want, sizeof want, "%u:%u %04o", l->uid, l->gid, l->mode);
	if (lstat(path, &st) < 0 || (st.st_mode & S_IFMT) != type) {
		tell(f, what, path, want, "not there", "prior restart SERVICE binds it again");
		return;
	}
	snprintf(got, sizeof got, "%u:%u %04o", st.st_uid, st.st_gid, st.st_mode & 07777);
	snprintf(mend, sizeof mend, "chown %u:%u %s && chmod %04o %s", l->uid, l->gid, path, l->mode, path);
	tell(f, what, path, want, got, strcmp(want, got) ? mend : NULL);
}

/* The rules are those of all bridges: compared once, however many services are asked about. */
static void rules(struct facts *f, const struct plan *p)
{
	static struct err why;
	static enum { UNKNOWN_YET, RIGHT, WRONG } state;
	struct rules r;

	if (state == UNKNOWN_YET) {
		state = network_rules(p, &r, &why) == 0 && rules_check(&r, &why) == 0 ? RIGHT : WRONG;
		network_rules_free(&r);
	}
	tell(f, "network", "rules", "as they were made", state == RIGHT ? "as they were made" : why.text,
	     state == RIGHT ? NULL : "a changed network in the configuration, or a restart of prior, makes them anew");
}

void audit_files(const struct plan *p, const struct plan_service *s, attest_each *each, void *ctx)
{
	struct facts f = { each, ctx };

	if (plan_is_bridged(p, plan_network(p, s)))
		rules(&f, p);
	if (s->root.n)
		trusted(&f, "root", plan_str(p, s->root));
	PLAN_EACH(struct plan_listen, l, p, s->listen)
		one_socket(&f, p, l);
}

static bool is_yaml(const char *name)
{
	const size_t n = strlen(name);

	return name[0] != '.' && n > 5 && !strcmp(name + n - 5, ".yaml");
}

void audit_configuration(const char *path, attest_each *each, void *ctx)
{
	struct facts f = { each, ctx };
	char part[PATH_MAX], dir[PATH_MAX];
	const int n = (int)strlen(path) - (path[0] && path[strlen(path) - 1] == '/');

	if (snprintf(dir, sizeof dir, "%.*s/services.d", n, path) >= (int)sizeof dir)
		return;
	trusted(&f, "configuration", path);
	snprintf(part, sizeof part, "%.*s/prior.yaml", n, path);
	trusted(&f, "configuration", part);
	trusted(&f, "configuration", dir);
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));)
		if (is_yaml(e->d_name) && snprintf(part, sizeof part, "%s/%s", dir, e->d_name) < (int)sizeof part)
			trusted(&f, "configuration", part);
	if (d)
		closedir(d);
}
