/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Merges the JUnit reports of the shards of a suite. */
#ifndef SYNFAULT_RUNNER_REPORT_JUNIT_MERGE_H
#define SYNFAULT_RUNNER_REPORT_JUNIT_MERGE_H

#include "runner/report/result.h"

struct junit_part;

/**
 * junit_part_load() - load a report
 * @ret_message: on failure one sentence, owned by the caller
 *
 * Return: the report, freed by junit_part_free(), or NULL.
 */
struct junit_part *junit_part_load(const char *path, char **ret_message);
/** junit_part_shard() - return which shard it is, "3/8", or ""; borrowed */
const char *junit_part_shard(const struct junit_part *part);
void junit_part_free(struct junit_part *part);

struct junit_totals {
	struct outcome_counts counts;
	size_t n_invalid; /* among the errors: documents that are not valid */
};

/**
 * junit_merge() - merge reports into one
 * @parts: still the caller's
 * @ret_message: on failure one sentence, owned by the caller
 *
 * Suites of the same file become one, totals are counted again, and the time is that of the longest
 * part.
 *
 * Return: the document, owned by the caller, or NULL if a case is in two parts.
 */
char *junit_merge(struct junit_part *const *parts, size_t n_parts, size_t *ret_length,
		  struct junit_totals *ret_totals, char **ret_message);

#endif
