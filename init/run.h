/* `prior run -- COMMAND`: one command under PID 1 or under a subreaper, as tini and its kin do it. */
/* SPDX-License-Identifier: ISC */
#pragma once

/*
 * argv after "run": [OPTIONS] [--] COMMAND [ARG...]. Without options that confine, the command is forked as it is:
 * every signal but those of a fault is passed on, orphans are reaped, LISTEN_PID is rewritten, the exit code is the
 * command's (128+N on signal N). 125: we failed; 126: it cannot be run; 127: it is not there.
 */
int run_main(int argc, char **argv);

/* The fork-and-wait part alone: returns the exit code. */
int run_plain(char **command);
