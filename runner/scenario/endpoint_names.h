/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of endpoints that would set the same environment variable: "a-b" and "a_b" would both set
 * SYNFAULT_A_B; "api" and "api-host" both SYNFAULT_API_HOST.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_ENDPOINT_NAMES_H
#define SYNFAULT_RUNNER_SCENARIO_ENDPOINT_NAMES_H

#include "common/util.h"

struct taken_variable;

/* Begins as {0}. */
struct endpoint_names {
	struct taken_variable *names, *stems;
	size_t n;
};

/**
 * endpoint_names_add() - add a name
 * @name: borrowed until endpoint_names_free()
 *
 * Return: the first other name with an environment variable in common, or NULL. A name that is
 * added twice has none in common with itself.
 */
const char *endpoint_names_add(struct endpoint_names *names, const char *name);
/** endpoint_names_free() - free the tables */
void endpoint_names_free(struct endpoint_names *names);
#define AUTO_ENDPOINT_NAMES CLEANUP(endpoint_names_free)

#endif
