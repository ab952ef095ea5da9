/* Options of `prior run`, and the confined way through a configuration of one service. See run.h. */
/* SPDX-License-Identifier: ISC */
#include "init/run.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include "init/run_yaml.h"
#include "init/up.h"
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define RUN_FAILED 125
#define RUN_YAML_MAX (1 << 20)

struct run {
	struct run_set sets[RUN_SETS_MAX];
	unsigned nsets;
	const char *config;
	char **command;
};

static const char usage[] =
	"Usage: prior run [OPTIONS] -- COMMAND [ARG...]\n"
	"Supervises one command: reaps, passes signals on, exits with its code (128+N on signal N).\n\n"
	"  --preset PRESET     confine it: minimal, server, strict, worker, database, contained\n"
	"  --set KEY=VALUE     any key of a service, dotted: --set limits.nofile=1024 (repeat)\n"
	"  -c FILE             YAML with defaults and networks for it (no services)\n"
	"  -h, --help          this text\n\n"
	"Exit: the command's code; 125 prior failed, 126 it cannot be run, 127 it is not there\n"
	"(with options: 125 in both cases, for it is looked for beforehand).\n";

static int add_set(struct run *r, const char *key, const char *value, struct err *e)
{
	if (r->nsets == RUN_SETS_MAX)
		return err_set(e, E2BIG, "run: more than %d keys", RUN_SETS_MAX);
	r->sets[r->nsets++] = (struct run_set){ key, value };
	return 0;
}

/* --set KEY=VALUE: cut in place, argv is ours. */
static int add_pair(struct run *r, char *pair, struct err *e)
{
	char *eq = strchr(pair, '=');

	if (!eq)
		return err_set(e, EINVAL, "run: --set %s: write it as KEY=VALUE", pair);
	*eq = '\0';
	return add_set(r, pair, eq + 1, e);
}

/* 0: parsed; 1: help was asked for. */
static int parse(struct run *r, int argc, char **argv, struct err *e)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		const char *o = argv[i];

		if (!strcmp(o, "--")) {
			i++;
			break;
		}
		if (!strcmp(o, "-h") || !strcmp(o, "--help"))
			return 1;
		if (strcmp(o, "--preset") && strcmp(o, "--set") && strcmp(o, "-c"))
			return err_set(e, EINVAL, "run: unknown option %s; the command comes after --", o);
		if (++i >= argc)
			return err_set(e, EINVAL, "run: %s: its value is missing", o);
		int rc = !strcmp(o, "-c") ? (r->config = argv[i], 0) :
			 !strcmp(o, "--preset") ? add_set(r, "isolation.preset", argv[i], e) : add_pair(r, argv[i], e);

		if (rc < 0)
			return rc;
	}
	r->command = argv + i;
	return i < argc ? 0 : err_set(e, EINVAL, "run: no command; write it after --");
}

static int read_base(const char *path, char *buf, size_t size, struct err *e)
{
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0 && n < size - 1) {
		got = read(fd, buf + n, size - 1 - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		return err_sys(e, "run: read %s", path);
	buf[n] = '\0';
	return n == size - 1 ? err_set(e, EFBIG, "run: %s: more than %zu bytes", path, size) : 0;
}

/* The configuration in a memfd, named by its descriptor. */
static int confined(struct run *r, struct err *e)
{
	static char base[RUN_YAML_MAX / 2], yaml[RUN_YAML_MAX];
	struct text t = TEXT_IN(yaml);
	char path[40];

	if (r->config && read_base(r->config, base, sizeof base, e) < 0)
		return -e->code;
	if (run_yaml(&t, r->config ? base : NULL, r->sets, r->nsets, r->command, e) < 0)
		return -e->code;
	owned_fd fd = memfd_create("prior run", MFD_CLOEXEC);

	if (fd < 0 || write(fd, yaml, t.n) != (ssize_t)t.n || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "run: write the configuration");
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);	/* plan_obtain() hands the descriptor on */
	return run_confined(path, e);
}

int run_main(int argc, char **argv)
{
	static struct run r;
	struct err e;
	int rc = parse(&r, argc, argv, &e);

	if (rc == 1) {
		fputs(usage, stdout);
		return 0;
	}
	if (rc == 0)
		rc = r.nsets || r.config ? confined(&r, &e) : run_plain(r.command);
	if (rc < 0)
		fprintf(stderr, "prior: %s\n", e.text);
	return rc < 0 ? RUN_FAILED : rc;
}
