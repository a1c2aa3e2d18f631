/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scenario language for other programs: a JSON Schema (draft 7) of one document, made from the
 * loader's own tables (schema.h), so that an editor completes and checks what the loader reads.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_JSON_SCHEMA_H
#define SYNFAULT_RUNNER_SCENARIO_JSON_SCHEMA_H

#include "common/strbuf.h"

/*
 * Adds the schema as text. It takes every document that the loader takes, but for one that has its
 * name from defaults; what it can't refuse is said in docs/editors.md.
 */
void scenario_json_schema(struct strbuf *out);

#endif
