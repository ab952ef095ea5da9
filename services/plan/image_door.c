/* Looking into images: see image_door.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/image_door.h"
#include "init/base/fd.h"
#include "init/base/pass.h"
#include "init/base/sys.h"
#include "rootfs/image.h"
#include "rootfs/mount.h"
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>

/*
 * Laid over a folder that is always there and that we do not need: Landlock, under which our asker is, lets it read
 * below "/", and finds out by going up from mount to mount.
 */
static int look_into(int file, struct err *e)
{
	const char *type;

	if (image_type(file, &type, e) < 0)
		return -e->code;
	owned_fd root = image_mount(file, type, e);

	if (root < 0)
		return err_in(e, "mount it");
	if (sys_move_mount(root, "", AT_FDCWD, "/proc/sys", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "mount it");
	return fd_take(&root);
}

static int go_alone(struct err *e)
{
	if (unshare(CLONE_NEWNS) < 0 || sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, "mounts of our own");
	return 0;
}

static _Noreturn void serve(int sock)
{
	bool alone = false;
	struct err e;

	if ((sock != 3 && dup3(sock, 3, O_CLOEXEC) < 0) || sys_close_range(4, ~0u, 0) < 0)
		_exit(1);
	sock = 3;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	prctl(PR_SET_NAME, "prior-images");
	for (;;) {
		owned_fd file = FD_NONE, root = FD_NONE;

		if (pass_receive(sock, &e, sizeof e, &file, 0) != (ssize_t)sizeof e)
			_exit(0);
		if (alone || go_alone(&e) == 0) {
			alone = true;
			root = look_into(file, &e);
		}
		if (root >= 0)
			e = (struct err){ 0 };
		if (pass_send(sock, &e, sizeof e, root, 0) < 0)
			_exit(1);
	}
}

void image_door_open(struct machine_facts *f)
{
	int pair[2];

	f->image_door = 0;
	if (!f->can_mount || !f->is_root || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	owned_fd ours = pair[0], theirs = pair[1];
	const pid_t pid = fork();

	if (pid == 0)
		serve(theirs);
	if (pid > 0)
		f->image_door = fd_take(&ours);
}

void image_door_close(struct machine_facts *f)
{
	if (f->image_door > 0)
		fd_drop(&f->image_door);
	f->image_door = 0;
}

int image_door_ask(int door, int file, struct err *e)
{
	const struct err question = { 0 };
	struct err said;
	owned_fd root = FD_NONE;

	if (pass_send(door, &question, sizeof question, file, 0) < 0 ||
	    pass_receive(door, &said, sizeof said, &root, 0) != (ssize_t)sizeof said)
		return err_set(e, EPIPE, "the process that looks into images is gone");
	said.text[sizeof said.text - 1] = '\0';
	if (said.code || root < 0)
		return err_set(e, said.code ? said.code : EPROTO, "%s", said.text);
	return fd_take(&root);
}
