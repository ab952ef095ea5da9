/* Opening the input devices that have a power button, deaf to all other keys: see buttons.h. A child's work. */
/* SPDX-License-Identifier: ISC */
#include "init/base/dir.h"
#include "init/base/fd.h"
#include "init/base/text.h"
#include "services/supervise/buttons.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <time.h>

#define PREFIX "event"
#define DEVICES_MAX 1024	/* the kernel has no more numbers for input devices */
#define PER_WORD (8 * sizeof(unsigned long))
#define WORDS(bits) ((bits) / PER_WORD + 1)

static void set_bit(unsigned long *v, unsigned n)
{
	v[n / PER_WORD] |= 1ul << n % PER_WORD;
}

static bool has_bit(const unsigned long *v, unsigned n)
{
	return v[n / PER_WORD] >> n % PER_WORD & 1;
}

static bool is_button(int fd)
{
	unsigned long keys[WORDS(KEY_MAX)] = { 0 };

	return ioctl(fd, EVIOCGBIT(EV_KEY, sizeof keys), keys) >= 0 && has_bit(keys, KEY_POWER);
}

static bool let_through(int fd, uint32_t type, const unsigned long *v, size_t size)
{
	const struct input_mask m = { .type = type, .codes_size = (uint32_t)size, .codes_ptr = (uintptr_t)v };

	return ioctl(fd, EVIOCSMASK, &m) == 0;
}

/* Of all kinds of events only keys, and of these only ours; another clock throws away what came before that. */
static bool make_deaf(int fd)
{
	unsigned long types[WORDS(EV_MAX)] = { 0 }, keys[WORDS(KEY_MAX)] = { 0 };
	int clock = CLOCK_MONOTONIC;

	set_bit(types, EV_KEY);
	for (unsigned i = 0; i < sizeof BUTTONS_KEYS / sizeof *BUTTONS_KEYS; i++)
		set_bit(keys, BUTTONS_KEYS[i]);
	return let_through(fd, EV_SYN, types, sizeof types) && let_through(fd, EV_KEY, keys, sizeof keys) &&
	       ioctl(fd, EVIOCSCLOCKID, &clock) == 0;
}

/* name's number is marked, if it is an event device's. */
static void note(const char *name, bool *there)
{
	unsigned n = 0;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || !name[strlen(PREFIX)])
		return;
	for (const char *c = name + strlen(PREFIX); *c; c++) {
		if (*c < '0' || *c > '9')
			return;
		n = n * 10 + (unsigned)(*c - '0');
		if (n >= DEVICES_MAX)
			return;
	}
	there[n] = true;
}

unsigned buttons_look(const char *folder, int *fds, unsigned max, unsigned *more)
{
	_Alignas(8) char room[1024];
	bool there[DEVICES_MAX] = { false };
	owned_fd dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dir_scan scan = { .fd = dir, .room = room, .size = sizeof room };
	unsigned n = 0;

	*more = 0;
	for (const struct dir_entry *d; dir >= 0 && (d = dir_next(&scan));)
		note(d->name, there);
	for (unsigned i = 0; i < DEVICES_MAX; i++) {
		char name[16];
		struct text t = TEXT_IN(name);

		if (!there[i])
			continue;
		text_fmt(&t, PREFIX "%u", i);
		owned_fd fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 || !is_button(fd))
			continue;
		if (n == max)
			++*more;
		else if (make_deaf(fd))
			fds[n++] = fd_take(&fd);
	}
	return n;
}
