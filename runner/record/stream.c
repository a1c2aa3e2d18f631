/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captures what a program writes, in bounded memory: the first STREAM_KEEP bytes and, in a ring,
 * the last STREAM_KEEP bytes after them. A client that floods its output must not make the harness
 * grow.
 */
#include "runner/record/record.h"

struct stream_writer {
	char *name;
	struct strbuf head;
	struct strbuf tail; /* a ring once it has STREAM_KEEP bytes */
	size_t ring_start;  /* index of the oldest byte in it */
	uint64_t total;
};

struct stream_writer *stream_writer_new(const char *name)
{
	struct stream_writer *writer = xzalloc(sizeof(*writer));

	writer->name = xstrdup(name);
	return writer;
}

static void ring_add(struct stream_writer *writer, const char *data, size_t length)
{
	if (length > STREAM_KEEP) {
		data += length - STREAM_KEEP;
		length = STREAM_KEEP;
	}
	while (length > 0) {
		size_t room = STREAM_KEEP - writer->tail.length;
		size_t count;

		if (room > 0) {
			count = MIN(length, room);
			strbuf_add(&writer->tail, data, count);
		} else {
			count = MIN(length, STREAM_KEEP - writer->ring_start);
			memcpy(writer->tail.data + writer->ring_start, data, count);
			writer->ring_start = (writer->ring_start + count) % STREAM_KEEP;
		}
		data += count;
		length -= count;
	}
}

void stream_writer_add(struct stream_writer *writer, const char *data, size_t length)
{
	size_t count = MIN(length, STREAM_KEEP - writer->head.length);

	writer->total += length;
	strbuf_add(&writer->head, data, count);
	ring_add(writer, data + count, length - count);
}

void stream_writer_finish(struct stream_writer *writer, struct stream *ret)
{
	struct stream stream = {
		.name = writer->name,
		.head_length = writer->head.length,
		.tail_length = writer->tail.length,
		.total = writer->total,
	};

	if (writer->ring_start > 0) {
		struct strbuf straight = {0};

		strbuf_add(&straight, writer->tail.data + writer->ring_start,
			   writer->tail.length - writer->ring_start);
		strbuf_add(&straight, writer->tail.data, writer->ring_start);
		strbuf_free(&writer->tail);
		writer->tail = straight;
	}
	stream.head = strbuf_steal(&writer->head);
	stream.tail = strbuf_steal(&writer->tail);
	free(writer);
	*ret = stream;
}
