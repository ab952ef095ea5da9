/* The ledger: whole or known not to be, readable while it is written, unreadable by children. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/supervise/ledger.h"
#include "tests/unit/made_plan.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <cmocka.h>

static const struct made_svc rows[] = {
	{ "db", .listen = { { "/tmp/x.sock", 0 }, { "tcp:8080", 0 } } },
	{ "web", .listen = { { "tcp:80", 1 } } },
};
static struct plan plan;
static struct ledger l;
static struct err e;

static int setup(void **state)
{
	owned_fd fd = made_plan(rows, 2);

	(void)state;
	return plan_map(&plan, fd, &e) < 0 || ledger_create(&l, &plan, &e) < 0;
}

static int teardown(void **state)
{
	int fd = l.fd;

	(void)state;
	ledger_unmap(&l);
	fd_drop(&fd);
	plan_unmap(&plan);
	return 0;
}

static void a_new_ledger_is_whole_and_has_nothing_open(void **state)
{
	(void)state;
	assert_int_equal(l.head->nservices, 2);
	assert_int_equal(l.head->nlisten, 3);
	assert_true(ledger_head_is_whole(&l));
	for (int i = 0; i < 2; i++) {
		assert_true(ledger_svc_is_whole(&l.svc[i]));
		assert_int_equal(l.svc[i].pidfd, FD_NONE);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(l.listen[i], FD_NONE);
	assert_int_equal(l.svc[0].first_listen, 0);
	assert_int_equal(l.svc[1].first_listen, 2);
}

static void count_fd(void *ctx, int fd)
{
	(void)fd;
	(*(unsigned *)ctx)++;
}

static void exactly_the_open_descriptors_survive_an_exec(void **state)
{
	unsigned n = 0;

	(void)state;
	ledger_each_fd(&l, count_fd, &n);
	assert_int_equal(n, 1);	/* its own */
	l.svc[1].log_wr = 70;
	l.svc[1].pidfd = 71;
	l.listen[2] = 72;
	l.head->clients[3].fd = 73;
	n = 0;
	ledger_each_fd(&l, count_fd, &n);
	assert_int_equal(n, 5);
}

static void a_record_being_written_is_not_whole(void **state)
{
	struct ledger_svc copy;

	(void)state;
	{
		LEDGER_WRITE(&l.svc[0]);
		l.svc[0].pid = 77;
		assert_false(ledger_svc_is_whole(&l.svc[0]));
		assert_false(ledger_read_svc(&l, 0, &copy));
		{
			LEDGER_WRITE(&l.svc[0]);	/* nested: the outer one seals */
			l.svc[0].restarts = 3;
		}
		assert_false(ledger_svc_is_whole(&l.svc[0]));
	}
	assert_true(ledger_read_svc(&l, 0, &copy));
	assert_int_equal(copy.pid, 77);
	assert_int_equal(copy.restarts, 3);
}

static void any_changed_byte_is_seen(void **state)
{
	unsigned char *at = (unsigned char *)&l.svc[1];

	(void)state;
	for (size_t i = offsetof(struct ledger_svc, sum); i < sizeof l.svc[1]; i++) {
		at[i] ^= 1;
		assert_false(ledger_svc_is_whole(&l.svc[1]));
		at[i] ^= 1;
	}
	assert_true(ledger_svc_is_whole(&l.svc[1]));
	l.head->orphans++;
	assert_false(ledger_head_is_whole(&l));
}

static void a_reader_cannot_write(void **state)
{
	char path[40];
	struct ledger reader;

	(void)state;
	snprintf(path, sizeof path, "/proc/self/fd/%d", l.fd);
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ledger_map(&reader, fd, false, &e), 0);
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	{
		LEDGER_WRITE(&l.svc[0]);
		l.svc[0].pid = 4;
	}
	assert_int_equal(reader.svc[0].pid, 4);
	ledger_unmap(&reader);
}

static void it_cannot_be_cut_short_under_us(void **state)
{
	(void)state;
	assert_int_equal(ftruncate(l.fd, 0), -1);
	assert_int_equal(errno, EPERM);
}

static void a_child_does_not_have_it(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		/* msync(2) says ENOMEM for what is not mapped. */
		_exit(msync(l.head, 4096, MS_ASYNC) < 0 && errno == ENOMEM ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void it_is_mapped_again_as_it_was(void **state)
{
	struct ledger again;

	(void)state;
	{
		LEDGER_WRITE(&l.svc[1]);
		l.svc[1].pid = 9;
	}
	assert_int_equal(ledger_map(&again, l.fd, true, &e), 0);
	assert_int_equal(again.svc[1].pid, 9);
	assert_int_equal(again.head->nservices, 2);
	ledger_unmap(&again);
}

static void what_is_no_ledger_is_refused(void **state)
{
	struct ledger other;
	owned_fd empty = memfd_create("empty", MFD_CLOEXEC), zero = memfd_create("zero", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(zero, 65536), 0);
	assert_int_equal(ledger_map(&other, empty, true, &e), -EBADMSG);
	assert_int_equal(ledger_map(&other, zero, true, &e), -EBADMSG);
	l.head->version++;
	assert_int_equal(ledger_map(&other, l.fd, true, &e), -EBADMSG);
	l.head->version--;
	l.head->nservices = 4000;
	assert_int_equal(ledger_map(&other, l.fd, true, &e), -EBADMSG);
	l.head->nservices = UINT32_MAX;
	assert_int_equal(ledger_map(&other, l.fd, true, &e), -EBADMSG);
	assert_int_equal(ledger_map(&other, 1234, true, &e), -EBADF);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_ledger_is_whole_and_has_nothing_open),
		TEST(exactly_the_open_descriptors_survive_an_exec),
		TEST(a_record_being_written_is_not_whole),
		TEST(any_changed_byte_is_seen),
		TEST(a_reader_cannot_write),
		TEST(it_cannot_be_cut_short_under_us),
		TEST(a_child_does_not_have_it),
		TEST(it_is_mapped_again_as_it_was),
		TEST(what_is_no_ledger_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
