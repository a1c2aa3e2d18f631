/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Describes the scenario language to other programs: a JSON Schema (draft 7) of one document. It is
 * made from the loader's own tables (schema.h), so that an editor completes and checks what the
 * loader reads.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_JSON_SCHEMA_H
#define SYNFAULT_RUNNER_SCENARIO_JSON_SCHEMA_H

#include "common/strbuf.h"

/**
 * scenario_json_schema() - add the schema as text
 *
 * It accepts every document that the loader accepts, except one that gets its name from defaults.
 * docs/editors.md says which errors it can't find.
 */
void scenario_json_schema(struct strbuf *out);

#endif
