/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of captured streams: what is kept of how much, in which order. */
#include <criterion/criterion.h>

#include "runner/record/record.h"

TestSuite(stream);

/* A byte that shows its place: neighbours and places a buffer apart differ. */
static char byte_at(uint64_t offset)
{
	return (char)(offset % 251);
}

/* Writes @total bytes in pieces of @piece. */
static struct stream written(uint64_t total, size_t piece)
{
	struct stream_writer *writer = stream_writer_new("stdout");
	AUTO_FREE char *data = xmalloc(piece);
	struct stream stream;

	for (uint64_t offset = 0; offset < total;) {
		size_t count = (size_t)MIN((uint64_t)piece, total - offset);

		for (size_t i = 0; i < count; i++)
			data[i] = byte_at(offset + i);
		stream_writer_add(writer, data, count);
		offset += count;
	}
	stream_writer_finish(writer, &stream);
	return stream;
}

static void release(struct stream *stream)
{
	free(stream->name);
	free(stream->head);
	free(stream->tail);
}

Test(stream, head_and_tail_are_kept_for_every_size_of_pieces)
{
	static const uint64_t totals[] = {
		0,
		1,
		STREAM_KEEP - 1,
		STREAM_KEEP,
		STREAM_KEEP + 1,
		2 * STREAM_KEEP - 1,
		2 * STREAM_KEEP,
		2 * STREAM_KEEP + 1,
		3 * STREAM_KEEP,
		3 * STREAM_KEEP + 17,
		10 * STREAM_KEEP + 5,
	};
	static const size_t pieces[] = {
		1, 7, 4096, STREAM_KEEP - 1, STREAM_KEEP, STREAM_KEEP + 1, 5 * STREAM_KEEP};

	for (size_t t = 0; t < ARRAY_SIZE(totals); t++)
		for (size_t p = 0; p < ARRAY_SIZE(pieces); p++) {
			uint64_t total = totals[t];
			struct stream stream = written(total, pieces[p]);
			uint64_t head = MIN(total, (uint64_t)STREAM_KEEP);
			uint64_t tail = MIN(total - head, (uint64_t)STREAM_KEEP);
			bool right = stream.head_length == head && stream.tail_length == tail;

			cr_expect_eq(stream.total, total);
			cr_expect_eq(stream.head_length, head);
			cr_expect_eq(stream.tail_length, tail);
			for (uint64_t i = 0; right && i < head; i++)
				right = stream.head[i] == byte_at(i);
			for (uint64_t i = 0; right && i < tail; i++)
				right = stream.tail[i] == byte_at(total - tail + i);
			cr_expect(right, "%ju bytes in pieces of %zu", (uintmax_t)total, pieces[p]);
			release(&stream);
		}
}

Test(stream, an_empty_stream_has_its_name_and_texts)
{
	struct stream stream = written(0, 1);

	cr_expect_str_eq(stream.name, "stdout");
	cr_expect_str_eq(stream.head, "");
	cr_expect_str_eq(stream.tail, "");
	release(&stream);
}
