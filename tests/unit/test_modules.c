/* Unit tests of module loading by name: order, spelling, built-in modules, messages. */
/* SPDX-License-Identifier: ISC */
/* link: -Wl,--wrap=access */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "init/base/fd.h"
#include "init/base/text.h"
#include "rootfs/modules.h"
#include "rootfs/unpack.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], loaded[1000];
static struct text seen;

static int note(const char *path, struct err *e)
{
	if (strstr(path, "broken"))
		return err_set(e, ENOEXEC, "load %s: Exec format error", path);
	text_fmt(&seen, "%s ", strrchr(path, '/') + 1);
	return 0;
}

static void put(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	owned_fd fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/prior-mod-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	put("modules.dep", "kernel/net/llc/llc.ko:\nkernel/net/802/stp.ko: kernel/net/llc/llc.ko\n"
	    "kernel/net/bridge/bridge.ko.xz: kernel/net/802/stp.ko kernel/net/llc/llc.ko\n"
	    "kernel/drivers/virtio_net.ko: kernel/broken.ko\nkernel/net/bridge/bridge_netfilter.ko:");
	put("modules.builtin", "kernel/fs/ext4/ext4.ko\n");
	return 0;
}

static int load(const char *name, struct err *e)
{
	seen = (struct text)TEXT_IN(loaded);
	loaded[0] = '\0';
	return module_load(dir, name, note, e);
}

static void what_a_module_needs_is_loaded_before_it(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(load("bridge", &e), 0);
	assert_string_equal(loaded, "llc.ko stp.ko bridge.ko.xz ");
}

static void a_dash_and_an_underscore_are_the_same(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(load("bridge-netfilter", &e), 0);
	assert_string_equal(loaded, "bridge_netfilter.ko ");
}

static void a_built_in_module_is_there_already(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(load("ext4", &e), 0);
	assert_string_equal(loaded, "");
}

static void an_absent_module_says_where_we_looked(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(load("brid", &e), -ENOENT);
	assert_non_null(strstr(e.text, "module brid: not in /tmp/prior-mod-"));
	assert_non_null(strstr(e.text, "machine.modules"));
}

static void a_dependency_that_fails_is_named(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(load("virtio_net", &e), -ENOEXEC);
	assert_non_null(strstr(e.text, "module virtio_net: load "));
	assert_non_null(strstr(e.text, "broken.ko: Exec format error"));
}

static const char *options(const char *cmdline, const char *path)
{
	static char to[64];

	return module_options(cmdline, path, to, sizeof to) ? to : "too long";
}

static void a_module_gets_its_parameters_from_the_command_line(void **state)
{
	static const char line[] = "quiet ramoops.ecc=1 dm-verity.dev_wait=2 ramoops.text=\"a b\" ram.x=1 ramoops "
				   "dm.a=1\n";
	char many[128] = "m.a=";

	(void)state;
	assert_string_equal(options(line, "/lib/modules/6/kernel/fs/pstore/ramoops.ko.xz"), "ecc=1 text=\"a b\"");
	assert_string_equal(options(line, "dm_verity.ko"), "dev_wait=2");
	assert_string_equal(options(line, "ramoop.ko"), "");
	assert_string_equal(options("", "ramoops.ko"), "");
	assert_string_equal(options("m.a=\"x y", "m.ko"), "a=\"x y");	/* no end to it */
	memset(many + 4, 'x', 100);
	assert_string_equal(options(many, "m.ko"), "too long");
}

static bool bare;	/* an image without programs */
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);

int __wrap_access(const char *path, int mode)
{
	if (!bare || mode != X_OK)
		return __real_access(path, mode);
	errno = ENOENT;
	return -1;
}

static int unpacked(const char *name, struct err *e)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return unpack(fd, path, 64 << 10, e);
}

static void what_the_kernel_cannot_unpack_a_program_does(void **state)
{
	char command[200], text[32] = "";
	struct err e;

	(void)state;
	put("m.ko", "not a module");
	put("bad.ko.gz", "not packed");
	put("m.ko.rar", "packed by nobody");
	assert_int_equal(unpacked("m.ko.rar", &e), -EOPNOTSUPP);
	assert_non_null(strstr(e.text, "/m.ko.rar: neither .xz nor .zst nor .gz"));
	if (access("/bin/gzip", X_OK) < 0)
		skip();
	snprintf(command, sizeof command, "gzip -c %s/m.ko >%s/m.ko.gz", dir, dir);
	assert_int_equal(system(command), 0);
	owned_fd fd = unpacked("m.ko.gz", &e);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, text, sizeof text, 0), 12);
	assert_string_equal(text, "not a module");
	assert_int_equal(unpacked("bad.ko.gz", &e), -EIO);
	assert_non_null(strstr(e.text, "/bad.ko.gz: /bin/gzip -dc ended with code 1"));
}

/* A small file may hold more than the machine has memory. */
static void what_unpacks_to_more_than_any_module_is_cut_off(void **state)
{
	char command[200];
	struct err e;

	(void)state;
	if (access("/bin/gzip", X_OK) < 0)
		skip();
	snprintf(command, sizeof command, "head -c 65537 /dev/zero | gzip -c >%s/big.ko.gz", dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(unpacked("big.ko.gz", &e), -EFBIG);
	assert_non_null(strstr(e.text, "/big.ko.gz: /bin/gzip -dc: more than 64 KiB"));
}

/* gzip waits for more; the child that waits for gzip is killed, and gzip's end of the pipe goes with it. */
static void who_unpacks_ends_with_who_waits_for_it(void **state)
{
	static const char head[10] = "\x1f\x8b\x08";	/* what a gzip begins with */
	int in[2], alive[2], unread = sizeof head;
	char byte;
	struct err e;

	(void)state;
	if (access("/bin/gzip", X_OK) < 0)
		skip();
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe(alive), 0);	/* gzip inherits it, and nobody else keeps it */
	const pid_t pid = fork();

	if (pid == 0) {
		close(in[1]);
		_exit(unpack(in[0], "m.ko.gz", 64 << 10, &e) < 0);
	}
	close(alive[1]);
	assert_int_equal(write(in[1], head, sizeof head), sizeof head);
	for (int i = 0; i < 6000 && unread; i++) {	/* until gzip has begun */
		poll(NULL, 0, 5);
		assert_int_equal(ioctl(in[0], FIONREAD, &unread), 0);
	}
	assert_int_equal(unread, 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(poll(&(struct pollfd){ .fd = alive[0], .events = POLLIN }, 1, 30000), 1);
	assert_int_equal(read(alive[0], &byte, 1), 0);
	for (int i = 0; i < 2; i++)
		close(in[i]);
	close(alive[0]);
}

static void a_missing_program_is_named(void **state)
{
	struct err e;

	(void)state;
	put("m.ko.xz", "packed");
	bare = true;
	const int rc = unpacked("m.ko.xz", &e);

	bare = false;
	assert_int_equal(rc, -ENOENT);
	assert_non_null(strstr(e.text, "/m.ko.xz: there is no program xz"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_module_needs_is_loaded_before_it),
		cmocka_unit_test(a_dash_and_an_underscore_are_the_same),
		cmocka_unit_test(a_built_in_module_is_there_already),
		cmocka_unit_test(an_absent_module_says_where_we_looked),
		cmocka_unit_test(a_dependency_that_fails_is_named),
		cmocka_unit_test(a_module_gets_its_parameters_from_the_command_line),
		cmocka_unit_test(what_the_kernel_cannot_unpack_a_program_does),
		cmocka_unit_test(what_unpacks_to_more_than_any_module_is_cut_off),
		cmocka_unit_test(who_unpacks_ends_with_who_waits_for_it),
		cmocka_unit_test(a_missing_program_is_named),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
