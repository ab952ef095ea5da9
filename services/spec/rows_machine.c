/* The rows of the top level: the machine, its network, trust, and where the services are. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/rows.h"

#define F(f, ctype) CONF_FIELD(struct spec, f, ctype)
#define BOOL(f) .type = CONF_BOOL, F(f, bool), .def = "false"
#define MSEC(f) .type = CONF_MSEC, F(f, int64_t), .min = 0, .max = LONGEST
#define TEXT(f) .type = CONF_TEXT, F(f, const char *)
#define PATH(f) .type = CONF_PATH, F(f, const char *)
#define LIST(f) .type = CONF_LIST, F(f, struct str_list)
#define SECTION(rows) .type = CONF_SECTION, .sub = (rows)

static const char *const emergency_words[] = { "shell", "reboot", "poweroff", "halt", NULL };

static const char *const button_words[] = { "poweroff", "reboot", "ignore", NULL };

static const char *const then_words[] = { "shell", "poweroff", "halt", NULL };

#define M(f, ctype) CONF_FIELD(struct spec_mount, f, ctype)

static const struct conf_key mount_keys[] = {
	{ "source", .type = CONF_TEXT, M(source, const char *), .flags = CONF_REQUIRED,
	  .doc = "Device, as /dev/X, LABEL=, UUID=, PARTUUID= or PARTLABEL=, a folder to bind, or what the file system "
		 "takes for a device.",
	  .example = "tmpfs" },
	{ "target", .type = CONF_PATH, M(target, const char *), .doc = "Where to mount it; swap has none.",
	  .example = "/scratch" },
	{ "type", .type = CONF_TEXT, M(type, const char *), .def = "auto",
	  .doc = "File system; auto: what is on the device; swap; of a bind mount it means nothing.",
	  .example = "tmpfs" },
	{ "options", .type = CONF_LIST, M(options, struct str_list), .check = options_rule,
	  .doc = "Mount options, such as ro, noatime, bind, or the file system's own; an overlay's upperdir and "
		 "workdir are made, and ext file systems get errors=remount-ro unless they say something else.",
	  .example = "[noatime]" },
	{ "optional", .type = CONF_BOOL, M(optional, bool), .def = "false",
	  .doc = "That it cannot be mounted is said, and boot goes on; of all others it is an emergency." },
	{ "timeout", .type = CONF_MSEC, M(timeout, int64_t), .def = "30s", .min = 0, .max = 3600000,
	  .doc = "How long to wait for the device." },
	{ 0 }
};

#define D(f, ctype) CONF_FIELD(struct spec_device_rule, f, ctype)

static const struct conf_key device_keys[] = {
	{ "subsystem", .type = CONF_TEXT, D(subsystem, const char *),
	  .doc = "Devices of this subsystem, with * and ? for any.", .example = "tty" },
	{ "name", .type = CONF_TEXT, D(name, const char *),
	  .doc = "Devices that the kernel gives this name, with * and ? for any.", .example = "\"ttyUSB*\"" },
	{ "driver", .type = CONF_TEXT, D(driver, const char *),
	  .doc = "Devices with this driver, or on one that has it, with * and ? for any.", .example = "ftdi_sio" },
	{ "attributes", .type = CONF_PAIRS, D(attributes, struct pair_list), .check = attributes_rule,
	  .doc = "Files of sysfs and what is in them, with * and ? for any: all of them of the device, or all of one "
		 "that it is on.",
	  .example = "{idVendor: \"0403\", serial: \"A9*\"}" },
	{ "properties", .type = CONF_PAIRS, D(properties, struct pair_list), .check = properties_rule,
	  .doc = "Lines of the device's file uevent, with * and ? for any.", .example = "{DEVTYPE: \"*\"}" },
	{ "owner", .type = CONF_TEXT, D(owner, const char *), .check = user_rule,
	  .doc = "Whom the device file is given to: a name, or a number.", .example = "root" },
	{ "group", .type = CONF_TEXT, D(group, const char *), .check = user_rule,
	  .doc = "Group of the device file: a name, or a number.", .example = "\"20\"" },
	{ "mode", .type = CONF_OCTAL, D(mode, int64_t), .min = 0, .max = 0777, .doc = "Mode of the device file.",
	  .example = "\"0660\"" },
	{ "links", .type = CONF_LIST, D(links, struct str_list), .check = links_rule,
	  .doc = "Links below /dev that lead to the device file, and go with the device: names in which %k is the "
		 "kernel's name, %n the number at its end, %s{FILE} an attribute and %e{NAME} a property; a link of "
		 "which one of these is not there is not made.",
	  .example = "[gps, \"serial/by-id/%s{serial}\"]" },
	{ 0 }
};

static const struct conf_key console_keys[] = {
	{ "device", TEXT(machine.console_device), .check = console_rule,
	  .doc = "Device below /dev for messages and for emergencies, instead of the kernel's console.",
	  .example = "ttyS0" },
	{ "baud", .type = CONF_COUNT, F(machine.console_baud, int64_t), .min = 0, .max = 1500000, .def = "0",
	  .check = baud_rule,
	  .doc = "Rate of the console that is a serial line, in bits per second; 0: as the kernel has set it.",
	  .example = "115200" },
	{ "shell", .type = CONF_COMMAND, F(machine.console_shell, struct str_list), .check = console_shell_rule,
	  .doc = "Command for emergencies and for `single` on the kernel's command line; nobody is asked for a "
		 "password, and without this key there is no shell.",
	  .example = "[/bin/sh]" },
	{ 0 }
};

static const struct conf_key brake_keys[] = {
	{ "reboots", .type = CONF_COUNT, F(machine.brake_reboots, int64_t), .min = 0, .max = 16, .def = "5",
	  .doc = "How many reboots for failure in a row are the last (0: there is no end to them), more than "
		 "machine.slots.tries, so that another slot has its turn first; a boot that was asked to end, or was "
		 "well before it was cut off, ends the row." },
	{ "within", .type = CONF_MSEC, F(machine.brake_within, int64_t), .min = 1000, .max = LONGEST, .def = "10m",
	  .doc = "How long those boots may have lasted, all together, to count as a loop." },
	{ "then", .type = CONF_WORD, F(machine.brake_then, unsigned), .words = then_words, .def = "halt",
	  .doc = "What is done instead of one more reboot: the shell of machine.console on the console, to switch off, "
		 "or to stand still; without a shell it stands still." },
	{ 0 }
};

static const struct conf_key watchdog_keys[] = {
	{ "device", PATH(machine.watchdog_device),
	  .doc = "Watchdog device; it hears from prior while no service that is critical has failed or is unhealthy.",
	  .example = "/dev/watchdog" },
	{ "timeout", MSEC(machine.watchdog_timeout), .def = "30s",
	  .doc = "Time, in whole seconds, after which the watchdog resets the machine; 0: its own." },
	{ "pretimeout", MSEC(machine.watchdog_pretimeout), .def = "0s",
	  .doc = "So long before that, in whole seconds, the kernel is told, and panics or says so, as its governor "
		 "for watchdogs is set; 0: it is not told; not every watchdog can do it." },
	{ 0 }
};

static const struct conf_key root_keys[] = {
	{ "device", TEXT(machine.root_device),
	  .doc = "Device, as in machine.mounts, which is waited for half a minute, or a tag of virtiofs, with that as "
		 "type, or as virtiofs:TAG; root= on the kernel's command line says another.",
	  .example = "LABEL=root" },
	{ "type", TEXT(machine.root_type), .doc = "File system of the root (what is on the device), or rootfstype=.",
	  .example = "squashfs" },
	{ "options", LIST(machine.root_options), .check = options_rule,
	  .doc = "Mount options of the root, or rootflags=; with verity or overlay it is read-only anyway.",
	  .example = "[noatime]" },
	{ "verity", TEXT(machine.root_verity), .check = verity_rule,
	  .doc = "Root hash of dm-verity, whose tree stands behind the file system, as veritysetup --hash-offset makes "
		 "it; prior.verity= on the command line counts only where this is not given.",
	  .example = "0000000000000000000000000000000000000000000000000000000000000000" },
	{ "overlay", TEXT(machine.root_overlay),
	  .doc = "What takes the writes: tmpfs, for as long as the machine runs, or a device, for good; or "
		 "prior.overlay=, where there is no verity.",
	  .example = "tmpfs" },
	{ 0 }
};

static const char *const by_words[] = { "files", "uboot", "systemd", NULL };

#define S(f, ctype) CONF_FIELD(struct spec_slot, f, ctype)
static const struct conf_key slot_keys[] = {
	{ "name", .type = CONF_TEXT, S(name, const char *), .flags = CONF_REQUIRED, .check = slot_rule,
	  .doc = "Name of the slot; by systemd, of its entry, without a version behind a -, count and "
		 "ending.", .example = "a" },
	{ "device", .type = CONF_TEXT, S(device, const char *),
	  .doc = "Its root, in the place of machine.root.device.", .example = "PARTLABEL=root-a" },
	{ "type", .type = CONF_TEXT, S(type, const char *), .doc = "In the place of machine.root.type.",
	  .example = "erofs" },
	{ "verity", .type = CONF_TEXT, S(verity, const char *), .check = verity_rule,
	  .doc = "In the place of machine.root.verity.",
	  .example = "0000000000000000000000000000000000000000000000000000000000000000" },
	{ 0 }
};

static const struct conf_key slots_keys[] = {
	{ "by", .type = CONF_WORD, F(machine.slots_by, unsigned), .words = by_words, .def = "files",
	  .doc = "Who counts: prior itself as /init of an initramfs (files), U-Boot with RAUC's variables BOOT_ORDER "
		 "and BOOT_NAME_LEFT (uboot), or a boot loader that counts in names of files (systemd); these "
		 "two say which slot was booted by prior.slot=, rauc.slot= or root=, its device, on the kernel's "
		 "command line; by files prior.slot= chooses, and root= does not, for every boot is counted." },
	{ "list", .type = CONF_ITEMS, F(machine.slots, struct spec_slot_list), .sub = slot_keys,
	  .each = sizeof(struct spec_slot), .from_at = offsetof(struct spec_slot, from),
	  .doc = "The slots, up to eight, the preferred one first." },
	{ "at", TEXT(machine.slots_at), .check = last_boot_rule,
	  .doc = "By files: a device of its own (its first 8 KiB), or a file on a disk that is mounted before the root "
		 "is; by systemd: the folder of the entries, such as /boot/loader/entries, which machine.mounts of an "
		 "initramfs says, too, so that a good slot whose root fails is counted again.",
	  .example = "PARTLABEL=slots" },
	{ "env", LIST(machine.slots_env),
	  .doc = "By uboot: where its environment is, as lines of fw_env.config: device or file, offset, size; two of "
		 "them are a redundant one, of which the older copy is written, and a single one is lost when the "
		 "power is cut while it is written.",
	  .example = "[\"/dev/mmcblk0 0x3e0000 0x20000\", \"/dev/mmcblk0 0x400000 0x20000\"]" },
	{ "tries", .type = CONF_COUNT, F(machine.slots_tries, int64_t), .min = 1, .max = 99, .def = "3",
	  .doc = "How often a slot is booted without having been good." },
	{ "good_after", MSEC(machine.good_after), .def = "10s",
	  .doc = "How long all must have been well, without one service that failed, was unhealthy or had to be "
		 "started again, for the slot to be marked good by itself; 0: only `prior slot mark-good` does it." },
	{ "hook", .type = CONF_COMMAND, F(machine.slots_hook, struct str_list),
	  .doc = "Command to run, as root and with a minute's time, when a slot was marked good or bad, or preferred: "
		 "with mark-good, mark-bad or switch and the slot's name behind it.",
	  .example = "[/usr/bin/slot-changed]" },
	{ 0 }
};

static const struct conf_key machine_keys[] = {
	{ "hostname", TEXT(machine.hostname), .check = hostname_rule, .doc = "Host name of the machine.",
	  .example = "edge-01" },
	{ "modules", LIST(machine.modules), .check = modules_rule,
	  .doc = "Kernel modules to load, with what they need.",
	  .example = "[overlay]" },
	{ "sysctl", .type = CONF_PAIRS, F(machine.sysctl, struct pair_list), .check = sysctl_rule,
	  .doc = "Kernel settings by their names.",
	  .example = "{net.ipv4.ip_forward: 1}" },
	{ "mounts", .type = CONF_ITEMS, F(machine.mounts, struct spec_mount_list), .sub = mount_keys,
	  .each = sizeof(struct spec_mount),
	  .from_at = offsetof(struct spec_mount, from),
	  .doc = "File systems to mount at boot." },
	{ "devices", .type = CONF_ITEMS, F(machine.device_rules, struct spec_device_rule_list), .sub = device_keys,
	  .each = sizeof(struct spec_device_rule),
	  .from_at = offsetof(struct spec_device_rule, from),
	  .doc = "Rules for device files: owner, mode and links of those that are as all of a rule says, at boot and "
		 "whenever one comes; all rules that fit hold, of owner, group and mode the last one's." },
	{ "fstab", BOOL(machine.fstab),
	  .doc = "Mount what /etc/fstab says, too, after machine.mounts; read at boot.",
	  .example = "true" },
	{ "console", SECTION(console_keys), .doc = "The console." },
	{ "emergency", .type = CONF_WORD, F(machine.emergency, unsigned), .words = emergency_words, .def = "reboot",
	  .doc = "What to do when a mount that is not optional fails, or PID 1 cannot go on, after five seconds "
		 "for who looks at the console; when a shell has ended, boot goes on; prior.emergency= on the "
		 "kernel's command line says it instead." },
	{ "last_boot", TEXT(machine.last_boot), .check = last_boot_rule,
	  .doc = "Where the reason and the last events of a boot are kept for the next one: a file on a disk (not in "
		 "memory, be it below an overlay), or a "
		 "device of its own, such as PARTLABEL=boots (its first 32 KiB), which can be written even when no "
		 "file system can be mounted; `prior last-boot` shows it, and machine.brake counts by it.",
	  .example = "/var/lib/prior/last-boot" },
	{ "brake", SECTION(brake_keys),
	  .doc = "The end of a loop of reboots for failure (emergency, critical, on_failure); needs last_boot." },
	{ "watchdog", SECTION(watchdog_keys), .doc = "The hardware watchdog." },
	{ "root", SECTION(root_keys), .doc = "In an initramfs: the root file system to find and switch to." },
	{ "slots", SECTION(slots_keys),
	  .doc = "Roots that take turns (A/B): one that does not come up well is left for the other." },
	{ "power_button", .type = CONF_WORD, F(machine.power_button, unsigned), .words = button_words,
	  .def = "poweroff",
	  .doc = "What a press on the power button, or on a keyboard's power key, asks for: the same as `prior "
		 "poweroff` or `prior reboot`, or nothing; a restart key always reboots, unless they are ignored; the "
		 "kernel needs evdev, and the button's driver." },
	{ "rtc", TEXT(machine.rtc), .check = rtc_rule,
	  .doc = "What the hardware clock keeps: utc, or local (the zone of /etc/localtime); whatever it says, the "
		 "time is never earlier than the image was made and, with random_seed, the machine last ended.",
	  .example = "utc" },
	{ "random_seed", PATH(machine.random_seed),
	  .doc = "File that carries randomness over a reboot; used once, and replaced at boot and at the end.",
	  .example = "/var/lib/prior/random-seed" },
	{ "metrics", TEXT(machine.metrics), .check = socket_address_rule,
	  .doc = "Address, as ADDRESS:PORT, where a confined helper answers HTTP: /livez, /readyz, /healthz and "
		 "/metrics; whoever can connect may read; none when absent; `prior up --metrics` says another.",
	  .example = "\"127.0.0.1:9100\"" },
	{ "shutdown_timeout", MSEC(machine.shutdown_timeout), .def = "60s", .doc = "Time for all services to stop." },
	{ 0 }
};

#define I(f, ctype) CONF_FIELD(struct spec_interface, f, ctype)
static const struct conf_key match_keys[] = {
	{ "mac", .type = CONF_TEXT, I(match_mac, const char *), .check = mac_rule,
	  .doc = "Its MAC address; of what stands on others, such as VLANs, it does not count.",
	  .example = "\"52:54:00:12:34:56\"" },
	{ "driver", .type = CONF_TEXT, I(match_driver, const char *),
	  .doc = "The driver of its device, with * and ? for any.", .example = "virtio_net" },
	{ "path", .type = CONF_TEXT, I(match_path, const char *),
	  .doc = "Where its device is, below /sys/devices, with * and ? for any.",
	  .example = "pci0000:00/0000:00:03.0/*" },
	{ "name", .type = CONF_TEXT, I(match_name, const char *),
	  .doc = "The name that the kernel has given it, with * and ? for any.", .example = "\"en*\"" },
	{ 0 }
};

const struct conf_key interface_keys[] = {
	{ "match", SECTION(match_keys),
	  .doc = "Which of the machine's interfaces gets this name, before anything else is done with it: exactly one "
		 "must be as all of this says; who had the name gets the other's; without this, it is the one that has "
		 "the name." },
	{ "addresses", .type = CONF_LIST, I(addresses, struct str_list), .check = prefixes_rule,
	  .doc = "Addresses with prefix length.",
	  .example = "[192.0.2.10/24]" },
	{ "gateway", .type = CONF_TEXT, I(gateway, const char *), .check = address_rule, .doc = "Default route.",
	  .example = "192.0.2.1" },
	{ "vlan", .type = CONF_COUNT, I(vlan, int64_t), .min = 1, .max = 4094,
	  .doc = "Number of the VLAN that it is on its parent; it is made.", .example = "7" },
	{ "parent", .type = CONF_TEXT, I(parent, const char *), .check = interface_rule,
	  .doc = "With vlan: the interface that its frames go through; when that is a VLAN too, it stands before it.",
	  .example = "eth1" },
	{ "mtu", .type = CONF_COUNT, I(mtu, int64_t), .min = 576, .max = 65535,
	  .doc = "Largest packet, in bytes; the kernel's when absent.", .example = "1500" },
	{ "dhcp", .type = CONF_BOOL, I(dhcp, bool), .def = "false",
	  .doc = "Ask for an address by DHCP, by the image's udhcpc (or busybox) as the confined service dhcp@NAME; "
		 "prior itself gives the interface what it hears of: address, default route, name servers in "
		 "/run/prior-names/resolv.conf.", .example = "true" },
	{ "accept_ra", .type = CONF_BOOL, I(accept_ra, bool), .def = "false",
	  .doc = "IPv6 addresses, routes and name servers by router advertisements, even while the machine passes "
		 "packets on; otherwise as the kernel does by itself, without name servers.", .example = "true" },
	{ "optional", .type = CONF_BOOL, I(optional, bool), .def = "false",
	  .doc = "Not waited for by network@all, which services can name in depends_on; network@NAME waits for one "
		 "interface: for its carrier and its addresses, of each family that it is to have." },
	{ 0 }
};

#define B(f, ctype) CONF_FIELD(struct spec_bridge, f, ctype)
const struct conf_key bridge_keys[] = {
	{ "subnets", .type = CONF_LIST, B(subnets, struct str_list), .check = prefixes_rule,
	  .doc = "Networks of the bridge, none of which may overlap another bridge's, or hold a network of "
		 "network.interfaces; it takes the first address of each.", .example = "[10.88.0.0/24]" },
	{ "nat", .type = CONF_BOOL, B(nat, bool), .def = "false",
	  .doc = "Forward what its cells send elsewhere, under the machine's own address; from outside only published "
		 "ports lead to them.", .example = "true" },
	{ "mtu", .type = CONF_COUNT, B(mtu, int64_t), .min = 1280, .max = 65535,
	  .doc = "Largest packet of the bridge and its cells, in bytes; the kernel's 1500 when absent.",
	  .example = "1400" },
	{ 0 }
};

static const struct conf_key net_keys[] = {
	{ "interfaces", .type = CONF_APART, .flags = CONF_NAMED, .set = set_interfaces, .sub = interface_keys,
	  .doc = "The machine's interfaces by name.", .example = "eth0" },
	{ "bridges", .type = CONF_APART, .flags = CONF_NAMED, .set = set_bridges, .sub = bridge_keys,
	  .doc = "Bridges for the services by name.",
	  .example = "prior0" },
	{ "nameservers", LIST(nameservers), .check = addresses_rule, .doc = "Addresses of name servers.",
	  .example = "[192.0.2.53]" },
	{ 0 }
};

#define G(f, ctype) CONF_FIELD(struct spec_signer, f, ctype)
static const struct conf_key signer_keys[] = {
	{ "name", .type = CONF_TEXT, G(name, const char *), .flags = CONF_REQUIRED, .doc = "Name of the signer.",
	  .example = "official" },
	{ "public_key", .type = CONF_TEXT, G(public_key, const char *), .flags = CONF_REQUIRED,
	  .check = public_key_rule,
	  .doc = "File with the public key, or the key itself (RW...).",
	  .example = "RWQ2HGbNL81V1F4awyMdyQ38f72Y+GuWIsShvZXyC/OYLjEnqaK2C1Er" },
	{ "scope", .type = CONF_LIST, G(scope, struct str_list), .flags = CONF_REQUIRED,
	  .doc = "Names of the services that its files may declare, with * for any; what is no service, such as "
		 "machine or defaults, takes a \"*\" alone.",
	  .example = "[\"*\"]" },
	{ 0 }
};

static const struct conf_key trust_keys[] = {
	{ "require_signatures", BOOL(require_signatures),
	  .doc = "Take no file of services.d, image of a service, env_file or filter that has no signature "
		 "FILE.minisig of one of signers; see SECURITY.md for what vouches for this file itself.",
	  .example = "true" },
	{ "signers", .type = CONF_ITEMS, F(signers, struct spec_signer_list), .sub = signer_keys,
	  .each = sizeof(struct spec_signer), .from_at = offsetof(struct spec_signer, from),
	  .doc = "Who may sign what." },
	{ 0 }
};

#define DEFAULTS(rows, path) .type = CONF_APART, .sub = (rows), .set = set_defaults, .alias = path, \
	.doc = "Another spelling of " path "."

const struct conf_key top_keys[] = {
	{ "version", .type = CONF_CUSTOM, .set = set_version, .given = never_given, .doc = "Version of the format: 1.",
	  .schema = "\"enum\":[1,2,\"1\",\"2\"]", .example = "1" },
	{ "machine", SECTION(machine_keys), .doc = "The machine, only where prior boots one." },
	{ "network", SECTION(net_keys), .doc = "The machine's network." },
	{ "trust", SECTION(trust_keys), .doc = "Signatures; in the first file only." },
	{ "defaults", .type = CONF_APART, .sub = service_keys, .set = set_defaults,
	  .doc = "A service's keys, for all services." },
	{ "services", .type = CONF_APART, .flags = CONF_NAMED, .sub = service_keys, .set = set_services,
	  .doc = "The services by name." },

	{ "isolation", DEFAULTS(isolation_keys, "defaults.isolation") },
	{ "security", DEFAULTS(security_keys, "defaults.security") },
	{ "limits", DEFAULTS(limits_keys, "defaults.limits") },
	{ "capabilities", .type = CONF_APART, .set = set_defaults, .alias = "defaults.capabilities",
	  .doc = "Another spelling of defaults.capabilities.",
	  .schema = "\"type\":[\"array\",\"string\"],\"items\":{\"type\":\"string\"}" },
	{ 0 }
};

const struct conf_index *top_index(void)
{
	static struct conf_index x;

	conf_index(&x, top_keys);
	return &x;
}

const struct conf_index *service_index(void)
{
	static struct conf_index x;

	conf_index(&x, service_keys);
	return &x;
}
