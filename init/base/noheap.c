/* malloc and its kin, wrapped by the linker in test builds: see noheap.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/noheap.h"

#ifdef PRIOR_NO_HEAP
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/* Link with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=posix_memalign */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
int __real_posix_memalign(void **p, size_t align, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
int __wrap_posix_memalign(void **p, size_t align, size_t n);

static int *on;		/* its page is wiped in a child */

void no_heap_from_here(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || madvise(page, 4096, MADV_WIPEONFORK) < 0)
		return;
	on = page;
	*on = 1;
}

static void refuse(void)
{
	static const char text[] = "prior: PID 1 asked for heap memory after boot\n";
	ssize_t ignored = write(2, text, sizeof text - 1);

	(void)ignored;
	*on = 0;	/* the fault handler's exec must not come here again */
	raise(SIGABRT);
}

void *__wrap_malloc(size_t n)
{
	if (on && *on)
		refuse();
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	if (on && *on)
		refuse();
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	if (on && *on)
		refuse();
	return __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	if (on && *on)
		refuse();
	return __real_aligned_alloc(align, n);
}

int __wrap_posix_memalign(void **p, size_t align, size_t n)
{
	if (on && *on)
		refuse();
	return __real_posix_memalign(p, align, n);
}
#endif
