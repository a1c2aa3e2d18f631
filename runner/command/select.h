/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which scenarios a run is about: by name (--filter) and by tag (--tag). */
#ifndef SYNFAULT_RUNNER_COMMAND_SELECT_H
#define SYNFAULT_RUNNER_COMMAND_SELECT_H

#include "common/util.h"

/* Zero: takes everything. Texts are borrowed. */
struct selection {
	const char **globs; /* a name has to match one of them */
	size_t n_globs, globs_capacity;
	const char **tags; /* a scenario has to fit one of these lists */
	size_t n_tags, tags_capacity;
};

void selection_add_glob(struct selection *selection, const char *glob);
/*
 * Adds a list of tags, "a,!b": those in it have to be there, those with "!" must not. Returns false
 * when it has an empty entry.
 */
bool selection_add_tags(struct selection *selection, const char *list);

/* @tags: of the scenario, NULL-terminated; NULL: not known, which fits every list. */
bool selection_takes(const struct selection *selection, const char *name, char *const *tags);

void selection_free(struct selection *selection);

#endif
