/* Stages of the boot that have a file of their own; boot.c has the others, and their order. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/boot.h"

int stage_devices(struct boot *b, struct err *e);	/* drivers.c */
int stage_rules(struct boot *b, struct err *e);
int stage_names(struct boot *b, struct err *e);		/* names.c */
int stage_hostname(struct boot *b, struct err *e);	/* identity.c */
int stage_identity(struct boot *b, struct err *e);
int stage_mounts(struct boot *b, struct err *e);	/* mounts.c */
int stage_fstab(struct boot *b, struct err *e);
int stage_seed(struct boot *b, struct err *e);		/* seed.c */
int stage_clock(struct boot *b, struct err *e);		/* clock.c */
int stage_root(struct boot *b, struct err *e);		/* root.c */
int stage_record(struct boot *b, struct err *e);		/* lastboot.c */
int stage_terminal(struct boot *b, struct err *e);	/* terminal.c */
int stage_loopback(struct boot *b, struct err *e);	/* network.c */
int stage_network(struct boot *b, struct err *e);
int stage_rescue(struct boot *b, struct err *e);
