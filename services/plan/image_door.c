/* Looking into images: see image_door.h. */
/* SPDX-License-Identifier: ISC */
#include "services/plan/image_door.h"
#include "init/base/fd.h"
#include "init/base/sys.h"
#include "rootfs/image.h"
#include "rootfs/mount.h"
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* One datagram, with or without a descriptor. */
static int send_one(int sock, const struct err *what, int fd)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)what, .iov_len = sizeof *what };
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control = { 0 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof control.room;
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
	}
	return sendmsg(sock, &m, MSG_NOSIGNAL) == (ssize_t)sizeof *what ? 0 : -1;
}

/* false: the other side is gone. *fd is the caller's. */
static bool receive_one(int sock, struct err *what, int *fd)
{
	struct iovec part = { .iov_base = what, .iov_len = sizeof *what };
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control = { 0 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof control.room };
	const ssize_t n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	*fd = FD_NONE;
	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && h->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(h), sizeof *fd);
	return n == (ssize_t)sizeof *what;
}

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

		if (!receive_one(sock, &e, &file))
			_exit(0);
		if (alone || go_alone(&e) == 0) {
			alone = true;
			root = look_into(file, &e);
		}
		if (root >= 0)
			e = (struct err){ 0 };
		if (send_one(sock, &e, root) < 0)
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

	if (send_one(door, &question, file) < 0 || !receive_one(door, &said, &root))
		return err_set(e, EPIPE, "the process that looks into images is gone");
	said.text[sizeof said.text - 1] = '\0';
	if (said.code || root < 0)
		return err_set(e, said.code ? said.code : EPROTO, "%s", said.text);
	return fd_take(&root);
}
