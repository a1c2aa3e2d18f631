/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault scripts: what happens to successive connection attempts at one endpoint. A script is a list
 * of steps; step k serves `repeat` attempts, the last step all that follow. A step can have a
 * condition (condition.h); step_select.h says which step serves an attempt then.
 */
#ifndef SYNFAULT_INJECTOR_SCRIPT_H
#define SYNFAULT_INJECTOR_SCRIPT_H

#include "injector/step.h"

/*
 * The steps of an endpoint. All of one list are for the same addresses; where the endpoint has one
 * list for all of them, its number is 0. Each list has a step without a condition.
 */

struct script {
	struct step *steps; /* owned; never empty in a script that is in use */
	size_t n_steps, capacity;
	char **list_names; /* owned, ends with NULL: what each list is for, as "ipv6"; or NULL */
};

void script_append(struct script *script, const struct step *step);
/*
 * The whole script, steps joined by ", "; where its lists have names, "NAME: " before each list and
 * "; " between them.
 */
void script_format(const struct script *script, struct strbuf *out);
/* How many lists there are: 1 more than the highest number. */
uint32_t script_n_lists(const struct script *script);
/*
 * Of a script without conditions and with one list: the index of the step that serves the attempt
 * with this number (counted from 1).
 */
size_t script_step_index(const struct script *script, uint64_t attempt_number);
/*
 * Of the attempts that the steps without a condition in its list serve, the number of the first
 * that the step at @index does.
 */
uint64_t script_first_attempt(const struct script *script, size_t index);
void script_free(struct script *script);

#endif
