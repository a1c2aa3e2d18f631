/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows a diagnosis to people and to programs. */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_FORMAT_H
#define SYNFAULT_RUNNER_DIAGNOSE_FORMAT_H

#include "common/strbuf.h"
#include "runner/diagnose/causes.h"
#include "runner/record/json_fields.h"

/** format_trial() - return "SYN, RST after 64 us (TTL 64, window 0)"; owned by the caller */
char *format_trial(const struct evidence *evidence, const struct trial *trial);
/** diagnosis_format_text() - add observations, result and advice in lines of 80 columns */
void diagnosis_format_text(const struct evidence *evidence, const struct diagnosis *diagnosis,
			   struct strbuf *out);
/** diagnosis_format_json() - add one JSON object (docs/diagnose.md) */
void diagnosis_format_json(const struct evidence *evidence, const struct diagnosis *diagnosis,
			   struct strbuf *out);
extern const struct json_type diagnosis_type; /* of that object */

#endif
