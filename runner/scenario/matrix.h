/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matrices: one document that makes many scenarios. The rows are all combinations of the keys'
 * values, less "exclude", plus "include"; for each row, references ${matrix.KEY} are replaced in
 * the parsed document, never in its text.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_MATRIX_H
#define SYNFAULT_RUNNER_SCENARIO_MATRIX_H

#include "runner/scenario/loader.h"

#define MATRIX_MAX_ROWS 10000
/* What all rows of a matrix may come to, so that a small file can't fill the memory. */
#define MATRIX_MAX_NODES ((size_t)5000000)
#define MATRIX_MAX_BYTES ((size_t)256 * 1024 * 1024)

struct matrix {
	bool present;      /* false: the document has none; then there is one row, without keys */
	const char **keys; /* ends with NULL */
	size_t n_keys;
	const struct node ***rows; /* each n_keys values */
	size_t n_rows;
	size_t nodes, bytes; /* made so far by matrix_apply() */
};

/*
 * Reads a document's matrix; @node is NULL when it has none. All in @ret lives in @arena. Returns
 * false with diagnostics when it is wrong; then there is one row, whose unknown values are
 * NODE_WRONG, so that the rest of the document can be checked.
 */
bool matrix_read(struct loader *loader, const struct node *node, struct arena *arena,
		 struct matrix *ret);

/*
 * The document for one row, its name told apart from the others'. Nodes without references are
 * shared. References that mean nothing are diagnostics; NULL when the rows grow beyond the limits,
 * likewise with a diagnostic.
 */
const struct node *matrix_apply(struct loader *loader, struct matrix *matrix, size_t row,
				const struct node *root, struct arena *arena);

#endif
