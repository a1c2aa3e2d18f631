/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connects to addresses several times, as a client does, and keeps what the caller of connect() and
 * a watcher of the packets see. Sends nothing after the handshake.
 */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_HANDSHAKE_H
#define SYNFAULT_RUNNER_DIAGNOSE_HANDSHAKE_H

#include "runner/diagnose/evidence.h"

struct handshake_plan {
	unsigned n_trials;     /* at each address, 1 to MAX_TRIALS */
	int64_t interval_ns;   /* from the start of one trial to the next */
	int64_t patience_ns;   /* how long each trial is given */
	uint16_t compare_port; /* one more connect() to this port of each address; 0: none */
	bool keep_packets;     /* in evidence.packets */
};

/**
 * handshake_try() - run the trials at all addresses of the evidence, side by side
 * @evidence: its addresses; gets trials, compare, watched, and packets
 * Takes (n_trials - 1) * interval_ns + patience_ns at most.
 */
void handshake_try(struct evidence *evidence, const struct handshake_plan *plan);

#endif
