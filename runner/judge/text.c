/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations on the client's output. Of a long stream only the head and the tail were kept. A
 * text that is found in either is certain; a text that is not found may have been in the part that
 * was cut, so the result is unknown. No match may cross the cut, and the cut is not the start or
 * the end of the output.
 */
#include <inttypes.h>

#include "common/text.h"
#include "common/utf8.h"
#include "runner/judge/findings.h"
#include "runner/judge/measurements.h"
#include "runner/judge/per_instance.h"
#include "runner/judge/text.h"
#include "runner/judge/text_search.h"

/* How many bytes of a line a message quotes. */
#define QUOTED_LINE_MAX 120

/* Where something was found. */
struct hit {
	const struct haystack *haystack;
	size_t offset;
};

/* What was searched before, perhaps by another process, is not searched again. */
static void search_pattern(struct judge_ctx *ctx, const struct expectation *expectation,
			   uint32_t instance, const struct haystack *pieces, size_t n_pieces,
			   struct text_search *ret)
{
	const size_t index = (size_t)(expectation - ctx->scenario->expectations);
	const struct text_search *found = NULL;

	if (!ctx->searches)
		text_search_pattern(expectation->value.text.text, pieces, n_pieces, &ctx->patterns,
				    ret);
	else
		found = text_searches_find(ctx->searches, index, instance);
	if (found && (found->result != PATTERN_FOUND ||
		      (found->piece < n_pieces && found->offset <= pieces[found->piece].length)))
		*ret = *found;
	else if (ctx->searches)
		snprintf(ret->reason, sizeof(ret->reason), "it was not searched for");
}

/* Searches the pieces in order. */
static enum pattern_result search(struct judge_ctx *ctx, const struct expectation *expectation,
				  uint32_t instance, const struct haystack *pieces, size_t n_pieces,
				  struct hit *ret_hit, char **ret_reason)
{
	struct text_search search = {.result = PATTERN_IMPOSSIBLE};
	const char *text = expectation->value.text.text, *at;

	if (expectation->value.text.match == TEXT_MATCHES) {
		search_pattern(ctx, expectation, instance, pieces, n_pieces, &search);
		if (search.result == PATTERN_FOUND)
			*ret_hit = (struct hit){&pieces[search.piece], (size_t)search.offset};
		else if (search.result == PATTERN_IMPOSSIBLE)
			*ret_reason = xstrdup(search.reason);
		return search.result;
	}
	for (size_t i = 0; i < n_pieces; i++) {
		at = memmem(pieces[i].data, pieces[i].length, text, strlen(text));
		if (!at)
			continue;
		*ret_hit = (struct hit){&pieces[i], (size_t)(at - pieces[i].data)};
		return PATTERN_FOUND;
	}
	return PATTERN_NOT_FOUND;
}

static void add_quoted(struct strbuf *out, const char *data, size_t length)
{
	size_t shown = utf8_cut(data, length, QUOTED_LINE_MAX);

	strbuf_putc(out, '"');
	text_sanitize(out, data, shown);
	strbuf_puts(out, shown < length ? "…\"" : "\"");
}

/* Adds the line around an offset. */
static void add_line_at(struct strbuf *out, const struct haystack *haystack, size_t offset)
{
	size_t start = MIN(offset, haystack->length), end = start;

	while (start > 0 && haystack->data[start - 1] != '\n')
		start--;
	while (end < haystack->length && haystack->data[end] != '\n')
		end++;
	while (end > start && haystack->data[end - 1] == '\r')
		end--;
	/* If the match is far into a long line, start at the match. */
	if (offset - start > QUOTED_LINE_MAX / 2)
		start = offset;
	add_quoted(out, haystack->data + start, end - start);
}

/* Describes what was written instead: the length, and the last line that is not empty. */
static char *ending_text(const struct haystack *last, uint64_t total)
{
	struct strbuf text = {0};
	size_t end = last->length, start;

	while (end > 0 && strchr(" \t\r\n", last->data[end - 1]))
		end--;
	start = end;
	if (total == 0) {
		strbuf_puts(&text, "nothing");
	} else if (end == 0) {
		strbuf_puts(&text, "only white space");
	} else {
		strbuf_printf(&text, "%" PRIu64 " byte%s, the last line is ", total, PLURAL(total));
		while (start > 0 && last->data[start - 1] != '\n')
			start--;
		add_quoted(&text, last->data + start, end - start);
	}
	return strbuf_steal(&text);
}

static char *expected_text(const struct expectation *expectation)
{
	bool pattern = expectation->value.text.match == TEXT_MATCHES;
	struct strbuf text = {0};

	if (expectation->value.text.negated)
		strbuf_puts(&text, pattern ? "no match of " : "no ");
	else
		strbuf_puts(&text, pattern ? "a match of " : "");
	add_quoted(&text, expectation->value.text.text, strlen(expectation->value.text.text));
	return strbuf_steal(&text);
}

static void add_undecided(struct judge_ctx *ctx, const struct expectation *expectation,
			  uint32_t instance, const char *why)
{
	char *stream = subject_of_instance(ctx, expectation_kind_name(expectation->kind), instance);
	char *expected = expected_text(expectation);

	findings_add(ctx, WEIGHT_UNDECIDED, .expectation = expectation, .subject = stream,
		     .expected = expected,
		     .message = xasprintf("%s: expected %s, which can't be judged: %s", stream,
					  expected, why));
}

/* Finds the write that contained the byte at an offset of a stream; NULL if unknown. */
static const struct event *write_at(const struct record *record, uint32_t stream, uint64_t offset)
{
	uint64_t until = 0;

	for (size_t i = 0; i < record->n_events; i++) {
		const struct event *event = &record->events[i];

		if (event->kind != EVENT_OUTPUT || event->u.output.stream != stream)
			continue;
		until += event->u.output.length;
		if (offset < until)
			return event;
	}
	return NULL;
}

static void add_measured(struct judge_ctx *ctx, const struct expectation *expectation,
			 uint32_t stream, const struct hit *hit)
{
	const struct stream *text = &ctx->record->streams[stream];
	struct strbuf actual = {0};
	uint64_t offset = hit ? hit->offset : 0;
	size_t at = hit ? hit->offset : 0;

	if (hit) {
		/* A match that begins with a newline starts at the end of the line before. */
		while (at < hit->haystack->length && hit->haystack->data[at] == '\n')
			at++;
		add_line_at(&actual, hit->haystack, at);
		if (hit->haystack->cut_before)
			offset += text->total - text->tail_length;
	} else {
		strbuf_printf(&actual, "none in %" PRIu64 " byte%s", text->total,
			      PLURAL(text->total));
	}
	assessment_set(ctx, expectation, .expected = expected_text(expectation),
		       .actual = strbuf_steal(&actual),
		       .event = hit ? write_at(ctx->record, stream, offset) : NULL);
}

static void add_failed(struct judge_ctx *ctx, const struct expectation *expectation,
		       uint32_t instance, char *actual)
{
	findings_add_truth(
		ctx,
		instance_was_delayed(ctx, instance, false) || instance_may_hide(ctx, instance)
			? TRUTH_UNKNOWN
			: TRUTH_BROKEN,
		NULL, .expectation = expectation,
		.subject = subject_of_instance(ctx, expectation_kind_name(expectation->kind),
					       instance),
		.expected = expected_text(expectation), .actual = actual);
}

/* Returns whether one instance's output is as expected. */
static bool judge_text_of(struct judge_ctx *ctx, const struct expectation *expectation,
			  uint32_t instance)
{
	uint32_t index = text_stream(expectation, instance);
	const struct stream *stream = &ctx->record->streams[index];
	bool negated = expectation->value.text.negated;
	AUTO_STRBUF struct strbuf joined = {0}, text = {0};
	AUTO_FREE char *reason = NULL;
	struct haystack haystacks[TEXT_MAX_PIECES];
	size_t n_haystacks = text_pieces(stream, &joined, haystacks);
	struct hit hit = {0};

	switch (search(ctx, expectation, instance, haystacks, n_haystacks, &hit, &reason)) {
	case PATTERN_FOUND:
		add_measured(ctx, expectation, index, &hit);
		if (!negated)
			return true;
		add_line_at(&text, hit.haystack, hit.offset);
		add_failed(ctx, expectation, instance, strbuf_steal(&text));
		return false;
	case PATTERN_IMPOSSIBLE:
		strbuf_printf(&text, "the pattern can't be applied: %s", reason);
		add_undecided(ctx, expectation, instance, strbuf_text(&text));
		return false;
	case PATTERN_NOT_FOUND:
		if (stream->total > joined.length) {
			strbuf_printf(&text,
				      "of %" PRIu64 " bytes of output, %" PRIu64
				      " in the middle were not kept",
				      stream->total, stream->total - joined.length);
			add_undecided(ctx, expectation, instance, strbuf_text(&text));
			return false;
		}
		add_measured(ctx, expectation, index, NULL);
		if (negated)
			break;
		add_failed(ctx, expectation, instance,
			   ending_text(&haystacks[n_haystacks - 1], stream->total));
		return false;
	}
	return true;
}

/* Reports the first instance whose output is not as expected. */
void judge_text(struct judge_ctx *ctx, const struct expectation *expectation)
{
	for (uint32_t instance = 0; instance < ctx->record->n_instances; instance++)
		if (!judge_text_of(ctx, expectation, instance))
			return;
}
