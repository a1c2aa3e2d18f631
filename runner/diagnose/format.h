/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A diagnosis for people and for programs. */
#ifndef SYNFAULT_RUNNER_DIAGNOSE_FORMAT_H
#define SYNFAULT_RUNNER_DIAGNOSE_FORMAT_H

#include "common/strbuf.h"
#include "runner/diagnose/causes.h"

/* What was seen, the result, and what to do; lines of 80 columns, broken at blanks. */
void diagnosis_format_text(const struct evidence *evidence, const struct diagnosis *diagnosis,
			   struct strbuf *out);
/* One JSON object (docs/diagnose.md). */
void diagnosis_format_json(const struct evidence *evidence, const struct diagnosis *diagnosis,
			   struct strbuf *out);

#endif
