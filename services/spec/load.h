/* Inside of services/spec: what is kept while a configuration is being loaded. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/spec/rows.h"

/* One block that holds values for all services: `defaults`, or a section of it at the top level. */
struct defaults_block {
	const struct node *node;
	const struct conf_key *row;	/* NULL: the whole of service_keys */
	bool of_file;
};

struct load {
	struct spec *s;
	bool directory;			/* the first file is prior.yaml; the others are from services.d */
	struct node **roots;		/* by file number; NULL: could not be read */
	const struct node **services;	/* by file number; the `services` map, NULL: none */
	struct defaults_block *defaults;
	unsigned ndefaults, room;
	/* whose problems are being told */
	const char *service;
	bool of_file, quiet;
	/* templates */
	unsigned service_room;		/* of s->services */
	unsigned ninstances;		/* of those, how many were made because they are named */
	struct str_list asked;		/* instances that are wanted from outside */
	const char *ip;			/* ip= of the kernel's command line; NULL: none */
	bool container;			/* the machine's interfaces are somebody else's business */
	bool sample;			/* a template is being tried with an instance of our own */
	struct touched *touched;	/* where that one stands */
	/* defaults < preset < top-level defaults, made when first needed */
	struct spec_service *made[PRESETS];
	unsigned char *layers;	/* of the object that is read; one after the other */
	unsigned nlayers;
};

/*
 * machine_services.c: the services that network.interfaces bring along, as YAML that is read as one file more; "":
 * none; NULL: no memory. network@NAME (or @all) has done its work when that interface has its addresses.
 */
const char *machine_services(struct load *l);
void ip_option_join(struct load *l);	/* ip_option.c: l->ip is an interface of the configuration, too */
/* files.c: names and texts of all files into s->files and roots. -errno: nothing could be read. */
int load_files(struct load *l, const char *path, struct err *e);
int load_text(struct load *l, const char *name, const char *text, size_t n, struct err *e);
/* The same for a text of our own, behind all others. */
int load_more(struct load *l, const char *name, const char *text, struct err *e);
/* load.c: a pass with its problems going to l->s. */
struct conf_read load_read(struct load *l);
unsigned char *load_layers(struct load *l, unsigned rows);	/* zeroed; NULL: no memory */
/* presets.c: what a service with this preset has before its own lines, NULL: no memory (told). */
const struct spec_service *load_made(struct load *l, unsigned preset);
/* resolve.c: keys that need own mounts, and whether they are on. */
#define SPEC_NEEDS 16
struct spec_need {
	const char *name;
	const void *field;	/* of the service */
	bool on;
};
const struct spec_need *spec_needs(const struct spec_service *svc, struct spec_need v[static SPEC_NEEDS]);
/* resolve.c: what follows from what is given, once a service's own lines are in. */
void resolve_service(struct load *l, struct spec_service *svc);
/* load.c: `base` (a template's lines, filled in) and `own` may be NULL. */
void load_service(struct load *l, struct spec_service *svc, const char *name, struct origin from,
		  const struct node *base, const struct node *own);
/* templates.c */
#define INSTANCES_MAX 1024u
void template_add(struct load *l, const struct node *n);	/* `name@: {...}` */
/* `name@instance: ...` */
void template_declared(struct load *l, struct spec_service *svc, const struct node *own);
bool template_sample_touched(const struct load *l, struct origin at);
void templates_instantiate(struct load *l);	/* all that are named by services or from outside */
/* graph.c: every name of another service in its lines. */
void each_name(const struct spec_service *svc, void (*say)(void *ctx, const char *name), void *ctx);
/* check.c: what contradicts itself. graph.c: dependencies that lead nowhere or in circles. */
void check_service(struct load *l, struct spec_service *svc);
void check_listen(struct load *l, struct spec_service *svc);	/* check_listen.c */
/* An error of svc, unless another one was told of the same place. */
void check_wrong(struct load *l, const struct spec_service *svc, struct origin at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void check_graph(struct load *l);
