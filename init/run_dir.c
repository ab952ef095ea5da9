/* Default places of the run directory: see run_dir.h. */
/* SPDX-License-Identifier: ISC */
#include "init/run_dir.h"
#include "init/base/text.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void run_dir_default(char *to, size_t size)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	struct text t = { .at = to, .size = size };

	if (geteuid() == 0)
		text_add(&t, RUN_DIR);
	else if (xdg && *xdg)
		text_fmt(&t, "%s/prior", xdg);
	else
		text_fmt(&t, "/tmp/prior-%u", (unsigned)geteuid());
}

void run_dir_running(char *to, size_t size)
{
	char path[512];
	struct text t = TEXT_IN(path);
	struct stat st;

	run_dir_default(to, size);
	text_add(&t, to);
	text_add(&t, "/control.sock");
	/* Anybody can make a socket in /tmp: it counts only when it is ours. */
	if (stat(path, &st) < 0 || st.st_uid != geteuid())
		text_copy(to, size, RUN_DIR);
}
