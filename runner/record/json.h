/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writer and the reader of a record's JSON form (docs/record.md) have to agree on. */
#ifndef SYNFAULT_RUNNER_RECORD_JSON_H
#define SYNFAULT_RUNNER_RECORD_JSON_H

#include <jansson.h>

#include "runner/record/json_fields.h"
#include "runner/record/record.h"

#define RECORD_FORMAT_NAME    "synfault-record"
#define RECORD_FORMAT_VERSION 2

/* As record_read_json(), of what was parsed already; @json is borrowed and may be anything. */
struct record *record_read_object(json_t *json, char **ret_message);

/* A record inside another document. */
extern const struct json_type record_type;

#endif
