/* Which devices a rule is about, what its links are called, and whose links they stay. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/devices/inner.h"
#include "services/spec/spec.h"
#include "tests/unit/plan_compiled.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
/* after the four that it needs */
#include <cmocka.h>

static struct compiled c;
static char top[] = "/tmp/prior-devices-XXXXXX";
static int sys, dev, record;

static void folders_in_sys(const char *path)
{
	char part[256];

	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(s - path), path);
		mkdirat(sys, part, 0755);
	}
}

static void in_sys(const char *path, const char *text)
{
	folders_in_sys(path);
	owned_fd fd = openat(sys, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static int folder_below(const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0755), 0);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A serial adapter behind a hub, as the kernel shows it. */
static int setup(void **state)
{
	char path[64];

	assert_non_null(mkdtemp(top));
	sys = folder_below("sys");
	dev = folder_below("dev");
	snprintf(path, sizeof path, "%s/record", top);
	record = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	in_sys("devices/usb1/idVendor", "1d6b\n");
	in_sys("devices/usb1/idProduct", "0002\n");
	in_sys("devices/usb1/1-1/idVendor", "0403\n");
	in_sys("devices/usb1/1-1/idProduct", "6001\n");
	in_sys("devices/usb1/1-1/serial", "A9/../x y\n");
	in_sys("devices/usb1/1-1/empty", "\n");
	in_sys("devices/usb1/1-1/tty/ttyUSB12/uevent", "MAJOR=188\nDEVNAME=ttyUSB12\nDEVTYPE=port\n");
	assert_int_equal(symlinkat("../../../bus/usb/drivers/ftdi_sio", sys, "devices/usb1/1-1/driver"), 0);
	assert_int_equal(symlinkat("../../../../../class/tty", sys, "devices/usb1/1-1/tty/ttyUSB12/subsystem"), 0);
	return compiled_setup(state);
}

static int teardown(void **state)
{
	char command[64];

	compiled_free(&c);
	fd_drop(&sys);
	fd_drop(&dev);
	fd_drop(&record);
	snprintf(command, sizeof command, "rm -r %s", top);
	return compiled_teardown(state) + (system(command) != 0);
}

static const struct device_seen *adapter(void)
{
	static struct device_seen d;

	d = (struct device_seen){ sys, "devices/usb1/1-1/tty/ttyUSB12" };
	return &d;
}

static bool fits(const char *rule)
{
	char yaml[400];

	compiled_free(&c);
	snprintf(yaml, sizeof yaml, "machine: {devices: [{%s, mode: \"0600\"}]}\n", rule);
	compiled_make(&c, NULL, yaml);
	assert_int_equal(c.plan.head->device_rules.n, 1);
	return device_fits(&c.plan, PLAN_FIRST(&c.plan, c.plan.head->device_rules, struct plan_device_rule), adapter());
}

static void a_rule_is_about_what_is_as_all_of_it_says(void **state)
{
	(void)state;
	assert_true(fits("subsystem: tty"));
	assert_true(fits("name: \"ttyUSB*\", driver: \"ftdi_*\""));
	assert_true(fits("properties: {DEVTYPE: port}, attributes: {idVendor: \"0403\", idProduct: \"6*\"}"));
	assert_true(fits("attributes: {idVendor: \"1d6b\"}"));
	assert_false(fits("attributes: {idVendor: \"1d6b\", idProduct: \"6001\"}"));	/* of two devices */
	assert_false(fits("subsystem: usb"));
	assert_false(fits("subsystem: tty, name: ttyS0"));
	assert_false(fits("driver: cp210x"));
	assert_false(fits("properties: {DEVTYPE: por}"));
	assert_false(fits("attributes: {absent: \"*\"}"));
}

static const char *link_of(const char *link)
{
	static char to[300];

	return device_link_name(link, adapter(), to, sizeof to) ? to : NULL;
}

static void a_link_is_named_after_what_the_device_says_tamely(void **state)
{
	(void)state;
	assert_string_equal(link_of("gps"), "gps");
	assert_string_equal(link_of("by/%k-%n"), "by/ttyUSB12-12");
	assert_string_equal(link_of("by/%s{serial}"), "by/A9_.._x_y");
	assert_string_equal(link_of("%e{DEVTYPE}/%s{idVendor}"), "port/0403");
	assert_null(link_of("by/%s{absent}"));
	assert_null(link_of("by/%s{empty}"));
	assert_null(link_of("by/%e{ABSENT}"));
	assert_null(link_of("by/%x"));
	in_sys("devices/usb1/1-1/dots", "..\n");
	assert_null(link_of("by/%s{dots}/x"));	/* no name leads out of /dev */
	in_sys("devices/usb1/1-1/binary", "a");
	owned_fd fd = openat(sys, "devices/usb1/1-1/binary", O_WRONLY | O_CLOEXEC);

	assert_int_equal(write(fd, "a\0b", 3), 3);
	assert_null(link_of("%s{binary}"));
}

static const char *leads_to(const char *link)
{
	static char to[300];
	const ssize_t n = readlinkat(dev, link, to, sizeof to - 1);

	to[n > 0 ? n : 0] = '\0';
	return to;
}

static void links_come_and_go_with_their_devices_and_others_stay(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(symlinkat("elsewhere", dev, "taken"), 0);
	links_begin(dev, record);
	links_collect();
	links_want("gps", "ttyUSB0");
	links_want("gps", "ttyUSB1");
	links_want("by/id/x", "bus/usb/001");
	links_want("taken", "ttyUSB0");
	links_settle();
	assert_string_equal(leads_to("gps"), "ttyUSB0");
	assert_string_equal(leads_to("by/id/x"), "../../bus/usb/001");
	assert_string_equal(leads_to("taken"), "elsewhere");
	links_collect();	/* the one that has it keeps it */
	links_want("gps", "ttyUSB1");
	links_want("gps", "ttyUSB0");
	links_settle();
	assert_string_equal(leads_to("gps"), "ttyUSB0");
	assert_int_equal(fstatat(dev, "by", &st, AT_SYMLINK_NOFOLLOW), -1);
	links_collect();
	links_want("gps", "ttyUSB1");
	links_settle();
	assert_string_equal(leads_to("gps"), "ttyUSB1");
	assert_true(fstat(record, &st) == 0 && st.st_size == sizeof "gps ttyUSB1\n" - 1);
	links_begin(dev, record);	/* as another helper would */
	links_collect();
	links_settle();
	assert_string_equal(leads_to("gps"), "");
	assert_string_equal(leads_to("taken"), "elsewhere");
}

/* Scans, and what it says meanwhile goes to text. */
static void scan_said(int nodes, char *text, size_t size)
{
	owned_fd was = dup(2), said = memfd_create("said", MFD_CLOEXEC);
	struct err e;

	assert_true(was >= 0 && said >= 0 && dup2(said, 2) == 2);
	const int rc = devices_scan(&c.plan, sys, nodes, &e);

	dup2(was, 2);
	const ssize_t n = pread(said, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	assert_int_equal(rc, 0);
}

/* /dev/null, by a sysfs of ours and with links in a /dev of ours. */
static void a_device_with_too_many_links_is_told_once(void **state)
{
	owned_fd nodes = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char yaml[2000] = "machine:\n  devices:\n", text[400];

	(void)state;
	for (int i = 0; i < 5; i++)
		snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml), "    - {name: \"null\", links: "
			 "[a%d, b%d, c%d, d%d, e%d, f%d, g%d, h%d]}\n", i, i, i, i, i, i, i, i);
	folders_in_sys("dev/block/");
	in_sys("devices/virtual/mem/null/uevent", "MAJOR=1\nMINOR=3\nDEVNAME=null\n");
	folders_in_sys("dev/char/");
	assert_int_equal(symlinkat("../../devices/virtual/mem/null", sys, "dev/char/1:3"), 0);
	compiled_free(&c);
	compiled_make(&c, NULL, yaml);
	links_begin(dev, record);
	scan_said(nodes, text, sizeof text);
	assert_string_equal(text, "prior: devices: /dev/null: it has 32 links, and gets no more: not /dev/a4\n");
	assert_string_equal(leads_to("h3"), "null");
	assert_string_equal(leads_to("a4"), "");
	scan_said(nodes, text, sizeof text);
	assert_string_equal(text, "");
}

static const char *problem(const char *rule)
{
	char yaml[400];

	compiled_free(&c);
	snprintf(yaml, sizeof yaml, "machine: {devices: [{%s}]}\n", rule);
	compiled_make(&c, NULL, yaml);
	return compiled_problem(&c, SEV_ERROR, "machine.devices");
}

static void a_rule_about_everything_or_for_nothing_is_an_error(void **state)
{
	(void)state;
	assert_non_null(strstr(problem("mode: \"0600\""), "about every device"));
	assert_non_null(strstr(problem("name: ttyS0"), "does nothing"));
	assert_non_null(strstr(problem("name: ttyS0, owner: nobody-of-that-name"), "owner 'nobody-of-that-name'"));
	assert_non_null(strstr(problem("name: x, links: [../x]"), "'../x' is not the name of a link below /dev"));
	assert_non_null(strstr(problem("name: x, links: [\"x%s{../y}\"]"), "is not the name of a link"));
	assert_non_null(strstr(problem("name: x, links: [y], attributes: {../y: z}"),
			       "is not the name of a file of sysfs"));
	assert_non_null(strstr(problem("name: x, links: [y], properties: {\"a b\": z}"),
			       "is not a name of the file uevent"));
	assert_null(problem("name: ttyS0, owner: \"7\", group: \"8\", links: [a]"));
	const struct plan_device_rule *r = PLAN_FIRST(&c.plan, c.plan.head->device_rules, struct plan_device_rule);

	assert_int_equal(r->flags, DEVICE_RULE_UID | DEVICE_RULE_GID);
	assert_int_equal(r->uid * 10 + r->gid, 78);
}

static void a_service_says_which_devices_it_needs(void **state)
{
	(void)state;
	compiled_free(&c);
	compiled_make(&c, NULL, "services:\n  a: {command: [/bin/sh], needs_device: /dev/x}\n  b: {command: [/bin/sh], "
		      "needs_device: {paths: [/dev/x, /sys/class/net/y], timeout: 5s, gone: keep}}\n");
	const struct plan_service *a = compiled_service(&c, "a"), *b = compiled_service(&c, "b");

	assert_int_equal(a->needs_devices.n, 1);
	assert_int_equal(a->device_timeout_ms, 90000);
	assert_int_equal(a->device_gone, DEVICE_GONE_STOP);
	assert_int_equal(b->needs_devices.n, 2);
	assert_int_equal(b->device_timeout_ms, 5000);
	assert_int_equal(b->device_gone, DEVICE_GONE_KEEP);
	assert_true(devices_are_asked_for(&c.plan));
	compiled_free(&c);
	compiled_make(&c, NULL, "services:\n  a: {command: [/bin/sh], needs_device: /dev/no-such, isolation: "
		      "{devices: [\"/dev/no-such:r\"]}}\n  b: {command: [/bin/sh], needs_device: /dev/no-such, "
		      "isolation: {private_devices: false, devices: [/dev/no-such]}}\n");
	const struct plan_mount *m = compiled_mount(&c, compiled_service(&c, "a"), "/dev/no-such");

	assert_non_null(m);
	assert_int_equal(m->flags & MOUNT_F_DEVICE, MOUNT_F_DEVICE);
	assert_string_equal(plan_str(&c.plan, m->data), "r");
	assert_non_null(strstr(compiled_refused(&c, "b"), "takes a /dev of the service's own"));
	compiled_free(&c);
	compiled_make(&c, NULL, "services:\n  a: {command: [/bin/sh], needs_device: /etc/x}\n");
	assert_non_null(compiled_problem(&c, SEV_ERROR, "'/etc/x' is not the path of a device below /dev or /sys"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_about_what_is_as_all_of_it_says),
		cmocka_unit_test(a_link_is_named_after_what_the_device_says_tamely),
		cmocka_unit_test(links_come_and_go_with_their_devices_and_others_stay),
		cmocka_unit_test(a_device_with_too_many_links_is_told_once),
		cmocka_unit_test(a_rule_about_everything_or_for_nothing_is_an_error),
		cmocka_unit_test(a_service_says_which_devices_it_needs),
	};

	return cmocka_run_group_tests_name("devices", tests, setup, teardown);
}
