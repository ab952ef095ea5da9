/* Signed configurations: what is taken, what is refused and with which words, and what the anchor asks for. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "services/plan/anchor.h"
#include "services/plan/compile.h"
#include "services/spec/signers.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static char folder[64];
static struct sign_secret boss, team, stranger;
static struct spec s;
static struct err e;

static const char *in(const char *name)
{
	static char path[4][160];
	static unsigned turn;
	char *to = path[turn++ % 4];

	snprintf(to, sizeof path[0], "%s/%s", folder, name);
	return to;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in(name), "w");

	fputs(text, f);
	fclose(f);
	chmod(in(name), 0644);
}

static void sign_as(const char *name, const char *comment, const struct sign_secret *by)
{
	char text[SIGN_TEXT_MAX], to[96];
	struct text t = TEXT_IN(text);
	owned_fd fd = open(in(name), O_RDONLY | O_CLOEXEC);
	struct signed_bytes b;

	assert_int_equal(signed_bytes_of_file(&b, fd, &e), 0);
	signature_text(by, &b, comment, &t);
	snprintf(to, sizeof to, "%s" SIGN_SUFFIX, name);
	put(to, text);
}

static void sign(const char *name, const struct sign_secret *by)
{
	const char *slash = strrchr(name, '/');
	char comment[96];

	snprintf(comment, sizeof comment, "timestamp:1\tfile:%s\thashed", slash ? slash + 1 : name);
	sign_as(name, comment, by);
}

static const char *key_text(const struct sign_secret *of, char to[SIGN_KEY_MAX])
{
	struct text t = { .at = to, .size = SIGN_KEY_MAX };
	struct sign_public p;

	sign_public_of(of, &p);
	sign_public_text(&p, &t);
	return to;
}

/* The key itself, its file's second line. */
static const char *key(const struct sign_secret *of)
{
	static char text[4][SIGN_KEY_MAX];
	static unsigned turn;
	char *line = strchr(key_text(of, text[turn++ % 4]), '\n') + 1;

	line[strcspn(line, "\n")] = '\0';
	return line;
}

static int make(void **state)
{
	char text[SIGN_KEY_MAX], yaml[1024];

	(void)state;
	snprintf(folder, sizeof folder, "/tmp/prior-signers-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(mkdir(in("services.d"), 0755), 0);
	assert_int_equal(sign_generate(&boss, &e) | sign_generate(&team, &e) | sign_generate(&stranger, &e), 0);
	put("team.pub", key_text(&team, text));
	snprintf(yaml, sizeof yaml, "trust:\n  require_signatures: true\n  signers:\n"
		 "    - {name: boss, public_key: %s, scope: [\"*\"]}\n"
		 "    - {name: team, public_key: %s/team.pub, scope: [\"my-*\", other]}\n"
		 "services: {base: {command: /bin/true}}\n", key(&boss), folder);
	put("prior.yaml", yaml);
	return 0;
}

static int unmake(void **state)
{
	char command[96];
	static const char *const names[] = { "services.d/a.yaml", "team.pub", "prior.yaml", "env", "plan" };

	(void)state;
	spec_free(&s);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(command, sizeof command, "%s" SIGN_SUFFIX, names[i]);
		remove(in(names[i]));
		remove(in(command));
	}
	remove(in("services.d"));
	remove(folder);
	return 0;
}

static int load(const char *trust)
{
	const struct spec_beside beside = { .trust = trust };

	spec_free(&s);
	return spec_load_with(&s, folder, &beside, &e);
}

static const char *problem(const char *part)
{
	for (const struct problem *p = s.problems; p; p = p->next)
		if (strstr(p->text, part))
			return p->text;
	for (const struct problem *p = s.problems; p; p = p->next)
		print_message("    %s\n", p->text);
	return NULL;
}

static void refused(const char *part)
{
	assert_int_equal(load(NULL), 0);
	assert_non_null(problem(part));
	assert_int_equal(s.nerrors, 1);
	assert_null(spec_find(&s, "my-web"));
	assert_non_null(spec_find(&s, "base"));
	assert_false(spec_has_errors(&s, "base"));	/* a file condemns itself alone */
}

#define WEB "services: {my-web: {command: /bin/true}}\n"

static void a_file_without_a_signature_is_not_read(void **state)
{
	(void)state;
	put("services.d/a.yaml", WEB);
	refused("/services.d/a.yaml: is not signed: there is no ");
	/* Nothing of it is in effect, what is for all services neither. */
	put("services.d/a.yaml", "defaults: {umask: \"0077\"}\nmachine: {hostname: theirs}\n" WEB);
	refused("is not signed");
	assert_null(s.machine.hostname);
	assert_int_not_equal(spec_find(&s, "base")->umask, 077);
}

static void a_file_signed_by_who_may_is_taken(void **state)
{
	(void)state;
	put("services.d/a.yaml", WEB);
	for (unsigned i = 0; i < 2; i++) {
		sign("services.d/a.yaml", i ? &boss : &team);
		assert_int_equal(load(NULL), 0);
		assert_int_equal(s.nerrors, 0);
		assert_non_null(spec_find(&s, "my-web"));
	}
}

static void a_changed_file_and_a_strangers_are_refused(void **state)
{
	(void)state;
	put("services.d/a.yaml", WEB);
	sign("services.d/a.yaml", &team);
	put("services.d/a.yaml", WEB "#");
	refused("has been changed since the key");
	put("services.d/a.yaml", WEB);
	sign("services.d/a.yaml", &stranger);
	refused("which is nobody's who is trusted here");
	put("services.d/a.yaml" SIGN_SUFFIX, "rubbish\n");
	refused("a line that begins with 'untrusted comment: ' is missing");
}

static void a_scope_is_the_names_that_a_file_may_declare(void **state)
{
	(void)state;
	put("services.d/a.yaml", "services: {my-web: {command: /bin/true}, base2: {command: /bin/true}}\n");
	sign("services.d/a.yaml", &team);
	refused("is signed by team, whose scope does not have the service base2");
	put("services.d/a.yaml", "version: 1\n"
	    "services: {my-web@: {command: /bin/true}, other: {command: /bin/true}}\n");
	sign("services.d/a.yaml", &team);
	assert_int_equal(load(NULL), 0);
	assert_int_equal(s.nerrors, 0);
	assert_non_null(spec_find(&s, "other"));
}

static void what_is_no_service_takes_a_scope_of_everything(void **state)
{
	static const char *const blocks[] = { "defaults: {umask: \"0077\"}", "machine: {hostname: theirs}",
		"security: {cap_add: [SYS_ADMIN]}", "network: {nameservers: [192.0.2.1]}" };
	char yaml[128];

	(void)state;
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		snprintf(yaml, sizeof yaml, "%s\n" WEB, blocks[i]);
		put("services.d/a.yaml", yaml);
		sign("services.d/a.yaml", &team);
		refused("whose scope does not have what is no service (\"*\" alone has it)");
		assert_null(s.machine.hostname);
		sign("services.d/a.yaml", &boss);
		assert_int_equal(load(NULL), 0);
		assert_int_equal(s.nerrors, 0);
	}
}

static void only_the_first_file_says_who_is_trusted(void **state)
{
	(void)state;
	put("services.d/a.yaml", "trust: {require_signatures: false}\n");
	sign("services.d/a.yaml", &boss);
	refused("a.yaml:1:1: trust: only the first file, prior.yaml, says who is trusted");
	put("prior.yaml", "services: {base: {command: /bin/true}}\n");
	refused("trust: only the first file, prior.yaml, says who is trusted");
}

static void a_key_that_is_not_there_signs_nothing(void **state)
{
	char text[SIGN_KEY_MAX];

	(void)state;
	put("services.d/a.yaml", WEB);
	sign("services.d/a.yaml", &team);
	remove(in("team.pub"));
	refused("which is nobody's who is trusted here");
	assert_non_null(problem("trust.signers: team: nothing that it signed is taken: "));
	put("team.pub", "untrusted comment: x\nRWxx\n");
	refused("which is nobody's who is trusted here");
	put("team.pub", key_text(&team, text));
	chmod(in("team.pub"), 0666);
	refused("which is nobody's who is trusted here");
	assert_non_null(problem("everybody can write it"));
}

/* Without an anchor nobody else vouches for the file. Who may change what is trusted says who is. */
static void a_key_that_others_can_exchange_signs_nothing(void **state)
{
	char text[SIGN_KEY_MAX];

	(void)state;
	put("services.d/a.yaml", WEB);
	sign("services.d/a.yaml", &team);
	chmod(in("team.pub"), 0664);
	assert_int_equal(chown(in("team.pub"), (uid_t)-1, geteuid() == 0 ? 1234 : getegid()), 0);
	if (geteuid() == 0) {
		refused("which is nobody's who is trusted here");
		assert_non_null(problem("team.pub: group 1234 can write it (mode 0664): chmod g-w "));
		assert_int_equal(chown(in("team.pub"), 1234, 0) | load(NULL), 0);
		assert_non_null(problem("team.pub: it belongs to user 1234, who can change it: chown root "));
	}
	remove(in("team.pub"));
	put("team.pub", key_text(&team, text));
	assert_int_equal(load(NULL), 0);
	assert_non_null(spec_find(&s, "my-web"));
	chmod(folder, 0777);
	assert_int_equal(load(NULL), 0);
	assert_null(spec_find(&s, "my-web"));
	/* Whom the anchor has signed nobody can exchange. */
	sign("prior.yaml", &stranger);
	sign("team.pub", &stranger);
	assert_int_equal(load(key(&stranger)), 0);
	assert_non_null(spec_find(&s, "my-web"));
}

static void two_keys_with_one_id_are_not_both_taken(void **state)
{
	const char *ours = key(&boss);
	char yaml[600];
	struct sign_secret twin = boss;

	(void)state;
	assert_int_equal(sign_generate(&twin, &e), 0);
	memcpy(twin.id, boss.id, sizeof twin.id);
	snprintf(yaml, sizeof yaml, "trust:\n  require_signatures: true\n  signers:\n"
		 "    - {name: boss, public_key: %s, scope: [\"*\"]}\n    - {name: boss2, public_key: %s, scope: [x]}\n"
		 "    - {name: twin, public_key: %s, scope: [\"*\"]}\n"
		 "services: {base: {command: /bin/true}}\n", ours, ours, key(&twin));
	put("prior.yaml", yaml);
	put("services.d/a.yaml", WEB);
	sign("services.d/a.yaml", &twin);
	refused("has been changed since the key");
	assert_non_null(problem("signers: twin: nothing that it signed is taken: its key has the id of another one"));
}

static void to_ask_for_signatures_of_nobody_is_a_mistake(void **state)
{
	(void)state;
	put("prior.yaml", "trust: {require_signatures: true}\n");
	assert_int_equal(load(NULL), 0);
	assert_non_null(problem("trust.signers names nobody"));
	assert_true(spec_has_errors(&s, NULL));
	put("prior.yaml", "trust: {signers: [{name: x, public_key: RW, scope: x}]}\n");
	assert_int_equal(load(NULL), 0);
	assert_non_null(problem("neither an absolute path without . and .., nor a key"));
	assert_non_null(problem("nothing has to be signed: trust.require_signatures is not true"));
}

static void with_an_anchor_the_first_file_must_be_signed_by_it(void **state)
{
	const char *trust = key(&stranger);	/* whom the first file does not even name */

	(void)state;
	assert_int_equal(load(trust), -EKEYREJECTED);
	assert_non_null(strstr(e.text, "/prior.yaml: is not signed: there is no "));
	sign("prior.yaml", &boss);
	assert_int_equal(load(trust), -EKEYREJECTED);
	assert_non_null(strstr(e.text, "which is nobody's who is trusted here"));
	sign("prior.yaml", &stranger);
	assert_int_equal(load(trust), 0);
	assert_non_null(spec_find(&s, "base"));
	put("prior.yaml", "services: {evil: {command: /bin/true}}\n");
	assert_int_equal(load(trust), -EKEYREJECTED);
	assert_non_null(strstr(e.text, "has been changed since the key"));
	assert_int_equal(load(""), -EKEYREJECTED);
	assert_non_null(strstr(e.text, "the key that must have signed the configuration is empty"));
	assert_int_equal(load("/nowhere/key.pub"), -EKEYREJECTED);
	assert_non_null(strstr(e.text, "prior.trust=, --trust): /nowhere/key.pub: No such file"));
}

static void with_an_anchor_the_others_are_signed_by_it_or_by_who_it_trusts(void **state)
{
	const char *trust = key(&stranger);

	(void)state;
	put("services.d/a.yaml", WEB);
	sign("prior.yaml", &stranger);
	sign("services.d/a.yaml", &team);
	assert_int_equal(load(trust), 0);
	assert_null(spec_find(&s, "my-web"));	/* nobody vouches for the file of the team's key */
	assert_non_null(problem("team.pub: is not signed"));
	sign("team.pub", &boss);
	assert_int_equal(load(trust), 0);
	assert_null(spec_find(&s, "my-web"));	/* who signs files does not sign keys */
	sign("team.pub", &stranger);
	assert_int_equal(load(trust), 0);
	assert_int_equal(s.nerrors, 0);
	assert_non_null(spec_find(&s, "my-web"));
	sign("services.d/a.yaml", &stranger);
	assert_int_equal(load(trust), 0);
	assert_non_null(spec_find(&s, "my-web"));
	/* It asks for signatures, whatever the first file says. */
	put("prior.yaml", "trust: {require_signatures: false}\nservices: {base: {command: /bin/true}}\n");
	sign("prior.yaml", &stranger);
	put("services.d/a.yaml", WEB "#");
	assert_int_equal(load(trust), 0);
	assert_null(spec_find(&s, "my-web"));
}

static void a_signed_key_does_not_stand_for_another_signers(void **state)
{
	const char *trust = key(&stranger);

	(void)state;
	put("services.d/a.yaml", WEB);
	sign("services.d/a.yaml", &team);
	sign("prior.yaml", &stranger);
	static const char *const theirs[] = { "timestamp:1\tfile:ops.pub\thashed", "timestamp:1\tfile:team.pub2",
		"timestamp:1\tfile:team", "timestamp:1\tnofile:team.pub", "team.pub", "", "timestamp:1\tfile:",
		"timestamp:1\tfile:x\tfile:team.pub" };
	for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++) {
		sign_as("team.pub", theirs[i], &stranger);
		assert_int_equal(load(trust), 0);
		assert_null(spec_find(&s, "my-web"));
		assert_non_null(problem("/team.pub: its signature is for a file of another name"));
		assert_non_null(problem("sign it again under its own name (prior sign -s SECRET "));
	}
	sign_as("team.pub", "file:team.pub", &stranger);
	assert_int_equal(load(trust), 0);
	assert_non_null(spec_find(&s, "my-web"));
}

static void a_signed_file_does_not_stand_for_the_first_one(void **state)
{
	const char *trust = key(&stranger);

	(void)state;
	sign_as("prior.yaml", "timestamp:1\tfile:lab.yaml\thashed", &stranger);
	assert_int_equal(load(trust), -EKEYREJECTED);
	assert_non_null(strstr(e.text, "/prior.yaml: its signature is for a file of another name: sign it again "
			       "under its own name (prior sign -s SECRET FILE); it says: timestamp:1?file:lab.yaml?"));
}

static void with_an_anchor_the_first_file_cannot_be_taken_away(void **state)
{
	const char *trust = key(&stranger);

	(void)state;
	put("services.d/a.yaml", WEB);
	sign("services.d/a.yaml", &stranger);
	remove(in("prior.yaml"));
	assert_int_equal(load(trust), -EKEYREJECTED);
	assert_non_null(strstr(e.text, "/prior.yaml: there is no such file, and it is what must be signed"));
}

static bool compiles(const char *trust, const char *part, int *fd)
{
	struct machine_facts f;

	facts_of_machine(&f);
	assert_int_equal(load(trust), 0);
	fd_drop(fd);
	if (plan_compile(&s, &f, fd, &e) < 0)
		fail_msg("%s", e.text);
	return part ? problem(part) != NULL : s.nerrors == 0;
}

static void files_of_variables_are_signed_for_the_service_that_has_them(void **state)
{
	char yaml[400];
	owned_fd fd = FD_NONE;

	(void)state;
	snprintf(yaml, sizeof yaml, "services: {my-web: {command: /bin/true, env_file: [%s/env], "
		 "isolation: {preset: none}}}\n", folder);
	put("env", "A=1\n");
	put("services.d/a.yaml", yaml);
	sign("services.d/a.yaml", &team);
	assert_true(compiles(NULL, "env_file: ", &fd));
	assert_non_null(problem("/env: is not signed"));
	sign("env", &team);
	assert_true(compiles(NULL, NULL, &fd));
	put("env", "LD_PRELOAD=/tmp/x\n");
	assert_true(compiles(NULL, "/env: has been changed since the key", &fd));
	sign("env", &boss);
	assert_true(compiles(NULL, NULL, &fd));
	/* The first file is believed here, but not the files that it names. */
	snprintf(yaml, sizeof yaml, "trust: {require_signatures: true, signers: [{name: team, public_key: %s/team.pub, "
		 "scope: my-*}]}\nservices: {base: {command: /bin/true, env_file: [%s/env], "
		 "isolation: {preset: none}}}\n", folder, folder);
	put("prior.yaml", yaml);
	remove(in("services.d/a.yaml"));
	sign("env", &team);
	assert_true(compiles(NULL, "env: is signed by team, whose scope does not have the service base", &fd));
}

static void a_compiled_plan_is_signed_like_a_file(void **state)
{
	const char *trust = key(&boss);
	owned_fd fd = FD_NONE;
	char bytes[65536];

	(void)state;
	put("prior.yaml", "services: {base: {command: /bin/true, isolation: {preset: none}}}\n");
	sign("prior.yaml", &boss);
	assert_true(compiles(trust, NULL, &fd));
	const ssize_t n = pread(fd, bytes, sizeof bytes, 0);
	owned_fd file = open(in("plan"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	assert_true(n > 0 && n < (ssize_t)sizeof bytes && write(file, bytes, (size_t)n) == n);
	assert_int_equal(anchor_verify_plan(trust, in("plan"), fd, &e), -EKEYREJECTED);
	assert_non_null(strstr(e.text, "/plan: is not signed"));
	sign("plan", &boss);
	assert_int_equal(anchor_verify_plan(trust, in("plan"), fd, &e), 0);
	sign_as("plan", "timestamp:1\tfile:plan.old\thashed", &boss);
	assert_int_equal(anchor_verify_plan(trust, in("plan"), fd, &e), -EKEYREJECTED);
	assert_non_null(strstr(e.text, "is for a file of another name"));
	sign("plan", &team);
	assert_int_equal(anchor_verify_plan(trust, in("plan"), fd, &e), -EKEYREJECTED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
	const struct CMUnitTest tests[] = {
		TEST(a_file_without_a_signature_is_not_read),
		TEST(a_file_signed_by_who_may_is_taken),
		TEST(a_changed_file_and_a_strangers_are_refused),
		TEST(a_scope_is_the_names_that_a_file_may_declare),
		TEST(what_is_no_service_takes_a_scope_of_everything),
		TEST(only_the_first_file_says_who_is_trusted),
		TEST(a_key_that_is_not_there_signs_nothing),
		TEST(a_key_that_others_can_exchange_signs_nothing),
		TEST(two_keys_with_one_id_are_not_both_taken),
		TEST(to_ask_for_signatures_of_nobody_is_a_mistake),
		TEST(with_an_anchor_the_first_file_must_be_signed_by_it),
		TEST(with_an_anchor_the_others_are_signed_by_it_or_by_who_it_trusts),
		TEST(a_signed_key_does_not_stand_for_another_signers),
		TEST(a_signed_file_does_not_stand_for_the_first_one),
		TEST(with_an_anchor_the_first_file_cannot_be_taken_away),
		TEST(files_of_variables_are_signed_for_the_service_that_has_them),
		TEST(a_compiled_plan_is_signed_like_a_file),
	};

	return cmocka_run_group_tests_name("spec: signers", tests, NULL, NULL);
}
