/* Bringing PID 1's side up in each of its lives, and its end: see up.h. */
/* SPDX-License-Identifier: ISC */
#include "init/up.h"
#include "init/base/fd.h"
#include "init/base/rest.h"
#include "init/base/text.h"
#include "init/boot.h"
#include "init/lastboot.h"
#include "init/panic.h"
#include "init/reexec.h"
#include "init/rootless.h"
#include "init/run_dir.h"
#include "init/run_yaml.h"
#include "init/serve.h"
#include "init/shutdown.h"
#include "init/up_options.h"
#include "rootfs/machine.h"
#include "services/plan/anchor.h"
#include "services/plan/compile.h"
#include "services/plan/enabled.h"
#include "services/spec/spec.h"
#include "services/supervise/dog.h"
#include "services/supervise/outside.h"
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define EXIT_USAGE 64	/* a command line that makes no sense, as of every verb */
#define EXIT_FAILED 125	/* prior itself could not do it; below are the services' own codes */

static struct prior prior;	/* one, static: PID 1 has no heap */
static struct boot boot = { .emergency.how = EMERGENCY_REBOOT, .exe_fd = FD_NONE, .console_fd = 2, .plan_fd = FD_NONE,
			    .cgroup_fd = FD_NONE };

/* The group that may read our state; looked up once, before the loop. */
static uint32_t group_prior(void)
{
	uint32_t gid = UINT32_MAX;
	FILE *f = fopen("/etc/group", "re");

	for (struct group *g; f && gid == UINT32_MAX && (g = fgetgrent(f));)
		if (!strcmp(g->gr_name, "prior"))
			gid = g->gr_gid;
	if (f)
		fclose(f);
	return gid;
}

/* After serve(): a machine ends by reboot(2), anything else with its code. */
static int finish(void)
{
	const struct ledger_head *h = prior.ledger.head;
	struct err ignored;

	if (h->mode != MODE_MACHINE) {
		if (h->cgroup_fd >= 0)
			machine_cgroup_remove(h->cgroup_fd, &ignored);
		return h->exit_code;
	}
	boot.console_fd = h->console_fd >= 0 ? h->console_fd : 2;
	const enum lastboot_says says = lastboot_end(boot.console_fd, h);

	/* It watches over a reboot until the next boot opens it again. */
	const bool again = h->shutdown == SHUTDOWN_REBOOT || h->shutdown == SHUTDOWN_KEXEC;

	if (!dog_end(&prior, says == LASTBOOT_BRAKED || !again))
		boot_say(&boot, DOG_STAYS);
	shutdown_machine(&boot, h, plan_str(&prior.plan, prior.plan.head->random_seed), says);
	panic_end(&prior.ledger, "the kernel refused to end the machine");
}

int stay(struct err *e)
{
	if (panic_arm(&prior.ledger, e) < 0)
		return -e->code;
	rest_tables_of_others(REST_AS_SUPERVISOR);
	serve(&prior);
	return finish();
}

static int supervise(const struct serve_setup *s, struct err *e)
{
	const int ours[] = { s->plan_fd, s->exe_fd, s->cgroup_fd, s->console_fd };

	/* What our caller left open is nobody's: no service has it, and PID 1 must not keep it alive. */
	if (s->mode != MODE_MACHINE)
		outside_close_others(ours, sizeof ours / sizeof *ours);
	const int rc = serve_begin(&prior, s, e);

	/* What served to get here is PID 1's no longer: every descriptor it keeps is in the ledger. */
	return rc < 0 ? rc : stay(e);
}

/* For the compilers of this life and of those to come. */
static int keep_state(const char *dir, struct err *e)
{
	int rc = dir ? setenv(ENABLED_ENV, dir, 1) : unsetenv(ENABLED_ENV);

	return rc < 0 ? err_sys(e, "keep the name of the state directory") : 0;
}

int machine_main(bool again)
{
	struct err e = { 0 };

	boot.again = again;
	int rc = keep_state(ENABLED_DIR_DEFAULT, &e);

	if (rc == 0)
		rc = boot_machine(&boot, &e);

	if (rc == 0) {
		struct serve_setup s = {
			.mode = MODE_MACHINE, .plan_fd = boot.plan_fd, .plan = boot.plan, .exe_fd = boot.exe_fd,
			.cgroup_fd = boot.cgroup_fd, .emergency = &boot.emergency,
			.console_fd = boot.console_fd, .run_dir = RUN_DIR,
			.log_dir = LOG_DIR, .config = boot.config, .ctl_gid = group_prior(), .echo = true,
			.stage_us = boot.stage_us, .stages = boot.stages, .state_dir = ENABLED_DIR_DEFAULT,
		};

		rc = supervise(&s, &e);
	}
	if (rc >= 0)
		return rc;
	emergency(boot.console_fd, FD_NONE, &boot.emergency, e.text);
	panic_end(NULL, e.text);
}

static int open_self(struct err *e)
{
	boot.exe_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	return boot.exe_fd < 0 ? err_sys(e, "open our own binary by /proc/self/exe (is /proc mounted?)") : 0;
}

/* Descriptors 0, 1 and 2 exist in every life: a socket of ours must never become somebody's standard output. */
static void hold_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd < 3);
	fd_drop(&fd);
}

static int prepare(const char *config, struct err *e)
{
	hold_standard_streams();
	if (outside_begin(e) < 0)
		return -e->code;
	if (!text_copy(boot.config, sizeof boot.config, config))
		return err_set(e, ENAMETOOLONG, "%s: longer than %zu bytes", config, sizeof boot.config - 1);
	if (getpid() != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_sys(e, "become a subreaper");
	if (open_self(e) < 0)
		return -e->code;
	return boot_container(&boot, e);
}

#define MAIN_YAML (127 << 10)	/* the kernel's limit of one string of the environment is 128 KiB */

/* A command without a configuration is one all the same: it needs no file. */
static const char *config_of(const struct up_options *u, bool *named)
{
	const char *env = getenv("PRIOR_CONFIG");

	*named = u->config || (env && *env);
	if (*named)
		return u->config ? u->config : env;
	return u->command && access(BOOT_CONFIG, F_OK) < 0 ? "" : BOOT_CONFIG;
}

/* In the environment, where the compiler of a reload and PID 1's next life find it, too. */
static int declare_main(const struct up_options *u, struct err *e)
{
	static char yaml[MAIN_YAML];
	struct text t = TEXT_IN(yaml);

	unsetenv(SPEC_MAIN);
	unsetenv(FACTS_DROP);
	if (u->drop && setenv(FACTS_DROP, "1", 1) < 0)
		return err_sys(e, "up: keep --drop-privileges");
	if (u->trust && setenv(ANCHOR_ENV, u->trust, 1) < 0)
		return err_sys(e, "up: keep --trust");
	if (!u->command)
		return 0;
	if (run_yaml_main(&t, u->command, environ, e) < 0)
		return err_in(e, "up");
	return setenv(SPEC_MAIN, yaml, 1) < 0 ? err_sys(e, "up: keep the command") : 0;
}

static int up(const struct up_options *u, struct err *e)
{
	bool named;
	const char *config = config_of(u, &named);
	const char *state_dir = u->state_dir ? u->state_dir : getpid() == 1 ? ENABLED_DIR_DEFAULT : NULL;
	char run_dir[64], log_dir[64];
	int rc = declare_main(u, e);

	if (rc == 0)
		rc = keep_state(state_dir, e);
	if (rc == 0)
		rc = prepare(config, e);
	if (rc == -ENOENT && !named)
		return err_set(e, ENOENT, "up: there is no configuration at " BOOT_CONFIG "; name one with -c PATH");
	if (rc < 0)
		return rc;
	if (!u->run_dir)
		run_dir_make(run_dir, sizeof run_dir);
	if (!u->log_dir)
		log_dir_make(log_dir, sizeof log_dir);
	owned_fd console = fcntl(1, F_DUPFD_CLOEXEC, 3);
	struct serve_setup s = {
		.mode = getpid() == 1 ? MODE_CONTAINER : MODE_UP, .plan_fd = boot.plan_fd, .plan = boot.plan,
		.exe_fd = boot.exe_fd,
		.cgroup_fd = boot.cgroup_fd, .console_fd = console, .run_dir = u->run_dir ? u->run_dir : run_dir,
		.log_dir = u->log_dir ? u->log_dir : log_dir, .config = boot.config, .ctl_gid = group_prior(),
		.state_dir = state_dir, .echo = true, .json = u->json,
		.metrics = u->metrics_addr, .metrics_port = u->metrics_port,
	};

	fd_take(&console);
	return supervise(&s, e);
}

int up_main(int argc, char **argv)
{
	struct up_options u = { 0 };
	struct err e = { 0 };
	int rc = up_options_parse(&u, argc, argv, &e);

	if (rc == 0 && u.help) {
		up_options_usage();
		return 0;
	}
	if (rc < 0) {
		fprintf(stderr, "prior: %s\n`prior up --help` says what it takes\n", e.text);
		return EXIT_USAGE;
	}
	if (!u.no_userns && rootless_enter(&e) < 0)
		fprintf(stderr, "prior: up: %s; services get what needs no namespace\n", e.text);
	rc = up(&u, &e);
	if (rc >= 0)
		return rc;
	fprintf(stderr, "prior: %s\n", e.text);
	return EXIT_FAILED;
}

/* The compiler has said why on standard error; a supervisor of nothing would wait for ever. > 0: the exit code. */
static int expect_one_service(struct err *e)
{
	struct plan p = { 0 };
	int rc = plan_map(&p, boot.plan_fd, e);

	if (rc == 0 && p.head->refused.n && PLAN_FIRST(&p, p.head->refused, struct plan_refused)->exit_code)
		rc = (int)PLAN_FIRST(&p, p.head->refused, struct plan_refused)->exit_code;
	else if (rc == 0 && p.head->services.n != 1)
		rc = err_set(e, EINVAL, "run: not started: its confinement was refused");
	plan_unmap(&p);
	return rc;
}

/* Nobody reads events here: a command that never ran says why by itself. */
static int command_never_ran(const struct ledger_svc *svc, struct err *e)
{
	int rc = err_set(e, EPERM, "run: %s", svc->why);

	if (svc->flags & SVC_F_MISSING) {
		fprintf(stderr, "prior: %s\n", e->text);
		rc = 126;
	}
	return rc;
}

int run_confined(const char *path, const struct wrap *w, struct err *e)
{
	char run_dir[64];
	struct text t = TEXT_IN(run_dir);
	int rc = keep_state(NULL, e);

	if (rc == 0)
		rc = prepare(path, e);
	if (rc == 0)
		rc = expect_one_service(e);
	if (rc != 0)
		return rc;
	/* Beside what `prior up` has: nobody asks this one anything, only sockets and rings need a place. */
	if (run_dir_make(run_dir, sizeof run_dir)) {
		rmdir(run_dir);
		t.n = strlen(run_dir);
		text_fmt(&t, "-run-%d", (int)getpid());
	}
	struct serve_setup s = {
		.mode = MODE_RUN, .plan_fd = boot.plan_fd, .plan = boot.plan,
		.exe_fd = boot.exe_fd, .cgroup_fd = boot.cgroup_fd,
		.console_fd = FD_NONE, .run_dir = run_dir, .log_dir = "", .config = boot.config, .ctl_gid = UINT32_MAX,
		.send = w->send,
	};

	rc = supervise(&s, e);
	if (rc < 0)
		return rc;
	return prior.ledger.svc->exit_kind == EXIT_START_FAILED ? command_never_ran(prior.ledger.svc, e) : rc;
}

int resume_main(int argc, char **argv)
{
	struct resume r;
	struct err e = { 0 };
	int rc = reexec_parse(&r, argc, argv, &e);

	if (rc == 0 && r.check)
		return reexec_check(r.ledger_fd, &e) < 0;
	if (rc == 0)
		rc = serve_resume(&prior, r.ledger_fd, r.fault, &e);
	if (rc == 0)
		rc = stay(&e);
	if (rc < 0)
		panic_end(prior.ledger.head ? &prior.ledger : NULL, e.text);
	return rc;
}
