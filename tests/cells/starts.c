/* Starts and their ends: what reaches the program, what reaches the supervisor, and what a failure says. */
/* SPDX-License-Identifier: ISC */
#include "tests/cells/harness.h"
#include "tests/cells/image.h"
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void direct_starts(void)
{
	struct rig r;
	struct outcome o;

	rig_plain(&r, IMAGE "/bin/inside");
	rig_run(&r, &o);
	check(o.start == 0 && o.direct && o.service == 0 && !o.failed, "without a cell the child is the service", "%s",
	      o.err.text);
	check(!strcmp(said(&o, "fds"), "0 1 2"), "a direct start leaks no descriptor", "fds: %s", said(&o, "fds"));
	check(!strcmp(said(&o, "sid"), said(&o, "pid")), "a direct start leads a session", "sid %s", said(&o, "sid"));
	check(!strcmp(said(&o, "status.SigIgn"), "0000000000000000"), "a direct start ignores no signal", "%s",
	      said(&o, "status.SigIgn"));

	rig_plain(&r, IMAGE "/bin/absent");
	rig_run(&r, &o);
	check(o.failed && o.report.missing && o.report.step == 203 && strstr(o.err.text, "service test") &&
	      strstr(o.err.text, "/bin/absent"), "a direct start of nothing names it", "%s", o.err.text);

	rig_plain(&r, IMAGE "/etc/shadow");
	rig_run(&r, &o);
	check(o.failed && o.err.code == EACCES, "a file that is not executable is EACCES", "%s", o.err.text);

	rig_plain(&r, IMAGE "/bin/inside");
	r.argv[1] = "exit";
	r.argv[2] = "7";
	rig_run(&r, &o);
	check(WIFEXITED(o.status) && WEXITSTATUS(o.status) == 7, "the exit status of a direct start is seen", "%x",
	      o.status);
}

static void ends_are_seen(void)
{
	struct rig r;
	struct outcome o;

	rig_strict(&r, IMAGE);
	r.argv[1] = "exit";
	r.argv[2] = "7";
	rig_run(&r, &o);
	check(o.running && WIFEXITED(o.status) && WEXITSTATUS(o.status) == 7, "the exit status of a cell is seen",
	      "status %x: %s", o.status, o.err.text);

	rig_strict(&r, IMAGE);
	r.argv[1] = "pause";
	int report, out;

	rig_start(&r, &o, &report, &out);
	rig_until_running(&o, report);
	rig_wait(&o, report, out, 10);
	check(o.running && WIFSIGNALED(o.status) && WTERMSIG(o.status) == SIGKILL, "death by a signal is seen",
	      "status %x: %s", o.status, o.err.text);
	fd_drop(&report);
	fd_drop(&out);
}

static void descriptors_are_passed(void)
{
	const int pass[] = { open("/dev/null", O_RDONLY), open("/dev/null", O_WRONLY) };
	char names[1200], want[1300];
	struct rig r;
	struct outcome o;

	memset(names, 'a', sizeof names);
	memcpy(names + 600, ":b", 3);
	rig_strict(&r, IMAGE);
	r.start.pass = pass;
	r.start.npass = 2;
	r.start.pass_names = names;
	rig_run(&r, &o);
	check(o.running, "a start with sockets is attested", "%s", o.err.text);
	expect(&o, "they are descriptors 3 and 4", "fds", "0 1 2 3 4");
	expect(&o, "LISTEN_FDS counts them", "env.LISTEN_FDS", "2");
	expect(&o, "LISTEN_PID is the pid in its own namespace", "env.LISTEN_PID", "2");
	snprintf(want, sizeof want, "env.LISTEN_FDNAMES %s\n", names);
	check(strstr(o.out, want) != NULL, "LISTEN_FDNAMES is whole, however long", "%.200s", names);
	expect(&o, "no NOTIFY_SOCKET unless planned", "env.NOTIFY_SOCKET", "none");
	close(pass[0]);
	close(pass[1]);
}

/* The supervisor's descriptors lie all over the child's table. */
static void many_descriptors(void)
{
	int fds[600], pass[3];
	struct rig r;
	struct outcome o;

	for (int i = 0; i < 600; i++)
		fds[i] = open("/dev/zero", O_RDONLY);	/* not close-on-exec, on purpose */
	pass[0] = fds[599];
	pass[1] = fds[2];
	pass[2] = fds[0];
	rig_strict(&r, IMAGE);
	r.start.pass = pass;
	r.start.npass = 3;
	rig_run(&r, &o);
	check(o.running && !strcmp(said(&o, "fds"), "0 1 2 3 4 5"), "none of the supervisor's descriptors leaks "
	      "(CVE-2024-21626)", "fds '%s' %s", said(&o, "fds"), o.err.text);
	rig_plain(&r, IMAGE "/bin/inside");
	r.start.pass = pass;
	r.start.npass = 3;
	rig_run(&r, &o);
	check(!strcmp(said(&o, "fds"), "0 1 2 3 4 5"), "nor in a direct start", "fds '%s'", said(&o, "fds"));
	for (int i = 0; i < 600; i++)
		close(fds[i]);
}

static void scripts_start(void)
{
	struct rig r;
	struct outcome o;

	image_file("/bin/script", "#!/bin/inside exit\n", 0755);
	image_file("/bin/orphan-script", "#!/bin/absent\n", 0755);
	image_file("/bin/garbage", "garbage\n", 0755);
	rig_strict(&r, IMAGE);
	r.s.exe = write_string(&r.w, "/bin/script");
	rig_run(&r, &o);
	check(o.running && o.report.attested, "a script starts, and its interpreter is attested", "%s", o.err.text);

	rig_strict(&r, IMAGE);
	r.s.exe = write_string(&r.w, "/bin/orphan-script");
	rig_run(&r, &o);
	check(o.failed && o.report.missing && o.report.step == 203 && strstr(o.err.text, "interpreter"),
	      "a missing interpreter is named as the cause", "%s", o.err.text);

	rig_strict(&r, IMAGE);
	r.s.exe = write_string(&r.w, "/bin/garbage");
	rig_run(&r, &o);
	check(o.failed && o.err.code == ENOEXEC && strstr(o.err.text, "/bin/garbage"), "garbage is ENOEXEC", "%s",
	      o.err.text);
}

/* Each failure says service, step and object, and leaves nothing behind. */
static void failures_name_their_step(void)
{
	static const struct {
		const char *name, *text;
		enum { NO_EXE, NO_CWD, NO_SOURCE, NO_TARGET, BAD_OPTION, BAD_USER, BAD_LANDLOCK, BAD_RLIMIT } what;
		uint32_t step;
	} rows[] = {
		{ "an absent program", "service test: executable: /bin/absent: No such file", NO_EXE, 203 },
		{ "an absent working directory", "service test: working directory: /absent: No such file", NO_CWD,
		  200 },
		{ "an absent bind source", "service test: mounts: bind on /srv: source: /absent: No such file",
		  NO_SOURCE, 226 },
		{ "an absent mount target", "service test: mounts: tmpfs on /absent: /absent: No such file",
		  NO_TARGET, 226 },
		{ "a file system's option", "service test: mounts: tmpfs on /srv: tmpfs: colour", BAD_OPTION, 226 },
		{ "a user namespace for root", "service test: user namespace: a user namespace for uid 0", BAD_USER,
		  226 },
		{ "a Landlock path", "service test: landlock: /absent: No such file", BAD_LANDLOCK, 245 },
		{ "a limit the kernel refuses", "service test: resource limits: rlimit 7 to 5:4: Invalid", BAD_RLIMIT,
		  205 },
	};
	const int before = open_descriptors();

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct rig r;
		struct outcome o;
		char name[96];

		rig_strict(&r, IMAGE);
		r.mounts[r.nmounts - 1].flags |= MOUNT_F_OPTIONAL;
		switch (rows[i].what) {
		case NO_EXE: r.s.exe = write_string(&r.w, "/bin/absent"); break;
		case NO_CWD: r.s.cwd = write_string(&r.w, "/absent"); break;
		case NO_SOURCE: rig_mount(&r, MOUNT_BIND, "/absent", "/srv", NULL, 0, 0); break;
		case NO_TARGET: rig_mount(&r, MOUNT_TMPFS, NULL, "/absent", NULL, 0, 0); break;
		case BAD_OPTION: rig_mount(&r, MOUNT_TMPFS, NULL, "/srv", "colour=red", 0, 0); break;
		case BAD_USER: r.s.uid = 0; break;
		case BAD_LANDLOCK: rig_landlock(&r, "/absent", 4); break;
		case BAD_RLIMIT: rig_rlimit(&r, 7, 5, 4); break;
		}
		rig_run(&r, &o);
		snprintf(name, sizeof name, "%s is named", rows[i].name);
		check(o.failed && !o.running && !strncmp(o.err.text, rows[i].text, strlen(rows[i].text)) &&
		      o.report.step == rows[i].step && o.out[0] == '\0', name, "step %u: %s", o.report.step,
			o.err.text);
	}
	check(open_descriptors() == before, "failed starts leave no descriptor open", "%d, were %d", open_descriptors(),
	      before);
	check(waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD, "failed starts leave no process",
	      "one is left");
}

/* A service that is told to stop while it is being made. */
static void stops_while_starting(void)
{
	struct rig r;
	struct outcome o;
	struct cell_report rep;
	int report, out;

	rig_strict(&r, IMAGE);
	r.argv[1] = "pause";	/* should the signal come late all the same */
	rig_start(&r, &o, &report, &out);
	while (cell_report_read(report, &rep, &o.err) == -EAGAIN)
		poll(NULL, 0, 0);
	take_report(&o, &rep);
	kill(o.service, SIGTERM);
	rig_wait(&o, report, out, 60000);
	check((o.failed && strstr(o.err.text, "signal 15")) || (WIFSIGNALED(o.status) && WTERMSIG(o.status) == SIGTERM),
	      "SIGTERM during the start ends it", "status %x %s", o.status, o.err.text);
	fd_drop(&report);
	fd_drop(&out);

	/* The start may be over before the signal is there; then it is tried again. */
	for (int i = 0; i < 50; i++) {
		rig_strict(&r, IMAGE);
		r.argv[1] = "exit";
		r.argv[2] = "0";
		rig_start(&r, &o, &report, &out);
		while (cell_report_read(report, &rep, &o.err) == -EAGAIN)
			poll(NULL, 0, 0);
		take_report(&o, &rep);
		kill(o.pid, SIGKILL);
		rig_wait(&o, report, out, 60000);
		fd_drop(&report);
		fd_drop(&out);
		if (!o.running)
			break;
	}
	/* It is killed, or the step it was at fails; had it run, it would have ended with 0. */
	check(!o.running && o.status != 0, "the builder's death is the service's", "status %x running %d %s",
	      o.status, o.running, o.err.text);
}

static void notify_socket_has_its_place(void)
{
	struct rig r;
	struct outcome o;

	image_file("/data/notify", "", 0666);
	rig_strict(&r, IMAGE);
	r.start.notify_path = IMAGE "/data/notify";
	r.mounts[r.nmounts - 1].target = write_string(&r.w, "/dev/prior-notify");
	r.mounts[r.nmounts - 1] = (struct plan_mount){ .kind = MOUNT_BIND, .flags = MOUNT_F_RUNTIME | MOUNT_F_CREATE,
						       .attr = QUIET_ATTR,
						       .source = write_string(&r.w, "/run/prior/notify/test"),
						       .target = write_string(&r.w, "/dev/prior-notify") };
	rig_run(&r, &o);
	check(o.running, "the notify socket's own path is mounted", "%s", o.err.text);
	expect(&o, "NOTIFY_SOCKET is the place in the cell", "env.NOTIFY_SOCKET", "/dev/prior-notify");
}

static void descriptors_limit_is_handed_on(void)
{
	struct rlimit old, raised;
	struct rig r;
	struct outcome o;
	char want[64];

	getrlimit(RLIMIT_NOFILE, &old);
	raised = old;
	raised.rlim_cur = raised.rlim_max;
	setrlimit(RLIMIT_NOFILE, &raised);
	rig_plain(&r, IMAGE "/bin/inside");
	r.start.nofile = 500;
	rig_run(&r, &o);
	snprintf(want, sizeof want, "500:%llu", (unsigned long long)raised.rlim_max);
	expect(&o, "what PID 1 raised for itself does not reach the service", "nofile", want);
	setrlimit(RLIMIT_NOFILE, &old);
}

int main(void)
{
	group = "starts";
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	image_make("/bin/inside");
	direct_starts();
	ends_are_seen();
	descriptors_are_passed();
	many_descriptors();
	scripts_start();
	failures_name_their_step();
	stops_while_starting();
	notify_socket_has_its_place();
	descriptors_limit_is_handed_on();
	return failures > 0;
}
