/* `prior kexec`: loading a kernel, and asking PID 1 to end in it. */
/* SPDX-License-Identifier: ISC */
#include "init/base/fd.h"
#include "init/ctl/request.h"
#include "services/supervise/control.h"
#include "init/base/file.h"
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORDS_MAX 4096

static int load(const char *kernel, const char *initrd, const char *words, struct err *e)
{
#ifdef SYS_kexec_file_load
	owned_fd image = open(kernel, O_RDONLY | O_CLOEXEC);
	owned_fd ram = image < 0 || !initrd ? FD_NONE : open(initrd, O_RDONLY | O_CLOEXEC);
	unsigned long flags = initrd ? 0 : KEXEC_FILE_NO_INITRAMFS;

	if (image < 0)
		return err_sys(e, "open the kernel %s", kernel);
	if (initrd && ram < 0)
		return err_sys(e, "open the initrd %s", initrd);
	if (syscall(SYS_kexec_file_load, image, ram, strlen(words) + 1, words, flags) == 0)
		return 0;
	return errno != ENOSYS ? err_sys(e, "load the kernel %s", kernel) :
	       err_set(e, ENOSYS, "load the kernel %s: the one that runs is built without CONFIG_KEXEC_FILE", kernel);
#else
	(void)initrd, (void)words;
	return err_set(e, ENOSYS, "load the kernel %s: not on this architecture", kernel);
#endif
}

static int nothing_loaded(struct err *e)
{
	char loaded[8];
	int rc = file_line("/sys/kernel/kexec_loaded", loaded, sizeof loaded, e);

	if (rc < 0)
		return err_in(e, "is a kernel loaded? (this one may be built without kexec)");
	return *loaded == '1' ? 0 : err_set(e, ENOENT, "no kernel is loaded; name one, such as /boot/vmlinuz");
}

int verb_kexec(struct ctl *c)
{
	const char *kernel = c->nargs > 0 ? c->args[0] : NULL, *words = c->value[OPT_APPEND];
	char running[WORDS_MAX];
	struct err e;

	if (!kernel && (words || has(c, OPT_INITRD)))
		return ctl_say(c, USAGE, "--initrd and --append are for the KERNEL that is to be loaded; name it");
	if (kernel && !words) {
		if (file_line("/proc/cmdline", running, sizeof running, &e) < 0)
			return ctl_fail(c, FAILED, &e);
		words = running;
	}
	if ((kernel ? load(kernel, c->value[OPT_INITRD], words, &e) : nothing_loaded(&e)) < 0)
		return ctl_fail(c, FAILED, &e);
	c->nargs = 0;	/* the kernel is no argument of the firmware's */
	return power_end(c, CTL_KEXEC, LINUX_REBOOT_CMD_KEXEC);
}
