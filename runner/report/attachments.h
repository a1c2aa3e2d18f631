/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that belong to a result, as lines that GitLab and Jenkins (plugin junit-attachments) find
 * in a JUnit report: "[[ATTACHMENT|path]]", the path relative to the root of the repository.
 */
#ifndef SYNFAULT_RUNNER_REPORT_ATTACHMENTS_H
#define SYNFAULT_RUNNER_REPORT_ATTACHMENTS_H

#include "runner/report/result.h"

/* Where other reports of the same run were written; NULL: they were not. Borrowed. */
struct attachment_sources {
	const char *timeline; /* as for svg_files_write() */
	const char *html;     /* directory */
};

/**
 * attachments_add() - add a line for each file of a result that exists
 * @index: of the result
 *
 * The timeline picture comes first, since GitLab shows only the first file; then captures, the
 * record and the page.
 */
void attachments_add(struct strbuf *out, const struct attachment_sources *sources,
		     const struct run_results *results, size_t index);

/**
 * attachments_disarm() - add a text in which readers find no attachment
 *
 * Otherwise a client could attach any file of the machine on which it runs.
 */
void attachments_disarm(struct strbuf *out, const char *text);

#endif
