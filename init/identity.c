/* Who the machine is: its host name and /etc/machine-id. See stages.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/base/file.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "init/child.h"
#include "init/stages.h"
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define ID_FILE "/etc/machine-id"
#define ID_RUN "/run/machine-id"
#define WRITE_MS 10000

/* The configuration's; else /etc/hostname's; else it stays the kernel's. */
int stage_hostname(struct boot *b, struct err *e)
{
	const char *name = plan_str(&b->plan, b->plan.head->hostname);
	char line[65];

	if (!*name && file_line("/etc/hostname", line, sizeof line, e) == 0 && line[0] != '#') {
		line[strcspn(line, " \t")] = '\0';
		name = line;
	}
	if (*name && sethostname(name, strlen(name)) < 0)
		return err_sys(e, "set the hostname to %s", name);
	return 0;
}

static int write_id(const char *path, const char *id)
{
	owned_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0444);

	return fd < 0 || write(fd, id, strlen(id)) < 0 ? -errno : 0;
}

/* On a disk that can be written it stays; on one that cannot, it is this boot's, laid over the file if there is one. */
static int make_id(void *ctx, struct err *e)
{
	unsigned char raw[16];
	char id[40];
	struct text t = TEXT_IN(id);

	(void)ctx;
	if (getrandom(raw, sizeof raw, GRND_NONBLOCK) != sizeof raw)
		return err_sys(e, "random bytes for " ID_FILE);
	raw[6] = (unsigned char)((raw[6] & 0x0f) | 0x40);	/* a UUID of version 4, as others expect */
	raw[8] = (unsigned char)((raw[8] & 0x3f) | 0x80);
	for (unsigned i = 0; i < sizeof raw; i++)
		text_fmt(&t, "%02x", raw[i]);
	text_add(&t, "\n");
	if (write_id(ID_FILE, id) == 0)
		return 0;
	if (write_id(ID_RUN, id) < 0)
		return err_sys(e, "write " ID_RUN);
	if (access(ID_FILE, F_OK) == 0 && sys_mount(ID_RUN, ID_FILE, NULL, MS_BIND, NULL) < 0)
		return err_sys(e, "lay " ID_RUN " over " ID_FILE);
	return 0;
}

int stage_identity(struct boot *b, struct err *e)
{
	char id[40];
	struct stat st;

	(void)b;
	if (file_line(ID_FILE, id, sizeof id, e) == 0 && strlen(id) == 32)
		return 0;
	if (stat("/etc", &st) < 0)
		return 0;	/* an image without /etc has nobody who reads it */
	return child_run(make_id, NULL, WRITE_MS, e);
}
