/* The words of mount options: see options.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/options.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

static const struct {
	const char *word;
	unsigned long set, clear;
} options[] = {
	{ "defaults", 0, 0 },
	{ "ro", MS_RDONLY, 0 },		{ "rw", 0, MS_RDONLY },
	{ "nosuid", MS_NOSUID, 0 },	{ "suid", 0, MS_NOSUID },
	{ "nodev", MS_NODEV, 0 },	{ "dev", 0, MS_NODEV },
	{ "noexec", MS_NOEXEC, 0 },	{ "exec", 0, MS_NOEXEC },
	{ "sync", MS_SYNCHRONOUS, 0 },	{ "async", 0, MS_SYNCHRONOUS },
	{ "dirsync", MS_DIRSYNC, 0 },	{ "mand", 0, 0 },
	{ "noatime", MS_NOATIME, 0 },	{ "atime", 0, MS_NOATIME },
	{ "nodiratime", MS_NODIRATIME, 0 }, { "diratime", 0, MS_NODIRATIME },
	{ "relatime", MS_RELATIME, 0 },	{ "norelatime", 0, MS_RELATIME },
	{ "strictatime", MS_STRICTATIME, 0 }, { "lazytime", 1ul << 25, 0 },
	{ "silent", MS_SILENT, 0 },	{ "bind", MS_BIND, 0 },
	{ "rbind", MS_BIND | MS_REC, 0 },
	/* of fstab and of mount(8), not of the file system */
	{ "auto", 0, 0 }, { "nofail", 0, 0 }, { "noauto", 0, 0 }, { "_netdev", 0, 0 }, { "user", 0, 0 },
	{ "nouser", 0, 0 }, { "users", 0, 0 }, { "owner", 0, 0 }, { "group", 0, 0 },
};

static bool is_word(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && !strncmp(s, word, n);
}

static bool begins(const char *s, size_t n, const char *with)
{
	return n >= strlen(with) && !strncmp(s, with, strlen(with));
}

void mount_word(struct mount_words *w, const char *word, size_t n)
{
	static const char timeout[] = "x-systemd.device-timeout=";

	w->optional |= is_word(word, n, "nofail");
	w->skip |= is_word(word, n, "noauto");
	if (begins(word, n, timeout))
		w->wait_s = atoi(word + strlen(timeout));
	for (unsigned i = 0; i < sizeof options / sizeof *options; i++)
		if (is_word(word, n, options[i].word)) {
			w->flags = (w->flags | options[i].set) & ~(uint64_t)options[i].clear;
			return;
		}
	if (!n || begins(word, n, "x-") || begins(word, n, "comment="))
		return;
	if (w->data.n)
		text_add(&w->data, ",");
	text_add_n(&w->data, word, n);
}

void mount_words(struct mount_words *w, const char *list)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		mount_word(w, list, n);
		list += n + (list[n] == ',');
	}
}
