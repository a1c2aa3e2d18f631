/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes YAML that the loader reads back unchanged, with any text in it. The caller writes comments
 * itself, between documents, directly into the text.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_YAML_WRITER_H
#define SYNFAULT_RUNNER_SCENARIO_YAML_WRITER_H

#include "common/strbuf.h"

struct yaml_writer;

/**
 * yaml_writer_new() - make a writer for one document that appends to @out, which is borrowed
 *
 * Never fails.
 */
struct yaml_writer *yaml_writer_new(struct strbuf *out);
/** yaml_writer_finish() - end all open mappings and lists and the document, and free the writer */
void yaml_writer_finish(struct yaml_writer *writer);

/**
 * yaml_mapping() - begin a mapping or a list; the document itself is one
 * @flow: on one line, as in {a: 1}
 */
void yaml_mapping(struct yaml_writer *writer, bool flow);
void yaml_list(struct yaml_writer *writer, bool flow);
/** yaml_end() - end the last mapping or list */
void yaml_end(struct yaml_writer *writer);
/** yaml_text() - write a key or a value: UTF-8 without NUL */
void yaml_text(struct yaml_writer *writer, const char *text);
void yaml_printf(struct yaml_writer *writer, const char *format, ...) PRINTF(2, 3);
/** yaml_pair() - write a key and its value */
void yaml_pair(struct yaml_writer *writer, const char *key, const char *format, ...) PRINTF(3, 4);
/** yaml_texts() - write a key and a list of texts on one line; @texts ends with NULL */
void yaml_texts(struct yaml_writer *writer, const char *key, const char *const *texts);

/**
 * yaml_snippet() - write a value that is YAML, such as "{a: 1}"
 *
 * Return: false, and writes nothing, if it is not.
 */
bool yaml_snippet(struct yaml_writer *writer, const char *text);

#endif
