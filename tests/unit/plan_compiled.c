/* YAML to plan for tests: see plan_compiled.h. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/plan_compiled.h"
#include "init/base/fd.h"
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static char folder[64];

const char *compiled_folder(void)
{
	return folder;
}

static int make_file(const char *name, const char *text, mode_t mode)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	owned_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -1;
	return fchmod(fd, mode);
}

static const char *const folders[] = { "image", "image/bin", "image/etc", "image/dev", "image/proc", "image/tmp",
				       "image/srv", "image/opt", "data", "data/sub", "data/sub/deep", NULL };
static const char *const files[] = { "image/bin/tool", "image/bin/plain", "image/etc/passwd", "image/etc/group",
				     "image/etc/resolv.conf", "data/file", "data/run", "env", "prior.yaml", NULL };
static const struct { const char *name, *to; } links[] = {
	{ "image/bin/sh", "/bin/tool" }, { "image/bin/up", "../../../../bin/tool" }, { "image/bin/loop", "loop" },
	{ "data/out", "/etc" }, { "data/more", "sub" }, { "data/last", "file" } };

int compiled_make_folder(void)
{
	char path[PATH_MAX];

	snprintf(folder, sizeof folder, "/tmp/prior-plan-XXXXXX");
	if (!mkdtemp(folder) || chmod(folder, 0755) < 0)
		return -1;
	for (unsigned i = 0; folders[i]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
		if (mkdir(path, 0755) < 0)
			return -1;
	}
	for (unsigned i = 0; i < sizeof links / sizeof *links; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, links[i].name);
		if (symlink(links[i].to, path) < 0)
			return -1;
	}
	return make_file("image/bin/tool", "\177ELF", 0755) || make_file("image/bin/plain", "text", 0644) ||
	       make_file("image/etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:901:902:Web:/srv:/bin/sh\n"
			 "broken:x:9x:1::/:\nhex:x:0x10:1::/:\n", 0644) ||
	       make_file("image/etc/group", "tls:x:910:web,other\nweb:x:902:\nmore:x:911:other\n", 0644) ||
	       make_file("image/etc/resolv.conf", "", 0644) || make_file("data/file", "", 0644) ||
	       make_file("data/run", "#!/bin/sh\n", 0755) ||
	       make_file("env",
			 "# comment\nA=1\nexport B=two words  \nC='as $is'\nD=\"a\\n\\\"b\\\"\" # c\n\nE=\n", 0644);
}

void compiled_remove_folder(void)
{
	char path[PATH_MAX];

	for (unsigned i = 0; files[i]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, files[i]);
		unlink(path);
	}
	for (unsigned i = 0; i < sizeof links / sizeof *links; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, links[i].name);
		unlink(path);
	}
	for (unsigned i = sizeof folders / sizeof *folders - 1; i-- > 0;) {
		snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
		rmdir(path);
	}
	rmdir(folder);
}

static char *with_folder(const char *yaml)
{
	size_t size = strlen(yaml) * 2 + 65536, n = 0;
	char *text = malloc(size);

	for (; text && *yaml && n + sizeof folder < size; yaml++) {
		if (*yaml == '@')
			n += (size_t)snprintf(text + n, size - n, "%s", folder);
		else
			text[n++] = *yaml;
	}
	if (text)
		text[n] = '\0';
	return text;
}

void compiled_make(struct compiled *c, const struct machine_facts *facts, const char *yaml)
{
	struct machine_facts machine;
	char path[PATH_MAX], *text = with_folder(yaml);

	*c = (struct compiled){ .fd = FD_NONE };
	facts_of_machine(&machine);
	snprintf(path, sizeof path, "%s/prior.yaml", folder);
	c->ret = make_file("prior.yaml", text, 0644);
	free(text);
	if (c->ret == 0)
		c->ret = spec_load(&c->spec, path, &c->err);
	if (c->ret == 0)
		c->ret = plan_compile(&c->spec, facts ? facts : &machine, &c->fd, &c->err);
	if (c->ret == 0)
		c->ret = plan_map(&c->plan, c->fd, &c->err);
}

void compiled_free(struct compiled *c)
{
	plan_unmap(&c->plan);
	fd_drop(&c->fd);
	spec_free(&c->spec);
}

const struct plan_service *compiled_service(const struct compiled *c, const char *name)
{
	int i = c->plan.at ? plan_find(&c->plan, name) : -1;

	return i < 0 ? NULL : plan_service(&c->plan, (uint32_t)i);
}

const char *compiled_problem(const struct compiled *c, unsigned severity, const char *part)
{
	for (const struct problem *p = c->spec.problems; p; p = p->next)
		if (p->severity == severity && strstr(p->text, part))
			return p->text;
	return NULL;
}

const char *compiled_refused(const struct compiled *c, const char *name)
{
	if (!c->plan.at)
		return NULL;
	PLAN_EACH(struct plan_refused, r, &c->plan, c->plan.head->refused)
		if (!strcmp(plan_str(&c->plan, r->name), name))
			return plan_str(&c->plan, r->why);
	return NULL;
}

const struct plan_mount *compiled_mount(const struct compiled *c, const struct plan_service *s, const char *target)
{
	const struct plan_mount *found = NULL;

	PLAN_EACH(struct plan_mount, m, &c->plan, s->mounts)
		if (!strcmp(plan_str(&c->plan, m->target), target))
			found = m;
	return found;
}

const char *compiled_env(const struct compiled *c, const struct plan_service *s, const char *key)
{
	size_t n = strlen(key);

	PLAN_EACH(struct plan_ref, r, &c->plan, s->env)
		if (!strncmp(plan_str(&c->plan, *r), key, n) && plan_str(&c->plan, *r)[n] == '=')
			return plan_str(&c->plan, *r) + n + 1;
	return NULL;
}

int compiled_setup(void **state)
{
	(void)state;
	return compiled_make_folder();
}

int compiled_teardown(void **state)
{
	(void)state;
	compiled_remove_folder();
	return 0;
}

static void make_web(struct compiled *c, const char *lines)
{
	char yaml[4096];

	compiled_free(c);
	snprintf(yaml, sizeof yaml, "services:\n  web:\n%s", lines);
	compiled_make(c, NULL, yaml);
}

const struct plan_service *compiled_web(struct compiled *c, const char *lines)
{
	make_web(c, lines);
	const struct plan_service *s = compiled_service(c, "web");

	if (!s) {
		spec_print_problems(&c->spec, stderr);
		fail_msg("not planned (%s): %s", c->err.text, lines);
	}
	return s;
}

void compiled_refuses(struct compiled *c, const char *lines, const char *says)
{
	make_web(c, lines);
	const char *why = compiled_refused(c, "web");

	if (!why || !strstr(why, says)) {
		spec_print_problems(&c->spec, stderr);
		fail_msg("expected '%s' in '%s'", says, why ? why : "(it was planned)");
	}
}
