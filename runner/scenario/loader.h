/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the modules that read a document share: the scenario that they fill, the errors that they
 * add, and the texts whose references are checked at the end.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_LOADER_H
#define SYNFAULT_RUNNER_SCENARIO_LOADER_H

#include "runner/scenario/node.h"
#include "runner/scenario/scenario.h"
#include "runner/scenario/schema.h"

struct loader {
	const char *path; /* of all places; borrowed */
	struct diag_list *diags;
	struct scenario *scenario; /* what is being read */
	/*
	 * It is a document of defaults: no key is required, and it may name endpoints that only
	 * other documents have.
	 */
	bool partial;
	const struct schema *root; /* the document's table, to find where a misplaced key belongs */
	bool attached;             /* another process starts the client: see load.h */
	bool endpoints_known;      /* all endpoints were read, so their names can be checked */
	struct tolerance tolerance; /* of the document's expectations */
	size_t expectations_capacity;
	const struct node **texts; /* those with references, to be checked at the end */
	size_t n_texts, texts_capacity;
};

/* One key of a mapping with its value. */
struct field {
	const struct schema_key *schema;
	const struct node *key, *value;
};

/** loader_error() - add an error at a node; return false, for decode_… functions to return */
bool loader_error(struct loader *loader, const struct node *at, const char *format, ...)
	PRINTF(3, 4);
/**
 * loader_error_within() - add an error at @length bytes from @offset of the node's text
 *
 * Return: false.
 */
bool loader_error_within(struct loader *loader, const struct node *at, size_t offset, size_t length,
			 const char *format, ...) PRINTF(5, 6);
/** loader_hint() - add a remedy to the last error */
void loader_hint(struct loader *loader, const char *format, ...) PRINTF(2, 3);
/**
 * loader_hint_names() - add "did you mean …" if a name is similar to @word, otherwise
 * "@introduction …" and all names
 */
void loader_hint_names(struct loader *loader, const char *word, const char *const *names,
		       const char *introduction);
/**
 * loader_hint_nearest() - add "did you mean …" if a name is similar to @word
 *
 * Return: whether one is.
 */
bool loader_hint_nearest(struct loader *loader, const char *word, const char *const *names);
/** loader_place() - return the place of a node; its path is borrowed from the loader */
struct place loader_place(const struct loader *loader, const struct node *node);
/** loader_add_text() - remember a text, so that its references are checked at the end */
void loader_add_text(struct loader *loader, const struct node *text);

#endif
