/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captured output in the JUnit report: safe text of bounded length. */
#ifndef SYNFAULT_RUNNER_REPORT_STREAM_TEXT_H
#define SYNFAULT_RUNNER_REPORT_STREAM_TEXT_H

#include "common/strbuf.h"
#include "runner/record/record.h"

/**
 * stream_text_add() - add what a program wrote
 *
 * All of it, or its start and its end with a note about the rest. Readers find no attachments in it
 * (attachments_disarm()).
 */
void stream_text_add(struct strbuf *out, const struct stream *stream);

/** stream_text_add_named() - add what a program wrote, if anything, below a line with a name */
void stream_text_add_named(struct strbuf *out, const struct stream *stream, const char *name);

#endif
