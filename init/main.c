/* One binary: what it does depends on how it is started. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/relro.h"
#include "init/boot.h"
#include "init/ctl/ctl.h"
#include "init/online.h"
#include "init/reexec.h"
#include "init/rootless.h"
#include "init/run.h"
#include "init/run/wrap.h"
#include "init/shutdown.h"
#include "init/up.h"
#include "services/cell/cell.h"
#include "services/devices/devices.h"
#include "services/http/http.h"
#include "services/logs/logs.h"
#include "services/plan/compile.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel's PROC_PID_INIT_INO: the inode of the first pid namespace, the same on every kernel. */
#define FIRST_PID_NS 0xEFFFFFFCu

/* PID 1 of a kernel finds nothing mounted, or itself in the first pid namespace. */
static bool is_machine_init(void)
{
	struct stat st;

	if (getpid() != 1)
		return false;
	return stat("/proc/self/ns/pid", &st) < 0 || st.st_ino == FIRST_PID_NS;
}

/* A YAML file, a plan or a directory in the place of a verb. */
static bool is_config(const char *word)
{
	size_t n = strlen(word);

	return strchr(word, '/') || (n > 5 && !strcmp(word + n - 5, ".yaml")) ||
	       (n > 4 && !strcmp(word + n - 4, ".yml"));
}

static const struct entry {
	const char *name;	/* argv[0] without its folder, or the first argument */
	int (*main)(int argc, char **argv);
	bool as_program;	/* by argv[0]: internal helpers, started by PID 1 from its own descriptor */
} entries[] = {
	{ "prior-compiler", compiler_main, true },
	{ "prior-logger", logger_main, true },
	{ "prior-probe", probe_main, true },
	{ "prior-http", http_main, true },
	{ "prior-devices", devices_main, true },
	{ "prior-lease", tell_main, true },
	{ "network-lease", lease_main, false },
	{ "network-online", online_main, false },
	{ "network-routers", routers_main, false },
	{ "up", up_main, false },
};

int main(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *self = argc > 0 ? (slash ? slash + 1 : argv[0]) : "prior";
	enum wrap_as as = wrap_as(self);

#ifndef __GLIBC__
	relro_apply();
#endif
	rootless_words(argv);
	/* First, and with nothing touched before: how soon the command runs is what its users measure. */
	if (as != AS_PRIOR)
		return wrap_main(argc, argv, as, NULL);
	if (argc > 1 && !strcmp(argv[1], "run"))
		return run_main(argc - 1, argv + 1);
	if (argc > 1 && reexec_is_resume(argv[1]))
		return resume_main(argc, argv);
	for (const struct entry *n = entries; n < entries + sizeof entries / sizeof *entries; n++)
		if (!strcmp(n->as_program ? self : argc > 1 ? argv[1] : "", n->name))
			return n->main(argc - !n->as_program, argv + !n->as_program);
	if (is_machine_init())
		return machine_main(argc > 1 && !strcmp(argv[1], SHUTDOWN_AGAIN));
	if (argc > 1 && is_config(argv[1]))
		return up_main(argc, argv);
	/* As PID 1 of a container: nothing, or `--` and CMD's words behind it. */
	if (getpid() == 1 && (argc == 1 || !strcmp(argv[1], "--")))
		return up_main(argc, argv);
	return ctl_main(argc, argv);
}
