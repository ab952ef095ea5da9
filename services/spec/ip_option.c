/* ip= of the kernel's command line, joined with network.interfaces: what it says of an interface holds instead. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "init/conf/value.h"
#include "services/spec/load.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/*
 * CLIENT:SERVER:GATEWAY:NETMASK:HOSTNAME:DEVICE:AUTOCONF:DNS:DNS, as the kernel's nfsroot.rst has it, or one word. From
 * initramfs: DEVICE:AUTOCONF[:MTU], a prefix length in the place of the netmask, IPv6 addresses in brackets.
 */
enum { CLIENT, SERVER, GATEWAY, NETMASK, HOST, DEVICE, AUTOCONF, DNS0, DNS1, FIELDS };

struct ip_option {
	const char *field[FIELDS];	/* "": not given */
	unsigned n;
	char text[512];
};

static void split(struct ip_option *o, const char *text)
{
	char *at = o->text;

	text_copy(o->text, sizeof o->text, text);
	for (unsigned i = 0; i < FIELDS; i++)
		o->field[i] = "";
	while (at && o->n < FIELDS) {
		const bool six = *at == '[' && strchr(at, ']');
		char *end = six ? strchr(at, ']') : at + strcspn(at, ":");
		char *next = six && *end ? end + 1 : end;

		o->field[o->n++] = at + six;
		at = *next == ':' ? next + 1 : NULL;
		*next = '\0';
		*end = '\0';
	}
}

static bool is_address(const char *s)
{
	unsigned char ip[16];

	return inet_pton(strchr(s, ':') ? AF_INET6 : AF_INET, s, ip) == 1;
}

/* What is not given follows from the class of the address, as in the kernel. */
static int prefix_of(const char *mask, const char *client)
{
	unsigned char ip[4] = { 0 };
	int64_t n;

	if (strchr(client, ':') && !*mask)
		return 64;
	if (*mask && value_number(mask, &n) == 0)
		return n >= 0 && n <= (strchr(client, ':') ? 128 : 32) ? (int)n : -1;
	if (strchr(client, ':'))
		return -1;
	if (!*mask) {
		inet_pton(AF_INET, client, ip);
		return ip[0] < 128 ? 8 : ip[0] < 192 ? 16 : 24;
	}
	if (inet_pton(AF_INET, mask, ip) != 1)
		return -1;
	const uint32_t bits = (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];
	const int ones = __builtin_popcount(bits);

	return ones && bits != UINT32_MAX << (32 - ones) ? -1 : ones;
}

static bool is_one_of(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(s, *words))
			return true;
	return false;
}

/* The interface of that name, or one more; without a name the only one that the configuration has, or eth0. */
static struct spec_interface *interface_of(struct load *l, const char *name)
{
	struct spec *s = l->s;
	struct spec_interface *v;

	if (!*name)
		name = s->ninterfaces == 1 ? s->interfaces[0].name : "eth0";
	for (unsigned i = 0; i < s->ninterfaces; i++)
		if (!strcmp(s->interfaces[i].name, name))
			return s->interfaces + i;
	v = arena_get(&s->arena, (s->ninterfaces + 1) * sizeof *v);
	name = arena_copy(&s->arena, name, strlen(name));
	if (!v || !name)
		return NULL;
	if (s->ninterfaces)
		memcpy(v, s->interfaces, s->ninterfaces * sizeof *v);
	v[s->ninterfaces] = (struct spec_interface){ .name = name, .vlan = UNSET_NUM, .mtu = UNSET_NUM };
	s->interfaces = v;
	return v + s->ninterfaces++;
}

static bool add(struct load *l, struct str_list *list, const char *text)
{
	const char **v = arena_get(&l->s->arena, (list->n + 1) * sizeof *v);

	text = arena_copy(&l->s->arena, text, strlen(text));
	if (!v || !text)
		return false;
	if (list->n)
		memcpy(v, list->v, list->n * sizeof *v);
	v[list->n] = text;
	*list = (struct str_list){ v, list->n + 1 };
	return true;
}

static const char *take_static(struct load *l, const struct ip_option *o, struct spec_interface *i)
{
	const char *client = o->field[CLIENT], *gateway = o->field[GATEWAY];
	const int prefix = prefix_of(o->field[NETMASK], client);

	if (prefix < 0)
		return "its netmask is none";
	if (*gateway && !is_address(gateway))
		return "its gateway is no address";
	const char *text = arena_fmt(&l->s->arena, "%s/%d", client, prefix);

	i->addresses = (struct str_list){ 0 };
	i->gateway = *gateway ? arena_copy(&l->s->arena, gateway, strlen(gateway)) : NULL;
	i->dhcp = false;
	return text && add(l, &i->addresses, text) ? NULL : "no memory left";
}

static const char *take_word(struct load *l, struct spec_interface *i, const char *word)
{
	static const char *const dhcp[] = { "dhcp", "on", "any", "", NULL }, *const none[] = { "off", "none", NULL },
				 *const six[] = { "auto6", NULL };

	if (is_one_of(word, dhcp)) {
		const char *service = arena_fmt(&l->s->arena, "dhcp@%s", i->name);

		if (!service || spec_name_kind(service) != NAME_INSTANCE)
			return "dhcp: its device's name must be one that a service can have: small letters, digits, "
			       "_ . -";
		i->dhcp = true;
	} else if (is_one_of(word, six))
		i->accept_ra = true;
	else if (!is_one_of(word, none))
		return "it asks for something else than dhcp, on, any, auto6, none or off";
	return NULL;
}

static const char *take_names(struct load *l, const struct ip_option *o)
{
	for (unsigned k = DNS0; k <= DNS1; k++) {
		if (*o->field[k] && !is_address(o->field[k]))
			return "a name server is no address";
		if (*o->field[k] && !add(l, &l->s->nameservers, o->field[k]))
			return "no memory left";
	}
	if (!*o->field[HOST] || l->s->machine.hostname)
		return NULL;
	struct err e;

	if (hostname_rule(&o->field[HOST], &e) < 0)
		return "its host name is none";
	l->s->machine.hostname = arena_copy(&l->s->arena, o->field[HOST], strlen(o->field[HOST]));
	return NULL;
}

static const char *take(struct load *l, struct ip_option *o)
{
	const char *const first = o->field[CLIENT], *device = o->field[DEVICE], *word = o->field[AUTOCONF];
	int64_t mtu = UNSET_NUM;
	struct err e;

	if (o->n == 1 && (!strcmp(first, "off") || !strcmp(first, "none")))
		return NULL;
	if (o->n == 1 && !is_address(first)) {
		device = "";
		word = first;
	} else if (*first && !is_address(first)) {
		device = first;
		word = o->field[1];
		if (*o->field[2] && (value_number(o->field[2], &mtu) < 0 || mtu < 576 || mtu > 65535))
			return "its MTU is not one from 576 to 65535";
	}
	if (*device && interface_rule(&device, &e) < 0)
		return "its device is no name of an interface";
	/* In the form that begins with the device a MAC may follow the MTU, and no names. */
	const char *why = device == first && *first ? NULL : take_names(l, o);
	struct spec_interface *i = why ? NULL : interface_of(l, device);

	if (!i)
		return why ? why : "no memory left";
	if (mtu != UNSET_NUM)
		i->mtu = mtu;
	return is_address(first) ? take_static(l, o, i) : take_word(l, i, word);
}

void ip_option_join(struct load *l)
{
	struct ip_option o = { .n = 0 };
	const char *why;

	if (!l->ip || l->container)
		return;
	split(&o, l->ip);
	why = take(l, &o);
	/* A machine with a mistake on its command line comes up as its configuration says. */
	if (why)
		spec_problem(l->s, SEV_NOTE, (struct origin){ 0 }, NULL, "ip=%.200s on the kernel's command line: %s",
			     l->ip, why);
}
