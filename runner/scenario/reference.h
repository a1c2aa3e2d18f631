/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds references in a text: ${…}, but not $${, which is a literal ${. */
#ifndef SYNFAULT_RUNNER_SCENARIO_REFERENCE_H
#define SYNFAULT_RUNNER_SCENARIO_REFERENCE_H

#include "common/util.h"

#define MATRIX_PREFIX "matrix."

/* Returns the next "${" that starts a reference, or NULL. */
static inline const char *reference_find(const char *text)
{
	const char *dollar = strchr(text, '$');

	while (dollar) {
		if (dollar[1] == '{')
			return dollar;
		dollar += dollar[1] == '$' && dollar[2] == '{' ? 3 : 1;
		dollar = strchr(dollar, '$');
	}
	return NULL;
}

/* Returns the next reference to a key of the matrix, or NULL. */
static inline const char *reference_find_matrix(const char *text)
{
	const char *reference = reference_find(text);

	while (reference && strncmp(reference + 2, MATRIX_PREFIX, strlen(MATRIX_PREFIX)) != 0)
		reference = reference_find(reference + 2);
	return reference;
}

#endif
