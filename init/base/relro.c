/* The tables of pointers are made constant: see relro.h. */
/* SPDX-License-Identifier: ISC */
#include "init/base/relro.h"
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

/* The linker's name for the first byte of this program, which begins at 0 in the file's own count. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

void relro_apply(void)
{
	const uintptr_t base = (uintptr_t)&__ehdr_start, page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const ElfW(Phdr) *h = (const ElfW(Phdr) *)(base + __ehdr_start.e_phoff);

	for (unsigned i = 0; i < __ehdr_start.e_phnum; i++)
		if (h[i].p_type == PT_GNU_RELRO) {
			const uintptr_t from = (base + h[i].p_vaddr) & -page;

			/* The page that it ends in, if it does, has what is written, too. */
			mprotect((void *)from, ((base + h[i].p_vaddr + h[i].p_memsz) & -page) - from, PROT_READ);
		}
}
