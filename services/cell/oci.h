/* A service under an OCI runtime: the builder's part in it, and taking back what the runtime keeps. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/cell/inner.h"

/*
 * The run directory holds, all of it root's: bundles/NAME/ (0700) with config.json, pid and the runtime's log;
 * oci/state/, what the runtime remembers; oci/stage/, an empty folder over which each builder lays, in mounts of its
 * own, what the bundle names: rootfs, and what is to be bound, by its row's number. The builder ends; the container
 * keeps what it took.
 */
#define OCI_PATH 256

struct oci_paths {
	char run[OCI_PATH], bundle[OCI_PATH], state[OCI_PATH], log[OCI_PATH], pid_file[OCI_PATH], id[80];
};

/* EINVAL: not absolute, or with a character that JSON would have to escape; ENAMETOOLONG. */
int oci_paths(struct oci_paths *o, const char *run_dir, const char *service, struct err *e);

/* oci_bundle.c, in the builder. Lays everything ready and writes config.json. */
int oci_stage(struct cell *c, const struct oci_paths *o, struct err *e);
int oci_write(struct cell *c, const struct oci_paths *o, struct err *e);

/* The builder's work instead of that for a cell of our own. */
int oci_build(struct cell *c, bool *missing, uint32_t *code, struct err *e);

/*
 * In any child process: end what is left of the service's container, let the runtime forget it, and remove the bundle.
 * May take as long as the runtime takes. exe is the runtime's path.
 */
int oci_remove(const char *exe, enum oci_runtime kind, const char *run_dir, const char *service, struct err *e);

/*
 * At the very end: the folders of them all. Not before: to remove the stage would unmount what a builder has laid over
 * it in its own mounts.
 */
void oci_end(const char *run_dir);
