/* Mount options as words: flags of mount(2), and what is left for the file system. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/text.h"
#include <stdbool.h>
#include <stdint.h>

struct mount_words {
	uint64_t flags;		/* MS_* */
	struct text data;	/* what goes to the file system, with commas between; the caller's buffer */
	bool optional, skip;	/* nofail, noauto */
	int wait_s;		/* x-systemd.device-timeout=, -1: not said */
};

/* One option of n bytes. Those of mount(8) and fstab alone mean nothing to the kernel and are left out. */
void mount_word(struct mount_words *w, const char *word, size_t n);
void mount_words(struct mount_words *w, const char *list);	/* with commas between */
