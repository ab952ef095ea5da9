/* The confined way of `prior run`, through a configuration of one service. See run.h. */
/* SPDX-License-Identifier: ISC */
#include "init/run.h"
#include "init/base/arena.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include "init/rootless.h"
#include "init/run_yaml.h"
#include "init/up.h"
#include "services/plan/anchor.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define RUN_YAML_MAX (1 << 20)

static int read_base(const char *path, char *buf, size_t size, struct err *e)
{
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char name[ANCHOR_MAX];
	const char *anchor = anchor_find(true, name);
	struct signed_bytes b;
	size_t n = 0;
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0 && n < size - 1) {
		got = read(fd, buf + n, size - 1 - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		return err_sys(e, "run: read %s", path);
	if (n == size - 1)
		return err_set(e, EFBIG, "run: %s: more than %zu bytes", path, size);
	buf[n] = '\0';
	if (!anchor)
		return 0;
	signed_bytes_of(&b, buf, n);
	return anchor_verify(anchor, path, &b, e) < 0 ? err_in(e, "run") : 0;
}

/* The words were cut in place where a key ends; for an exec of ourselves they must be whole. */
static void cut(struct wrap *w, char is, char becomes)
{
	for (unsigned i = 0; i < w->nsets; i++) {
		char *end = (char *)w->sets[i].value - 1;

		if (*end == is && end - w->sets[i].key == (ptrdiff_t)strcspn(w->sets[i].key, "="))
			*end = becomes;
	}
}

/* The configuration in a memfd. */
static int make_config(struct arena *a, struct wrap *w, int *fd, struct err *e)
{
	char *base = w->config ? arena_get(a, RUN_YAML_MAX / 2) : NULL;
	struct text t = { .at = arena_get(a, RUN_YAML_MAX), .size = RUN_YAML_MAX };

	if (!t.at || (w->config && !base))
		return err_set(e, ENOMEM, "run: no memory for the configuration");
	if (w->config && read_base(w->config, base, RUN_YAML_MAX / 2, e) < 0)
		return -e->code;
	if (run_yaml(&t, base, w->sets, w->nsets, w->command, e) < 0)
		return -e->code;
	owned_fd made = memfd_create("prior run", MFD_CLOEXEC);

	if (made < 0 || write(made, t.at, t.n) != (ssize_t)t.n || lseek(made, 0, SEEK_SET) < 0)
		return err_sys(e, "run: write the configuration");
	*fd = fd_take(&made);
	return 0;
}

int run_confine(struct wrap *w, struct err *e)
{
	struct arena a = { 0 };		/* 2 MB of static memory would get a huge page, in PID 1, too */
	owned_fd fd = FD_NONE;
	char path[40];

	cut(w, '\0', '=');
	rootless_enter(e);	/* what cannot be had without is refused by name later */
	cut(w, '=', '\0');
	const int rc = make_config(&a, w, &fd, e);

	arena_free(&a);
	if (rc < 0)
		return rc;
	if (w->parent_death && wrap_parent_death(w->parent_death) < 0)
		return err_sys(e, "run: ask for signal %d when our parent ends", w->parent_death);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);	/* plan_obtain() hands the descriptor on */
	return run_confined(path, w, e);
}

int run_main(int argc, char **argv)
{
	return wrap_main(argc, argv, AS_PRIOR, run_confine);
}
