/* Loading kernel modules in dependency order: see modules.h. */
/* SPDX-License-Identifier: ISC */
#include "rootfs/modules.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "init/base/text.h"
#include "rootfs/unpack.h"
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define DEPS_MAX 64	/* the deepest chain in Debian's kernels has 20 */
#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE 4
#endif

struct file {
	const char *at;
	size_t n;
};

static int map_file(const char *path, struct file *f, struct err *e)
{
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open %s", path);
	f->n = (size_t)st.st_size;
	f->at = f->n ? mmap(NULL, f->n, PROT_READ, MAP_PRIVATE, fd, 0) : "";
	return f->at == MAP_FAILED ? err_sys(e, "map %s", path) : 0;
}

static void unmap_file(const struct file *f)
{
	if (f->n)
		munmap((void *)(uintptr_t)f->at, f->n);
}

/* Is the path's last part NAME.ko, NAME.ko.xz, ...? '-' equals '_'. */
static bool names(const char *path, size_t n, const char *name)
{
	size_t start = n;

	while (start > 0 && path[start - 1] != '/')
		start--;
	size_t i = 0;

	for (; name[i]; i++) {
		char a = start + i < n ? path[start + i] : '\0', b = name[i];

		if ((a == '-' ? '_' : a) != (b == '-' ? '_' : b))
			return false;
	}
	return start + i + 3 <= n && !strncmp(path + start + i, ".ko", 3) &&
	       (start + i + 3 == n || path[start + i + 3] == '.');
}

/* The line of modules.dep or modules.builtin that is about NAME; *len without the newline. */
static const char *find_line(const struct file *f, const char *name, size_t *len)
{
	for (const char *l = f->at, *end = f->at + f->n; l < end;) {
		const char *nl = memchr(l, '\n', (size_t)(end - l));
		size_t n = nl ? (size_t)(nl - l) : (size_t)(end - l);
		const char *colon = memchr(l, ':', n);

		if (names(l, colon ? (size_t)(colon - l) : n, name)) {
			*len = n;
			return l;
		}
		l += n + 1;
	}
	return NULL;
}

static bool is_builtin(const char *dir, const char *name)
{
	char path[300];
	struct text t = TEXT_IN(path);
	struct file f;
	struct err ignored;
	size_t n;

	text_fmt(&t, "%s/modules.builtin", dir);
	if (map_file(path, &f, &ignored) < 0)
		return false;
	bool found = find_line(&f, name, &n) != NULL;

	unmap_file(&f);
	return found;
}

static bool is_same(char a, char b)
{
	return a == b || ((a == '-' || a == '_') && (b == '-' || b == '_'));
}

bool module_options(const char *cmdline, const char *path, char *to, size_t size)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const size_t len = strcspn(name, ".");
	struct text t = { .at = to, .size = size };

	to[0] = '\0';
	while (*(cmdline += strspn(cmdline, " \n"))) {
		const char *word = cmdline;
		size_t same = 0;

		for (bool quoted = false; *cmdline && (quoted || !strchr(" \n", *cmdline)); cmdline++)
			quoted ^= *cmdline == '"';
		while (same < len && is_same(word[same], name[same]))
			same++;
		if (same < len || word[len] != '.')
			continue;
		text_add(&t, t.n ? " " : "");
		text_add_n(&t, word + len + 1, (size_t)(cmdline - word) - len - 1);
	}
	return !t.cut;
}

#define UNPACKED_MOST (256u << 20)	/* bytes; no module is as large */

static int insert_unpacked(int packed, const char *path, const char *options, struct err *e)
{
	owned_fd fd = unpack(packed, path, UNPACKED_MOST, e);
	struct stat st;

	if (fd < 0)
		return err_in(e, "this kernel does not unpack modules itself");
	void *at = fstat(fd, &st) < 0 || !st.st_size ? MAP_FAILED :
		   mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED)
		return err_sys(e, "map %s, unpacked", path);
	int rc = syscall(SYS_init_module, at, (unsigned long)st.st_size, options) == 0 || errno == EEXIST ? 0 :
		 err_sys(e, "load %s, unpacked", path);

	munmap(at, (size_t)st.st_size);
	return rc;
}

int module_insert(const char *path, struct err *e)
{
	char cmdline[4096], options[4096];
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = strlen(path);

	if (fd < 0)
		return err_sys(e, "open %s", path);
	int flags = n > 3 && !strcmp(path + n - 3, ".ko") ? 0 : MODULE_INIT_COMPRESSED_FILE;
	owned_fd words = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t got = words < 0 ? 0 : read(words, cmdline, sizeof cmdline - 1);

	cmdline[got > 0 ? got : 0] = '\0';
	if (!module_options(cmdline, path, options, sizeof options))
		return err_set(e, E2BIG, "load %s: its parameters on the kernel's command line are too long", path);
	if (syscall(SYS_finit_module, fd, options, flags) == 0 || errno == EEXIST)
		return 0;
	/* A kernel without CONFIG_MODULE_DECOMPRESS, or one that knows another compression. */
	if (flags && (errno == EOPNOTSUPP || errno == EINVAL))
		return insert_unpacked(fd, path, options, e);
	return err_sys(e, "load %s", path);
}

/* "PATH: DEP1 DEP2": depmod lists what must be there first last, so the line is loaded from its end. */
static int load_line(const char *dir, const char *line, size_t n, int (*insert)(const char *, struct err *),
		     struct err *e)
{
	struct { const char *at; int n; } word[DEPS_MAX];
	unsigned words = 0;
	char path[400];

	for (size_t i = 0; i < n && words < DEPS_MAX;) {
		size_t w = 0;

		while (i + w < n && line[i + w] != ' ' && line[i + w] != ':')
			w++;
		if (w > 0) {
			word[words].at = line + i;
			word[words++].n = (int)w;
		}
		i += w + 1;
	}
	while (words-- > 0) {
		struct text t = TEXT_IN(path);

		if (word[words].at[0] != '/')
			text_fmt(&t, "%s/", dir);
		text_add_n(&t, word[words].at, (size_t)word[words].n);
		int rc = insert(path, e);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int module_load(const char *dir, const char *name, int (*insert)(const char *path, struct err *e), struct err *e)
{
	char own[200], path[300];
	struct text d = TEXT_IN(own), t = TEXT_IN(path);
	struct utsname u;
	struct file f;
	size_t n;

	if (!*dir) {
		uname(&u);
		text_fmt(&d, "/lib/modules/%s", u.release);
		dir = own;
	}
	text_fmt(&t, "%s/modules.dep", dir);
	if (map_file(path, &f, e) < 0)
		return err_in(e, "module %s", name);
	const char *line = find_line(&f, name, &n);
	int rc = line ? load_line(dir, line, n, insert, e) : is_builtin(dir, name) ? 0 :
		 err_set(e, ENOENT, "not in %s nor built in; put it in the image or drop it from machine.modules",
			 path);

	unmap_file(&f);
	return rc < 0 ? err_in(e, "module %s", name) : 0;
}
