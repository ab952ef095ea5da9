/* The journal: see journal.h. */
/* SPDX-License-Identifier: ISC */
#include "services/logs/journal.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#define MAGIC 0x315f676f6c726f69ull	/* another layout gets another number */

static int map(struct journal **j, int dir, struct err *e)
{
	owned_fd fd = openat(dir, ".journal", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, sizeof **j) < 0)
		return err_sys(e, "journal of the logger");
	void *p = mmap(NULL, sizeof **j, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return err_sys(e, "journal of the logger: map");
	*j = p;
	return 0;
}

int journal_open(struct journal **j, int dir, struct err *e)
{
	static struct journal private;
	int r = map(j, dir, e);

	if (r < 0)
		*j = &private;
	if ((*j)->magic != MAGIC)
		**j = (struct journal){ .magic = MAGIC };
	(*j)->name[sizeof (*j)->name - 1] = '\0';
	return r;
}

void journal_begin(struct journal *j, const char *name, unsigned char first, size_t n, size_t out,
		   const struct store *s)
{
	atomic_store(&j->active, 0);
	text_copy(j->name, sizeof j->name, name);
	j->n = (uint32_t)n;
	j->out = (uint32_t)out;
	j->size = s ? s->size : 0;
	j->inode = s ? s->inode : 0;
	j->first = first;
	j->witness = (uint8_t)~first;
	atomic_store(&j->active, 1);
}

void journal_end(struct journal *j)
{
	atomic_store(&j->active, 0);
}

bool journal_is_about(const struct journal *j, const char *name, const struct store *s)
{
	return atomic_load(&j->active) && strcmp(j->name, name) == 0 && (j->inode == 0 || j->inode == s->inode);
}

size_t journal_recover(struct journal *j, const char *name, struct store *s)
{
	size_t take = 0;

	if (!journal_is_about(j, name, s) || j->inode == 0 || j->witness == j->first)
		;	/* nothing begun, nothing written, or taken out: complete */
	else if (s->size >= j->size + j->out)
		take = j->n;
	else if (s->size > j->size && ftruncate(s->fd, (off_t)j->size) == 0)
		s->size = j->size;
	if (atomic_load(&j->active) && strcmp(j->name, name) == 0)
		journal_end(j);
	return take;
}
