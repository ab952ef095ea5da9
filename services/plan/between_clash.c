/* What a service cannot have while another one, which stops, still has it. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/between.h"
#include <linux/mount.h>
#include <string.h>

static bool same_text(const struct plan *p, struct plan_ref a, const struct plan *q, struct plan_ref b)
{
	return a.n && a.n == b.n && !strcmp(plan_str(p, a), plan_str(q, b));
}

static bool same_ip(const struct plan_addr *a, const struct plan_addr *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, sizeof a->ip);
}

/* One port is enough, whatever the addresses: some of them mean all. */
static bool same_socket(const struct plan *p, const struct plan_listen *a, const struct plan *q,
			const struct plan_listen *b)
{
	if (a->in_cell || b->in_cell || a->kind == LISTEN_CONNECTION)
		return false;
	if (same_text(p, a->path, q, b->path))
		return true;
	return a->kind == b->kind && ((a->port && a->port == b->port) ||
				      (a->kind == LISTEN_VSOCK && a->port32 == b->port32));
}

static bool sockets_clash(const struct plan *p, const struct plan_service *a, const struct plan *q,
			  const struct plan_service *b)
{
	PLAN_EACH(struct plan_listen, x, p, a->listen)
		PLAN_EACH(struct plan_listen, y, q, b->listen)
			if (same_socket(p, x, q, y))
				return true;
	return false;
}

static bool links_clash(const struct plan *p, const struct plan_link *a, const struct plan *q,
			const struct plan_link *b)
{
	if (same_text(p, a->ifname, q, b->ifname))
		return true;
	PLAN_EACH(struct plan_addr, x, p, a->addrs)
		PLAN_EACH(struct plan_addr, y, q, b->addrs)
			if (same_ip(x, y))
				return true;
	PLAN_EACH(struct plan_port, x, p, a->ports)
		PLAN_EACH(struct plan_port, y, q, b->ports)
			if (x->proto == y->proto && x->from == y->from)
				return true;
	return false;
}

static bool networks_clash(const struct plan *p, const struct plan_service *a, const struct plan *q,
			   const struct plan_service *b)
{
	PLAN_EACH(struct plan_link, x, p, a->links)
		PLAN_EACH(struct plan_link, y, q, b->links)
			if (links_clash(p, x, q, y))
				return true;
	return false;
}

/* What both may write: a service that was renamed has the files that the old one brings to the disk. */
static bool files_clash(const struct plan *p, const struct plan_service *a, const struct plan *q,
			const struct plan_service *b)
{
	const uint32_t others = MOUNT_F_OPTIONAL | MOUNT_F_RUNTIME | MOUNT_F_OWN | MOUNT_F_HOSTS;

	PLAN_EACH(struct plan_dir, x, p, a->dirs)
		PLAN_EACH(struct plan_dir, y, q, b->dirs)
			if (x->kind < DIR_MOUNT_POINT && same_text(p, x->base, q, y->base) &&
			    same_text(p, x->name, q, y->name))
				return true;
	PLAN_EACH(struct plan_mount, x, p, a->mounts)
		PLAN_EACH(struct plan_mount, y, q, b->mounts)
			if (x->kind == MOUNT_BIND && y->kind == MOUNT_BIND && !(x->flags & others) &&
			    !((x->attr | y->attr) & MOUNT_ATTR_RDONLY) && same_text(p, x->source, q, y->source))
				return true;
	return false;
}

bool between_clash(const struct plan *now, uint32_t i, const struct plan *next, uint32_t k)
{
	const struct plan_service *a = plan_service(now, i), *b = plan_service(next, k);

	return (a->flags & b->flags & CELL_DYNAMIC && a->uid == b->uid) || sockets_clash(now, a, next, b) ||
	       networks_clash(now, a, next, b) || files_clash(now, a, next, b);
}
