/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which steps served which attempts, where scripts were replaced and attempts held while they were
 * armed (struct record_change). A scenario's endpoint has one part for its own script, and one for
 * each change; their steps follow one another.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_SCRIPT_PARTS_H
#define SYNFAULT_RUNNER_JUDGE_SCRIPT_PARTS_H

#include "runner/record/record.h"
#include "runner/scenario/scenario.h"

struct script_part {
	struct script script; /* borrowed from the endpoint with all steps */
	size_t first_step;    /* its index among all steps */
	uint32_t attempt;     /* the first attempt that it serves, or the held one; from 1 */
	bool held, released;
	int64_t limit_ns; /* of the hold */
};

struct endpoint_parts {
	struct script_part *items; /* at least one */
	size_t n_items, capacity;
};

struct script_parts {
	/* As the scenario, but the scripts have the steps of all parts. */
	struct scenario scenario;
	struct endpoint_parts *endpoints;
};

/**
 * script_parts_make() - gather the parts
 * @scenario: borrowed
 * @record: of the scenario; it is not trusted
 * @ret: free it with script_parts_free() in any case
 *
 * Return: NULL, or why the record's changes can't be read, owned by the caller.
 */
char *script_parts_make(const struct scenario *scenario, const struct record *record,
			struct script_parts *ret);
void script_parts_free(struct script_parts *parts);

/** script_parts_find() - return the index of the part that serves an attempt, from 1 */
size_t script_parts_find(const struct endpoint_parts *parts, uint32_t attempt);
/** script_parts_in_force() - return the same of the script that would serve it unless held */
size_t script_parts_in_force(const struct endpoint_parts *parts, uint32_t attempt);
/** script_parts_holds() - return whether an attempt was held */
bool script_parts_holds(const struct endpoint_parts *parts, uint32_t attempt);

#endif
