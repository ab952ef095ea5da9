/* Giving memory back: see rest.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/rest.h"
#include "init/base/sys.h"
#include <elf.h>
#include <link.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/statfs.h>

#define STACK_BELOW (64 << 10)	/* the kernel leaves more than this free below a stack */

/* The linker's name for the first byte of this program, which begins at 0 in the file's own count. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* Where tools/tables.ld has put what; a program that is linked without it has nothing there. */
extern const char rest_tables[] __attribute__((weak, visibility("hidden")));
extern const char rest_tables_supervisor[] __attribute__((weak, visibility("hidden")));
extern const char rest_tables_end[] __attribute__((weak, visibility("hidden")));

static bool comes_again;

bool rest_comes_again(int64_t type)
{
	return type == RAMFS_MAGIC || type == TMPFS_MAGIC;
}

bool rest_begin(void)
{
	struct statfs fs;

	comes_again = statfs("/proc/self/exe", &fs) == 0 && rest_comes_again((int64_t)fs.f_type);
	return comes_again;
}

void rest_tables_of_others(enum rest_as as)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t from = ((uintptr_t)rest_tables + page - 1) / page * page;
	const uintptr_t to = (uintptr_t)(as == REST_AS_LOGGER ? rest_tables_end : rest_tables_supervisor) / page * page;

	/* Not MADV_DONTNEED: the file's page would come back, with pointers that lead nowhere. */
	if (from < to)
		mmap((void *)from, to - from, PROT_NONE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static inline __attribute__((always_inline)) void give_back(uintptr_t from, uintptr_t to)
{
	if (from < to)
		sys_inline(SYS_madvise, (long)from, (long)(to - from), MADV_DONTNEED, 0);
}

/* Of the program's file all but one page, the first of which, with these headers, comes last. */
static inline __attribute__((always_inline)) void give_back_file(uintptr_t but, uintptr_t page)
{
	const uintptr_t base = (uintptr_t)&__ehdr_start;
	const ElfW(Phdr) *h = (const ElfW(Phdr) *)(base + __ehdr_start.e_phoff);

	/* Not one page that could have been written: relocated pointers are not in the file. */
	for (unsigned i = __ehdr_start.e_phnum; i-- > 0;)
		if (h[i].p_type == PT_LOAD && !(h[i].p_flags & PF_W)) {
			const uintptr_t from = (base + h[i].p_vaddr) & -page, to = base + h[i].p_vaddr + h[i].p_memsz;
			const bool in = from <= but && but < to;

			give_back(from, in ? but : to);
			give_back(in ? but + page : to, to);
		}
}

int rest_now(int epoll_fd, struct epoll_event *to, int n, int ms)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t stack = (uintptr_t)__builtin_frame_address(0) & -page;

	if (comes_again)
		give_back_file((uintptr_t)rest_now & -page, page);
	/* What we have below our frame may reach into the page below. */
	give_back(stack - STACK_BELOW, stack - page);
	return (int)sys_inline(SYS_epoll_pwait, epoll_fd, (long)(uintptr_t)to, n, ms);
}

int rest_wait(int epoll_fd, struct epoll_event *to, int n, int ms)
{
	if (ms >= 0 && ms < REST_WORTH_MS)
		return epoll_wait(epoll_fd, to, n, ms);
	const int got = epoll_wait(epoll_fd, to, n, REST_WAIT_MS);

	return got ? got : rest_now(epoll_fd, to, n, ms < 0 ? ms : ms - REST_WAIT_MS);
}
