/* Mutants: each step of the table is left out, and its own check, a later step or the attestation must notice. */
/* SPDX-License-Identifier: ISC */
#define CELL_MUTANTS
#include "services/cell/steps.c"
#include "tests/cells/harness.h"
#include "tests/cells/image.h"
#include "tests/cells/own_cgroup.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/*
 * What notices when a step is left out together with its check, as the text that must be in the message. What only the
 * process itself can see (NULL) rests on the step's own check.
 */
static const struct {
	const char *step, *noticed;
} blind[] = {
	{ "user namespace before the others", "user namespace: enter it" },
	{ "mounts of its own", "mnt namespace's owner: planned its own" },
	{ "network namespace", "net namespace" },
	{ "pid and time namespaces", "pid namespace" },
	{ "device policy", "device policy: planned tag" },
	{ "socket policy", "socket policy: planned tag" },
	{ "policies on the cgroup", "device policy: planned tag" },
	{ "signals", "SigIgn" },
	{ "oom score", "oom_score_adj" },
	{ "nice", "nice" },
	{ "cpu affinity", "affinity" },
	{ "session", "session" },
	{ "directories", "mounts: bind on /data" },
	{ "mounts private", "pivot_root" },
	{ "new root", "mount" },
	{ "mounts", "mount" },
	{ "enter root", "" },
	{ "resource limits", "Max" },
	{ "groups", "Groups" },
	{ "user namespace", "no new namespaces" },
	{ "bounding set", "CapBnd" },
	{ "ids", "Uid" },
	{ "capabilities", "ambient set" },
	{ "ambient set", "Cap" },
	{ "umask", "Umask" },
	{ "working directory", "cwd" },
	{ "personality", "personality" },
	{ "no new privileges", "landlock" },
	{ "signal mask", "SigBlk" },
	{ "seccomp", "Seccomp" },
	{ "executable", "exe" },
	{ "handover", "" },
	{ "machine procfs", "" },
	{ "detached procfs", "" },
	{ "join network", "net namespace" },
	{ "network", NULL },		/* lo stays down: tests/cells/cell.c looks */
	{ "death signal", NULL },
	{ "death signal again", NULL },
	{ "host name", NULL },
	{ "unprivileged ports", NULL },
	{ "sockets in its network", NULL },	/* in its place is what kept it: the program would find no socket */
	{ "no new namespaces", NULL },
	{ "secure bits", NULL },
	{ "no way back", NULL },
	{ "landlock", "tripwires: a file that no rule of Landlock's reaches was to be had" },
	{ "tripwires", NULL },		/* what they look for is made by other steps: see richer */
	{ "session keyring", NULL },	/* no name, no number: the kernel shows it to nobody else */
	{ "apparmor profile", NULL },	/* these two need a policy: qemu/scenarios/identity.py */
	{ "selinux context", NULL },
	{ "no new executable memory", NULL },	/* old kernels lack it: there the filter stands alone */
	{ "descriptors", NULL },	/* every descriptor is close-on-exec at birth: this is the second wall */
};

/* Where a later step fails for want of this one: who notices when the plan has no such later step. */
static const struct {
	const char *step, *noticed;
} leaner[] = {
	{ "user namespace", "user namespace: planned its own" },
	{ "no new privileges", "NoNewPrivs: planned 1" },
};
static bool lean;

/* With strong capabilities, inert in the service's user namespace: the wall is whose namespaces the others are. */
static const char *const richer[][2] = {
	{ "user namespace", "tripwires: a new file system was to be had" },
};
static bool rich;
static bool first;		/* the user namespace is */
static int root = FD_NONE;	/* a cgroup for leaves; none: steps about policies do not apply */

/* A directory that no start before has made. */
static void add_directory(struct rig *r)
{
	static unsigned number;
	static struct plan_dir dir;
	char name[16], path[32];

	snprintf(name, sizeof name, "%u", number++);
	snprintf(path, sizeof path, "/mnt/own/%s", name);
	dir = (struct plan_dir){ .kind = DIR_STATE, .mode = 0700, .base = write_string(&r->w, "/mnt/own"),
				 .name = write_string(&r->w, name) };
	r->s.dirs = write_table(&r->w, &dir, 1, sizeof dir);
	rig_mount(r, MOUNT_BIND, path, "/data", NULL, QUIET_ATTR, MOUNT_F_OWN);
}

/* On all addresses: a mutant's network may have none. */
static void add_cell_socket(struct rig *r)
{
	static const int keeps_the_place[] = { 2 };
	struct plan_listen l = { .name = write_string(&r->w, "own"), .kind = LISTEN_TCP, .in_cell = 1, .backlog = 1,
				 .addr = { .family = AF_INET }, .port = 7 };

	r->s.listen = write_table(&r->w, &l, 1, sizeof l);
	r->start.pass = keeps_the_place;
	r->start.npass = 1;
}

static void full_rig(struct rig *r)
{
	static const uint64_t cpu0[] = { 1 };

	rig_strict(r, IMAGE);
	add_cell_socket(r);
	r->s.flags |= CELL_UNPRIV_PORTS;
	r->s.caps = 1ull << 10;
	r->s.affinity = write_table(&r->w, cpu0, 1, sizeof *cpu0);
	if (lean) {
		r->s.flags &= ~(uint32_t)(CELL_UNPRIV_PORTS | CELL_NO_NEW_NS | CELL_LANDLOCK | CELL_SECCOMP);
		r->s.caps = r->s.seccomp.n = 0;
	}
	if (rich) {
		r->s.flags &= ~(uint32_t)(CELL_UNPRIV_PORTS | CELL_NO_NEW_NS);
		r->s.caps = 1ull << 21 | 1ull << 27 | 1ull << 13;	/* SYS_ADMIN, MKNOD, NET_RAW */
	}
	if (first)
		r->s.flags = (r->s.flags & ~(uint32_t)(CELL_USER | CELL_UNPRIV_PORTS)) | CELL_USER_FIRST;
	add_directory(r);
	if (root >= 0)
		r->s.flags |= CELL_POLICIES;
	r->argv[1] = "exit";
	r->argv[2] = "0";
}

static void run_mutant(int step, bool is_blind, struct outcome *o)
{
	struct rig r;
	struct err e;
	owned_fd leaf = FD_NONE;

	full_rig(&r);
	image_must(sethostname("mutants", 7) == 0, "a name of our own");
	if (root >= 0)
		image_must(cgroup_make(root, "leaf", &r.plan, (struct plan_ref){ 0 }, &leaf, &e) == 0, "a leaf");
	r.start.cgroup_fd = leaf;
	cell_mutant = step;
	cell_mutant_blind = is_blind;
	rig_run(&r, o);
	cell_mutant = -1;
	for (int i = 0; leaf >= 0 && i < 30000 && cgroup_remove(root, "leaf", &e) < 0; i++)
		poll(NULL, 0, 2);
}

static int row_of(const char *step)
{
	for (unsigned i = 0; i < sizeof blind / sizeof *blind; i++)
		if (!strcmp(blind[i].step, step))
			return (int)i;
	return -1;
}

/* Labels need a policy that is loaded; and there are kernels without keys, or without PR_SET_MDWE. */
static bool can_be_tried(const struct step *s)
{
	if (s->apply == step_mdwe)
		return prctl(66 /* PR_GET_MDWE */, 0, 0, 0, 0) >= 0;
	if (s->apply == step_keyring)
		return syscall(SYS_keyctl, 0, -3, 0) >= 0 || errno != ENOSYS;
	return s->apply != step_apparmor && s->apply != step_selinux;
}

static int cpus(void)
{
	cpu_set_t all;

	return sched_getaffinity(0, sizeof all, &all) < 0 ? 1 : CPU_COUNT(&all);
}

static void one_mutant(int i)
{
	const struct step *s = &steps[i];
	const int row = row_of(s->name);
	struct outcome o;
	char name[128];

	snprintf(name, sizeof name, "'%s' has a row here", s->name);
	if (!check(row >= 0, name, "say who notices when it is missing"))
		return;
	if (root < 0 && strstr(blind[row].step, "polic")) {
		skip(name, "no programs on cgroups here");
		return;
	}
	if (!can_be_tried(s)) {
		skip(s->name, "this kernel lacks what it is about");
		return;
	}
	first = s->applies == if_first || s->applies == if_first_and_mount;
	if (s->verify && s->apply) {
		run_mutant(i, false, &o);
		snprintf(name, sizeof name, "without '%s' its own check refuses", s->name);
		check(o.failed && !o.running && strstr(o.err.text, s->name), name, "%s",
		      o.running ? "it started" : o.err.text);
	}
	/* With one CPU there is nothing to choose. */
	if (!blind[row].noticed || (s->apply == step_affinity && cpus() == 1))
		return;
	run_mutant(i, true, &o);
	snprintf(name, sizeof name, "without '%s' and its check somebody else refuses", s->name);
	check(!o.running && (o.failed || o.start < 0) && strstr(o.err.text, blind[row].noticed), name, "%s",
	      o.running ? "it started" : o.err.text);
}

static void lean_mutants(void)
{
	struct outcome o;
	char name[128];

	lean = true;
	for (unsigned k = 0; k < sizeof leaner / sizeof *leaner; k++)
		for (unsigned i = 0; i < STEPS; i++) {
			if (strcmp(steps[i].name, leaner[k].step) != 0)
				continue;
			run_mutant((int)i, true, &o);
			snprintf(name, sizeof name, "without '%s' alone the attestation refuses", steps[i].name);
			check(o.failed && !o.running && strstr(o.err.text, leaner[k].noticed), name, "%s",
			      o.running ? "it started" : o.err.text);
		}
}

static void rich_mutants(void)
{
	struct outcome o;
	char name[128];

	lean = false;
	rich = true;
	run_mutant(-1, false, &o);
	check(o.running, "with strong capabilities it starts", "%s", o.err.text);
	for (unsigned k = 0; k < sizeof richer / sizeof *richer; k++)
		for (unsigned i = 0; i < STEPS; i++) {
			if (strcmp(steps[i].name, richer[k][0]) != 0)
				continue;
			run_mutant((int)i, true, &o);
			snprintf(name, sizeof name, "without '%s' a tripwire is touched", steps[i].name);
			check(o.failed && !o.running && strstr(o.err.text, richer[k][1]), name, "%s",
			      o.running ? "it started" : o.err.text);
		}
}

int main(void)
{
	struct outcome o;

	struct err e;

	group = "mutants";
	owned_fd cgroup = open_root(&e), program = bpf_sockets(true, true, &e);

	root = program < 0 ? FD_NONE : cgroup;
	signal(SIGPIPE, SIG_IGN);
	image_make("/bin/inside");
	/* Without its steps a cell names, or opens ports of, what is here instead: let that be nobody's. */
	image_must(unshare(CLONE_NEWUTS | CLONE_NEWNET) == 0, "a name and a network");
	/* A personality, a shared root and ids that are not the service's: what the steps have to change. */
	syscall(SYS_personality, 0x0040000 /* ADDR_NO_RANDOMIZE */);
	sys_mount(NULL, "/mnt", NULL, MS_SHARED, NULL);
	run_mutant(-1, false, &o);
	if (!check(o.running && o.report.attested, "with every step it starts", "%s", o.err.text))
		return 1;
	for (unsigned i = 0; i < STEPS; i++)
		one_mutant((int)i);
	lean_mutants();
	rich_mutants();
	if (cgroup >= 0)
		rmdir(root_path);
	return failures > 0;
}
