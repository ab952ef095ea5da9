/* Numbers, times, sizes and signals as people write them. */
/* SPDX-License-Identifier: ISC */
#include "init/conf/value.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TEN_YEARS_MS (3653ll * 86400 * 1000)
#define SIG_RTMIN 34	/* whatever the C library keeps for itself */
#define SIG_LAST 64

int value_bool(const char *s, bool *out)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };

	for (unsigned i = 0; i < 6; i++)
		if (!strcasecmp(s, words[i])) {
			*out = i & 1;
			return 0;
		}
	return -EINVAL;
}

/* Digits at s up to the bound; how many were read, 0 when none or too large. */
static size_t digits(const char *s, uint64_t *out)
{
	uint64_t v = 0;
	size_t n = 0;

	for (; s[n] >= '0' && s[n] <= '9'; n++)
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(s[n] - '0'), &v))
			return 0;
	*out = v;
	return n;
}

int value_number(const char *s, int64_t *out)
{
	bool minus = *s == '-';
	uint64_t v = 0;
	size_t n = digits(s + minus, &v);

	if (n == 0 || s[minus + n] || v > INT64_MAX || (n > 1 && s[minus] == '0') || (minus && v == 0))
		return -EINVAL;
	*out = minus ? -(int64_t)v : (int64_t)v;
	return 0;
}

int value_octal(const char *s, int64_t *out)
{
	int64_t v = 0;

	if (s[0] == '0' && s[1] == 'o')
		s += 2;
	size_t n = strspn(s, "01234567");

	if (n == 0 || n > 5 || s[n])
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		v = v * 8 + (s[i] - '0');
	if (v > 07777)
		return -EINVAL;
	*out = v;
	return 0;
}

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };

#define UNITS (int)(sizeof units / sizeof *units)

/* "30s" at *s; units must shrink from one to the next, so that each occurs once. */
static int one_time(const char **s, int *below, int64_t *sum)
{
	uint64_t v = 0;
	size_t n = digits(*s, &v);
	size_t letters = strspn(*s + n, "mshd");

	if (n == 0)
		return -EINVAL;
	for (int i = 0; i < *below; i++) {
		if (strlen(units[i].name) != letters || strncmp(*s + n, units[i].name, letters))
			continue;
		if (v > (uint64_t)(TEN_YEARS_MS / units[i].ms) || *sum + (int64_t)v * units[i].ms > TEN_YEARS_MS)
			return -EINVAL;
		*sum += (int64_t)v * units[i].ms;
		*below = i;
		*s += n + letters;
		return 0;
	}
	return -EINVAL;
}

int value_msec(const char *s, int64_t *out)
{
	int64_t sum = 0;
	int below = UNITS;

	if (value_number(s, &sum) == 0) {
		if (sum < 0 || sum > TEN_YEARS_MS / 1000)
			return -EINVAL;
		*out = sum * 1000;
		return 0;
	}
	sum = 0;
	do {
		if (one_time(&s, &below, &sum) < 0)
			return -EINVAL;
	} while (*s);
	*out = sum;
	return 0;
}

const char *value_msec_text(int64_t ms, char buf[static VALUE_TEXT])
{
	for (int i = UNITS - 1; i >= 0; i--)
		if (ms % units[i].ms == 0 && ms != 0) {
			snprintf(buf, VALUE_TEXT, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
			return buf;
		}
	snprintf(buf, VALUE_TEXT, "%lld", (long long)ms);
	return buf;
}

static const char size_letters[] = "KMGT";

int value_size(const char *s, uint64_t *out)
{
	uint64_t v = 0;
	size_t n = digits(s, &v);
	const char *unit = s + n, *letter;

	if (n == 0 || (n > 1 && *s == '0'))
		return -EINVAL;
	if (*unit && (letter = strchr(size_letters, *unit & ~0x20))) {
		for (const char *l = size_letters; l <= letter; l++)
			if (__builtin_mul_overflow(v, 1024u, &v))
				return -EINVAL;
		unit++;
	}
	if (*unit == 'B' || *unit == 'b')
		unit++;
	if (*unit || v == UINT64_MAX)
		return -EINVAL;
	*out = v;
	return 0;
}

const char *value_size_text(uint64_t bytes, char buf[static VALUE_TEXT])
{
	int power = 0;

	while (bytes && bytes % 1024 == 0 && power < 4)
		bytes /= 1024, power++;
	snprintf(buf, VALUE_TEXT, "%llu%.*s", (unsigned long long)bytes, power > 0,
		power ? size_letters + power - 1 : "");
	return buf;
}

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", SIGHUP },   { "INT", SIGINT },	  { "QUIT", SIGQUIT },	   { "ILL", SIGILL },	{ "TRAP", SIGTRAP },
	{ "ABRT", SIGABRT }, { "BUS", SIGBUS },	  { "FPE", SIGFPE },	   { "KILL", SIGKILL }, { "USR1", SIGUSR1 },
	{ "SEGV", SIGSEGV }, { "USR2", SIGUSR2 }, { "PIPE", SIGPIPE },	   { "ALRM", SIGALRM }, { "TERM", SIGTERM },
	{ "CHLD", SIGCHLD }, { "CONT", SIGCONT }, { "STOP", SIGSTOP },	   { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN },
	{ "TTOU", SIGTTOU }, { "URG", SIGURG },	  { "XCPU", SIGXCPU },	   { "XFSZ", SIGXFSZ }, { "VTALRM", SIGVTALRM },
	{ "PROF", SIGPROF }, { "IO", SIGIO },	  { "WINCH", SIGWINCH },   { "PWR", SIGPWR },	{ "SYS", SIGSYS },
};

#define SIGNALS (sizeof signals / sizeof *signals)

static int realtime(const char *s, int64_t *out)
{
	int64_t n = 0;

	if (*s == '+' && s[1] != '-' && value_number(s + 1, &n) < 0)
		return -EINVAL;
	if ((*s && *s != '+') || n < 0 || n > SIG_LAST - SIG_RTMIN)
		return -EINVAL;
	*out = SIG_RTMIN + n;
	return 0;
}

int value_signal(const char *s, int64_t *out)
{
	int64_t n = 0;

	if (value_number(s, &n) == 0) {
		if (n < 1 || n > SIG_LAST)
			return -EINVAL;
		*out = n;
		return 0;
	}
	if (!strncmp(s, "SIG", 3))
		s += 3;
	if (!strncmp(s, "RTMIN", 5))
		return realtime(s + 5, out);
	for (size_t i = 0; i < SIGNALS; i++)
		if (!strcmp(s, signals[i].name)) {
			*out = signals[i].number;
			return 0;
		}
	return -EINVAL;
}

const char *value_signal_text(int64_t sig, char buf[static VALUE_TEXT])
{
	for (size_t i = 0; i < SIGNALS; i++)
		if (signals[i].number == sig) {
			snprintf(buf, VALUE_TEXT, "SIG%s", signals[i].name);
			return buf;
		}
	if (sig >= SIG_RTMIN && sig <= SIG_LAST)
		snprintf(buf, VALUE_TEXT, sig == SIG_RTMIN ? "SIGRTMIN" : "SIGRTMIN+%d", (int)sig - SIG_RTMIN);
	else
		snprintf(buf, VALUE_TEXT, "%d", (int)sig);
	return buf;
}
