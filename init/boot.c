/* The boot stages of the machine and of a container: see boot.h. */
/* SPDX-License-Identifier: ISC */
#include "init/boot.h"
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "init/base/cmdline.h"
#include "init/child.h"
#include "init/stages.h"
#include "rootfs/machine.h"
#include "rootfs/modules.h"
#include "services/plan/anchor.h"
#include "services/plan/compile.h"
#include <linux/reboot.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define MODULES_MS 60000
#define NOFILE_HARD 524288	/* what systemd gives, below every kernel's fs.nr_open */

void boot_say(const struct boot *b, const char *fmt, ...)
{
	char line[512], what[440];
	struct text t = TEXT_IN(line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	int64_t ms = mono_now().ms;

	text_fmt(&t, "[%4lld.%03lld] prior: %s\n", (long long)(ms / 1000), (long long)(ms % 1000), what);
	ssize_t ignored = write(b->console_fd, line, t.n);

	(void)ignored;
}

/* Not ours, but the first part of the time from the start of the machine until all is ready. */
static int stage_kernel(struct boot *b, struct err *e)
{
	(void)b, (void)e;
	return 0;
}

static int stage_rootfs(struct boot *b, struct err *e)
{
	return b->again ? 0 : machine_leave_rootfs(e);
}

/* By the name the kernel started us by: there is no /proc yet, and later the name may be gone. */
static int stage_binary(struct boot *b, struct err *e)
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	int fd = open(name ? name : "/init", O_PATH | O_CLOEXEC);

	if (fd < 0)	/* executed by descriptor, in a soft reboot: /proc is there */
		fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open our own binary %s", name ? name : "/init");
	fd_put(&b->exe_fd, fd);
	return 0;
}

static int stage_api(struct boot *b, struct err *e)
{
	(void)b;
	umask(022);
	return machine_mount_api(e);
}

/* The kernel gives us /dev/console on 0, 1 and 2 only when the image has that node before devtmpfs is mounted. */
static int stage_console(struct boot *b, struct err *e)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open /dev/console");
	for (int i = 0; i < 3; i++)
		if (fd != i && dup2(fd, i) < 0)
			return err_sys(e, "give /dev/console to descriptor %d", i);
	if (fd < 3)	/* keep 0..2 for it, and a copy of our own beyond */
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	b->console_fd = fd;	/* before, it was 2, which stays open */
	return 0;
}

/* From here on Ctrl-Alt-Del is SIGINT to us. A kernel without keyboards has nothing to refuse. */
static int stage_keys(struct boot *b, struct err *e)
{
	(void)b;
	if (syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF, NULL) < 0)
		return err_sys(e, "take Ctrl-Alt-Del over from the kernel");
	return 0;
}

static int stage_cmdline(struct boot *b, struct err *e)
{
	(void)e;
	b->quiet = cmdline_word("quiet");
	if (!b->config[0])
		cmdline_value("prior.config", b->config, sizeof b->config);
	if (!b->config[0])
		text_copy(b->config, sizeof b->config, BOOT_CONFIG);
	return 0;
}

/* The kernel's 4096 are few for a supervisor of many; the soft limit stays what programs expect it to be. */
static int stage_limits(struct boot *b, struct err *e)
{
	struct rlimit r;

	(void)b;
	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return err_sys(e, "read the limit of descriptors");
	r.rlim_max = NOFILE_HARD;
	if (setrlimit(RLIMIT_NOFILE, &r) < 0)
		return err_sys(e, "raise the hard limit of descriptors to %d", NOFILE_HARD);
	return 0;
}

static int stage_cgroup(struct boot *b, struct err *e)
{
	char note[200];
	int rc = machine_cgroup("prior", &b->cgroup_fd, note, sizeof note, e);

	if (rc == 0 && *note)
		boot_say(b, "cgroup2: the kernel did not enable %s", note);
	return rc;
}

static int compile_from(struct boot *b, const char *config, bool container, int problems_fd, struct err *e)
{
	struct compiler_report report = { 0 };
	owned_fd fd = FD_NONE;
	struct plan fresh;

	if (plan_obtain(b->exe_fd, config, container, problems_fd, BOOT_COMPILE_MS, &fd, &fresh, &report, e) < 0)
		return -e->code;
	plan_unmap(&b->plan);
	b->plan = fresh;
	fd_put(&b->plan_fd, fd_take(&fd));
	return 0;
}

static void say_refused(struct boot *b)
{
	const uint32_t refused = b->plan.head->refused.n, good = plan_named(&b->plan);

	if (refused && good)
		boot_say(b, "%s: %u of %u services refused; the others start", b->config, refused, good + refused);
	else if (refused > 1)
		boot_say(b, "%s: all %u services refused; nothing starts", b->config, refused);
}

/* A configuration that says nothing; a file of no bytes, for /dev may be missing. */
static int compile_nothing(struct boot *b, struct err *e)
{
	owned_fd empty = memfd_create("prior-nothing", MFD_CLOEXEC);
	char path[40];
	struct text t = TEXT_IN(path);

	if (empty < 0)
		return err_sys(e, "make an empty configuration");
	text_fmt(&t, "/proc/self/fd/%d", empty);	/* plan_obtain() hands the descriptor on */
	return compile_from(b, path, false, b->console_fd, e);
}

/* What programs and sources are there, who was enabled, which ids were given: mounts may bring all of that. */
static bool is_made_again(const struct boot *b)
{
	return b->configured && (b->plan.head->mounts.n || b->plan.head->fstab);
}

static void show(struct boot *b, int text)
{
	char part[1024];

	for (ssize_t n; (n = read(text, part, sizeof part)) > 0;)
		if (write(b->console_fd, part, (size_t)n) < 0)
			return;
}

static int stage_plan(struct boot *b, struct err *e)
{
	char trust[ANCHOR_MAX];
	struct err first;
	owned_fd said = memfd_create("prior-problems", MFD_CLOEXEC);

	b->configured = compile_from(b, b->config, false, said < 0 ? b->console_fd : said, &first) == 0;
	if (is_made_again(b))
		return 0;	/* what the mounts mend is no problem; the rest is said then */
	lseek(said, 0, SEEK_SET);
	show(b, said);
	if (b->configured) {
		say_refused(b);
		return 0;
	}
	/*
	 * Stay up without services: a machine that answers on its console can be mended, one that panics cannot. But
	 * who takes the file away, or keeps the compiler from its end, must not get booted what no anchor has signed.
	 */
	if (anchor_find(false, trust))	/* the stage `trust` sees to it, once the console and the rules are there */
		b->rejected = first;
	else
		boot_say(b, "%s: %s; going on without services", b->config, first.text);
	return compile_nothing(b, e);
}

static int stage_trust(struct boot *b, struct err *e)
{
	if (!b->rejected.code)
		return 0;
	boot_say(b, "prior.trust= on the kernel's command line names the key that must have signed the configuration, "
		 "and there is none that it has: put it there, sign it with that key (prior sign -s SECRET FILE), or "
		 "boot with the key that has");
	*e = b->rejected;
	return -e->code;
}

/* Where there was no configuration that can be followed, nothing has followed one until here, and nothing does now. */
static int stage_replan(struct boot *b, struct err *e)
{
	if (!is_made_again(b))
		return 0;
	if (compile_from(b, b->config, false, b->console_fd, e) < 0)
		return err_in(e, "services start as planned before the mounts (mend it, then `prior reload-config`)");
	say_refused(b);
	return 0;
}

static int load_modules(void *ctx, struct err *e)
{
	struct boot *b = ctx;
	const struct plan *p = &b->plan;
	int worst = 0;

	PLAN_EACH(struct plan_ref, m, p, p->head->modules) {
		struct err one;
		int rc = module_load("", plan_str(p, *m), module_insert, &one);

		if (rc < 0) {
			boot_say(b, "%s", one.text);
			worst = err_set(e, -rc, "not every module is loaded");
		}
	}
	return worst;
}

/* In a child: a driver that hangs or falls in its first moment takes whoever loads it along. */
static int stage_modules(struct boot *b, struct err *e)
{
	return b->plan.head->modules.n ? child_run(load_modules, b, MODULES_MS, e) : 0;
}

static int write_sysctl(const char *path, const char *value, struct err *e)
{
	owned_fd base = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	owned_fd fd = base < 0 ? -1 : sys_openat2(base, path, O_WRONLY | O_CLOEXEC, 0,
						  RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_sys(e, "sysctl %s: write '%s'", path, value);
	return 0;
}

static int stage_sysctl(struct boot *b, struct err *e)
{
	const struct plan *p = &b->plan;
	int worst = 0;

	PLAN_EACH(struct plan_file, f, p, p->head->sysctls) {
		struct err one;
		int rc = write_sysctl(plan_str(p, f->path), plan_str(p, f->value), &one);

		if (rc < 0) {
			boot_say(b, "%s", one.text);
			worst = err_set(e, -rc, "not every sysctl is set");
		}
	}
	return worst;
}

static const struct stage {
	const char *name;
	int (*run)(struct boot *, struct err *);
	const char *why;	/* why here */
	bool needs_plan;
	bool vital;		/* its failure is an emergency */
} stages[] = {
	{ "kernel",   stage_kernel,   "what came before us: the kernel's own start, and an initramfs", false, false },
	{ "rootfs",   stage_rootfs,   "pivot_root refuses rootfs; before anything is mounted on it", false, false },
	{ "binary",   stage_binary,   "the descriptor that comes back after a fault; on the new root", false, false },
	{ "api",      stage_api,      "proc, sysfs, devtmpfs and /run: every later stage needs them", false, false },
	{ "console",  stage_console,  "in devtmpfs; from here on failures can be read", false, false },
	{ "keys",     stage_keys,     "the kernel would reboot at once, without us", false, false },
	{ "cmdline",  stage_cmdline,  "names the configuration; in proc", false, false },
	{ "limits",   stage_limits,   "before the first descriptor of a service", false, false },
	{ "cgroup2",  stage_cgroup,   "before the first process that is not ours", false, false },
	{ "plan",     stage_plan,     "says what the rest of the stages do", false, false },
	{ "modules",  stage_modules,  "network and file systems may be modules", true, false },
	{ "devices",  stage_devices,  "drivers of what is there; mounts wait for it", false, false },
	{ "rules",    stage_rules,    "device files get owners and links before anybody opens one", true, false },
	{ "terminal", stage_terminal, "the configuration's console may need a driver", true, false },
	{ "trust",    stage_trust,    "what is not signed by the key of prior.trust= is not booted", false, true },
	{ "root",     stage_root,     "only in an initramfs: the rest is done by the root's own init", true, true },
	{ "names",    stage_names,    "interfaces get theirs before a sysctl or an address is for one", true, false },
	{ "sysctl",   stage_sysctl,   "after the modules that bring them, before what they govern", true, false },
	{ "mounts",   stage_mounts,   "services live on them", true, true },
	{ "fstab",    stage_fstab,    "what the configuration says comes first", true, true },
	{ "replan",   stage_replan,   "programs, and what `prior enable` keeps, may be on a mount", true, false },
	{ "clock",    stage_clock,    "a file may know a later time; before anything is dated", true, false },
	{ "seed",     stage_seed,     "its file may be on a disk; before anybody needs a key", true, false },
	{ "record",   stage_record,   "how the boot before ended; on a disk, and dated", true, false },
	{ "hostname", stage_hostname, "before anything logs it; a file may say it", true, false },
	{ "identity", stage_identity, "programs read it as they start; its file may be on a disk", false, false },
	{ "loopback", stage_loopback, "services bind it", false, false },
	{ "network",  stage_network,  "the machine's interfaces; bridges come before the first start", true, false },
	{ "rescue",   stage_rescue,   "a person may mend what was found; nothing runs yet", true, false },
};
#define STAGES (sizeof stages / sizeof *stages)

unsigned boot_stage_count(void)
{
	return STAGES;
}

const char *boot_stage_name(unsigned i)
{
	return i < STAGES ? stages[i].name : "services";
}

const char *boot_stage_why(unsigned i)
{
	return i < STAGES ? stages[i].why : "";
}

int boot_machine(struct boot *b, struct err *e)
{
	for (const struct stage *s = stages; s < stages + STAGES; s++) {
		struct err one = { 0 };
		const int64_t before = b->stages ? b->stage_us[b->stages - 1] : 0;
		int rc = s->needs_plan && b->plan_fd < 0 ? 0 : s->run(b, &one);

		b->stage_us[b->stages++] = mono_us();
		if (rc == 0 && !b->quiet)
			boot_say(b, "%-8s %lld us", s->name, (long long)(b->stage_us[b->stages - 1] - before));
		if (rc < 0)
			boot_say(b, "%-8s FAILED: %s", s->name, one.text);
		if (rc < 0 && s->vital)
			emergency(b->console_fd, FD_NONE, &b->emergency, one.text);
	}
	if (b->plan_fd < 0)
		return err_set(e, ENODATA, "boot: there is no plan and none without services could be made");
	return 0;
}

int boot_container(struct boot *b, struct err *e)
{
	struct err ignored;
	char name[32];
	struct text t = TEXT_IN(name);

	/* One supervisor more on the same machine must not share leaves with the first. */
	text_add(&t, "prior");
	if (getpid() != 1)
		text_fmt(&t, "-%d", (int)getpid());
	/* A container's cgroup may be read-only or version 1; what needs it is refused by name. */
	machine_cgroup(name, &b->cgroup_fd, NULL, 0, &ignored);
	if (compile_from(b, b->config, true, b->console_fd, e) < 0)
		return -e->code;
	say_refused(b);
	/* Interfaces and their addresses are the container runtime's business. */
	return 0;
}
