/* A plan is taken in whole or not at all, whatever its bytes. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/plan/types.h"
#include "services/plan/write.h"
#include "tests/unit/plan_sample.h"
#include <errno.h>
#include <linux/filter.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <cmocka.h>

static unsigned char *good;
static size_t size;

static int make(void **state)
{
	(void)state;
	good = plan_sample(&size, 0);
	return good ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	free(good);
	return 0;
}

/* Verify a changed copy in a block of exactly its size, so that a step outside is seen. */
static int verdict(const unsigned char *bytes, size_t n, struct err *e)
{
	unsigned char *copy = malloc(n ? n : 1);

	memcpy(copy, bytes, n);
	int ret = plan_verify(copy, n, e);

	if (ret == 0)
		assert_true(plan_sample_walk(copy, n) > 0);
	free(copy);
	return ret;
}

static void a_written_plan_is_accepted(void **state)
{
	struct err e = { 0 };

	(void)state;
	int ret = verdict(good, size, &e);

	if (ret)
		print_error("%s\n", e.text);
	assert_int_equal(ret, 0);
}

static void a_sealed_plan_is_mapped_and_searched(void **state)
{
	owned_fd fd = FD_NONE, open = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct plan p = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(plan_seal_bytes(good, size, &fd, &e), 0);
	assert_int_equal(plan_map(&p, fd, &e), 0);
	assert_int_equal(plan_find(&p, "db"), 0);
	assert_int_equal(plan_find(&p, "web"), 1);
	assert_int_equal(plan_find(&p, "zed"), 2);
	assert_int_equal(plan_find(&p, "we"), -1);
	assert_int_equal(plan_find(&p, "webb"), -1);
	assert_int_equal(plan_find(&p, ""), -1);
	assert_string_equal(plan_str(&p, plan_service(&p, 1)->hostname), "web");
	plan_unmap(&p);
	assert_int_equal(write(open, good, size), size);
	assert_int_equal(plan_map(&p, open, &e), -EINVAL);
	assert_null(p.at);
}

static void a_changed_byte_is_found_by_the_sum(void **state)
{
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < size; i++) {
		good[i] ^= 0x10;
		assert_int_equal(verdict(good, size, &e), -EBADMSG);
		good[i] ^= 0x10;
	}
}

static void a_shorter_or_longer_plan_is_refused(void **state)
{
	struct err e = { 0 };
	unsigned char *longer = calloc(1, size + 8);

	(void)state;
	for (size_t n = 0; n < size; n++)
		assert_int_equal(verdict(good, n, &e), -EBADMSG);
	memcpy(longer, good, size);
	plan_sample_sum(longer, size + 8);
	assert_int_equal(verdict(longer, size + 8, &e), -EBADMSG);
	free(longer);
}

/* With a sum that fits, each byte takes a few hostile values: what is accepted must be safe to read. */
static void any_byte_changed_is_refused_or_harmless(void **state)
{
	static const unsigned char with[] = { 0x01, 0x80, 0xff, 0x08, 0x7f };
	unsigned refused = 0;
	struct err e = { 0 };

	(void)state;
	for (size_t i = 8; i < size; i++)
		for (unsigned j = 0; j < sizeof with; j++) {
			good[i] ^= with[j];
			plan_sample_sum(good, size);
			if (verdict(good, size, &e) < 0)
				refused++;
			good[i] ^= with[j];
		}
	plan_sample_sum(good, size);
	assert_in_range(refused, size, 5 * size);
}

static void random_changes_are_refused_or_harmless(void **state)
{
	uint64_t seed = 88172645463325252ull;
	unsigned char *copy = malloc(size);
	struct err e = { 0 };

	(void)state;
	for (unsigned round = 0; round < 4000; round++) {
		memcpy(copy, good, size);
		for (unsigned i = 0; i <= round % 8; i++) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			size_t at = 8 + seed % (size - 8);

			copy[at] = (unsigned char)(seed >> 32);
		}
		plan_sample_sum(copy, size);
		verdict(copy, size, &e);
	}
	free(copy);
}

/* One wrong thing at a time, in the head or in the service `web`. */
static struct plan_service *web(unsigned char *at)
{
	struct plan_head *h = (void *)at;

	return (struct plan_service *)(at + h->services.at) + 1;
}

#define LINK(s) ((struct plan_link *)(copy + (s)->links.at))
#define REFUSES(change, says) do { \
	unsigned char *copy = malloc(size); \
	memcpy(copy, good, size); \
	struct plan_head *h = (void *)copy; \
	struct plan_service *s = web(copy); \
	(void)h, (void)s; \
	change; \
	plan_sample_sum(copy, size); \
	assert_int_equal(plan_verify(copy, size, &e), -EBADMSG); \
	if (!strstr(e.text, says)) \
		fail_msg("%s: expected '%s' in '%s'", #change, says, e.text); \
	free(copy); \
} while (0)

static void what_contradicts_itself_is_named(void **state)
{
	struct err e = { 0 };

	(void)state;
	REFUSES(h->version++, "compile it again");
	REFUSES(h->arch ^= 1, "another processor");
	REFUSES(h->emergency = 4, "plan_head");
	REFUSES(h->power_button = 3, "plan_head");
	REFUSES(h->start_order.n = 2, "plan_head");
	REFUSES(((uint32_t *)(copy + h->start_order.at))[0] = 1, "not every service once");
	REFUSES(((uint32_t *)(copy + h->start_order.at))[0] = 3, "not every service once");
	REFUSES(s->name.n--, "plan_service.name");
	REFUSES(s->name = s[-1].name, "in the order of their names");
	REFUSES(s->stop_signal = 65, "web: plan_service");
	REFUSES(s->stop_signal = 0, "out of range");
	REFUSES(s->type = 9, "supervision");
	REFUSES(s->flags |= 1u << 29, "flags");
	REFUSES(s->flags = (s->flags & ~CELL_SECCOMP) | CELL_SECCOMP_LOG, "flags");
	REFUSES(s->flags |= CELL_USER_FIRST, "flags");
	REFUSES(s->flags &= ~CELL_SECCOMP, "flags");
	REFUSES(s->flags &= ~CELL_NNP, "flags");
	REFUSES(s->argv.n = 0, "argv: missing");
	REFUSES(s->exe.at = 0, "exe");
	REFUSES(s->affinity.at += 4, "affinity: reaches beyond");
	REFUSES(s->mounts.n = 0x10000000, "too many");
	REFUSES(s->cgroup.n = 64, "plan");
	REFUSES(LINK(s)->bridge = s->hostname, "no bridge of that name");
	REFUSES(LINK(s)->ifname.at = 0, "plan_link");
	REFUSES(s->uid = UINT32_MAX, "out of range");
	REFUSES(LINK(s)->gw4.prefix = 33, "gateway");
	REFUSES(s->links.n = PLAN_LINKS_MAX + 1, "too many");
	REFUSES(s->flags &= ~CELL_NET, "interfaces");
	REFUSES(s->nice = 20, "out of range");
	REFUSES(((struct plan_dep *)(copy + s->deps.at))->service = 3, "plan_dep");
	REFUSES(((struct plan_dep *)(copy + s->deps.at))->service = 1, "starts before");
	REFUSES(((struct plan_dep *)(copy + s->deps.at))->service = 2, "starts before");
	REFUSES(((struct plan_addr *)(copy + LINK(s)->addrs.at))->family = 1, "plan_addr");
	REFUSES(((struct plan_mount *)(copy + s->mounts.at))->kind = MOUNT_KINDS, "plan_mount");
	REFUSES(((struct plan_listen *)(copy + s->listen.at))->port = 0, "plan_listen");
	REFUSES(((struct plan_listen *)(copy + s->listen.at))->kind = LISTEN_KINDS, "unknown kind of socket");
	REFUSES(((struct plan_listen *)(copy + s->listen.at))->kind = LISTEN_VSOCK, "is not its kind's");
	REFUSES(((struct plan_listen *)(copy + s->listen.at))->flags = LISTEN_F_BROADCAST, "is not its kind's");
	REFUSES(((struct plan_listen *)(copy + s->listen.at))->flags = LISTEN_F_ALL + 1, "is not its kind's");
	REFUSES(((struct plan_listen *)(copy + s->listen.at))[1].mode = 01000, "path or mode");
	REFUSES(((struct plan_listen *)(copy + s->listen.at))[1].kind = LISTEN_UDP, "is not its kind's");
	REFUSES(((struct plan_listen *)(copy + s->listen.at))->backlog = 65536, "size is unusable");
	REFUSES(((struct plan_rlimit *)(copy + s->rlimits.at))->soft = 1, "plan_rlimit");
	REFUSES(((struct sock_filter *)(copy + s->seccomp.at))->k = 64, "a load beyond");
	REFUSES(((struct sock_filter *)(copy + s->seccomp.at))[1].jt = 2, "a jump beyond");
	REFUSES(((struct sock_filter *)(copy + s->seccomp.at))[3].k = 0, "sum differ");
	REFUSES(s->seccomp.n--, "a jump beyond");
	REFUSES(copy[s->exe.at] = 'x', "absolute");
	REFUSES(copy[s->exe.at + 2] = 0, "without its end");
	REFUSES(s->exe.at = (uint32_t)size, "points outside");
}

static void a_service_means_the_same_wherever_it_is_stored(void **state)
{
	size_t other_size;
	unsigned char *other = plan_sample(&other_size, 100);
	struct err e = { 0 };

	(void)state;
	assert_int_equal(verdict(other, other_size, &e), 0);
	assert_true(web(other)->name.at != web(good)->name.at);
	for (int i = -1; i <= 1; i++) {
		assert_true(web(good)[i].hash != 0);
		assert_int_equal(web(other)[i].hash, web(good)[i].hash);
	}
	assert_true(web(good)->hash != web(good)[-1].hash);
	free(other);
}

static void equal_contents_are_stored_once(void **state)
{
	struct writer w;
	char text[32];

	(void)state;
	write_begin(&w);
	struct plan_ref a = write_string(&w, "same"), t = write_table(&w, "same", 1, 4);

	assert_int_equal(write_string(&w, NULL).at, 0);
	assert_int_not_equal(write_string(&w, "").at, 0);
	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof text, "text %d", i % 1000);
		write_string(&w, text);
	}
	assert_int_equal(write_string(&w, "same").at, a.at);
	assert_int_equal(write_table(&w, "same", 1, 4).at, t.at);
	assert_int_not_equal(t.at, a.at);
	assert_int_equal(t.at % 8, 0);
	assert_in_range(w.used, 7000, 12000);
	assert_int_equal(w.failed, 0);
	write_free(&w);
}

static void a_plan_that_is_too_large_says_so(void **state)
{
	char *text = malloc(1u << 20);
	struct plan_head h = { 0 };
	struct err e = { 0 };
	struct writer w;
	int fd = FD_NONE;

	(void)state;
	memset(text, 'x', 1u << 20);
	write_begin(&w);
	for (unsigned i = 0; i < 20; i++) {
		text[0] = (char)('a' + i);
		write_string_n(&w, text, 1u << 20);
	}
	assert_int_equal(write_end(&w, &h, &fd, &e), -EFBIG);
	assert_non_null(strstr(e.text, "16 MiB"));
	assert_int_equal(fd, FD_NONE);
	write_free(&w);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_written_plan_is_accepted),
		cmocka_unit_test(a_sealed_plan_is_mapped_and_searched),
		cmocka_unit_test(a_changed_byte_is_found_by_the_sum),
		cmocka_unit_test(a_shorter_or_longer_plan_is_refused),
		cmocka_unit_test(any_byte_changed_is_refused_or_harmless),
		cmocka_unit_test(random_changes_are_refused_or_harmless),
		cmocka_unit_test(what_contradicts_itself_is_named),
		cmocka_unit_test(a_service_means_the_same_wherever_it_is_stored),
		cmocka_unit_test(equal_contents_are_stored_once),
		cmocka_unit_test(a_plan_that_is_too_large_says_so),
	};

	return cmocka_run_group_tests_name("plan", tests, make, unmake);
}
