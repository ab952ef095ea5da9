/* Keys and signatures: what is taken, and everything that is not. */
/* SPDX-License-Identifier: ISC */
#include "services/sign/sign.h"
#include "init/base/fd.h"
#include "init/base/mono.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

static const char content[] = "services: {}\n";

static struct sign_secret secret;
static struct sign_public public;
static struct signed_bytes bytes;
static char text[SIGN_TEXT_MAX];
static struct signature got;
static struct err e;

static int make(void **state)
{
	(void)state;
	assert_int_equal(sign_generate(&secret, &e), 0);
	sign_public_of(&secret, &public);
	signed_bytes_of(&bytes, content, sizeof content - 1);
	return 0;
}

static struct text fresh(void)
{
	return (struct text){ .at = text, .size = sizeof text };
}

static void sign(const char *comment)
{
	struct text t = fresh();

	signature_text(&secret, &bytes, comment, &t);
	assert_false(t.cut);
}

static int take(void)
{
	int rc = signature_read(&got, text, strlen(text), &e);

	return rc < 0 ? rc : signature_check(&got, &public, &bytes, &e);
}

/* The line's start, from 0. */
static char *line(unsigned n)
{
	char *at = text;

	while (n--)
		at = strchr(at, '\n') + 1;
	return at;
}

static void refused(int rc, const char *why)
{
	assert_int_equal(take(), -rc);
	if (!strstr(e.text, why))
		fail_msg("'%s' does not say '%s'", e.text, why);
}

static void what_is_signed_is_taken_with_its_comment(void **state)
{
	(void)state;
	sign("timestamp:1\tfile:prior.yaml");
	assert_int_equal(take(), 0);
	assert_true(got.prehashed);
	assert_string_equal(got.comment, "timestamp:1\tfile:prior.yaml");
	sign("");
	assert_int_equal(take(), 0);
	*strrchr(text, '\n') = '\0';	/* the last line's end is not needed */
	assert_int_equal(take(), 0);
}

static void every_changed_byte_is_found(void **state)
{
	char changed[sizeof content];

	(void)state;
	for (size_t i = 0; i < sizeof content - 1; i++) {
		memcpy(changed, content, sizeof changed);
		changed[i] ^= 1;
		sign("x");
		signed_bytes_of(&bytes, changed, sizeof changed - 1);
		refused(EBADMSG, "has been changed since the key");
		make(NULL);
	}
	sign("x");
	signed_bytes_of(&bytes, content, sizeof content - 2);
	refused(EBADMSG, "has been changed since the key");
}

static void another_key_is_named(void **state)
{
	char id[SIGN_ID_TEXT];
	const struct sign_public first = public;

	(void)state;
	sign("x");
	make(NULL);
	refused(EBADMSG, "is signed by the key");
	assert_non_null(strstr(e.text, sign_id(first.id, id)));
	assert_non_null(strstr(e.text, sign_id(public.id, id)));
	/* The name of a key is only a name: whoever takes it has not got the key. */
	memcpy(public.id, first.id, sizeof public.id);
	refused(EBADMSG, "or that key did not");
}

static void a_trusted_comment_of_somebody_else_is_found(void **state)
{
	(void)state;
	sign("version 2");
	line(2)[strlen("trusted comment: version ")] = '3';
	refused(EBADMSG, "the trusted comment of its signature is not what the key");
}

static void the_kind_of_the_signature_is_part_of_what_is_signed(void **state)
{
	(void)state;
	sign("x");
	memcpy(line(1), "RWR", 2);	/* "Ed" in base64 begins with RW, "ED" with RU */
	refused(EBADMSG, "has been changed since the key");
	memcpy(line(1), "AAAA", 4);
	refused(EINVAL, "a signature of a kind that is not known here: Ed25519");
}

static void a_cut_one_is_refused_wherever_it_is_cut(void **state)
{
	(void)state;
	sign("x");
	const size_t n = strlen(text);

	for (size_t cut = 0; cut < n - 1; cut++) {
		char *part = malloc(cut + 1);	/* so that every byte read behind it is a fault */

		memcpy(part, text, cut);
		assert_true(signature_read(&got, part, cut, &e) < 0);
		free(part);
	}
	assert_int_equal(signature_read(&got, text, n, &e), 0);
}

static void what_is_not_base64_or_too_much_is_refused(void **state)
{
	(void)state;
	sign("x");
	line(1)[7] = '!';
	refused(EINVAL, "is not base64");
	sign("x");
	line(3)[87] = 'A';	/* of the padding */
	refused(EINVAL, "is not base64");
	sign("x");
	strcat(text, "x\n");
	refused(EINVAL, "2 bytes behind its last line");
	sign("x");
	memmove(line(1) + 4, line(1), strlen(line(1)) + 1);
	refused(EINVAL, "characters of base64 where 100 belong");
	sign("x");
	memcpy(line(2), "Trusted", 7);
	refused(EINVAL, "a line that begins with 'trusted comment: '");
	sign("x");
	assert_int_equal(signature_read(&got, text, strlen(line(0)), &e), 0);
	text[5] = '\0';
	assert_int_equal(signature_read(&got, text, 200, &e), -EINVAL);
}

static void a_comment_has_a_bound(void **state)
{
	static char comment[SIGN_COMMENT_MAX + 2];

	(void)state;
	memset(comment, 'c', SIGN_COMMENT_MAX - 1);
	sign(comment);
	assert_int_equal(take(), 0);
	sign("x");
	char *rest = strdup(line(3));

	memset(comment, 'c', SIGN_COMMENT_MAX);
	snprintf(line(2), SIGN_TEXT_MAX / 2 + 4096, "trusted comment: %s\n%s", comment, rest);
	free(rest);
	refused(EINVAL, "its trusted comment is longer than 8191 bytes");
}

static void keys_go_into_files_and_back(void **state)
{
	struct sign_secret s;
	struct sign_public p;
	struct text t = fresh();

	(void)state;
	sign_secret_text(&secret, &t);
	assert_int_equal(sign_secret_read(&s, text, t.n, &e), 0);
	assert_memory_equal(&s, &secret, sizeof s);
	line(1)[90] = line(1)[90] == 'A' ? 'B' : 'A';	/* of base64 still, whatever the key */
	assert_int_equal(sign_secret_read(&s, text, t.n, &e), -EINVAL);
	assert_non_null(strstr(e.text, "is damaged"));
	for (size_t cut = 0; cut < t.n - 1; cut++)
		assert_true(sign_secret_read(&s, text, cut, &e) < 0);
	t = fresh();
	sign_public_text(&public, &t);
	assert_int_equal(sign_public_read(&p, text, t.n, &e), 0);
	assert_memory_equal(&p, &public, sizeof p);
	for (size_t cut = 0; cut < t.n - 1; cut++)
		assert_true(sign_public_read(&p, text, cut, &e) < 0);
	line(1)[0] = 'S';
	assert_int_equal(sign_public_read(&p, text, t.n, &e), -EINVAL);
	assert_string_equal(e.text, "is not a public key of minisign's (Ed25519)");
}

static void a_key_is_found_by_itself_or_by_the_name_of_its_file(void **state)
{
	char name[] = "/tmp/prior-key-XXXXXX", key[SIGN_KEY_TEXT];
	struct text t = fresh();
	struct sign_public p;
	FILE *f = fdopen(mkstemp(name), "w");

	(void)state;
	sign_public_text(&public, &t);
	fputs(text, f);
	fclose(f);
	assert_int_equal(sign_public_find(&p, name, &e), 0);
	assert_memory_equal(&p, &public, sizeof p);
	snprintf(key, sizeof key, "%s", line(1));
	assert_int_equal(sign_public_find(&p, key, &e), 0);
	assert_memory_equal(&p, &public, sizeof p);
	key[3] = '?';
	assert_int_equal(sign_public_find(&p, key, &e), -EINVAL);
	assert_non_null(strstr(e.text, "is not base64"));
	remove(name);
	assert_int_equal(sign_public_find(&p, name, &e), -ENOENT);
	assert_non_null(strstr(e.text, name));
	assert_int_equal(sign_public_find(&p, "/tmp", &e), -EINVAL);
	assert_non_null(strstr(e.text, "not a regular file"));
}

static void a_secret_key_under_a_password_is_refused_with_what_to_do(void **state)
{
	struct text t = fresh();
	struct sign_secret s;

	(void)state;
	sign_secret_text(&secret, &t);
	memcpy(line(1), "RWRTY0Iy", 8);	/* "Ed", "Sc", "B2" */
	assert_int_equal(sign_secret_read(&s, text, t.n, &e), -EPERM);
	assert_non_null(strstr(e.text, "is kept under a password"));
	assert_non_null(strstr(e.text, "minisign -C -W"));
}

static void of_a_file_that_is_not_signed_the_missing_name_is_told(void **state)
{
	(void)state;
	assert_int_equal(signature_find(&got, "/nowhere/prior.yaml", &e), -ENOENT);
	assert_string_equal(e.text, "is not signed: there is no /nowhere/prior.yaml.minisig");
}

static void of_a_name_that_is_too_long_the_length_is_told(void **state)
{
	static char path[4200];

	(void)state;
	memset(path, 'x', sizeof path - 1);
	assert_int_equal(signature_find(&got, path, &e), -ENAMETOOLONG);
	assert_string_equal(e.text, "is not signed: the name of its signature would be too long");
}

static void a_digest_alone_needs_a_signature_of_a_digest(void **state)
{
	(void)state;
	sign("x");
	bytes.at = NULL;
	assert_int_equal(take(), 0);
	got.prehashed = false;
	assert_int_equal(signature_check(&got, &public, &bytes, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "is signed in the old way, without a hash"));
}

static void a_file_that_was_made_endless_ends_in_time(void **state)
{
	owned_fd fd = memfd_create("image", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)1 << 42), 0);
	assert_int_equal(signed_bytes_until(&bytes, fd, mono_now().ms + 5, &e), -ETIMEDOUT);
	assert_non_null(strstr(e.text, "its signature is not checked: only "));
	assert_int_equal(ftruncate(fd, 3), 0);
	assert_int_equal(signed_bytes_until(&bytes, fd, mono_now().ms + 600000, &e), 0);
	assert_int_equal(bytes.n, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_signed_is_taken_with_its_comment, make),
		cmocka_unit_test_setup(every_changed_byte_is_found, make),
		cmocka_unit_test_setup(another_key_is_named, make),
		cmocka_unit_test_setup(a_trusted_comment_of_somebody_else_is_found, make),
		cmocka_unit_test_setup(the_kind_of_the_signature_is_part_of_what_is_signed, make),
		cmocka_unit_test_setup(a_cut_one_is_refused_wherever_it_is_cut, make),
		cmocka_unit_test_setup(what_is_not_base64_or_too_much_is_refused, make),
		cmocka_unit_test_setup(a_comment_has_a_bound, make),
		cmocka_unit_test_setup(keys_go_into_files_and_back, make),
		cmocka_unit_test_setup(a_key_is_found_by_itself_or_by_the_name_of_its_file, make),
		cmocka_unit_test_setup(a_secret_key_under_a_password_is_refused_with_what_to_do, make),
		cmocka_unit_test_setup(of_a_file_that_is_not_signed_the_missing_name_is_told, make),
		cmocka_unit_test_setup(of_a_name_that_is_too_long_the_length_is_told, make),
		cmocka_unit_test_setup(a_digest_alone_needs_a_signature_of_a_digest, make),
		cmocka_unit_test_setup(a_file_that_was_made_endless_ends_in_time, make),
	};

	return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
