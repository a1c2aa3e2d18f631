/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captured output as text for XML: see stream_text.h. */
#include "runner/report/stream_text.h"

#include "common/text.h"
#include "common/utf8.h"
#include "runner/report/attachments.h"
#include "runner/report/result.h"

/* How much of a captured stream the report has: half from its start, half from its end. */
#define STREAM_LIMIT ((size_t)65536)

/*
 * Adds the longest start (@from_end: end) of @data that has at most @limit bytes once it is safe.
 * Escapes such as "#x1B" make text longer, so trying finds the length. Returns how many bytes of
 * @data it took.
 */
static size_t add_part(struct strbuf *out, const char *data, size_t length, bool from_end,
		       size_t limit)
{
	size_t taken = MIN(length, limit);

	for (;;) {
		AUTO_STRBUF struct strbuf safe = {0};
		size_t start = from_end ? length - taken : 0;

		if (from_end) {
			start = utf8_boundary(data, length, start, true);
			taken = length - start;
		} else {
			taken = utf8_boundary(data, length, taken, false);
		}
		text_sanitize(&safe, data + start, taken);
		if (safe.length <= limit || taken == 0) {
			strbuf_add(out, strbuf_text(&safe), safe.length);
			return taken;
		}
		taken = MIN(taken - 1, taken * limit / safe.length);
	}
}

/* Adds a stream as safe text: all of it, or its start and end with a note about the rest. */
static void add_safe_stream(struct strbuf *out, const struct stream *stream)
{
	AUTO_STRBUF struct strbuf kept = {0}, safe = {0};
	bool whole = stream->total <= stream->head_length + stream->tail_length;
	size_t head_taken, tail_taken;
	const char *tail;
	size_t tail_length;

	strbuf_add(&kept, stream->head, stream->head_length);
	strbuf_add(&kept, stream->tail, stream->tail_length);
	if (whole) {
		text_sanitize(&safe, strbuf_text(&kept), kept.length);
		if (safe.length <= STREAM_LIMIT) {
			strbuf_add(out, strbuf_text(&safe), safe.length);
			return;
		}
	}
	head_taken = add_part(out, strbuf_text(&kept), whole ? kept.length : stream->head_length,
			      false, STREAM_LIMIT / 2);
	tail = strbuf_text(&kept) + (whole ? head_taken : stream->head_length);
	tail_length = kept.length - (size_t)(tail - strbuf_text(&kept));
	strbuf_free(&safe);
	tail_taken = add_part(&safe, tail, tail_length, true, STREAM_LIMIT / 2);
	strbuf_printf(out, "\n[%llu of %llu bytes left out]\n",
		      (unsigned long long)(stream->total - head_taken - tail_taken),
		      (unsigned long long)stream->total);
	strbuf_add(out, strbuf_text(&safe), safe.length);
}

void stream_text_add(struct strbuf *out, const struct stream *stream)
{
	AUTO_STRBUF struct strbuf safe = {0};

	add_safe_stream(&safe, stream);
	attachments_disarm(out, strbuf_text(&safe));
}

static void end_line(struct strbuf *out)
{
	if (out->length > 0 && out->data[out->length - 1] != '\n')
		strbuf_putc(out, '\n');
}

void stream_text_add_named(struct strbuf *out, const struct stream *stream, const char *name)
{
	if (stream->total == 0)
		return;
	end_line(out);
	strbuf_puts(out, "\n---- ");
	report_line(out, name);
	strbuf_printf(out, " (%llu byte%s) ----\n", (unsigned long long)stream->total,
		      PLURAL(stream->total));
	stream_text_add(out, stream);
	end_line(out);
}
