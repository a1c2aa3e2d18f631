/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes YAML that the loader reads back as it was meant, with any text in it. Comments
 * are the caller's: they go between documents, straight into the text.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_YAML_WRITER_H
#define SYNFAULT_RUNNER_SCENARIO_YAML_WRITER_H

#include "common/strbuf.h"

struct yaml_writer;

/* Writes to @out, which is borrowed, one document. Never fails. */
struct yaml_writer *yaml_writer_new(struct strbuf *out);
/* Ends the document, with all that is open in it, and frees the writer. */
void yaml_writer_finish(struct yaml_writer *writer);

/* @flow: on one line, as in {a: 1}. The document itself is one of these. */
void yaml_mapping(struct yaml_writer *writer, bool flow);
void yaml_list(struct yaml_writer *writer, bool flow);
/* Ends the last mapping or list. */
void yaml_end(struct yaml_writer *writer);
/* A key or a value: UTF-8 without NUL. */
void yaml_text(struct yaml_writer *writer, const char *text);
void yaml_printf(struct yaml_writer *writer, const char *format, ...) PRINTF(2, 3);
/* Both: what most keys have. */
void yaml_pair(struct yaml_writer *writer, const char *key, const char *format, ...) PRINTF(3, 4);
/* A key with a list of texts on one line; ends with NULL. */
void yaml_texts(struct yaml_writer *writer, const char *key, const char *const *texts);

/* A value that is YAML itself, such as "{a: 1}". Returns false, and writes nothing, when it is not.
 */
bool yaml_snippet(struct yaml_writer *writer, const char *text);

#endif
