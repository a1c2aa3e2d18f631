/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the modules that read a document share: the scenario that they fill, the errors that they
 * add, the texts whose references are checked at the end.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_LOADER_H
#define SYNFAULT_RUNNER_SCENARIO_LOADER_H

#include "runner/scenario/node.h"
#include "runner/scenario/scenario.h"
#include "runner/scenario/schema.h"

struct loader {
	const char *path; /* borrowed; of all places */
	struct diag_list *diags;
	struct scenario *scenario; /* what is being read */
	/*
	 * A document of defaults: nothing in it is required, and it can name endpoints that only
	 * other documents have.
	 */
	bool partial;
	const struct schema *root;  /* the document's table, to look up keys that are misplaced */
	bool attached;              /* another program starts the client: see load.h */
	bool endpoints_known;       /* all endpoints could be read, so that names can be checked */
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

/* Adds an error at a node. Returns false. */
bool loader_error(struct loader *loader, const struct node *at, const char *format, ...)
	PRINTF(3, 4);
/* The same for a part of the node's text. */
bool loader_error_within(struct loader *loader, const struct node *at, size_t offset, size_t length,
			 const char *format, ...) PRINTF(5, 6);
/* Adds the remedy to the error added last. */
void loader_hint(struct loader *loader, const char *format, ...) PRINTF(2, 3);
/* Adds "did you mean …" when one of the names is near, else lists them. */
void loader_hint_names(struct loader *loader, const char *word, const char *const *names,
		       const char *introduction);
/* Whether one of the names is near enough to be meant; then adds "did you mean …". */
bool loader_hint_nearest(struct loader *loader, const char *word, const char *const *names);
struct place loader_place(const struct loader *loader, const struct node *node);
/* Remembers a text for the check of its references. */
void loader_add_text(struct loader *loader, const struct node *text);

#endif
