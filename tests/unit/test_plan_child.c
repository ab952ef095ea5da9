/* The compiler as a child: what it can still do, how its answer arrives, and what its end without one looks like. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "services/plan/compile.h"
#include "services/plan/confine.h"
#include "tests/unit/plan_compiled.h"
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static int exe = FD_NONE;

/* This program under the compiler's name: the path says how to behave; any other path is the real thing's. */
static int pretend(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "";

	if (!strcmp(path, "crash")) {
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
	}
	if (!strcmp(path, "hang"))
		pause();
	if (!strcmp(path, "leave"))
		return 3;
	if (!strcmp(path, "short"))
		return write(3, "x", 1) == 1 ? 0 : 1;
	return compiler_main(argc, argv);
}

static struct plan mapped;

static int obtain(const char *path, int timeout_ms, int *fd, struct compiler_report *r, struct err *e)
{
	int ret = plan_obtain(exe, path, false, FD_NONE, timeout_ms, fd, &mapped, r, e);

	plan_unmap(&mapped);
	return ret;
}

static void a_crash_is_an_error_that_names_the_file(void **state)
{
	struct compiler_report r = { 0 };
	struct err e = { 0 };
	int fd = FD_NONE;

	(void)state;
	assert_true(obtain("crash", 10000, &fd, &r, &e) < 0);
	assert_string_equal(e.text, "compiler: killed by SIGSEGV while reading crash");
	assert_true(obtain("leave", 10000, &fd, &r, &e) < 0);
	assert_string_equal(e.text, "compiler: ended with code 3 and without an answer while reading leave");
	assert_true(obtain("short", 10000, &fd, &r, &e) < 0);
	assert_int_equal(fd, FD_NONE);
	assert_true(waitpid(-1, NULL, WNOHANG) < 0);	/* nobody is left */
}

static void a_slow_compiler_is_killed(void **state)
{
	struct compiler_report r = { 0 };
	int64_t began = mono_now().ms;
	struct err e = { 0 };
	int fd = FD_NONE;

	(void)state;
	assert_int_equal(obtain("hang", 100, &fd, &r, &e), -ETIMEDOUT);
	assert_string_equal(e.text, "compiler: took longer than 100 ms to read hang; killed");
	assert_in_range(mono_now().ms - began, 90, 60000);
	assert_true(waitpid(-1, NULL, WNOHANG) < 0);
}

static void write_config(char *path, size_t size, const char *text)
{
	snprintf(path, size, "%s/prior.yaml", compiled_folder());
	owned_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* As root this runs the confined child for real; its own rules hold for it there. */
static void the_answer_is_a_plan_that_cannot_change(void **state)
{
	struct compiler_report r = { 0 };
	char path[PATH_MAX];
	struct err e = { 0 };
	struct plan p;
	int fd = FD_NONE;

	(void)state;
	write_config(path, sizeof path, "services:\n  a:\n    command: [/bin/sh]\n    isolation: {preset: none}\n"
		     "  b:\n    command: [/nope]\n    isolation: {preset: none}\n");
	if (obtain(path, 60000, &fd, &r, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(r.errors, 1);
	assert_int_equal(plan_map(&p, fd, &e), 0);
	assert_int_equal(plan_named(&p), 1);
	assert_int_equal(p.head->refused.n, 1);
	assert_int_equal(plan_find(&p, "a"), 0);
	plan_unmap(&p);
	assert_true(ftruncate(fd, 0) < 0);
	assert_true(pwrite(fd, "x", 1, 0) < 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	assert_true(waitpid(-1, NULL, WNOHANG) < 0);
}

/* A machine's anchor is on the kernel's command line, where nobody looks for a container's. */
static void a_plan_for_a_container_is_refused_on_a_machine(void **state)
{
	static const char want[] = ": is a plan for a container, and this is a machine: compile it without --container";
	struct compiler_report r = { 0 };
	struct compiler_child child;
	char path[PATH_MAX], bytes[8192];
	struct err e = { 0 };
	int fd = FD_NONE;

	(void)state;
	write_config(path, sizeof path, "services:\n  a:\n    command: [/bin/sh]\n    isolation: {preset: none}\n");
	assert_int_equal(plan_obtain(exe, path, true, FD_NONE, 60000, &fd, &mapped, &r, &e), 0);
	plan_unmap(&mapped);
	const ssize_t n = pread(fd, bytes, sizeof bytes, 0);

	fd_drop(&fd);
	assert_in_range(n, 100, sizeof bytes - 1);
	owned_fd file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(file, bytes, (size_t)n), n);
	assert_int_equal(obtain(path, 60000, &fd, &r, &e), -EINVAL);
	assert_non_null(strstr(e.text, want));
	/* As a reload takes it. */
	assert_int_equal(compiler_start(&child, exe, path, false, NULL, FD_NONE, &e), 0);
	assert_int_equal(compiler_finish(&child, path, 60000, &fd, &r, &e), -EINVAL);
	assert_non_null(strstr(e.text, want));
	assert_int_equal(plan_obtain(exe, path, true, FD_NONE, 60000, &fd, &mapped, &r, &e), 0);
	plan_unmap(&mapped);
	fd_drop(&fd);
}

static void a_compiled_plan_needs_no_compiler(void **state)
{
	struct compiler_report r = { 0 };
	char path[PATH_MAX], bytes[8192];
	struct err e = { 0 };
	int fd = FD_NONE, again = FD_NONE;

	(void)state;
	write_config(path, sizeof path, "services:\n  a:\n    command: [/bin/sh]\n    isolation: {preset: none}\n");
	assert_int_equal(obtain(path, 60000, &fd, &r, &e), 0);
	ssize_t n = pread(fd, bytes, sizeof bytes, 0);

	assert_in_range(n, 100, sizeof bytes - 1);
	owned_fd file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(file, bytes, (size_t)n), n);
	assert_int_equal(plan_obtain(FD_NONE, path, false, FD_NONE, 1, &again, &mapped, &r, &e), 0);
	assert_int_equal(mapped.head->services.n, 1);
	plan_unmap(&mapped);
	close(again);
	assert_int_equal(pwrite(file, "\377", 1, n / 2), 1);
	again = FD_NONE;
	assert_int_equal(plan_obtain(FD_NONE, path, false, FD_NONE, 1, &again, &mapped, &r, &e), -EBADMSG);
	assert_non_null(strstr(e.text, path));
	assert_int_equal(again, FD_NONE);
	close(fd);
}

static void an_unusable_configuration_is_the_answer_too(void **state)
{
	struct compiler_report r = { 0 };
	struct err e = { 0 };
	int fd = FD_NONE;

	(void)state;
	assert_true(obtain("/nonexistent/prior.yaml", 60000, &fd, &r, &e) < 0);
	assert_non_null(strstr(e.text, "/nonexistent/prior.yaml"));
	assert_int_equal(fd, FD_NONE);
}

/* Each of these must fail once confined; the number of the first that did not is the exit code. */
static int what_is_left(void)
{
	struct err e = { 0 };
	char here[PATH_MAX];

	snprintf(here, sizeof here, "%s/new", compiled_folder());
	if (confine_compiler(&e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 100;
	}
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 || memfd_create("m", MFD_CLOEXEC) < 0)
		return 101;
	return open(here, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 ? 1 :
	       open("/dev/null", O_WRONLY | O_CLOEXEC) >= 0 && geteuid() == 0 ? 2 :
	       socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 3 :
	       socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 4 :
	       fork() >= 0 ? 5 :
	       execl("/bin/true", "true", (char *)NULL) == 0 ? 6 :
	       ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 7 :
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ? 8 :
	       kill(getppid(), 0) == 0 ? 9 :
	       unlink("/tmp/no-such-file") == 0 || errno != EPERM ? 10 :
	       chmod(compiled_folder(), 0700) == 0 ? 11 :
	       geteuid() == 0 && setuid(0) < 0 ? 12 :
	       mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ? 13 :
	       inotify_init1(IN_CLOEXEC) >= 0 ? 14 : 0;
}

static void the_child_can_read_and_nothing_else(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(what_is_left());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int setup(void **state)
{
	(void)state;
	exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	return exe < 0 ? -1 : compiled_make_folder();
}

static int teardown(void **state)
{
	(void)state;
	compiled_remove_folder();
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crash_is_an_error_that_names_the_file),
		cmocka_unit_test(a_slow_compiler_is_killed),
		cmocka_unit_test(the_answer_is_a_plan_that_cannot_change),
		cmocka_unit_test(a_compiled_plan_needs_no_compiler),
		cmocka_unit_test(a_plan_for_a_container_is_refused_on_a_machine),
		cmocka_unit_test(an_unusable_configuration_is_the_answer_too),
		cmocka_unit_test(the_child_can_read_and_nothing_else),
	};

	if (argc > 0 && !strcmp(argv[0], "prior-compiler"))
		_exit(pretend(argc, argv));	/* the leak check needs what the confinement took */
	return cmocka_run_group_tests_name("plan: child", tests, setup, teardown);
}
