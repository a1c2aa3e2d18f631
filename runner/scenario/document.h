/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario files as trees: a file is cut into documents, and a document is parsed into nodes with
 * places. YAML that a scenario can't use (other tags, keys that are not texts, repeated keys, merge
 * keys, NUL characters) is reported here, so that the rest of the loader sees only texts, lists and
 * mappings.
 *
 * A line that starts with "---" or "..." always ends a document, even within what would otherwise
 * be a text (YAML 1.2.2, section 9.1.2). So each document is cut out first and gets its own parser:
 * an error in one can't affect the others.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_DOCUMENT_H
#define SYNFAULT_RUNNER_SCENARIO_DOCUMENT_H

#include "runner/scenario/node.h"

#define NODE_MAX_EXPANDED 100000     /* nodes of a document with its aliases followed */
#define NODE_MAX_BYTES    (16 << 20) /* of its texts, likewise */
#define NODE_MAX_DEPTH    64

/* The text of one document. */
struct document_text {
	const char *text;
	size_t length;
	unsigned line; /* of the file, where it starts */
};

/* Where the next document starts; begin with line = 1. */
struct document_cursor {
	const char *text;
	size_t length;
	unsigned line;
};

/**
 * document_next() - cut out the next document, which may hold only comments
 *
 * Return: false after the last one.
 */
bool document_next(struct document_cursor *cursor, struct document_text *ret);

struct document {
	const struct node *root; /* NULL: it is empty, or not YAML */
	const char *name;        /* NULL if it could not be read; lives in the arena */
	unsigned line;           /* where its content starts */
};

/**
 * document_parse() - parse one document
 * @text: the document
 * @path: of the file, for diagnostics; borrowed for the call
 * @arena: owns all nodes
 * @diags: gets the errors
 * @ret: the document; written after errors, too
 *
 * Return: 0, or -EINVAL with diagnostics. If there is a root then, it can be checked for more
 * errors.
 */
int document_parse(const struct document_text *text, const char *path, struct arena *arena,
		   struct diag_list *diags, struct document *ret);

#endif
