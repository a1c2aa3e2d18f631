/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record as JSON: the table of its keys (docs/record.md), for documents that hold records. */
#ifndef SYNFAULT_RUNNER_RECORD_JSON_H
#define SYNFAULT_RUNNER_RECORD_JSON_H

#include "runner/record/json_fields.h"
#include "runner/record/record.h"

/* Describes a struct record. */
extern const struct json_type record_type;

#endif
