/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Merges the JUnit reports of the shards of a suite. */
#ifndef SYNFAULT_RUNNER_REPORT_JUNIT_MERGE_H
#define SYNFAULT_RUNNER_REPORT_JUNIT_MERGE_H

#include "runner/report/result.h"

struct junit_part;

/* Loads a report. Returns NULL with *@ret_message (owned by the caller). */
struct junit_part *junit_part_load(const char *path, char **ret_message);
/* The shard it is, "3/8", or "". */
const char *junit_part_shard(const struct junit_part *part);
void junit_part_free(struct junit_part *part);

struct junit_totals {
	struct outcome_counts counts;
	size_t n_invalid; /* among the errors: documents that are not valid */
};

/*
 * Makes one report: suites of the same file become one, totals are counted again, the time is that
 * of the longest part. Returns the document, or NULL with *@ret_message if a case is in two parts;
 * the caller owns either. The parts must still be freed.
 */
char *junit_merge(struct junit_part *const *parts, size_t n_parts, size_t *ret_length,
		  struct junit_totals *ret_totals, char **ret_message);

#endif
