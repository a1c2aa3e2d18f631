/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Searches a client's output for regular expressions, with a bound on the work. */
#ifndef SYNFAULT_RUNNER_JUDGE_PATTERN_H
#define SYNFAULT_RUNNER_JUDGE_PATTERN_H

#include "common/util.h"

/* A piece of output to search. */
struct haystack {
	const char *data;
	size_t length;
	bool cut_before, cut_after; /* bytes are missing before or after it */
};

/* How much work a search may take, over all starting places. */
struct pattern_limits {
	uint64_t steps; /* attempts to match a part of the pattern */
	int64_t cpu_ns; /* processor time of the calling thread */
	int64_t all_ns; /* the same for this and all further searches: each takes off its own */
	bool reached;   /* set by a search that ended at one of them */
};

/* Far more than sane patterns need: 2 s of processor time each, 10 s all together. */
extern const struct pattern_limits pattern_default_limits;

enum pattern_result {
	PATTERN_FOUND,
	PATTERN_NOT_FOUND,
	PATTERN_IMPOSSIBLE, /* the pattern does not compile, or reaches a limit */
};

/**
 * pattern_search() - find the first match of a pattern
 * @pattern: PCRE2; the output is searched as UTF-8 if it is well-formed, otherwise as bytes
 * @limits: for this search; its all_ns is reduced, and reached set if so
 * @ret_offset: of the match in @haystack; set only if found
 * @ret_reason: owned by the caller; set only if impossible
 *
 * A match never crosses a cut, and a cut is never the start or the end of the text.
 */
enum pattern_result pattern_search(const char *pattern, const struct haystack *haystack,
				   struct pattern_limits *limits, size_t *ret_offset,
				   char **ret_reason);

#endif
