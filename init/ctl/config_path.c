/* Which configuration, and which prior, a verb is about when nobody says. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "init/boot.h"
#include "init/base/cmdline.h"
#include "init/ctl/config.h"
#include "init/run_dir.h"
#include <stdlib.h>
#include <sys/stat.h>

#define FIRST_PID_NS 0xEFFFFFFCu	/* the kernel's PROC_PID_INIT_INO */

static bool in_container(void)
{
	struct stat st;

	/* Without /proc, in a chroot that an image is made in, say, there is no command line of ours either. */
	return stat("/proc/self/ns/pid", &st) < 0 || st.st_ino != FIRST_PID_NS;
}

const char *config_path(const struct ctl *c, char buf[static CONFIG_PATH_MAX])
{
	const char *env = getenv("PRIOR_CONFIG");

	if (has(c, OPT_CONFIG))
		return c->value[OPT_CONFIG];
	if (!in_container() && cmdline_value("prior.config", buf, CONFIG_PATH_MAX))
		return buf;
	text_copy(buf, CONFIG_PATH_MAX, env && *env ? env : BOOT_CONFIG);
	return buf;
}

const char *config_trust(const struct ctl *c, char buf[static ANCHOR_MAX])
{
	return has(c, OPT_TRUST) ? c->value[OPT_TRUST] : anchor_find(in_container(), buf);
}

const char *ctl_run_dir(const struct ctl *c)
{
	static char dir[128];

	if (has(c, OPT_RUN_DIR))
		return c->value[OPT_RUN_DIR];
	run_dir_running(dir, sizeof dir);
	return dir;
}
