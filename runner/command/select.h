/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selects scenarios by name (--filter) and by tag (--tag). */
#ifndef SYNFAULT_RUNNER_COMMAND_SELECT_H
#define SYNFAULT_RUNNER_COMMAND_SELECT_H

#include "runner/command/options.h"

/* A zeroed one selects everything. Texts are borrowed. */
struct selection {
	const char **globs; /* a name has to match one of them */
	size_t n_globs, globs_capacity;
	const char **tags; /* a scenario has to match one of these lists */
	size_t n_tags, tags_capacity;
};

/** selection_parse_glob() - parse the value of --filter */
bool selection_parse_glob(void *selection, const char *value, char **ret_message);
/** selection_parse_tags() - parse the value of --tag: "a,!b" requires a and excludes b */
bool selection_parse_tags(void *selection, const char *value, char **ret_message);

/* Their rows, for commands whose options have a field "selection". All have the first one. */
#define OPTION_ROW_FILTER(type)                                                                    \
	{                                                                                          \
		"filter", 'f', "GLOB", "run only scenarios whose name matches GLOB (repeatable)",  \
			OPTION_CUSTOM, OPTION_FIELD(type, selection),                              \
			.parse = selection_parse_glob, .clear = selection_free                     \
	}
#define OPTION_ROW_TAG(type)                                                                       \
	{                                                                                          \
		"tag", 't', "A,!B",                                                                \
			"run only scenarios that are tagged A and not B (repeatable: or these)",   \
			OPTION_CUSTOM, OPTION_FIELD(type, selection),                              \
			.parse = selection_parse_tags                                              \
	}

/**
 * selection_takes() - return whether a scenario is selected
 * @tags: NULL-terminated; NULL: unknown, which matches every list
 */
bool selection_takes(const struct selection *selection, const char *name, char *const *tags);

/**
 * selection_print_none() - say that no scenario is selected, by what, and where to look
 * @program: what the message begins with, for example "synfault exec"
 */
void selection_print_none(const struct selection *selection, const char *program, FILE *err);

/** selection_free() - free a selection, as a row's clear() */
void selection_free(void *field);

#endif
