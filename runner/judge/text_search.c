/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Searches what clients wrote for patterns: see text_search.h. */
#include "runner/judge/text_search.h"

uint32_t text_stream(const struct expectation *expectation, uint32_t instance)
{
	return STREAMS_EACH * instance +
	       (expectation->kind == EXPECT_STDOUT ? STREAM_STDOUT : STREAM_STDERR);
}

size_t text_pieces(const struct stream *stream, struct strbuf *joined,
		   struct haystack ret[static TEXT_MAX_PIECES])
{
	const char *data;

	strbuf_add(joined, stream->head, stream->head_length);
	strbuf_add(joined, stream->tail, stream->tail_length);
	data = strbuf_text(joined);
	if (stream->total <= joined->length) {
		ret[0] = (struct haystack){.data = data, .length = joined->length};
		return 1;
	}
	ret[0] = (struct haystack){.data = data, .length = stream->head_length, .cut_after = true};
	ret[1] = (struct haystack){.data = data + stream->head_length,
				   .length = stream->tail_length,
				   .cut_before = true};
	return 2;
}

void text_search_pattern(const char *pattern, const struct haystack *pieces, size_t n_pieces,
			 struct pattern_limits *limits, struct text_search *ret)
{
	ret->result = PATTERN_NOT_FOUND;
	for (size_t i = 0; i < n_pieces && ret->result == PATTERN_NOT_FOUND; i++) {
		AUTO_FREE char *reason = NULL;
		size_t offset = 0;

		ret->result = pattern_search(pattern, &pieces[i], limits, &offset, &reason);
		ret->piece = (uint32_t)i;
		ret->offset = offset;
		snprintf(ret->reason, sizeof(ret->reason), "%s", reason ? reason : "");
	}
}

/* Searches until one instance's output decides, as judge_text() does. */
static void search_expectation(const struct scenario *scenario, size_t index,
			       const struct record *record, struct pattern_limits *limits,
			       struct text_searches *searches)
{
	const struct expectation *expectation = &scenario->expectations[index];
	const enum pattern_result good =
		expectation->value.text.negated ? PATTERN_NOT_FOUND : PATTERN_FOUND;

	for (uint32_t instance = 0; instance < record->n_instances; instance++) {
		struct text_search search = {
			.expectation = (uint32_t)index,
			.instance = instance,
		};
		const uint32_t stream = text_stream(expectation, instance);
		AUTO_STRBUF struct strbuf joined = {0};
		struct haystack pieces[TEXT_MAX_PIECES];
		size_t n_pieces;

		if (stream >= record->n_streams)
			return;
		n_pieces = text_pieces(&record->streams[stream], &joined, pieces);
		text_search_pattern(expectation->value.text.text, pieces, n_pieces, limits,
				    &search);
		array_append(searches->items, searches->n_items, searches->capacity, search);
		if (search.result != good)
			return;
	}
}

struct text_searches text_searches_make(const struct scenario *scenario,
					const struct record *record, struct pattern_limits *limits)
{
	struct text_searches searches = {0};

	for (size_t i = 0; i < scenario->n_expectations; i++) {
		const struct expectation *expectation = &scenario->expectations[i];

		if ((expectation->kind == EXPECT_STDOUT || expectation->kind == EXPECT_STDERR) &&
		    expectation->value.text.match == TEXT_MATCHES)
			search_expectation(scenario, i, record, limits, &searches);
	}
	return searches;
}

void text_searches_free(struct text_searches *searches)
{
	free(searches->items);
	*searches = (struct text_searches){0};
}

static int compare(const void *a, const void *b)
{
	const struct text_search *x = a, *y = b;

	return COMPARE(x->expectation, y->expectation) ?: COMPARE(x->instance, y->instance);
}

const struct text_search *text_searches_find(const struct text_searches *searches,
					     size_t expectation, uint32_t instance)
{
	const struct text_search wanted = {
		.expectation = (uint32_t)expectation,
		.instance = instance,
	};

	/* The order in which they were made. */
	return searches->n_items == 0 ? NULL
				      : bsearch(&wanted, searches->items, searches->n_items,
						sizeof(wanted), compare);
}
