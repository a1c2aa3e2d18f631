/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario without a file: an endpoint called server, or others, and a client command. It is
 * written as a scenario file and loaded from that text, so that `try` and `record` can save exactly
 * what they ran.
 */
#ifndef SYNFAULT_RUNNER_OBSERVE_ADHOC_SCENARIO_H
#define SYNFAULT_RUNNER_OBSERVE_ADHOC_SCENARIO_H

#include "runner/scenario/inline_scenario.h"
#include "runner/scenario/load.h"
#include "runner/scenario/yaml_writer.h"

/* The endpoint's name. */
#define ADHOC_ENDPOINT "server"

struct adhoc_scenario {
	const char *name;          /* of the scenario */
	const char *const *faults; /* steps of the server; ends with NULL; NULL: no server */
	const struct inline_endpoints *endpoints; /* further ones; NULL: none */
	const char *const *families;              /* ends with NULL; NULL: IPv4 */
	const char *hostname;                     /* NULL: clients use the address */
	const char *serve;                        /* NULL: http */
	uint16_t port;                            /* 0: choose a free one */
	int64_t timeout_ns;
	int64_t leftover_timeout_ns; /* how long to follow what the client leaves behind; 0: not */
	char *const *command;        /* may contain ${server} …; NULL: write no client */
};

/**
 * adhoc_scenario_write() - open the document's mapping and add every key except "expect"
 * @adhoc: what to write
 * @writer: stays inside the mapping; the caller adds "expect" and finishes it
 */
void adhoc_scenario_write(const struct adhoc_scenario *adhoc, struct yaml_writer *writer);

/**
 * adhoc_scenario_make() - load the scenario with an expectation that every client meets
 * @adhoc: its texts are UTF-8; only the command may contain other bytes
 *
 * Return: the file, freed by scenario_file_free(). Errors are in its diags as usual; their places
 * mean nothing to a user.
 */
struct scenario_file *adhoc_scenario_make(const struct adhoc_scenario *adhoc);

#endif
