/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gathers all evidence about a connection to one host and port. Sends nothing but handshakes: one
 * for each trial and address, and where the path is asked for one SYN for each hop.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_EXAMINE_H
#define SYNFAULT_RUNNER_DIAGNOSE_EXAMINE_H

#include "runner/diagnose/evidence.h"
#include "runner/diagnose/handshake.h"

struct examine_plan {
	struct handshake_plan handshake;
	bool path;      /* walk the way to each address, too (path.h) */
	bool intrusive; /* have the kernel trace its rules (rule_trace.h) */
};

/**
 * examine() - look at name, routes, handshakes, and the server if it is on this host
 * @target: "host:port", "[address]:port"; NULL with @local_port
 * @local_port: look at this port of all addresses of this host instead; 0: @target counts
 * @ret: free it with evidence_free(), on errors, too
 *
 * Return: 0; -EINVAL when the target can't be read.
 */
int examine(const char *target, uint16_t local_port, const struct examine_plan *plan,
	    struct evidence *ret);

#endif
