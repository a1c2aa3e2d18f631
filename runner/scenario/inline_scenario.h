/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenarios without a file and without a client: endpoints given on the command line. They are
 * written as a scenario file and loaded from that text, so that reports can show what was run.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_INLINE_SCENARIO_H
#define SYNFAULT_RUNNER_SCENARIO_INLINE_SCENARIO_H

#include "runner/scenario/load.h"

/* Stands for the path of a file where there is none. */
#define INLINE_SCENARIO_PATH "command line"

/* The name of an endpoint that is given none. */
#define INLINE_ENDPOINT "server"

struct inline_endpoint {
	char *name;
	char *steps;   /* "refuse x2, accept" */
	uint16_t port; /* 0: choose a free one */
};

struct inline_endpoints {
	struct inline_endpoint *items;
	size_t n_items, capacity;
};

/** inline_endpoints_add() - add a copy of an endpoint */
void inline_endpoints_add(struct inline_endpoints *endpoints, const char *name, const char *steps,
			  uint16_t port);
/**
 * inline_endpoints_parse() - add the endpoint in "api=refuse x2, accept", the value of an option
 * @field: struct inline_endpoints
 * @ret_message: on failure one sentence, owned by the caller
 *
 * Return: false on an error.
 */
bool inline_endpoints_parse(void *field, const char *text, char **ret_message);
/** inline_endpoints_free() - free struct inline_endpoints, as an option's clear() */
void inline_endpoints_free(void *field);

struct inline_options {
	const char *path; /* INLINE_SCENARIO_PATH, or another word for where it comes from */
	const char *name; /* of the scenario; NULL: the steps */
	/*
	 * It expects connections, any number, so that a fault that never fires is an error. False:
	 * nothing is expected.
	 */
	bool proves;
};

/**
 * inline_scenario_load() - make a scenario of endpoints
 * @endpoints: at least one
 * @ret_message: on failure one sentence about the first error, owned by the caller
 *
 * Return: the file, freed by scenario_file_free(), or NULL.
 */
struct scenario_file *inline_scenario_load(const struct inline_endpoints *endpoints,
					   const struct inline_options *options,
					   char **ret_message);

/**
 * inline_script_load() - read the steps of one endpoint
 * @steps: "refuse x2, accept"
 * @ret: free it with script_free(); only on success
 * @ret_message: on failure one sentence about the first error, owned by the caller
 *
 * Return: 0 or -EINVAL.
 */
int inline_script_load(const char *steps, struct script *ret, char **ret_message);

#endif
