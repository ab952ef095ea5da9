/* Rules that a row's type cannot say. Each takes a whole field and says what is wrong with it. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/verity.h"
#include "services/sign/sign.h"
#include "services/spec/ports.h"
#include "services/spec/rows.h"
#include "netns/net.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* By enum plan_condition_kind. */
const char *const spec_conditions[] = {
	[CONDITION_PATH_EXISTS] = "path_exists", [CONDITION_PATH_IS_DIRECTORY] = "path_is_directory",
	[CONDITION_FILE_NOT_EMPTY] = "file_not_empty", [CONDITION_FILE_IS_EXECUTABLE] = "file_is_executable",
	[CONDITION_KERNEL_COMMAND_LINE] = "kernel_command_line", NULL
};

static bool all_of(const char *s, const char *set)
{
	return s[strspn(s, set)] == '\0';
}

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define UID_INVALID 4294967295ll

/* A number has one spelling: "-1", "0x1", "01" and 4294967295 were each root, or nobody, to some program. */
int user_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;
	int64_t id = 0;

	if (!*s)
		return err_set(e, EINVAL, "a user or group must not be empty");
	if (all_of(s, DIGITS)) {
		if (value_number(s, &id) < 0 || id >= UID_INVALID)
			return err_set(e, EINVAL,
				"'%.40s' is not a user or group number (0 to 4294967294, without leading zeros)", s);
		return 0;
	}
	if ((*s >= '0' && *s <= '9') || *s == '-' || *s == '.' || strlen(s) > 255 || !all_of(s, LETTERS DIGITS "_.-"))
		return err_set(e, EINVAL, "'%.40s' is neither the name nor the number of a user or group", s);
	return 0;
}

int users_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++)
		if (user_rule(&l->v[i], e) < 0)
			return -e->code;
	return 0;
}

/* Whether s is dir or lies below it, however many slashes are between. */
static bool is_below(const char *s, const char *dir)
{
	s += strspn(s, "/");
	size_t n = strlen(dir);

	return !strncmp(s, dir, n) && (!s[n] || s[n] == '/');
}

int work_dir_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	if (is_below(s, "proc"))
		return err_set(e, EINVAL, "'%.60s' is below /proc, which can lead out of the cell", s);
	return 0;
}

int paths_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++)
		if (!conf_path_is_plain(l->v[i]))
			return err_set(e, EINVAL, "'%.60s' is not an absolute path without '.' and '..'", l->v[i]);
	return 0;
}

int environment_rule(const void *field, struct err *e)
{
	const struct pair_list *l = field;

	for (unsigned i = 0; i < l->n; i++) {
		const char *s = l->v[i].key;

		if (!*s || (*s >= '0' && *s <= '9') || !all_of(s, LETTERS DIGITS "_"))
			return err_set(e, EINVAL, "'%.60s' is not the name of a variable (letters, digits and _)", s);
	}
	return 0;
}

int hostname_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	if (strlen(s) > 63 || !all_of(s, LETTERS DIGITS "-.") || *s == '-' || *s == '.')
		return err_set(e, EINVAL, "'%.70s' is not a host name (up to 63 letters, digits, - and .)", s);
	return 0;
}

int cpu_list_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++) {
		const char *s = l->v[i], *dash = strchr(s, '-');
		char first[8] = "";
		int64_t a = 0, b = 0;
		size_t n = dash ? (size_t)(dash - s) : strlen(s);

		if (n < sizeof first)
			memcpy(first, s, n), first[n] = '\0';
		if (value_number(first, &a) < 0 || (dash && value_number(dash + 1, &b) < 0) || a < 0 ||
			(dash && b < a) || a > 1023 || b > 1023)
			return err_set(e, EINVAL, "'%.40s' is not a CPU like 0 or a range like 4-7 (up to 1023)", s);
	}
	return 0;
}

int volumes_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++) {
		char v[8192];
		char *save = NULL;

		if (!text_copy(v, sizeof v, l->v[i]))
			return err_set(e, ENAMETOOLONG, "a volume is longer than 8191 bytes");
		const char *from = strtok_r(v, ":", &save), *to = strtok_r(NULL, ":", &save),
			*mode = strtok_r(NULL, ":", &save);

		if (!from || !to || !conf_path_is_plain(from) || !conf_path_is_plain(to) ||
			(mode && strcmp(mode, "rw") && strcmp(mode, "ro")) ||
		    strtok_r(NULL, ":", &save))
			return err_set(e, EINVAL,
				"'%.80s' is not SOURCE:TARGET, SOURCE:TARGET:ro or SOURCE:TARGET:rw with absolute "
					"paths", l->v[i]);
	}
	return 0;
}

static bool is_device(const char *s)
{
	return conf_path_is_plain(s) && is_below(s, "dev") && strlen(s) > 5;
}

int devices_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++) {
		char v[1024];
		char *save = NULL;
		bool fits = text_copy(v, sizeof v, l->v[i]);
		const char *from = strtok_r(v, ":", &save), *next = strtok_r(NULL, ":", &save),
			*mode = strtok_r(NULL, ":", &save);

		if (next && *next != '/' && !mode)
			mode = next, next = NULL;
		if (!fits || !from || !is_device(from) || (next && !is_device(next)) ||
			(mode && !all_of(mode, "rwm")) || strtok_r(NULL, ":", &save))
			return err_set(e, EINVAL, "'%.80s' is not /dev/X, /dev/X:rw or /dev/X:/dev/Y:rw", l->v[i]);
	}
	return 0;
}

static bool is_address(const char *s, enum ip_prefix prefix)
{
	struct spec_ip ip;

	return ip_parse(s, strlen(s), prefix, &ip);
}

int prefixes_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++)
		if (!is_address(l->v[i], PREFIX_NEEDED))
			return err_set(e, EINVAL,
				"'%.60s' is not an address with prefix length like 10.88.0.2/24 or fd88::2/64",
					l->v[i]);
	return 0;
}

int cell_prefixes_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++)
		if (!strcmp(l->v[i], "dhcp"))
			return err_set(e, EINVAL, "'dhcp': no lease is taken for a cell, whose addresses are there "
				       "from its first instruction on: write one that the server does not give away");
	return prefixes_rule(field, e);
}

int address_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	return is_address(s, PREFIX_NONE) ? 0 :
	       err_set(e, EINVAL, "'%.60s' is not an address like 10.88.0.1 or fd88::1", s);
}

int addresses_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++)
		if (address_rule(&l->v[i], e) < 0)
			return -e->code;
	return 0;
}

int interface_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	if (!*s || strlen(s) > 15 || !all_of(s, LETTERS DIGITS "_.-") || *s == '.' || *s == '-')
		return err_set(e, EINVAL,
			"'%.40s' is not the name of a network interface (up to 15 letters, digits, _ . -)", s);
	return 0;
}

int further_links_rule(const void *field, struct err *e)
{
	const struct spec_link_list *l = field;

	return l->n < NET_ENDS ? 0 : err_set(e, EINVAL, "%u interfaces: a service has %d at most", l->n + 1, NET_ENDS);
}

int mac_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;
	bool is_one = strlen(s) == 17;

	for (unsigned i = 0; is_one && i < 17; i++)
		is_one = i % 3 == 2 ? s[i] == ':' : strchr("0123456789abcdefABCDEF", s[i]) != NULL;
	return is_one ? 0 : err_set(e, EINVAL, "'%.40s' is not a MAC address like 52:54:00:12:34:56", s);
}

/* Dots or slashes between the parts; no part may lead out of /proc/sys. */
int sysctl_rule(const void *field, struct err *e)
{
	const struct pair_list *l = field;

	for (unsigned i = 0; i < l->n; i++) {
		const char *s = l->v[i].key;

		if (!*s || strlen(s) > 200 || !all_of(s, LETTERS DIGITS "_.-/:*") || strstr(s, "..") ||
			strchr("./", *s) || strstr(s, "//"))
			return err_set(e, EINVAL,
				"'%.60s' is not the name of a kernel setting like net.ipv4.ip_forward", s);
	}
	return 0;
}

int modules_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++)
		if (!*l->v[i] || strlen(l->v[i]) > 55 || !all_of(l->v[i], LETTERS DIGITS "_-"))
			return err_set(e, EINVAL, "'%.60s' is not the name of a kernel module", l->v[i]);
	return 0;
}

int console_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	return *s == '/' || strstr(s, "..") || strchr(s, ',') ?
	       err_set(e, EINVAL, "'%.60s' is not a name below /dev, such as ttyS0", s) : 0;
}

int rtc_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	return strcmp(s, "utc") && strcmp(s, "local") ?
	       err_set(e, EINVAL, "'%.60s' is neither utc nor local", s) : 0;
}

int public_key_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	return sign_is_key(s) || conf_path_is_plain(s) ? 0
		: err_set(e, EINVAL, "neither an absolute path without . and .., nor a key (RW..., 56 characters)");
}

int verity_rule(const void *field, struct err *e)
{
	return verity_hash_is_good(*(const char *const *)field, e);
}

int last_boot_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	if (!conf_path_is_plain(s) && strncmp(s, "LABEL=", 6) != 0 && strncmp(s, "PART", 4) != 0)
		return err_set(e, EINVAL, "'%.60s' is neither a path nor a device (PARTLABEL=, PARTUUID=, LABEL=)", s);
	return 0;
}

int baud_rule(const void *field, struct err *e)
{
	static const int64_t rates[] = { 0, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600,
					 1000000, 1500000 };
	const int64_t rate = *(const int64_t *)field;

	for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++)
		if (rate == rates[i])
			return 0;
	return err_set(e, EINVAL, "%lld is no rate of a serial line such as 9600 or 115200", (long long)rate);
}

int slot_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	if (!*s || strlen(s) > 31 || !all_of(s, LETTERS DIGITS "-_"))
		return err_set(e, EINVAL, "'%.40s' is not a name of up to 31 letters, digits, - and _", s);
	return 0;
}

int console_shell_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;

	return l->n && l->v[0][0] != '/' ? err_set(e, EINVAL, "'%.60s' is not an absolute path", l->v[0]) : 0;
}

int options_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++)
		if (!*l->v[i] || strchr(l->v[i], ','))
			return err_set(e, EINVAL, "'%.60s' is not one mount option; write a list of them", l->v[i]);
	return 0;
}

int at_least_one_rule(const void *field, struct err *e)
{
	return *(const uint64_t *)field ? 0 : err_set(e, ERANGE,
		"must be at least 1 byte; leave the key away for no limit");
}

/* Names of calls and groups are known to the filter's compiler; here only what cannot be one is refused. */
int calls_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++) {
		const char *s = l->v[i] + (*l->v[i] == '@');

		if (!*s || strlen(s) > 40 || !all_of(s, LETTERS DIGITS "_-"))
			return err_set(e, EINVAL, "'%.60s' is neither a system call nor a group like @mount", l->v[i]);
	}
	return 0;
}

int conditions_rule(const void *field, struct err *e)
{
	const struct pair_list *l = field;

	for (unsigned i = 0; i < l->n; i++) {
		const char *key = l->v[i].key, *s = l->v[i].value, *near;
		bool word = !strcmp(key, spec_conditions[CONDITION_KERNEL_COMMAND_LINE]);
		unsigned k = 0;

		while (spec_conditions[k] && strcmp(spec_conditions[k], key))
			k++;
		near = spec_conditions[k] ? NULL : value_nearest(key, spec_conditions);
		if (!spec_conditions[k])
			return err_set(e, EINVAL, "there is no condition '%.40s'%s%s%s", key,
				       near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
		s += *s == '!';
		if (word ? !*s || strpbrk(s, " \t") != NULL : !conf_path_is_plain(s))
			return err_set(e, EINVAL, "%s: '%.60s' is not %s", key, l->v[i].value,
				       word ? "one word" : "an absolute path without '.' and '..'");
	}
	return 0;
}

/* A path below the time zones' folder, or a rule; which of them it is the compiler finds out. */
int zone_rule_name(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	if (!*s || strlen(s) > 100 || *s == '/' || strstr(s, "..") || !all_of(s, LETTERS DIGITS "_/+-<>,.:"))
		return err_set(e, EINVAL, "'%.60s' is not the name of a time zone as Europe/Berlin", s);
	return 0;
}

int forward_rule(const void *field, struct err *e)
{
	const struct str_list *l = field;

	for (unsigned i = 0; i < l->n; i++) {
		if (strcmp(l->v[i], "syslog") && strcmp(l->v[i], "kmsg"))
			return err_set(e, EINVAL, "'%.60s' is not one of: syslog, kmsg", l->v[i]);
		for (unsigned k = 0; k < i; k++)
			if (!strcmp(l->v[i], l->v[k]))
				return err_set(e, EINVAL, "'%s' twice", l->v[i]);
	}
	return 0;
}

/* What both forms of syslog take as a name, and none of them as its end. */
int identifier_rule(const void *field, struct err *e)
{
	const char *s = *(const char *const *)field;

	if (!*s || strlen(s) > 48 || !all_of(s, LETTERS DIGITS "_-+.@/"))
		return err_set(e, EINVAL, "'%.60s' is not a name of at most 48 letters, digits and _-+.@/", s);
	return 0;
}

int syslog_socket_rule(const void *field, struct err *e)
{
	return strlen(*(const char *const *)field) < 108 ? 0 : err_set(e, EINVAL,
		"a socket's path has at most 107 bytes");
}
