/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output of the client and servers in HTML: line by line, each with the time at which its first
 * byte was read. A record has the time and length of each write, but only the first and last bytes.
 * The time of a byte follows from the number of bytes before it.
 */
#include "runner/report/html_output.h"

#include "common/text.h"

/* How much of each end of a stream is shown. */
#define SHOWN_BYTES ((size_t)32768)
enum { SHOWN_LINES = 500 };

/* The writes of one stream, which are read once. */
struct writes {
	const struct record *record;
	uint32_t stream;
	size_t next;    /* next event to read */
	uint64_t until; /* bytes written up to the end of the last one read */
	int64_t at_ns;  /* time of the last one */
};

/* Returns when the byte at @offset was written. Offsets have to rise from call to call. */
static int64_t time_of(struct writes *writes, uint64_t offset)
{
	const struct record *record = writes->record;

	for (; writes->until <= offset && writes->next < record->n_events; writes->next++) {
		const struct event *event = &record->events[writes->next];

		if (event->kind != EVENT_OUTPUT || event->u.output.stream != writes->stream)
			continue;
		writes->until += event->u.output.length;
		writes->at_ns = event->at_ns;
	}
	return writes->at_ns;
}

/* Adds lines of a piece of a stream that begins at @offset. Returns how many bytes it showed. */
static size_t add_lines(struct markup *markup, struct writes *writes, const char *data,
			size_t length, uint64_t offset)
{
	char seconds[REPORT_SECONDS_SIZE];
	int64_t last_ns = INT64_MIN;
	size_t at = 0;

	for (int n = 0; at < length && n < SHOWN_LINES; n++) {
		const char *newline = memchr(data + at, '\n', length - at);
		size_t size = newline ? (size_t)(newline - data) - at : length - at;
		int64_t at_ns = time_of(writes, offset + at);

		markup_open(markup, "li");
		markup_begin(markup, "span", "at");
		if (at_ns != last_ns)
			markup_textf(markup, "%s s", report_seconds(at_ns, seconds));
		markup_close(markup);
		markup_open(markup, "code");
		markup_bytes(markup, data + at, size);
		markup_close(markup);
		markup_close(markup);
		last_ns = at_ns;
		at += size + (newline != NULL);
	}
	return at;
}

/* Returns where the last SHOWN_LINES lines and SHOWN_BYTES bytes begin. */
static size_t tail_start(const char *data, size_t length)
{
	size_t at = length, n = 0;

	while (at > 0 && length - at < SHOWN_BYTES) {
		if (at < length && data[at - 1] == '\n' && ++n >= SHOWN_LINES)
			break;
		at--;
	}
	return at;
}

static void add_gap(struct markup *markup, uint64_t bytes)
{
	if (bytes == 0)
		return;
	markup_begin(markup, "li", "gap");
	markup_textf(markup, "%llu byte%s left out", (unsigned long long)bytes, PLURAL(bytes));
	markup_close(markup);
}

static void add_stream(struct html_page *page, const struct record *record, const char *what,
		       uint32_t index)
{
	const struct stream *stream = &record->streams[index];
	struct writes writes = {.record = record, .stream = index};
	struct markup *markup = page->markup;
	uint64_t tail_offset = stream->total - stream->tail_length;
	size_t shown, start;
	const char *rest = stream->tail;
	size_t rest_length = stream->tail_length;

	markup_open(markup, "h3");
	html_id(page, what, index + 1);
	markup_textf(markup, "%s%s", index < STREAMS_EACH * record->n_instances ? "client " : "",
		     stream->name);
	markup_close(markup);
	markup_begin(markup, "ol", "output");
	shown = add_lines(markup, &writes, stream->head, MIN(stream->head_length, SHOWN_BYTES), 0);
	/* The rest is in the tail or, if the stream is short, still in the head. */
	if (stream->tail_length == 0) {
		rest = stream->head + shown;
		rest_length = stream->head_length - shown;
		tail_offset = shown;
	}
	start = tail_start(rest, rest_length);
	add_gap(markup, tail_offset + start - shown);
	add_lines(markup, &writes, rest + start, rest_length - start, tail_offset + start);
	markup_close(markup);
}

bool html_streams(struct html_page *page, const struct record *record, const char *what)
{
	bool silent = true;

	for (uint32_t i = 0; i < record->n_streams; i++) {
		if (record->streams[i].total == 0)
			continue;
		silent = false;
		add_stream(page, record, what, i);
	}
	return !silent;
}

void html_output(struct html_page *page)
{
	html_section(page, "output", "Output");
	if (!html_streams(page, page->result->record, "stream"))
		markup_element(page->markup, "p", "dim", "There was no output.");
	markup_close(page->markup);
}
