/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One JUnit report out of those that parts of a suite wrote. */
#ifndef SYNFAULT_RUNNER_REPORT_JUNIT_MERGE_H
#define SYNFAULT_RUNNER_REPORT_JUNIT_MERGE_H

#include "runner/report/result.h"

struct junit_part;

/* Loads a report. Returns NULL with *@ret_message (owned by the caller). */
struct junit_part *junit_part_load(const char *path, char **ret_message);
/* The part of a suite that it says to be, "3/8"; "" when it doesn't. */
const char *junit_part_shard(const struct junit_part *part);
void junit_part_free(struct junit_part *part);

struct junit_totals {
	struct outcome_counts counts;
	size_t n_invalid; /* among the errors: documents that are not valid */
};

/*
 * Makes one report: suites of the same file become one, totals are counted anew, its time is that
 * of the longest part. The parts are used up, but still to be freed. Returns the document (owned by
 * the caller), or NULL with *@ret_message (owned by the caller) when a case is in two parts.
 */
char *junit_merge(struct junit_part *const *parts, size_t n_parts, size_t *ret_length,
		  struct junit_totals *ret_totals, char **ret_message);

#endif
