/* U-Boot's environment: see uboot_env.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/uboot_env.h"
#include <string.h>

/* The reflected polynomial of Ethernet and zlib. */
uint32_t uboot_crc32(const void *at, size_t n)
{
	const unsigned char *p = at;
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static size_t head_of(bool redundant)
{
	return redundant ? 5 : 4;
}

static uint32_t sum_of(const unsigned char *copy)
{
	return copy[0] | copy[1] << 8 | copy[2] << 16 | (uint32_t)copy[3] << 24;
}

bool uboot_env_is_whole(const unsigned char *copy, size_t size, bool redundant)
{
	const size_t head = head_of(redundant);

	return size >= UBOOT_ENV_MIN && sum_of(copy) == uboot_crc32(copy + head, size - head);
}

int uboot_env_newest(const unsigned char *const copy[2], size_t size)
{
	const bool whole[2] = { uboot_env_is_whole(copy[0], size, true), uboot_env_is_whole(copy[1], size, true) };
	const unsigned char a = copy[0][4], b = copy[1][4];

	if (!whole[0] || !whole[1])
		return whole[0] ? 0 : whole[1] ? 1 : -1;
	if (a == 255 && b == 0)
		return 1;
	return a == 0 && b == 255 ? 0 : b > a;
}

/* Of the variable whose name begins at `at`, the first byte behind its NUL; NULL: it has none in here. */
static const unsigned char *next(const unsigned char *at, const unsigned char *end)
{
	const unsigned char *nul = memchr(at, '\0', (size_t)(end - at));

	return nul ? nul + 1 : NULL;
}

static const unsigned char *find(const unsigned char *at, const unsigned char *end, const char *name)
{
	const size_t n = strlen(name);

	for (const unsigned char *behind; at < end && *at && (behind = next(at, end)); at = behind)
		if ((size_t)(behind - at) > n + 1 && !memcmp(at, name, n) && at[n] == '=')
			return at;
	return NULL;
}

const char *uboot_env_get(const unsigned char *copy, size_t size, bool redundant, const char *name)
{
	const unsigned char *at = find(copy + head_of(redundant), copy + size, name);

	return at ? (const char *)at + strlen(name) + 1 : NULL;
}

/* Where the last variable ends, and the NUL behind all of them stands; end: there is none. */
static unsigned char *end_of(unsigned char *at, unsigned char *end)
{
	const unsigned char *p = at, *behind;

	while (p < end && *p && (behind = next(p, end)))
		p = behind;
	return (unsigned char *)p;
}

bool uboot_env_set(unsigned char *copy, size_t size, bool redundant, const char *name, const char *value)
{
	unsigned char *data = copy + head_of(redundant), *end = copy + size, *last = end_of(data, end);
	unsigned char *old = (unsigned char *)find(data, end, name);
	const size_t gone = old ? strlen((char *)old) + 1 : 0;
	const size_t more = value ? strlen(name) + strlen(value) + 2 : 0;

	if (last >= end || *last || (size_t)(end - last) + gone < more + 1)
		return false;
	if (old) {
		memmove(old, old + gone, (size_t)(end - old) - gone);
		memset(end - gone, 0, gone);
		last -= gone;
	}
	if (value) {
		memcpy(last, name, strlen(name));
		last[strlen(name)] = '=';
		memcpy(last + strlen(name) + 1, value, strlen(value) + 1);
		last[more] = '\0';
	}
	return true;
}

void uboot_env_seal(unsigned char *copy, size_t size, bool redundant)
{
	const size_t head = head_of(redundant);

	if (redundant)
		copy[4]++;
	const uint32_t sum = uboot_crc32(copy + head, size - head);

	for (int i = 0; i < 4; i++)
		copy[i] = (unsigned char)(sum >> (8 * i));
}
