/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault list`: lists the scenarios in files. */
#ifndef SYNFAULT_RUNNER_COMMAND_LIST_H
#define SYNFAULT_RUNNER_COMMAND_LIST_H

#include "runner/command/command.h"
#include "runner/record/json_fields.h"
#include "runner/scenario/scenario.h"

/**
 * list_scenarios() - write one line per scenario: "path:line: name [tag, tag]"
 * @json: write an array of objects instead, with name, path, line, tags, endpoints (names) and
 *	timeout_ns
 */
void list_scenarios(const struct scenario *const *scenarios, size_t n, bool json, FILE *out);
extern const struct json_type list_type; /* that array */

#endif
