/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of other tools, and of older versions of the language, with the word to use instead. They
 * are errors; the table only provides the remedy.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_SYNONYMS_H
#define SYNFAULT_RUNNER_SCENARIO_SYNONYMS_H

#include "runner/scenario/schema.h"

struct synonym {
	const char *where;  /* name of the table of keys, "an endpoint"; NULL: any */
	const char *words;  /* in lower case with "-", separated by blanks */
	const char *meant;  /* the key or value to use */
	const char *remark; /* the remedy; NULL: "did you mean" with .meant */
};

/** synonym_of_key() - find the entry for an unknown key of a table; return NULL if there is none */
const struct synonym *synonym_of_key(const struct schema *schema, const char *word);
/**
 * synonym_of_value() - find the entry for an unknown value that means one of @choices
 *
 * Return: NULL if there is none.
 */
const struct synonym *synonym_of_value(const char *word, const char *const *choices);

#endif
