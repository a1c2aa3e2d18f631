/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario files as trees: a file is cut into documents, a document is parsed into nodes that keep
 * their places. What YAML allows but a scenario can't use (other tags, keys that are
 * no text, repeated keys, merge keys, NUL characters) is reported here, so that the rest of the
 * loader sees texts, lists and mappings only.
 *
 * A line that starts with "---" or "..." is always a document's border, even within what would else
 * be a text (YAML 1.2.2, section 9.1.2). So each document is cut out first and gets a parser of its
 * own: an error in one can't touch the others.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_NODE_H
#define SYNFAULT_RUNNER_SCENARIO_NODE_H

#include "common/diag.h"
#include "runner/scenario/arena.h"

#define NODE_MAX_EXPANDED 100000             /* nodes of a document with its aliases followed */
#define NODE_MAX_BYTES    (16 * 1024 * 1024) /* of its texts, likewise */
#define NODE_MAX_DEPTH    64

enum node_kind {
	NODE_TEXT,
	NODE_NULL, /* nothing, or ~ or null without quotes */
	NODE_LIST,
	NODE_MAPPING,
	NODE_WRONG, /* reported already: to be passed over in silence */
};

enum node_style {
	NODE_PLAIN,
	NODE_QUOTED,
	NODE_BLOCK, /* | or > */
	NODE_MADE,  /* not in the file like this: put together from a matrix */
};

struct node_pair {
	const struct node *key; /* always NODE_TEXT */
	const struct node *value;
};

struct node {
	enum node_kind kind;
	enum node_style style;
	unsigned line, column; /* from 1; columns in characters */
	unsigned length;       /* in characters; 0 when it is not in one line */
	unsigned height;       /* levels below it and its own */
	size_t size;           /* nodes in it and itself, aliases followed */
	size_t bytes;          /* of texts in it, likewise */
	bool refers_to_matrix; /* it or a node below it holds ${matrix.…} */
	size_t count;          /* bytes of text, items, or pairs */
	union {
		const char *text; /* terminated, no NUL in it */
		const struct node **items;
		struct node_pair *pairs;
	};
};

/* The text of one document. */
struct document_text {
	const char *text;
	size_t length;
	unsigned line; /* of the file, in which it starts */
};

/* Where the next document starts; begin with line = 1. */
struct document_cursor {
	const char *text;
	size_t length;
	unsigned line;
};

/* Cuts out the next document, which may hold nothing but comments. False: there is none. */
bool document_next(struct document_cursor *cursor, struct document_text *ret);

struct document {
	const struct node *root; /* NULL: there is nothing in it, or it can't be read as YAML */
	const char *name;        /* as far as it could be read, or NULL; lives in the arena */
	unsigned line;           /* in which its content starts */
};

/*
 * Parses one document. Returns 0, or -EINVAL with diagnostics; then @ret is written too, and the
 * root, if there is one, can be examined for more errors. @path is borrowed for the call.
 */
int document_parse(const struct document_text *text, const char *path, struct arena *arena,
		   struct diag_list *diags, struct document *ret);

/* The value of a key, or NULL. Takes any kind of node. */
const struct node *node_get(const struct node *mapping, const char *key);
struct place node_place(const struct node *node, const char *path);
/*
 * The place of @length bytes from @offset of a node's text, or of the whole node when the text does
 * not be in the file as it is.
 */
struct place node_place_within(const struct node *node, const char *path, size_t offset,
			       size_t length);
/* Whether both say the same; the order of keys does not matter. */
bool node_equal(const struct node *left, const struct node *right);
/* Adds the value as it could be written in one line. */
void node_format(const struct node *node, struct strbuf *out);
/* "a text", "a list", "a mapping" */
const char *node_kind_name(enum node_kind kind);
/* Sorts pointers to pairs by key; of equal keys the earlier pair comes first. */
void node_sort_pairs(const struct node_pair **pairs, size_t count);

#endif
