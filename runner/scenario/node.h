/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scenario file's document as a tree of texts, lists and mappings; document.h makes it. */
#ifndef SYNFAULT_RUNNER_SCENARIO_NODE_H
#define SYNFAULT_RUNNER_SCENARIO_NODE_H

#include "common/diag.h"
#include "runner/scenario/arena.h"

enum node_kind {
	NODE_TEXT,
	NODE_NULL, /* nothing, or ~ or null without quotes */
	NODE_LIST,
	NODE_MAPPING,
	NODE_WRONG, /* its error is already reported: skip it */
};

enum node_style {
	NODE_PLAIN,
	NODE_QUOTED,
	NODE_BLOCK, /* | or > */
	NODE_MADE,  /* not in the file like this: made from a matrix */
};

struct node_pair {
	const struct node *key; /* always NODE_TEXT */
	const struct node *value;
};

struct node {
	enum node_kind kind;
	enum node_style style;
	unsigned line, column; /* from 1; columns in characters */
	unsigned length;       /* in characters; 0 if it is longer than a line */
	unsigned height;       /* levels below it, plus its own */
	size_t size;           /* nodes in it, plus itself, with aliases followed */
	size_t bytes;          /* of texts in it, with aliases followed */
	bool refers_to_matrix; /* it or a node below it holds ${matrix.…} */
	size_t count;          /* bytes of text, items, or pairs */
	union {
		const char *text; /* terminated, no NUL in it */
		const struct node **items;
		struct node_pair *pairs;
	};
};

/** node_get() - return the value of a key, or NULL; NULL for all nodes but mappings */
const struct node *node_get(const struct node *mapping, const char *key);
/** node_place() - return the place of the whole node; @path is borrowed by the place */
struct place node_place(const struct node *node, const char *path);
/**
 * node_place_within() - return the place of @length bytes from @offset of a node's text; the place
 * of the whole node if its text is written differently in the file
 */
struct place node_place_within(const struct node *node, const char *path, size_t offset,
			       size_t length);
/** node_equal() - return whether both have the same content, in any order of keys */
bool node_equal(const struct node *left, const struct node *right);
/** node_format() - add the node as YAML on one line */
void node_format(const struct node *node, struct strbuf *out);
/** node_kind_name() - return the kind in words: "a text", "a list", "a mapping" */
const char *node_kind_name(enum node_kind kind);
/**
 * node_sort_pairs() - sort pointers to pairs by key
 *
 * Pairs with equal keys keep their order.
 */
void node_sort_pairs(const struct node_pair **pairs, size_t count);

#endif
