/* Superblocks and partition tables, each kind a row: see superblock.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/superblock.h"
#include "init/base/text.h"
#include <string.h>

static uint16_t le16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const unsigned char *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t le64(const unsigned char *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static void hex(struct text *t, const unsigned char *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		text_fmt(t, "%02x", p[i]);
}

/* Sixteen bytes in the order of their digits; all zero is none. */
static void put_uuid(char to[40], const unsigned char *p)
{
	static const unsigned char none[16];
	static const unsigned parts[] = { 4, 2, 2, 2, 6 };
	struct text t = { .at = to, .size = 40 };

	to[0] = '\0';
	if (!memcmp(p, none, sizeof none))
		return;
	for (unsigned i = 0; i < 5; i++) {
		if (i)
			text_add(&t, "-");
		hex(&t, p, parts[i]);
		p += parts[i];
	}
}

/* The first three parts of a GUID are little-endian. */
static void put_guid(char to[40], const unsigned char *p)
{
	const unsigned char in_order[16] = { p[3], p[2], p[1], p[0], p[5], p[4], p[7], p[6],
					     p[8], p[9], p[10], p[11], p[12], p[13], p[14], p[15] };

	put_uuid(to, in_order);
}

static uint64_t whole_blocks(uint64_t n)
{
	return n > UINT64_MAX / 2 ? 0 : (n + 4095) & ~(uint64_t)4095;
}

static uint64_t ext_size(const unsigned char *super)
{
	return le32(super + 24) > 6 ? 0 : whole_blocks((uint64_t)le32(super + 4) << (10 + le32(super + 24)));
}

static uint64_t squashfs_size(const unsigned char *super)
{
	return whole_blocks(le64(super + 40));
}

static uint64_t erofs_size(const unsigned char *super)
{
	return super[12] < 9 || super[12] > 16 ? 0 : whole_blocks((uint64_t)le32(super + 36) << super[12]);
}

static void put_label(char to[257], const unsigned char *p, size_t n)
{
	const unsigned char *end = memchr(p, '\0', n);

	n = end ? (size_t)(end - p) : n;
	while (n > 0 && p[n - 1] == ' ')
		n--;
	memcpy(to, p, n);
	to[n] = '\0';
	text_tame(to);
}

/* FAT has no magic: its boot sector names itself at one of two places, each with label and serial number before. */
static bool read_fat(const unsigned char *at, struct superblock *s)
{
	const unsigned char *name = !memcmp(at + 82, "FAT32   ", 8) ? at + 82 :
				    !memcmp(at + 54, "FAT16   ", 8) || !memcmp(at + 54, "FAT12   ", 8) ? at + 54 : NULL;
	struct text t = TEXT_IN(s->uuid);

	if (!name || at[510] != 0x55 || at[511] != 0xaa)
		return false;
	put_label(s->label, name - 11, 11);
	if (!strcmp(s->label, "NO NAME"))
		s->label[0] = '\0';
	text_fmt(&t, "%04X-%04X", le16(name - 13), le16(name - 15));
	return true;
}

static const struct kind {
	const char *type;
	size_t at;		/* of the superblock */
	size_t magic_at;	/* from there */
	const char *magic;
	size_t magic_n, uuid_at, label_at, label_n, size; /* label_n 0: has none; uuid_at 0: has none */
	uint64_t (*bytes)(const unsigned char *super);
} kinds[] = {
	{ "xfs",      0,     0,    "XFSB", 4,             32, 108, 12,  512, NULL },
	{ "squashfs", 0,     0,    "hsqs", 4,             0,  0,   0,   96, squashfs_size },
	{ "btrfs",    65536, 64,   "_BHRfS_M", 8,         32, 299, 256, 1024, NULL },
	{ "erofs",    1024,  0,    "\xe2\xe1\xf5\xe0", 4, 48, 64,  16,  128, erofs_size },
	{ "ext4",     1024,  56,   "\x53\xef", 2,         104, 120, 16, 1024, ext_size },
	{ "swap",     1024,  3062, "SWAPSPACE2", 10,      12, 28,  16,  3072, NULL },
	{ "iso9660",  32768, 1,    "CD001", 5,            0,  40,  32,  2048, NULL },
};

bool superblock_read(const unsigned char *at, size_t n, struct superblock *s)
{
	*s = (struct superblock){ 0 };
	for (const struct kind *k = kinds; k < kinds + sizeof kinds / sizeof *kinds; k++) {
		const unsigned char *super = at + k->at;

		if (k->at + k->size > n || memcmp(super + k->magic_at, k->magic, k->magic_n) != 0)
			continue;
		s->type = k->type;
		if (k->uuid_at)
			put_uuid(s->uuid, super + k->uuid_at);
		if (k->bytes)
			s->size = k->bytes(super);
		if (k->label_n)
			put_label(s->label, super + k->label_at, k->label_n);
		return true;
	}
	if (n >= 512 && read_fat(at, s)) {
		s->type = "vfat";
		return true;
	}
	return false;
}

bool gpt_entry_at(const unsigned char *header, size_t n, unsigned number, unsigned sector, uint64_t *at)
{
	if (n < 92 || memcmp(header, "EFI PART", 8) != 0)
		return false;
	const uint64_t first = le64(header + 72);
	const uint32_t count = le32(header + 80), each = le32(header + 84);

	if (number == 0 || number > count || count > 1024 || each < 128 || each > 4096 || first > UINT64_MAX >> 16)
		return false;
	*at = first * sector + (uint64_t)(number - 1) * each;
	return true;
}

bool gpt_entry_read(const unsigned char *entry, size_t n, struct partition *p)
{
	static const unsigned char unused[16];
	size_t k = 0;

	if (n < 128 || !memcmp(entry, unused, 16))
		return false;
	put_guid(p->uuid, entry + 16);
	for (const unsigned char *c = entry + 56; c < entry + 128 && le16(c); c += 2)	/* UTF-16; ASCII is enough */
		p->label[k++] = (char)(le16(c) < 128 ? c[0] : '?');
	p->label[k] = '\0';
	text_tame(p->label);
	return true;
}

bool mbr_partition(const unsigned char *sector, size_t n, unsigned number, struct partition *p)
{
	struct text t = TEXT_IN(p->uuid);

	if (n < 512 || sector[510] != 0x55 || sector[511] != 0xaa || !le32(sector + 440))
		return false;
	text_fmt(&t, "%08x-%02x", le32(sector + 440), number);
	p->label[0] = '\0';
	return true;
}
