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
#include "runner/judge/pattern.h"
#include "runner/judge/per_instance.h"
#include "runner/judge/text.h"

/* How many bytes of a line a message quotes. */
#define QUOTED_LINE_MAX 120

/* Where something was found. */
struct hit {
	const struct haystack *haystack;
	size_t offset;
};

static enum pattern_result search_one(struct judge_ctx *ctx, const struct expectation *expectation,
				      const struct haystack *haystack, size_t *ret_offset,
				      char **ret_reason)
{
	const char *text = expectation->value.text.text;
	const char *at;

	if (expectation->value.text.match == TEXT_MATCHES)
		return pattern_search(text, haystack, &ctx->patterns, ret_offset, ret_reason);
	at = memmem(haystack->data, haystack->length, text, strlen(text));
	if (!at)
		return PATTERN_NOT_FOUND;
	*ret_offset = (size_t)(at - haystack->data);
	return PATTERN_FOUND;
}

/* Searches the pieces in order; stops unless the result is "not found". */
static enum pattern_result search(struct judge_ctx *ctx, const struct expectation *expectation,
				  const struct haystack *haystacks, size_t n_haystacks,
				  struct hit *ret_hit, char **ret_reason)
{
	for (size_t i = 0; i < n_haystacks; i++) {
		size_t offset = 0;
		enum pattern_result result =
			search_one(ctx, expectation, &haystacks[i], &offset, ret_reason);

		if (result == PATTERN_FOUND)
			*ret_hit = (struct hit){&haystacks[i], offset};
		if (result != PATTERN_NOT_FOUND)
			return result;
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
		strbuf_printf(&text, "%" PRIu64 " byte%s, the last line is ", total,
			      total == 1 ? "" : "s");
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

	findings_add(ctx, WEIGHT_UNDECIDED,
		     &(struct finding_parts){
			     .expectation = expectation,
			     .subject = stream,
			     .expected = expected,
			     .message = xasprintf("%s: expected %s, which can't be judged: %s",
						  stream, expected, why),
		     });
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
			      text->total == 1 ? "" : "s");
	}
	assessment_set(ctx, expectation,
		       &(struct measured){
			       .expected = expected_text(expectation),
			       .actual = strbuf_steal(&actual),
			       .event = hit ? write_at(ctx->record, stream, offset) : NULL,
		       });
}

static void add_failed(struct judge_ctx *ctx, const struct expectation *expectation,
		       uint32_t instance, char *actual)
{
	findings_add_truth(ctx,
			   instance_was_delayed(ctx, instance, false) ||
					   instance_may_hide(ctx, instance)
				   ? TRUTH_UNKNOWN
				   : TRUTH_BROKEN,
			   NULL,
			   &(struct finding_parts){
				   .expectation = expectation,
				   .subject = subject_of_instance(
					   ctx, expectation_kind_name(expectation->kind), instance),
				   .expected = expected_text(expectation),
				   .actual = actual,
			   });
}

/* Splits a stream into pieces, one if nothing was cut. They point into @ret_joined. */
static size_t make_haystacks(const struct stream *stream, struct strbuf *ret_joined,
			     struct haystack ret[static 2])
{
	const char *data;

	strbuf_add(ret_joined, stream->head, stream->head_length);
	strbuf_add(ret_joined, stream->tail, stream->tail_length);
	data = strbuf_text(ret_joined);
	if (stream->total <= ret_joined->length) {
		ret[0] = (struct haystack){.data = data, .length = ret_joined->length};
		return 1;
	}
	ret[0] = (struct haystack){.data = data, .length = stream->head_length, .cut_after = true};
	ret[1] = (struct haystack){.data = data + stream->head_length,
				   .length = stream->tail_length,
				   .cut_before = true};
	return 2;
}

/* Returns whether one instance's output is as expected. */
static bool judge_text_of(struct judge_ctx *ctx, const struct expectation *expectation,
			  uint32_t instance)
{
	uint32_t index = STREAMS_EACH * instance +
			 (expectation->kind == EXPECT_STDOUT ? STREAM_STDOUT : STREAM_STDERR);
	const struct stream *stream = &ctx->record->streams[index];
	bool negated = expectation->value.text.negated;
	AUTO_STRBUF struct strbuf joined = {0}, text = {0};
	AUTO_FREE char *reason = NULL;
	struct haystack haystacks[2];
	size_t n_haystacks = make_haystacks(stream, &joined, haystacks);
	struct hit hit = {0};

	switch (search(ctx, expectation, haystacks, n_haystacks, &hit, &reason)) {
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
