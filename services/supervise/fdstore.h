/* Descriptors that a service leaves with PID 1 (FDSTORE=1): kept over its restarts and ours, handed back to it. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/supervise/prior.h"

/*
 * PID 1 takes only sockets, pipes, memory files and the kernel's own objects (eventfd, timerfd, pidfd...): closing any
 * other may wait for somebody, in close(2) itself (FUSE and NFS flush). The child of discard.c sorts them out and sends
 * the good ones on. Even a socket may take long to be closed for the last time: PID 1 lets a child do that as well.
 */
struct store_offer {
	char name[STORED_NAME + 1];	/* "stored" where the service gave none */
	uint16_t poll;			/* 0: keep it though its other end is gone (FDPOLL=0) */
};

bool fdstore_has_room(struct prior *p, uint32_t i);
/* Takes the descriptors over, stored or closed. */
void fdstore_add(struct prior *p, uint32_t i, const struct store_offer *o, const int *fds, unsigned n);
void fdstore_remove(struct prior *p, uint32_t i, const char *name, size_t n);	/* FDSTOREREMOVE=1: all of that name */
void fdstore_close(struct prior *p, uint32_t i, int *fd);	/* in a child; *fd becomes FD_NONE */
void fdstore_clear(struct prior *p, uint32_t i);
int fdstore_watch(struct prior *p, uint32_t i, struct err *e);	/* again, after an exec */
/* Behind the n that are passed already; returns how many there are then. names as in LISTEN_FDNAMES. */
struct text;
unsigned fdstore_pass(struct prior *p, uint32_t i, int *pass, unsigned n, unsigned max, struct text *names);
bool store_name_is_fine(const char *s, size_t n);	/* at most 255 printable bytes, no colon */
bool store_takes(int fd);				/* of a kind whose end nobody waits for */
