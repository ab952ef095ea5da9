/* The key that comes before the configuration: see anchor.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/anchor.h"
#include "init/base/cmdline.h"
#include "services/plan/plan.h"
#include "services/spec/signers.h"
#include <errno.h>
#include <stdlib.h>

const char *anchor_find(bool container, char buf[ANCHOR_MAX])
{
	if (!container && cmdline_value("prior.trust", buf, ANCHOR_MAX))
		return buf;
	/* One that cannot be known may be there, and one that is empty was meant to be one: a key that nobody has. */
	return !container && !cmdline_is_known() ? "" : getenv(ANCHOR_ENV);
}

int anchor_verify(const char *anchor, const char *path, const struct signed_bytes *b, struct err *e)
{
	struct spec s = { 0 };
	struct sign_public by;
	int rc = signers_begin(&s, anchor, e);

	if (rc == 0)
		rc = signers_verify(s.trusted, path, b, true, &by, e);
	spec_free(&s);
	return rc;
}

int anchor_verify_plan(const char *anchor, const char *path, int fd, struct err *e)
{
	struct signed_bytes b;
	struct plan p;
	int rc = signed_bytes_of_file(&b, fd, e);

	if (rc == 0)
		rc = anchor_verify(anchor, path, &b, e);
	if (rc < 0 || plan_map(&p, fd, e) < 0)
		return -e->code;
	PLAN_EACH(struct plan_service, s, &p, p.head->services)
		if (rc == 0 && s->flags & CELL_ROOT_IMAGE && !s->root_digest.n)
			rc = err_set(e, EKEYREJECTED, "%s: service %s: nothing vouches for its image %s: compile the "
				     "plan with --trust, which checks the image's signature and keeps its hash", path,
				     plan_str(&p, s->name), plan_str(&p, s->root));
	plan_unmap(&p);
	return rc;
}
