/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault list`: which scenarios there are. */
#ifndef SYNFAULT_RUNNER_COMMAND_LIST_H
#define SYNFAULT_RUNNER_COMMAND_LIST_H

#include "runner/scenario/scenario.h"

/*
 * Writes one line per scenario to @out: "path:line: name [tag, tag]"; with @json instead an array
 * of objects with name, path, line, tags, endpoints (names) and timeout_ms. Errors in files go to
 * @err; the scenarios beside them are listed all the same. Returns the exit status: 0 (fine), 4
 * (errors), 5 (no scenario was found).
 */
int command_list(char *const *paths, size_t n, bool json, FILE *out, FILE *err, bool color);

/* The same list of scenarios that are loaded already. */
void list_scenarios(const struct scenario *const *scenarios, size_t n, bool json, FILE *out);

#endif
