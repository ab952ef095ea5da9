/* One error, carried up by value. No allocation: PID 1 must be able to say why it is out of memory. */
/* SPDX-License-Identifier: ISC */
#pragma once

struct err {
	int code;		/* an errno value; 0 means no error */
	char text[240];		/* "outermost: ...: innermost" */
};

#define ERR_FN(f, a) __attribute__((format(printf, f, a), nonnull(1), cold))

/* Each returns -code, so that a failure is one `return`. */
int err_set(struct err *e, int code, const char *fmt, ...) ERR_FN(3, 4); /* we detected it */
int err_sys(struct err *e, const char *fmt, ...) ERR_FN(2, 3);           /* the kernel said errno */
int err_in(struct err *e, const char *fmt, ...) ERR_FN(2, 3);            /* ... while doing this */
