/* The sample: see plan_sample.h. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/plan_sample.h"
#include "init/base/fd.h"
#include "init/base/sum.h"
#include "services/plan/types.h"
#include "services/plan/write.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

static struct plan_ref words(struct writer *w, const char *const *list)
{
	struct plan_ref r[8] = { 0 };
	size_t n = 0;

	for (; list[n]; n++)
		r[n] = write_string(w, list[n]);
	return write_table(w, r, n, sizeof *r);
}
#define WORDS(w, ...) words(w, (const char *const[]){ __VA_ARGS__, NULL })

static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PLAN_ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static struct plan_service plain(struct writer *w, const char *name)
{
	struct plan_service s = { .name = write_string(w, name), .stop_signal = SIGTERM, .nice = INT32_MIN,
				  .oom_score_adj = INT32_MIN, .umask = 022 };

	s.argv = WORDS(w, "/bin/true", "-x");
	s.env = WORDS(w, "PATH=/bin", "TZ=UTC");
	s.exe = write_string(w, "/bin/true");
	s.cwd = write_string(w, "/");
	return s;
}

static void add_cell(struct writer *w, struct plan_service *s)
{
	struct plan_mount m[] = {
		{ .kind = MOUNT_PROC, .target = write_string(w, "/proc"), .data = write_string(w, "subset=pid") },
		{ .kind = MOUNT_BIND, .source = write_string(w, "/data/web"), .target = write_string(w, "/srv"),
		  .attr = 3, .flags = MOUNT_F_CREATE },
	};
	struct plan_rlimit r = { .resource = 4, .soft = 0, .hard = 0 };
	struct plan_landlock l = { .path = write_string(w, "/srv"), .access = 6 };
	struct plan_file f = { .path = write_string(w, "pids.max"), .value = write_string(w, "64") };
	struct plan_addr a = { .family = AF_INET, .prefix = 24, .ip = { 10, 88, 0, 2 } };
	uint32_t groups[] = { 4, 5 };
	uint64_t cpus[] = { 3 };
	const struct plan_link net = { .bridge = write_string(w, "prior0"), .ifname = write_string(w, "p-web"),
				       .addrs = write_table(w, &a, 1, sizeof a), .gw4 = a };

	s->flags = CELL_NAMESPACES & ~(uint32_t)CELL_USER_FIRST;
	s->flags |= CELL_NNP | CELL_SECCOMP | CELL_LANDLOCK | CELL_CAPS | CELL_ROOT_TREE;
	s->root = write_string(w, "/images/web");
	s->mounts = write_table(w, m, 2, sizeof *m);
	s->rlimits = write_table(w, &r, 1, sizeof r);
	s->landlock = write_table(w, &l, 1, sizeof l);
	s->cgroup = write_table(w, &f, 1, sizeof f);
	s->groups = write_table(w, groups, 2, 4);
	s->affinity = write_table(w, cpus, 1, 8);
	s->seccomp = write_table(w, filter, 4, sizeof *filter);
	s->seccomp_sum = sum_more(SUM_START, filter, sizeof filter);
	s->hostname = write_string(w, "web");
	s->links = write_table(w, &net, 1, sizeof net);
	s->uid = s->gid = 61184;
}

static void add_relations(struct writer *w, struct plan_service *s)
{
	struct plan_dep d[] = { { .service = 0, .kind = DEP_REQUIRES }, { .service = 2, .kind = DEP_WANTS } };
	struct plan_listen l[] = {
		{ .name = write_string(w, "http"), .kind = LISTEN_TCP, .port = 80, .backlog = 4096,
		  .addr = { .family = AF_INET6, .prefix = 128 } },
		{ .name = write_string(w, "admin"), .kind = LISTEN_UNIX_STREAM, .mode = 0660,
		  .path = write_string(w, "/run/web.sock") },
	};

	s->deps = write_table(w, d, 2, sizeof *d);
	s->listen = write_table(w, l, 2, sizeof *l);
}

static void add_machine(struct writer *w, struct plan_head *h)
{
	struct plan_addr a = { .family = AF_INET, .prefix = 24, .ip = { 10, 88, 0, 1 } };
	struct plan_bridge b = { .name = write_string(w, "prior0"), .addrs = write_table(w, &a, 1, sizeof a) };
	struct plan_interface i = { .name = write_string(w, "eth0"), .addrs = b.addrs, .gateway = a };
	struct plan_file f = { .path = write_string(w, "net/ipv4/ip_forward"), .value = write_string(w, "1") };
	struct plan_fstab m = { .source = write_string(w, "LABEL=data"), .target = write_string(w, "/data"),
				.type = write_string(w, "ext4"), .optional = 1 };
	struct plan_refused r = { .name = write_string(w, "broken"), .why = write_string(w, "a.yaml:1:1: no") };

	h->bridges = write_table(w, &b, 1, sizeof b);
	h->interfaces = write_table(w, &i, 1, sizeof i);
	h->sysctls = write_table(w, &f, 1, sizeof f);
	h->mounts = write_table(w, &m, 1, sizeof m);
	h->refused = write_table(w, &r, 1, sizeof r);
	h->nameservers = WORDS(w, "192.0.2.53");
	h->modules = WORDS(w, "virtio_net", "overlay");
	h->console_shell = WORDS(w, "/bin/sh");
	h->hostname = write_string(w, "edge-01");
	h->console = write_string(w, "ttyS0");
}

/* Hashes need the services in their place, so the plan is written twice: the second time with them. */
static int write_all(struct plan_service *s, unsigned padding, int *fd)
{
	static const uint32_t order[] = { 0, 1, 2 };
	struct plan_head h = { 0 };
	struct writer w;
	struct err e = { 0 };

	write_begin(&w);
	for (unsigned i = 0; i < padding; i++) {
		char text[32];

		snprintf(text, sizeof text, "padding %u", i);
		write_string(&w, text);
	}
	for (unsigned i = 0; i < 3; i++) {
		uint64_t hash = s[i].hash;

		s[i] = plain(&w, (const char *[]){ "db", "web", "zed" }[i]);
		s[i].hash = hash;
	}
	add_cell(&w, &s[1]);
	add_relations(&w, &s[1]);
	add_machine(&w, &h);
	h.services = write_table(&w, s, 3, sizeof *s);
	h.start_order = write_table(&w, order, 3, 4);
	int ret = write_end(&w, &h, fd, &e);

	if (ret == 0)
		for (unsigned i = 0; i < 3; i++) {
			struct plan p = { w.at, (void *)w.at, w.used };

			s[i].hash = plan_service_hash(&p, plan_service(&p, i));
		}
	write_free(&w);
	return ret;
}

unsigned char *plan_sample(size_t *size, unsigned padding)
{
	struct plan_service s[3] = { 0 };
	owned_fd first = FD_NONE, fd = FD_NONE;
	struct stat st;

	if (write_all(s, padding, &first) < 0 || write_all(s, padding, &fd) < 0 || fstat(fd, &st) < 0)
		return NULL;
	unsigned char *at = malloc((size_t)st.st_size);

	*size = (size_t)st.st_size;
	if (at && pread(fd, at, *size, 0) != (ssize_t)*size) {
		free(at);
		return NULL;
	}
	return at;
}

void plan_sample_sum(unsigned char *at, size_t size)
{
	const size_t from = offsetof(struct plan_head, sum);
	uint64_t sum = sum_long(SUM_START, at + from + 8, size - from - 8);

	memcpy(at + from, &sum, sizeof sum);
}

static size_t walk(const struct plan *p, const struct plan_type *t, const unsigned char *record)
{
	size_t sum = 0;

	for (const struct plan_field *f = t->fields; f < t->fields + t->nfields; f++) {
		struct plan_ref r;

		memcpy(&r, record + f->at, sizeof r);
		if (f->of->is_string)
			sum += strlen(plan_str(p, r));
		else
			for (uint32_t i = 0; i < r.n; i++)
				sum += walk(p, f->of, (const unsigned char *)plan_array(p, r) + i * f->of->size);
	}
	for (size_t i = 0; i < t->size; i++)
		sum += record[i];
	return sum;
}

size_t plan_sample_walk(const unsigned char *at, size_t size)
{
	struct plan p = { at, (const void *)at, size };
	size_t sum = walk(&p, &plan_head_type, at);

	for (uint32_t i = 0; i < p.head->services.n; i++) {
		const struct plan_service *s = plan_service(&p, i);

		sum += (size_t)plan_find(&p, plan_str(&p, s->name)) + plan_service_hash(&p, s);
		PLAN_EACH(struct plan_dep, d, &p, s->deps)
			sum += plan_service(&p, d->service)->uid;
	}
	return sum;
}
