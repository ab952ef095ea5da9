/* The root of a cell out of an image, which is the one that was signed: for step_root.c and oci_bundle.c. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "rootfs/image.h"
#include "rootfs/mount.h"
#include "services/cell/root.h"
#include "services/sign/sign.h"
#include <errno.h>
#include <string.h>

/* The bytes that are counted are those of the descriptor that is mounted. */
static int judge(const struct cell *c, int file, struct err *e)
{
	const char *want = plan_str(c->plan, c->svc->root_digest);
	char is[SIGN_DIGEST_TEXT];
	struct signed_bytes b;

	if (!*want)
		return 0;
	if (signed_bytes_of_file(&b, file, e) < 0)
		return -e->code;
	return strcmp(signed_bytes_text(&b, is), want) == 0 ? 0 :
	       err_set(e, EKEYREJECTED, "is not the one whose signature was checked any more: sign the new one, and "
		       "reload the configuration");
}

int root_from_image(const struct cell *c, struct err *e)
{
	const char *path = plan_str(c->plan, c->svc->root), *type = plan_str(c->plan, c->svc->root_type);
	owned_fd file = image_open(path, type, e), root = FD_NONE;

	if (file < 0)
		return file;
	if (judge(c, file, e) == 0)
		root = image_mount(file, type, e);
	return root < 0 ? err_in(e, "image %s", path) : fd_take(&root);
}
