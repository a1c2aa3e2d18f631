/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words that people bring from other tools, or from older versions of the language, and what they
 * are called here: nothing is read by them, they only lead to the right word.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_SYNONYMS_H
#define SYNFAULT_RUNNER_SCENARIO_SYNONYMS_H

#include "runner/scenario/schema.h"

struct synonym {
	const char *where;  /* name of the table of keys, "an endpoint"; NULL: any */
	const char *words;  /* in lower case with "-", separated by blanks */
	const char *meant;  /* key or value */
	const char *remark; /* the whole remedy instead of "did you mean"; NULL: none */
};

/* The entry for an unknown key of a table, or NULL. */
const struct synonym *synonym_of_key(const struct schema *schema, const char *word);
/* The entry for an unknown value whose meaning is among @choices, or NULL. */
const struct synonym *synonym_of_value(const char *word, const char *const *choices);

#endif
