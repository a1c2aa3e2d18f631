/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault scripts: what happens to successive connection attempts at an endpoint. A script is a list
 * of steps. Each step serves `repeat` attempts in turn, the last step all that follow. Steps can
 * have conditions (condition.h); step_select.h describes which step then serves an attempt.
 */
#ifndef SYNFAULT_INJECTOR_SCRIPT_H
#define SYNFAULT_INJECTOR_SCRIPT_H

#include "injector/step.h"

/*
 * The steps of an endpoint, in one list or several. A list applies to some of its addresses; a
 * single list, for all addresses, has number 0. Each list has a step without a condition.
 */
struct script {
	struct step *steps; /* owned; at least one in a script that is used */
	size_t n_steps, capacity;
	char **list_names; /* owned, ends with NULL: the addresses of each list, "ipv6"; or NULL */
};

/** script_append() - append a copy of the step */
void script_append(struct script *script, const struct step *step);
/**
 * script_format() - add the script as text: steps joined by ", "
 *
 * If its lists have names, they are joined by "; ", each after "NAME: ".
 */
void script_format(const struct script *script, struct strbuf *out);
/** script_n_lists() - return the number of lists: the highest list number plus 1 */
uint32_t script_n_lists(const struct script *script);
/**
 * script_step_index() - return the index of the step that serves an attempt, numbered from 1
 *
 * Only for scripts with one list and without conditions.
 */
size_t script_step_index(const struct script *script, uint64_t attempt_number);
/**
 * script_first_attempt() - return the number of the first attempt that the step at @index serves
 *
 * Counts only attempts that steps without a condition in its list serve.
 */
uint64_t script_first_attempt(const struct script *script, size_t index);
/** script_free() - free the steps and names; the script itself belongs to the caller */
void script_free(struct script *script);

#endif
