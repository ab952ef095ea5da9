/* The leaf cgroup: limits, the start into it, killing, removing. Which controllers there are depends on the machine. */
/* SPDX-License-Identifier: ISC */
#include "tests/cells/harness.h"
#include "tests/cells/image.h"
#include "tests/cells/own_cgroup.h"
#include <signal.h>

static struct plan_ref files(struct rig *r, const char *path, const char *value)
{
	struct plan_file f = { write_string(&r->w, path), write_string(&r->w, value) };

	return write_table(&r->w, &f, 1, sizeof f);
}

static int make(int root, const char *path, const char *value, int *leaf, struct err *e)
{
	struct rig r;
	struct plan_ref f;

	rig_plain(&r, "/bin/true");
	f = files(&r, path, value);
	r.s.cgroup = f;
	rig_finish(&r);
	int ret = cgroup_make(root, "leaf", &r.plan, f, leaf, e);

	munmap((void *)(uintptr_t)r.plan.at, PLAN_MAX);
	return ret;
}

static void limits(int root)
{
	struct err e = { 0 };
	int leaf = FD_NONE;
	uint64_t v = 0;

	check(make(root, "cgroup.max.descendants", "3", &leaf, &e) == 0, "a limit is written and read back", "%s",
	      e.text);
	check(cgroup_read_u64(leaf, "cgroup.max.descendants", &v) == 0 && v == 3, "its value can be read", "%d",
	      (int)v);
	check(cgroup_read_u64(leaf, "cgroup.max.depth", &v) == 0 && v == UINT64_MAX, "max is the largest number",
	      "%d", (int)v);
	check(cgroup_read_u64(leaf, "cgroup.stat:nr_descendants", &v) == 0 && v == 0,
	      "one line of a file can be read", "%d",
	      (int)v);
	check(cgroup_read_u64(leaf, "cgroup.stat:nr_absent", &v) == -ENOENT, "an absent line is ENOENT", "%d", (int)v);
	fd_drop(&leaf);
	check(make(root, "cgroup.max.depth", "max", &leaf, &e) == 0, "a leaf that was left over is made anew", "%s",
	      e.text);
	fd_drop(&leaf);
	check(make(root, "cgroup.max.depth", "many", &leaf, &e) == -EINVAL && strstr(e.text, "cgroup leaf") &&
	      strstr(e.text, "cgroup.max.depth"), "a wrong value names leaf and file", "%s", e.text);
	check(make(root, "absent.max", "1", &leaf, &e) == -ENOENT && strstr(e.text, "controller"),
	      "an absent file is an absent controller", "%s", e.text);
	check(faccessat(root, "leaf", F_OK, 0) < 0, "a failed leaf is gone", "it is there");
	check(cgroup_remove(root, "leaf", &e) == 0, "removing what is not there is no error", "%s", e.text);
}

static void starts_in_its_leaf(int root)
{
	struct err e = { 0 };
	struct rig r;
	struct outcome o;
	int leaf = FD_NONE, events = FD_NONE, report, out;

	if (!check(make(root, "cgroup.max.depth", "max", &leaf, &e) == 0, "a leaf for a start", "%s", e.text))
		return;
	check(cgroup_populated(leaf, &e) == 0, "an empty leaf is empty", "%s", e.text);
	check(cgroup_watch(leaf, &events, &e) == 0, "it can be watched", "%s", e.text);
	rig_strict(&r, IMAGE);
	r.start.cgroup_fd = leaf;
	r.argv[1] = "pause";
	rig_start(&r, &o, &report, &out);
	rig_until_running(&o, report);
	check(o.running, "a cell starts in its leaf, and that is attested", "%s", o.err.text);
	check(cgroup_populated(leaf, &e) == 1, "a leaf with a cell is not empty", "%s", e.text);
	check(cgroup_remove(root, "leaf", &e) == -EBUSY, "a leaf with processes is not removed", "%s", e.text);
	if (mkdirat(leaf, "a", 0755) < 0 || mkdirat(leaf, "a/b", 0755) < 0 || mkdirat(leaf, "c", 0755) < 0)
		perror("mkdir below the leaf");
	check(cgroup_kill(leaf, &e) == 0, "the leaf is killed", "%s", e.text);
	for (int i = 0; i < 60000 && cgroup_populated(leaf, &e) == 1; i++) {
		reap(&o);
		poll(NULL, 0, 1);
	}
	check(cgroup_populated(leaf, &e) == 0, "nothing survives it, the reaper neither", "%s", e.text);
	struct pollfd p = { events, POLLPRI, 0 };

	check(poll(&p, 1, 60000) == 1, "whoever watches it hears of its end", "no event");
	rig_wait(&o, report, out, 10);
	check(cgroup_remove(root, "leaf", &e) == 0, "it is removed with what was made below it", "%s", e.text);
	fd_drop(&leaf);
	fd_drop(&events);
	fd_drop(&report);
	fd_drop(&out);
}

/* CVE-2021-3997: depth costs time, never stack. */
static void deep_leaf(int root)
{
	struct err e = { 0 };
	int leaf = FD_NONE, depth = 0;

	if (make(root, "cgroup.max.depth", "max", &leaf, &e) < 0)
		return;
	for (; depth < 500; depth++) {
		if (mkdirat(leaf, "d", 0755) < 0)
			break;
		fd_put(&leaf, openat(leaf, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	}
	fd_drop(&leaf);
	check(depth > 100 && cgroup_remove(root, "leaf", &e) == 0, "a leaf 500 folders deep is removed (CVE-2021-3997)",
	      "depth %d: %s", depth, e.text);
}

static bool has_controllers(int root)
{
	static const char enable[] = "+pids +memory";
	owned_fd fd = openat(root, "cgroup.subtree_control", O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, enable, sizeof enable - 1) == sizeof enable - 1;
}

static void run_in(int root, const char *file, const char *value, struct outcome *o)
{
	struct err e = { 0 };
	struct rig r;
	int leaf = FD_NONE;

	if (!check(make(root, file, value, &leaf, &e) == 0, file, "%s", e.text))
		return;
	rig_strict(&r, IMAGE);
	r.start.cgroup_fd = leaf;
	rig_run(&r, o);
	cgroup_kill(leaf, &e);
	fd_drop(&leaf);
	for (int i = 0; i < 6000 && cgroup_remove(root, "leaf", &e) < 0; i++)
		poll(NULL, 0, 10);
}

/* Real limits, where the machine has controllers to give. */
static void limits_that_are_too_small(int root)
{
	struct outcome o;

	if (!has_controllers(root)) {
		skip("limits too small for a start", "no pids and memory controllers in this cgroup2");
		return;
	}
	run_in(root, "pids.max", "2", &o);
	check(o.failed && strstr(o.err.text, "pids_max"), "too few processes for a start is said so", "%s", o.err.text);
	run_in(root, "pids.max", "3", &o);
	check(o.running, "three processes are enough for a start", "%s", o.err.text);
	run_in(root, "memory.max", "20000", &o);
	check(!o.running, "too little memory for a start is no start", "%s", o.err.text);
	run_in(root, "memory.max", "3000001", &o);
	check(o.running, "3 MB are enough for a start, and rounding to pages is no difference", "%s", o.err.text);
}

int main(void)
{
	struct err e = { 0 };

	group = "leaf";
	owned_fd root = open_root(&e);

	if (root < 0) {
		skip("the leaf cgroup", "no writable cgroup2 here");
		return 0;
	}
	int wrong = FD_NONE;

	check(cgroup_open_root("/proc", &wrong, &e) == -ENODEV, "another file system is not a cgroup", "%s", e.text);
	limits(root);
	deep_leaf(root);
	image_make("/bin/inside");
	starts_in_its_leaf(root);
	limits_that_are_too_small(root);
	rmdir(root_path);
	return failures > 0;
}
