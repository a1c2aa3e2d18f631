/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario made up on the spot: one endpoint, called server, and a client command. It is written
 * as a scenario file and loaded from there, so that whatever is tried can be written down as it
 * was.
 */
#ifndef SYNFAULT_RUNNER_OBSERVE_ADHOC_SCENARIO_H
#define SYNFAULT_RUNNER_OBSERVE_ADHOC_SCENARIO_H

#include "runner/scenario/load.h"
#include "runner/scenario/yaml_writer.h"

/* The endpoint's name. */
#define PROBE_ENDPOINT "server"

struct probe {
	const char *name;            /* of the scenario */
	const char *const *faults;   /* steps; ends with NULL */
	const char *const *families; /* ends with NULL; NULL: IPv4 */
	const char *hostname;        /* NULL: reached by its address */
	const char *serve;           /* NULL: http */
	uint16_t port;               /* 0: one that is free */
	int64_t timeout_ns;
	char *const *command; /* may hold ${server} …; NULL: no client is written */
};

/*
 * Splits "refuse x3, accept" at its commas; what stands in brackets or braces is one step. Returns
 * a vector, owned by the caller, of texts without blanks around them; possibly empty.
 */
char **adhoc_scenario_split_steps(const char *text);

/* Opens the document's mapping and adds all keys but "expect", which is the caller's to add. */
void adhoc_scenario_write(const struct probe *probe, struct yaml_writer *writer);

/*
 * The scenario, with an expectation that any client meets. Free it with scenario_file_free(). What
 * is wrong with it is in its diags, as usual; their places mean nothing to a user. Texts have to be
 * UTF-8, but the command may hold anything.
 */
struct scenario_file *adhoc_scenario_make(const struct probe *probe);

#endif
