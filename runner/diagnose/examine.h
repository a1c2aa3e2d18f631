/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Collects all evidence about a connection to one host and port. Sends nothing but handshakes: one
 * for each trial and address and, if the path is asked for, one SYN for each hop.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_EXAMINE_H
#define SYNFAULT_RUNNER_DIAGNOSE_EXAMINE_H

#include "runner/diagnose/evidence.h"
#include "runner/diagnose/handshake.h"

struct examine_plan {
	struct handshake_plan handshake;
	bool path;      /* also find the path to each address (path.h) */
	bool intrusive; /* make the kernel trace its rules (rule_trace.h) */
};

/**
 * examine() - look at name, routes, handshakes, and the server if it is on this host
 * @target: "host:port", "[address]:port"; NULL with @local_port
 * @local_port: look at this port of all addresses of this host instead; 0: look at @target
 * @ret: free it with evidence_free(), on errors, too
 *
 * Return: 0, or -EINVAL if the target is not of that form.
 */
int examine(const char *target, uint16_t local_port, const struct examine_plan *plan,
	    struct evidence *ret);

#endif
