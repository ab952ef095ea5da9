/* The shape of every record of a plan: one table that checking and hashing both walk. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/sys.h"
#include "services/plan/plan.h"

#define PLAN_ARCH SYS_ARCH

/* What the bytes of a string must look like beyond being ended by a NUL and holding none. */
enum plan_text {
	TEXT_ANY,
	TEXT_FULL,	/* not empty */
	TEXT_ABSOLUTE,	/* begins with a slash */
	TEXT_INSIDE,	/* absolute, and no component is ".." */
	TEXT_RELATIVE,	/* not empty, no leading slash, no ".." */
	TEXT_FILE,	/* one file name: no slash, not "." or ".." */
	TEXT_SERVICE,	/* a service's name */
	TEXT_LISTEN,	/* a name for LISTEN_FDNAMES */
	TEXT_INTERFACE,	/* a network interface's name */
	TEXT_ASSIGN,	/* NAME=VALUE */
};

struct plan_type;

/* One struct plan_ref inside a record. */
struct plan_field {
	const char *name;
	uint16_t at;			/* its offset in the record */
	uint8_t text;			/* enum plan_text, for strings */
	uint8_t needed;			/* may not be absent or empty */
	uint32_t max;			/* most elements; 0: as many as fit */
	const struct plan_type *of;	/* what its elements are */
};

struct plan_type {
	const char *name;
	uint16_t size, align;		/* of one element, in bytes */
	uint16_t nfields;
	bool is_string;
	bool is_dep;			/* hashed by the name of what it points to, not by its number */
	const struct plan_field *fields;
	/* NULL, or what is wrong with this record by itself (numbers only; its references are checked already). */
	const char *(*wrong)(const struct plan *p, const void *record);
};

extern const struct plan_type plan_head_type, plan_service_type, plan_string_type, plan_listen_type;

/* types_machine.c */
extern const struct plan_type plan_fstab_type, plan_boot_slot_type, plan_boot_env_type, plan_device_rule_type,
	plan_device_path_type;

/* traffic.c: what is wrong with one, or NULL. */
const char *plan_interface_wrong(const struct plan *p, const void *record);
const char *plan_port_wrong(const struct plan *p, const void *record);
const char *plan_egress_wrong(const struct plan *p, const void *record);
const char *plan_link_wrong(const struct plan *p, const void *record);
const char *plan_connections_wrong(const struct plan *p, const void *record);
bool plan_addr_is_one(const struct plan_addr *a);	/* a family, and a prefix that it has */
bool plan_mtu_is_one(uint32_t mtu);			/* 0 too: the kernel's */

/* NULL, or what is wrong with a filter: jumps, codes, end. The kernel refuses the same, later. */
struct sock_filter;
const char *plan_filter_wrong(const struct sock_filter *f, uint32_t n);

/* A sum over what service i means: the same wherever the writer put its strings and tables. */
uint64_t plan_service_hash(const struct plan *p, const struct plan_service *s);
uint64_t plan_machine_hash(const struct plan *p);	/* the same of all that is not about services */
/* What the rules of the bridges are made from: another number, other rules. 0: there is no bridge. */
uint64_t plan_network_hash(const struct plan *p);
