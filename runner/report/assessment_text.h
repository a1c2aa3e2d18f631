/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came of each expectation as a table in text, for terminals and reports. */
#ifndef SYNFAULT_RUNNER_REPORT_ASSESSMENT_TEXT_H
#define SYNFAULT_RUNNER_REPORT_ASSESSMENT_TEXT_H

#include "common/strbuf.h"
#include "runner/judge/judge.h"

/*
 * Adds a heading and one line for each expectation that was judged: whether it was met, what it is
 * about, what was measured and, unless that is the same, what was expected; where there is no room
 * for that, it has a line of its own. Nothing when none was judged. @columns: width to keep to.
 * @ascii as for report_ascii(). The text is safe.
 */
void assessments_format(const struct judgement *judgement, size_t columns, bool ascii,
			struct strbuf *out);

/* "✓", "✗", "?", "-" */
const char *assessed_mark(enum assessed result);

#endif
