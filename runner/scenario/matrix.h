/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matrices: one document makes many scenarios. The rows are all combinations of the keys' values,
 * without those of "exclude", plus those of "include". For each row, references ${matrix.KEY} are
 * replaced in the parsed document, never in its text.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_MATRIX_H
#define SYNFAULT_RUNNER_SCENARIO_MATRIX_H

#include "runner/scenario/loader.h"

#define MATRIX_MAX_ROWS 10000
/* Limits for all rows of a matrix together, so that a small file can't fill the memory. */
#define MATRIX_MAX_NODES ((size_t)5000000)
#define MATRIX_MAX_BYTES ((size_t)256 * 1024 * 1024)

struct matrix {
	bool present;      /* false: the document has none, and there is one row without keys */
	const char **keys; /* ends with NULL */
	size_t n_keys;
	const struct node ***rows; /* each n_keys values */
	size_t n_rows;
	size_t nodes, bytes; /* made so far by matrix_apply() */
};

/**
 * matrix_read() - read a document's matrix
 * @loader: gets the errors
 * @node: the value of "matrix"; NULL if the document has none
 * @arena: owns everything in @ret
 * @ret: the matrix; always has at least one row
 *
 * Return: false after adding errors. Then there is one row, whose unknown values are NODE_WRONG, so
 * that the rest of the document can be checked.
 */
bool matrix_read(struct loader *loader, const struct node *node, struct arena *arena,
		 struct matrix *ret);

/**
 * matrix_apply() - make the document of one row
 * @loader: gets an error for each invalid reference
 * @matrix: counts the nodes and bytes that all rows take
 * @row: index of the row
 * @root: the document with its references
 * @arena: owns the new nodes
 *
 * Shares nodes without references with @root. Makes the document's name unique.
 *
 * Return: the document, or NULL with an error if the rows grow beyond the limits.
 */
const struct node *matrix_apply(struct loader *loader, struct matrix *matrix, size_t row,
				const struct node *root, struct arena *arena);

#endif
