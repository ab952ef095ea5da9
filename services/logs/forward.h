/* Forwarding: lines on their way to syslog or to the kernel's log. Never waited for, and never the only copy. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/logs/logger.h"
#include "services/logs/record.h"

/*
 * A syslog server may be slow, not there yet, or gone. What it does not take at once waits in a queue of at most
 * TARGET_QUEUE bytes, and is tried again: soon when it is slow, less and less often when it is not there. Lines for
 * which the queue has no room are left out and counted. That it fails is told once, and that it works again too.
 */
#define TARGET_QUEUE (256u << 10)

void forward_open(struct logger *l);	/* before the lockdown: what cannot be opened after it */
/* Where this stream's lines go, as its message says. */
void forward_choose(struct logger *l, struct stream *s, const struct logger_add *a);
void forward_line(struct logger *l, struct stream *s, const struct record *r);
void forward_send(struct logger *l);	/* what is due; returns at once */
bool forward_event(void *what);		/* what epoll said: false, it is not about a target */
int64_t forward_due(const struct logger *l);	/* when there is something to send next; INT64_MAX: never */
void forward_finish(struct logger *l);	/* at the end: a short while for what is left */
