/* The root that a service gets: the machine's, a directory, or what is in an image. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/mono.h"
#include "init/base/sys.h"
#include "rootfs/image.h"
#include "services/plan/compiling.h"
#include "services/plan/image_door.h"
#include "services/spec/signers.h"
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

/* Several services may have the same image: it is mounted once while the plan is made. */
struct image_root {
	struct image_root *next;
	const char *path, *type;
	struct signed_bytes bytes;	/* where signatures are asked for */
	int fd;
};

static int duplicate(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static const struct image_root *find_image(const struct compiling *c, const char *path)
{
	for (const struct image_root *i = c->images; i; i = i->next)
		if (!strcmp(i->path, path))
			return i;
	return NULL;
}

int look_root_again(struct compiling *c, const char *root_path)
{
	const struct image_root *i = find_image(c, root_path);

	return i ? duplicate(i->fd) : open(*root_path ? root_path : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void look_forget(struct compiling *c)
{
	for (struct image_root *i = c->images; i; i = i->next)
		fd_drop(&i->fd);
	c->images = NULL;	/* its memory is the arena's */
}

/* Before anything is mounted, and for each service that has it: its signer may not be everybody's. */
static int judge_image(const struct compiling *c, const struct work *w, const struct image_root *i, struct err *e)
{
	return signers_allow(c->s, w->eff.rootfs, &i->bytes, w->svc->name, e);
}

/*
 * Who can make an image longer must not take the plan away from all others: one may take half of the time that is left.
 */
static int read_image(const struct compiling *c, struct image_root *i, int file, struct err *e)
{
	const int64_t now = mono_now().ms, end = c->f->images_until;

	if (!c->s->trusted)
		return 0;
	return signed_bytes_until(&i->bytes, file, end ? now + (end > now ? (end - now) / 2 : 0) : 0, e);
}

static const struct image_root *open_image(struct compiling *c, const struct work *w, int found, const char *path,
					   struct err *e)
{
	struct image_root *i = compiling_get(c, sizeof *i);
	char self[32];

	snprintf(self, sizeof self, "/proc/self/fd/%d", found);
	owned_fd file = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (!i || file < 0) {
		err_sys(e, "open it");
		return NULL;
	}
	if (image_type(file, &i->type, e) < 0 || read_image(c, i, file, e) < 0 || judge_image(c, w, i, e) < 0)
		return NULL;
	if (!c->f->image_door) {
		err_set(e, EPERM, "only root can look into an image, where it can mount one");
		return NULL;
	}
	i->fd = image_door_ask(c->f->image_door, file, e);
	if (i->fd < 0)
		return NULL;
	i->path = path;
	i->next = c->images;
	c->images = i;
	return i;
}

static int refuse_root(struct compiling *c, struct work *w, const char *why)
{
	refuse(c, w, rootfs, "isolation.rootfs: %s: %s", w->eff.rootfs, why);
	return -1;
}

static int take_image(struct compiling *c, struct work *w, int found, const char *path)
{
	const struct image_root *i = find_image(c, path);
	char digest[SIGN_DIGEST_TEXT];
	struct err e;

	if (i ? judge_image(c, w, i, &e) < 0 : !(i = open_image(c, w, found, path, &e)))
		return refuse_root(c, w, e.text);
	/* So that each start finds the image that was signed. */
	w->root_digest = c->s->trusted ? compiling_fmt(c, "%s", signed_bytes_text(&i->bytes, digest)) : NULL;
	w->root = duplicate(i->fd);
	w->root_path = i->path;
	w->root_type = i->type;
	return w->root < 0 ? refuse_root(c, w, strerror(errno)) : 0;
}

int look_root(struct compiling *c, struct work *w)
{
	struct found f;
	struct statvfs fs;
	const char *why;

	w->root_path = "";
	if (!w->eff.rootfs) {
		w->root = duplicate(c->machine_root);
		return 0;
	}
	if (look_source(c, w->eff.rootfs, &f, &why) < 0)
		return refuse_root(c, w, why);
	owned_fd found = f.fd;

	if (!strcmp(f.path, "/"))
		return refuse_root(c, w, "is the machine's own root: leave the key out");
	if (!S_ISDIR(f.mode))
		return take_image(c, w, found, f.path);
	w->root = fd_take(&found);
	w->root_path = f.path;
	w->root_writable = fstatvfs(w->root, &fs) == 0 && !(fs.f_flag & ST_RDONLY);
	return 0;
}
