/* dm-verity by device-mapper's ioctls: see verity.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/verity.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include "rootfs/modules.h"
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

static uint64_t number(const unsigned char *p, unsigned n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static bool is_block_size(uint64_t n)
{
	return n >= 512 && n <= 65536 && (n & (n - 1)) == 0;
}

/* What goes into the kernel's table must be one word of it. */
static bool read_algorithm(struct verity *v, const unsigned char *p)
{
	memcpy(v->algorithm, p, sizeof v->algorithm - 1);
	v->algorithm[sizeof v->algorithm - 1] = '\0';
	return *v->algorithm && strspn(v->algorithm, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(v->algorithm);
}

bool verity_read(const unsigned char *at, size_t n, struct verity *v)
{
	struct text t = TEXT_IN(v->salt);

	*v = (struct verity){ 0 };
	if (n < VERITY_BYTES || memcmp(at, "verity\0\0", 8) != 0 || number(at + 8, 4) != 1 || number(at + 12, 4) != 1)
		return false;
	const uint64_t data = number(at + 64, 4), hash = number(at + 68, 4), salt = number(at + 80, 2);

	if (!is_block_size(data) || !is_block_size(hash) || salt > 256 || !read_algorithm(v, at + 32))
		return false;
	for (uint64_t i = 0; i < salt; i++)
		text_fmt(&t, "%02x", at[88 + i]);
	if (!salt)
		text_add(&t, "-");
	v->data_blocks = number(at + 72, 8);
	v->hash_block = (uint32_t)hash;
	v->data_block = (uint32_t)data;
	return v->data_blocks > 0 && v->data_blocks < UINT64_MAX >> 20;
}

int verity_hash_is_good(const char *hash, struct err *e)
{
	size_t n = strlen(hash);

	if (n < 40 || n > 128 || n % 2 || strspn(hash, "0123456789abcdefABCDEF") != n)
		return err_set(e, EINVAL, "'%.20s...' is not a root hash: %s", hash,
			       "an even number of hexadecimal digits, 40 to 128");
	return 0;
}

static int open_control(struct err *e)
{
	static const char path[] = "/dev/mapper/control";
	struct err absent;

	module_load("", "dm_verity", module_insert, &absent);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "%s (are the modules dm_mod and dm_verity there?)", path) : fd;
}

/* The kernel's buffer: head, one target, its words. */
struct request {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char words[1024];
};

static int ask(int control, unsigned long command, struct request *r, const char *name, uint32_t flags,
	       const char *what, struct err *e)
{
	r->head.version[0] = DM_VERSION_MAJOR;
	r->head.version[1] = r->head.version[2] = 0;
	r->head.data_size = sizeof *r;
	r->head.data_start = offsetof(struct request, target);
	r->head.flags = flags;
	text_copy(r->head.name, sizeof r->head.name, name);
	return ioctl(control, command, r) < 0 ? err_sys(e, "device-mapper: %s %s", what, name) : 0;
}

static int load_table(int control, const char *name, const char *device, const struct verity *v, uint64_t offset,
		      const char *hash, struct err *e)
{
	struct request r = { .head.target_count = 1 };
	struct text t = TEXT_IN(r.words);

	text_fmt(&t, "1 %s %s %u %u %llu %llu %s %s %s", device, device, v->data_block, v->hash_block,
		 (unsigned long long)v->data_blocks, (unsigned long long)(offset / v->hash_block + 1), v->algorithm,
		 hash, v->salt);
	if (t.cut)
		return err_set(e, EOVERFLOW, "device-mapper: the table of %s is too long", name);
	r.target.length = v->data_blocks * (v->data_block / 512);
	text_copy(r.target.target_type, sizeof r.target.target_type, "verity");
	return ask(control, DM_TABLE_LOAD, &r, name, DM_READONLY_FLAG, "hashes of", e);
}

static void take_back(int control, const char *name)
{
	struct request r = { 0 };
	struct err ignored;

	ask(control, DM_DEV_REMOVE, &r, name, 0, "remove", &ignored);
}

int verity_open(const char *name, const char *device, const struct verity *v, uint64_t offset, const char *hash,
		char path[64], struct err *e)
{
	owned_fd control = open_control(e);
	struct request made = { 0 }, run = { 0 };
	struct text t = { .at = path, .size = 64 };

	if (control < 0)
		return control;
	if (!v->data_block)
		return err_set(e, ENODATA, "%s: there is no tree of hashes behind its file system", device);
	if (offset % v->hash_block || v->data_blocks * v->data_block > offset)
		return err_set(e, EBADMSG, "%s: its tree of hashes does not lie behind the data", device);
	if (ask(control, DM_DEV_CREATE, &made, name, DM_READONLY_FLAG, "make", e) < 0)
		return -e->code;
	if (load_table(control, name, device, v, offset, hash, e) < 0 ||
	    ask(control, DM_DEV_SUSPEND, &run, name, DM_READONLY_FLAG, "begin with", e) < 0) {
		take_back(control, name);
		return -e->code;
	}
	text_fmt(&t, "/dev/dm-%u", minor(made.head.dev));
	return 0;
}
