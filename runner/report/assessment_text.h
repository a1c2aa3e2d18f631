/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result of each expectation as a table in text. */
#ifndef SYNFAULT_RUNNER_REPORT_ASSESSMENT_TEXT_H
#define SYNFAULT_RUNNER_REPORT_ASSESSMENT_TEXT_H

#include "common/strbuf.h"
#include "runner/judge/judge.h"

/**
 * assessments_format() - add a heading and a line for each expectation; nothing if none was judged
 * @columns: width to keep to
 * @ascii: as for report_ascii()
 *
 * A line says whether the expectation was met, its subject, what was measured and, if different,
 * what was expected, on a line of its own if it does not fit. The text is safe.
 */
void assessments_format(const struct judgement *judgement, size_t columns, bool ascii,
			struct strbuf *out);

/** assessed_mark() - return "✓", "✗", "?" or "-" */
const char *assessed_mark(enum assessed result);

#endif
