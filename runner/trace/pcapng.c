/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes pcapng files: see pcapng.h. A file is a sequence of blocks; each has its type, and its
 * length at both ends. A block has fixed fields and then options. An option has a code, a length,
 * and bytes padded to a multiple of four. Blocks are built in memory, since their length comes
 * first.
 */
#include "runner/trace/pcapng.h"

#include "common/strbuf.h"
#include "common/utf8.h"

/* How many bytes are collected before they are written. */
#define BUFFER_SIZE ((size_t)256 * 1024)
/* An option's length is a field of two bytes. */
#define OPTION_MAX ((size_t)65535)

enum block_type {
	BLOCK_INTERFACE = 1,
	BLOCK_NAMES = 4,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
	BLOCK_SECTION = 0x0a0d0d0a,
};

enum option_code {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	SECTION_SYSTEM = 3,
	SECTION_APPLICATION = 4,
	INTERFACE_NAME = 2,
	INTERFACE_DESCRIPTION = 3,
	INTERFACE_RESOLUTION = 9,
	INTERFACE_FILTER = 11,
	STATISTICS_START = 2,
	STATISTICS_END = 3,
	STATISTICS_RECEIVED = 4,
	STATISTICS_DROPPED = 5,
	NAME_END = 0,
	NAME_IPV4 = 1,
	NAME_IPV6 = 2,
};

#define BYTE_ORDER_MAGIC    UINT32_C(0x1a2b3c4d)
#define LINK_TYPE_RAW       101 /* packets start with an IP header of either version */
#define RESOLUTION_NS       9   /* negative power of ten */
#define FILTER_AS_TEXT      0
#define SECTION_LENGTH_OPEN UINT64_C(0xffffffffffffffff)

struct pcapng {
	int fd;
	int error;
	uint32_t n_interfaces;
	struct strbuf buffer;
	size_t block; /* where the current block starts in the buffer */
};

static void flush(struct pcapng *file)
{
	if (!file->error)
		file->error = write_all(file->fd, strbuf_text(&file->buffer), file->buffer.length);
	file->buffer.length = 0;
}

static void put16(struct pcapng *file, uint16_t value)
{
	strbuf_add(&file->buffer, &value, sizeof(value));
}

static void put32(struct pcapng *file, uint32_t value)
{
	strbuf_add(&file->buffer, &value, sizeof(value));
}

/* Adds a number of 64 bits as two of 32, the higher one first, as the format has times. */
static void put_halves(struct pcapng *file, uint64_t value)
{
	put32(file, (uint32_t)(value >> 32));
	put32(file, (uint32_t)value);
}

static void put_padded(struct pcapng *file, const void *data, size_t length)
{
	strbuf_add(&file->buffer, data, length);
	strbuf_pad(&file->buffer, '\0', -length % 4);
}

static void begin_block(struct pcapng *file, enum block_type type)
{
	file->block = file->buffer.length;
	put32(file, (uint32_t)type);
	put32(file, 0);
}

static void end_block(struct pcapng *file)
{
	uint32_t length = (uint32_t)(file->buffer.length - file->block + sizeof(uint32_t));

	put32(file, length);
	memcpy(file->buffer.data + file->block + sizeof(length), &length, sizeof(length));
	if (file->error || file->buffer.length > BUFFER_SIZE)
		flush(file);
}

static void put_option(struct pcapng *file, enum option_code code, const void *data, size_t length)
{
	put16(file, (uint16_t)code);
	put16(file, (uint16_t)length);
	put_padded(file, data, length);
}

static void put_text(struct pcapng *file, enum option_code code, const char *text)
{
	if (text && *text)
		put_option(file, code, text, utf8_cut(text, strlen(text), OPTION_MAX));
}

static void put_number(struct pcapng *file, enum option_code code, uint64_t number)
{
	put_option(file, code, &number, sizeof(number));
}

static void put_time(struct pcapng *file, enum option_code code, int64_t at_ns)
{
	uint32_t halves[2] = {(uint32_t)((uint64_t)at_ns >> 32), (uint32_t)at_ns};

	put_option(file, code, halves, sizeof(halves));
}

static void put_end(struct pcapng *file)
{
	put_option(file, OPTION_END, "", 0);
}

struct pcapng *pcapng_begin(int fd)
{
	struct pcapng *file = xzalloc(sizeof(*file));

	file->fd = fd;
	return file;
}

int pcapng_end(struct pcapng *file)
{
	int error;

	flush(file);
	error = file->error;
	strbuf_free(&file->buffer);
	free(file);
	return error;
}

void pcapng_add_section(struct pcapng *file, const struct pcapng_section *section)
{
	begin_block(file, BLOCK_SECTION);
	put32(file, BYTE_ORDER_MAGIC);
	put16(file, 1);
	put16(file, 0);
	put_halves(file, SECTION_LENGTH_OPEN);
	put_text(file, OPTION_COMMENT, section->comment);
	put_text(file, SECTION_SYSTEM, section->system);
	put_text(file, SECTION_APPLICATION, section->application);
	put_end(file);
	end_block(file);
}

uint32_t pcapng_add_interface(struct pcapng *file, const struct pcapng_interface *interface)
{
	const uint8_t resolution = RESOLUTION_NS;

	begin_block(file, BLOCK_INTERFACE);
	put16(file, LINK_TYPE_RAW);
	put16(file, 0);
	put32(file, interface->snap_length);
	put_text(file, INTERFACE_NAME, interface->name);
	put_text(file, INTERFACE_DESCRIPTION, interface->description);
	put_option(file, INTERFACE_RESOLUTION, &resolution, sizeof(resolution));
	if (interface->filter) {
		AUTO_STRBUF struct strbuf filter = {0};

		strbuf_putc(&filter, FILTER_AS_TEXT);
		strbuf_add(&filter, interface->filter,
			   utf8_cut(interface->filter, strlen(interface->filter), OPTION_MAX - 1));
		put_option(file, INTERFACE_FILTER, strbuf_text(&filter), filter.length);
	}
	put_end(file);
	end_block(file);
	return file->n_interfaces++;
}

void pcapng_add_names(struct pcapng *file, const struct pcapng_name *names, size_t n_names)
{
	if (n_names == 0)
		return;
	begin_block(file, BLOCK_NAMES);
	for (size_t i = 0; i < n_names; i++) {
		const struct address *address = &names[i].address;
		size_t size = address_size(address);
		AUTO_STRBUF struct strbuf value = {0};

		strbuf_add(&value, address->bytes, size);
		strbuf_add(&value, names[i].name,
			   utf8_cut(names[i].name, strlen(names[i].name), OPTION_MAX - 17));
		/* Names end in NUL, unlike all other text. */
		put_option(file, address->family == AF_INET ? NAME_IPV4 : NAME_IPV6,
			   strbuf_text(&value), value.length + 1);
	}
	put_option(file, NAME_END, "", 0);
	put_end(file);
	end_block(file);
}

void pcapng_add_packet(struct pcapng *file, const struct pcapng_packet *packet)
{
	begin_block(file, BLOCK_PACKET);
	put32(file, packet->interface);
	put_halves(file, (uint64_t)packet->at_ns);
	put32(file, packet->captured);
	put32(file, packet->length);
	put_padded(file, packet->data, packet->captured);
	if (packet->comment) {
		put_text(file, OPTION_COMMENT, packet->comment);
		put_end(file);
	}
	end_block(file);
}

void pcapng_add_statistics(struct pcapng *file, const struct pcapng_statistics *statistics)
{
	begin_block(file, BLOCK_STATISTICS);
	put32(file, statistics->interface);
	put_halves(file, (uint64_t)statistics->ended_ns);
	put_text(file, OPTION_COMMENT, statistics->comment);
	put_time(file, STATISTICS_START, statistics->started_ns);
	put_time(file, STATISTICS_END, statistics->ended_ns);
	put_number(file, STATISTICS_RECEIVED, statistics->received);
	put_number(file, STATISTICS_DROPPED, statistics->dropped);
	put_end(file);
	end_block(file);
}
