/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Searches what clients wrote for the patterns of a scenario, apart from the judgement: a pattern
 * can take seconds, so who must not wait for that searches elsewhere, and judges with the results.
 */
#ifndef SYNFAULT_RUNNER_JUDGE_TEXT_SEARCH_H
#define SYNFAULT_RUNNER_JUDGE_TEXT_SEARCH_H

#include "common/strbuf.h"
#include "runner/judge/pattern.h"
#include "runner/record/record.h"
#include "runner/scenario/scenario.h"

enum { TEXT_MAX_PIECES = 2, TEXT_REASON_SIZE = 160 };

/* The search of one instance's output for the pattern of one expectation. */
struct text_search {
	uint32_t expectation, instance;
	enum pattern_result result;
	uint32_t piece;                /* where it was found: which piece of the output, */
	uint64_t offset;               /* and where in it */
	char reason[TEXT_REASON_SIZE]; /* why it was impossible */
};

struct text_searches {
	struct text_search *items;
	size_t n_items, capacity;
};

/** text_stream() - return the number of the stream that an expectation is about */
uint32_t text_stream(const struct expectation *expectation, uint32_t instance);

/**
 * text_pieces() - split a stream into pieces: one, or two if the middle was cut
 * @joined: empty; gets the text that the pieces point into
 *
 * Return: how many.
 */
size_t text_pieces(const struct stream *stream, struct strbuf *joined,
		   struct haystack ret[static TEXT_MAX_PIECES]);

/**
 * text_search_pattern() - search the pieces in order
 * @ret: gets the result; its expectation and instance are left as they are
 */
void text_search_pattern(const char *pattern, const struct haystack *pieces, size_t n_pieces,
			 struct pattern_limits *limits, struct text_search *ret);

/**
 * text_searches_make() - search for all patterns that the judgement needs
 * @limits: of all of them together; its `reached` says whether that was enough
 *
 * Return: the results, which text_searches_free() frees.
 */
struct text_searches text_searches_make(const struct scenario *scenario,
					const struct record *record, struct pattern_limits *limits);
void text_searches_free(struct text_searches *searches);

/** text_searches_find() - return the result of a search, or NULL */
const struct text_search *text_searches_find(const struct text_searches *searches,
					     size_t expectation, uint32_t instance);

#endif
