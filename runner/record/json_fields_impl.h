/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writer and the reader of JSON documents share: see json_fields.h. */
#ifndef SYNFAULT_RUNNER_RECORD_JSON_FIELDS_IMPL_H
#define SYNFAULT_RUNNER_RECORD_JSON_FIELDS_IMPL_H

#include "runner/record/json_fields.h"

/* The member of an object that a row describes, to read or to write. */
#define VALUE(T, object, at)  (*(T const *)((const char *)(object) + (at)))
#define MEMBER(T, object, at) ((T *)((char *)(object) + (at)))

/* Whether objects with this tag have the row. */
static inline bool json_applies(const struct json_type *type, const struct json_field *field,
				const void *object)
{
	return !field->tags || field->tags >> VALUE(unsigned, object, type->tag->offset) & 1;
}

#endif
