/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cell: the surroundings in which one scenario runs. Here they are put together: network, mounts,
 * settings, the endpoints' addresses and ports, the values for ${…}, the client's files. A private
 * cell has namespaces of its own (namespace.h), a shared one has things of its own in the given
 * ones (shared.h).
 */
#ifndef SYNFAULT_RUNNER_CELL_CELL_H
#define SYNFAULT_RUNNER_CELL_CELL_H

#include "injector/tracker.h"
#include "runner/cell/settings.h"
#include "runner/cell/shared.h"
#include "runner/scenario/substitute.h"

/* An endpoint as it stands in this cell. */
struct cell_endpoint {
	struct address addresses[ENDPOINT_MOST_ADDRESSES]; /* in the order in the file */
	size_t n_addresses;
	uint16_t port;
	bool remote; /* its addresses are none of the cell's own (remote.h) */
	char texts[ENDPOINT_MOST_ADDRESSES][INET6_ADDRSTRLEN]; /* of the addresses */
};

struct cell {
	const struct scenario *scenario; /* borrowed */
	struct cell_endpoint *endpoints; /* as many as the scenario has */
	struct endpoint_values *values;
	struct substitution substitution;
	char *directory;            /* of the scenario file, absolute */
	struct shared_cell *shared; /* borrowed; NULL: the cell is private */
	const char *tmp;            /* the scenario's temporary directory; borrowed */
	int *claims; /* of the table and the addresses of remote endpoints (remote.h) */
	size_t n_claims, claims_capacity;
	uint32_t remote_table; /* number of the table for them */
	bool clientless;       /* the client is somebody else's: no files are written */
};

/*
 * Works out addresses, ports and values; changes nothing. @shared: what the cell has in the given
 * namespaces; NULL: it is private. Names of remote endpoints are looked up. Free it with
 * cell_free(). Returns 0, or a negative errno with a diagnostic: then there are no endpoints.
 */
int cell_plan(struct cell *cell, const struct scenario *scenario, struct shared_cell *shared,
	      struct diag_list *diags);
void cell_free(struct cell *cell);

/*
 * Sets the cell up, in the namespaces of the calling process, and writes the client's files.
 * Returns 0 or a negative errno, with a diagnostic.
 */
int cell_build(const struct cell *cell, const struct settings *settings, struct diag_list *diags);

/* The whole environment of the client (or of a server: @client false). Owned by the caller. */
char **cell_environment(const struct cell *cell, bool client);

/*
 * A descriptor to read the client's stdin from: the scenario's text, or /dev/null. Returns it,
 * owned by the caller, or a negative errno.
 */
int cell_open_stdin(const struct cell *cell);

/* The endpoints for the injector; an array owned by the caller, its parts borrowed from the cell.
 */
struct tracker_endpoint *cell_tracker_endpoints(const struct cell *cell);

#endif
