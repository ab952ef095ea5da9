/* What of a service's keys an OCI runtime cannot carry: refused when a file asks for it, else told. */
/* SPDX-License-Identifier: ISC */
#include "init/base/text.h"
#include "services/plan/oci.h"

/* What a file asks for is refused; what a preset brings is told of, all in one line. */
static void lose(struct compiling *c, struct work *w, bool asked, struct origin at, const char **lost, const char *what)
{
	if (asked)
		refuse_at(c, w, at, "security.runtime: %s: %s cannot be carried over to it",
			  oci_runtimes[w->eff.runtime], what);
	else
		*lost = compiling_fmt(c, "%s%s%s", *lost, **lost ? ", " : "", what);
}

#define LOSE(key, what) lose(c, w, is_asked(w, key), spec_from(w->svc, &w->svc->key), &lost, what)

static void judge_losses(struct compiling *c, struct work *w)
{
	const char *lost = "";

	if (w->eff.seccomp == SECCOMP_CUSTOM)
		LOSE(seccomp, "a seccomp profile from a file");
	if (w->eff.pledge)
		LOSE(pledge, "a pledge");
	if (w->out.flags & CELL_LANDLOCK)
		LOSE(unveil, "Landlock");
	if (w->out.flags & CELL_TIME)
		LOSE(ns_time, "the time namespace");
	if (w->eff.runtime == OCI_RUNSC && w->out.flags & CELL_USER)
		LOSE(ns_user, "the user namespace (its own kernel stands in between)");
	if (w->eff.runtime == OCI_RUNSC)
		lost = compiling_fmt(c, "%s%snosymfollow on volumes", lost, *lost ? ", " : "");
	if (w->eff.runtime == OCI_RUNSC && (w->out.umask != 022 || w->out.oom_score_adj != INT32_MIN))
		lost = compiling_fmt(c, "%s, the umask and the OOM score", lost);
	if (w->eff.runtime == OCI_CRUN && (w->eff.volumes.n || w->eff.devices.n))
		lost = compiling_fmt(c, "%s%snosymfollow on volumes", lost, *lost ? ", " : "");
	w->out.flags &= ~(uint32_t)(CELL_LANDLOCK | CELL_TIME | CELL_MDWE | CELL_NO_NEW_NS |
				    (w->eff.runtime == OCI_RUNSC ? CELL_USER : 0));
	w->out.landlock = (struct plan_ref){ 0 };
	if (w->eff.runtime == OCI_RUNSC)	/* the process that the machine sees is the sandbox, not the service */
		w->out.flags &= ~(uint32_t)CELL_ATTEST;
	tell(c, w, runtime, "runs under %s%s%s", oci_runtimes[w->eff.runtime], *lost ? "; not carried over: " : "",
	     lost);
}

static void judge_sockets(struct compiling *c, struct work *w)
{
	if (!w->eff.listen.n)
		return;
	if (w->eff.runtime == OCI_RUNSC)
		refuse(c, w, runtime, "security.runtime: runsc passes no sockets on: the service must bind its own "
		       "instead of listen, or run under crun or runc");
	else if (!(w->out.flags & CELL_PID))
		refuse(c, w, ns_pid, "security.runtime: %s: sockets can be passed only with isolation.pid: true "
		       "(LISTEN_PID must be known beforehand)", oci_runtimes[w->eff.runtime]);
}

/* What runs beside the service would have to be put into its container; one process is all that a bundle has. */
static void judge_care(struct compiling *c, struct work *w)
{
	const char *name = oci_runtimes[w->eff.runtime];

	if (w->eff.pre_start.n || w->eff.post_start.n || w->eff.pre_stop.n || w->eff.post_stop.n)
		refuse(c, w, runtime, "security.runtime: %s: hooks cannot be run in its container", name);
	if (w->eff.healthcheck.test.n)
		refuse(c, w, runtime, "security.runtime: %s: healthcheck.test cannot be run in its container; http and "
		       "tcp checks can", name);
	if (w->eff.type == TYPE_FORKING)
		refuse(c, w, type, "security.runtime: %s: type: forking: the container ends with its first process",
		       name);
	if (w->eff.ready == READY_FD)
		refuse(c, w, ready, "security.runtime: %s: ready: fd: it passes no such descriptor on; use notify",
		       name);
}

static void judge_notify(struct compiling *c, struct work *w)
{
	if (w->out.flags & CELL_NOTIFY && w->eff.runtime == OCI_RUNSC)
		refuse(c, w, ready, "security.runtime: runsc: its sandbox reaches no socket of the machine, so no "
		       "ready: notify, watchdog or stored descriptors; use ready: started or a healthcheck");
}

void oci_judge(struct compiling *c, struct work *w)
{
	judge_losses(c, w);
	judge_sockets(c, w);
	judge_notify(c, w);
	judge_care(c, w);
}
