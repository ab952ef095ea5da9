/* Looking into images from a compiler that may not mount: a child that may, and does nothing else. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/plan/compile.h"

/*
 * The child is forked before the compiler confines itself and ends with it. It takes descriptors of image files, mounts
 * what they hold read-only in a mount namespace of its own, and answers with the root. Nothing that it mounts
 * outlives it and its asker's descriptors.
 */
void image_door_open(struct machine_facts *f);	/* f->image_door; stays 0 where nothing can be mounted */
void image_door_close(struct machine_facts *f);
/* An O_PATH descriptor of the image's root, the caller's. */
int image_door_ask(int door, int file, struct err *e);
