/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See assessment_text.h. */
#include "runner/report/assessment_text.h"

#include "common/text.h"
#include "runner/report/result.h"

/* Wider columns are not aligned: one long name must not push all others out of sight. */
enum { INDENT = 4, SUBJECT_COLUMNS = 32, ACTUAL_COLUMNS = 28, GAP = 2 };

const char *assessed_mark(enum assessed result)
{
	static const char *const marks[] = {
		[ASSESSED_MET] = "✓",
		[ASSESSED_NOT_MET] = "✗",
		[ASSESSED_UNDECIDED] = "?",
		[ASSESSED_NOT_JUDGED] = "-",
	};

	_Static_assert(ARRAY_SIZE(marks) == ASSESSED_N_RESULTS, "a mark for each result");
	return marks[result];
}

/* Returns the text in safe characters that the output can show, on one line; the caller's. */
static char *shown(const char *text, bool ascii)
{
	AUTO_STRBUF struct strbuf line = {0};
	struct strbuf result = {0};

	report_line(&line, text ? text : "");
	if (ascii)
		report_ascii(&result, strbuf_text(&line));
	else
		strbuf_puts(&result, strbuf_text(&line));
	return strbuf_steal(&result);
}

/* Returns the width that a column needs for its texts, except those that are too long. */
static size_t width_of(const struct judgement *judgement, bool actual, bool ascii)
{
	size_t width = 0, most = actual ? ACTUAL_COLUMNS : SUBJECT_COLUMNS;

	for (size_t i = 0; i < judgement->n_assessments; i++) {
		const struct assessment *assessment = &judgement->assessments[i];
		AUTO_FREE char *text =
			shown(actual ? assessment->actual : assessment->subject, ascii);
		size_t columns = text_width(text);

		if (columns <= most)
			width = MAX(width, columns);
	}
	return width;
}

struct widths {
	size_t columns, subject, actual;
};

static void add_cell(struct strbuf *out, const char *text, size_t width)
{
	size_t columns = text_width(text);

	strbuf_puts(out, text);
	strbuf_pad(out, ' ', (columns < width ? width - columns : 0) + GAP);
}

/* Adds one line of at most @columns. */
static void add_line(const char *text, size_t indent, size_t columns, bool ascii,
		     struct strbuf *out)
{
	strbuf_pad(out, ' ', indent);
	report_fit(out, text, columns - MIN(columns, indent), ascii);
	strbuf_putc(out, '\n');
}

/* What was expected follows what was measured, or goes to the next line if it does not fit. */
static void add_assessment(const struct assessment *assessment, const struct widths *widths,
			   bool ascii, struct strbuf *out)
{
	AUTO_FREE char *mark = shown(assessed_mark(assessment->result), ascii);
	AUTO_FREE char *subject = shown(assessment->subject, ascii);
	AUTO_FREE char *actual = shown(assessment->actual, ascii);
	AUTO_FREE char *text = shown(assessment->expected, ascii);
	AUTO_FREE char *expected = xasprintf("expected %s", text);
	AUTO_STRBUF struct strbuf line = {0};
	bool same = !assessment->expected ||
		    (assessment->actual && !strcmp(assessment->actual, assessment->expected));
	size_t actual_width = MAX(text_width(actual), widths->actual), below;
	bool fits;

	strbuf_printf(&line, "%s ", mark);
	add_cell(&line, subject, widths->subject);
	below = INDENT + text_width(strbuf_text(&line));
	fits = below + actual_width + GAP + text_width(expected) <= widths->columns;
	if (assessment->result == ASSESSED_NOT_JUDGED)
		strbuf_puts(&line, assessed_name(assessment->result));
	else if (same || !fits)
		strbuf_puts(&line, actual);
	else
		add_cell(&line, actual, widths->actual);
	if (!same && fits)
		strbuf_puts(&line, expected);
	add_line(strbuf_text(&line), INDENT, widths->columns, ascii, out);
	if (!same && !fits)
		add_line(expected, below, widths->columns, ascii, out);
}

void assessments_format(const struct judgement *judgement, size_t columns, bool ascii,
			struct strbuf *out)
{
	const struct widths widths = {
		.columns = columns,
		.subject = width_of(judgement, false, ascii),
		.actual = width_of(judgement, true, ascii),
	};
	bool judged = false;

	for (size_t i = 0; i < judgement->n_assessments; i++)
		judged = judged || judgement->assessments[i].result != ASSESSED_NOT_JUDGED;
	if (!judged)
		return;
	strbuf_puts(out, "  expectations\n");
	for (size_t i = 0; i < judgement->n_assessments; i++)
		add_assessment(&judgement->assessments[i], &widths, ascii, out);
}
