/* A logger in a folder of its own, for tests: started, fed, killed, read back. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/logs/logs.h"
#include "services/logs/record.h"
#include "services/spec/spec.h"
#include <sys/types.h>

struct logs_sample {
	char dir[64], run[80], log[80];	/* run_dir and log_dir below dir */
	pid_t pid;
	int sock, console[2];		/* console[0]: what it wrote there */
	int kmsg;			/* stands for the kernel's log */
};

void sample_make(struct logs_sample *s);		/* the folders */
void sample_start(struct logs_sample *s, bool echo, bool json);
int sample_end(struct logs_sample *s);			/* close the socket, wait: its exit status */
void sample_kill(struct logs_sample *s);
void sample_remove(struct logs_sample *s);
/* A pipe whose read end the logger has and we keep, as PID 1 does. */
struct sample_pipe {
	int rd, wr;
	struct logger_add add;
};
void sample_pipe(struct sample_pipe *p, const char *name, unsigned sink, uint64_t max_bytes, unsigned max_files);
void sample_send(struct logs_sample *s, const struct sample_pipe *p);
void sample_close(struct sample_pipe *p);
void put_all(int fd, const char *text, size_t n);
void put(int fd, const char *text);
/* What logs_print() prints for this query; free() it. */
char *printed(const struct logs_sample *s, const struct logs_query *q, size_t *n);
char *file_text(const char *dir, const char *name, size_t *n);	/* NULL: there is none */
char *lines_of(const struct logs_sample *s, const char *name, size_t *n);	/* all lines of a service; free() it */
void wait_until_empty(const struct sample_pipe *p);
pid_t write_numbers(int fd, unsigned count);		/* a process that writes "line 0\n" and so on */
