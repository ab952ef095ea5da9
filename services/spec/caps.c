/* The kernel's capabilities in the order of their numbers, CAP_CHOWN being 0. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/caps.h"
#include "init/conf/value.h"
#include <string.h>
#include <strings.h>

static const char *const names[CAPS_KNOWN + 1] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
	"CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE",
	"CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT",
	"CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
	"CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
	"CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
	"CAP_CHECKPOINT_RESTORE", NULL
};

const char *cap_name(unsigned bit)
{
	return bit < CAPS_KNOWN ? names[bit] : NULL;
}

static const char *without_prefix(const char *name)
{
	return strncasecmp(name, "CAP_", 4) ? name : name + 4;
}

int cap_number(const char *name)
{
	name = without_prefix(name);
	if (!strcasecmp(name, "ALL"))
		return CAPS_KNOWN;
	for (unsigned i = 0; i < CAPS_KNOWN; i++)
		if (!strcasecmp(name, names[i] + 4))
			return (int)i;
	return -1;
}

const char *cap_nearest(const char *name)
{
	const char *best = NULL;
	unsigned least = 99, d;

	name = without_prefix(name);
	for (unsigned i = 0; i < CAPS_KNOWN; i++)
		if (value_is_near(name, names[i] + 4, &d) && d < least) {
			least = d;
			best = names[i];
		}
	return best;
}
