/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Outages "each", of one address after the other: a rolling restart.
 *
 * The addresses of an endpoint come in their order. If several endpoints have such outages at the
 * same time after the client's start, the endpoints come in their order, too. Outages that count
 * from the first attempt stay within their endpoint, since each endpoint has a first attempt of its
 * own. So do those that wait for a command: which endpoints take turns is up to the command.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_ROLLING_H
#define SYNFAULT_RUNNER_SCENARIO_ROLLING_H

#include "runner/scenario/loader.h"

/* The outages of all endpoints that begin at the same time. */
struct rolling_turn {
	enum time_origin from;     /* of their windows */
	int64_t from_ns, every_ns; /* the same */
	int64_t begin_ns, end_ns;  /* after .from_ns: of the endpoint's, and of the last so far */
	size_t n_addresses;
	size_t last_endpoint; /* the last one among them, from 1 */
	struct place place;   /* of the first step */
};

struct rolling {
	struct rolling_turn *turns;
	size_t n_turns, capacity;
	size_t n_endpoints; /* so far */
};

/**
 * rolling_spread() - turn the endpoint's outages "each" into one for each address
 * @rolling: of the endpoints before it; at first all zero
 *
 * Several addresses get lists of their own. The outage of each begins when the one before it ends.
 * Adds an error for one that can't be spread.
 */
void rolling_spread(struct rolling *rolling, struct loader *loader, struct endpoint_spec *endpoint);
/** rolling_finish() - free it; add an error for an outage "each" of a single address */
void rolling_finish(struct rolling *rolling, struct loader *loader);

#endif
