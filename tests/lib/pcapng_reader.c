/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads capture files: see pcapng_reader.h. */
#include "tests/lib/pcapng_reader.h"

#include <criterion/criterion.h>

struct options {
	const uint8_t *data;
	size_t length;
};

struct option {
	uint16_t code, length;
	const uint8_t *value;
};

static uint16_t get16(const uint8_t *data)
{
	uint16_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

static uint32_t get32(const uint8_t *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

static uint64_t get64(const uint8_t *data)
{
	uint64_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

static int64_t get_time(const uint8_t *data)
{
	return (int64_t)((uint64_t)get32(data) << 32 | get32(data + 4));
}

/* Returns false at the end, which is marked unless the block has no options. */
static bool next_option(struct options *options, struct option *ret)
{
	size_t padded;

	if (options->length == 0)
		return false;
	cr_assert(options->length >= 4, "an option is cut off");
	ret->code = get16(options->data);
	ret->length = get16(options->data + 2);
	ret->value = options->data + 4;
	padded = (ret->length + 3U) & ~3U;
	cr_assert(options->length >= 4 + padded, "an option is longer than its block");
	for (size_t i = ret->length; i < padded; i++)
		cr_assert_eq(ret->value[i], 0, "padding that is not zero");
	options->data += 4 + padded;
	options->length -= 4 + padded;
	if (ret->code != 0) {
		cr_assert(options->length >= 4, "options without an end");
		return true;
	}
	cr_assert_eq(ret->length, 0);
	cr_assert_eq(options->length, 0, "something behind the end of options");
	return false;
}

static void take_text(char **ret, const struct option *option)
{
	cr_assert_null(*ret, "option %u twice", option->code);
	cr_assert_null(memchr(option->value, 0, option->length), "a NUL in a text");
	*ret = xstrndup((const char *)option->value, option->length);
}

static void read_section(struct pcapng_file *file, const uint8_t *body, size_t length)
{
	struct options options = {body + 16, length - 16};
	struct option option;

	cr_assert(length >= 16);
	cr_assert_eq(get32(body), 0x1a2b3c4d, "byte order");
	cr_assert_eq(get16(body + 4), 1, "version");
	cr_assert_eq(get16(body + 6), 0, "version");
	cr_assert_eq(get64(body + 8), UINT64_MAX, "length of the section");
	while (next_option(&options, &option)) {
		if (option.code == 1)
			take_text(&file->comment, &option);
		else if (option.code == 3)
			take_text(&file->system, &option);
		else if (option.code == 4)
			take_text(&file->application, &option);
		else
			cr_assert_fail("option %u of the section", option.code);
	}
}

static void read_interface(struct pcapng_file *file, const uint8_t *body, size_t length)
{
	struct options options = {body + 8, length - 8};
	struct read_interface interface = {.resolution = 6};
	struct option option;

	cr_assert(length >= 8);
	interface.link_type = get16(body);
	interface.snap_length = get32(body + 4);
	while (next_option(&options, &option)) {
		struct option text = {option.code, (uint16_t)(option.length - 1), option.value + 1};

		if (option.code == 2)
			take_text(&interface.name, &option);
		else if (option.code == 3)
			take_text(&interface.description, &option);
		else if (option.code == 9)
			interface.resolution = option.value[0];
		else if (option.code == 11 && option.value[0] == 0)
			take_text(&interface.filter, &text);
		else
			cr_assert_fail("option %u of an interface", option.code);
	}
	array_append(file->interfaces, file->n_interfaces, file->interfaces_capacity, interface);
}

static void read_names(struct pcapng_file *file, const uint8_t *body, size_t length)
{
	struct options records = {body, length};
	struct option record;

	while (records.length > 0 && get16(records.data) != 0) {
		struct address address = {0};
		char host[INET6_ADDRSTRLEN];
		size_t size;

		cr_assert(next_option(&records, &record));
		size = record.code == 1 ? 4 : 16;
		address.family = record.code == 1 ? AF_INET : AF_INET6;
		cr_assert(record.length > size);
		cr_assert_eq(record.value[record.length - 1], 0, "a name without its NUL");
		memcpy(address.bytes, record.value, size);
		array_append(file->names, file->n_names, file->names_capacity,
			     xasprintf("%s %s", address_format_host(&address, host),
				       (const char *)record.value + size));
	}
	cr_assert(records.length >= 4, "names without an end");
}

static void read_packet(struct pcapng_file *file, const uint8_t *body, size_t length)
{
	struct spool_packet packet;
	struct options options;
	struct option option;
	char *comment = NULL;
	size_t padded;

	cr_assert(length >= 20);
	packet = (struct spool_packet){
		.interface = get32(body),
		.at_ns = get_time(body + 4),
		.captured = get32(body + 12),
		.length = get32(body + 16),
		.data = body + 20,
	};
	padded = (packet.captured + 3U) & ~3U;
	cr_assert(packet.interface < file->n_interfaces);
	cr_assert(packet.captured <= packet.length);
	cr_assert(padded <= length - 20, "a packet is longer than its block");
	options = (struct options){body + 20 + padded, length - 20 - padded};
	while (next_option(&options, &option)) {
		cr_assert_eq(option.code, 1, "option %u of a packet", option.code);
		take_text(&comment, &option);
	}
	array_append(file->packets, file->n_packets, file->packets_capacity, packet);
	file->n_packets--;
	array_append(file->comments, file->n_packets, file->comments_capacity, comment);
}

static void read_statistics(struct pcapng_file *file, const uint8_t *body, size_t length)
{
	struct options options = {body + 12, length - 12};
	struct read_statistics statistics = {0};
	struct option option;

	cr_assert(length >= 12);
	statistics.interface = get32(body);
	cr_assert(statistics.interface < file->n_interfaces);
	while (next_option(&options, &option)) {
		if (option.code == 1)
			take_text(&statistics.comment, &option);
		else if (option.code == 2)
			statistics.started_ns = get_time(option.value);
		else if (option.code == 3)
			statistics.ended_ns = get_time(option.value);
		else if (option.code == 4)
			statistics.received = get64(option.value);
		else if (option.code == 5)
			statistics.dropped = get64(option.value);
		else
			cr_assert_fail("option %u of statistics", option.code);
	}
	array_append(file->statistics, file->n_statistics, file->statistics_capacity, statistics);
}

static void read_block(struct pcapng_file *file, uint32_t type, const uint8_t *body, size_t length)
{
	switch (type) {
	case 0x0a0d0d0a:
		read_section(file, body, length);
		break;
	case 1:
		read_interface(file, body, length);
		break;
	case 4:
		read_names(file, body, length);
		break;
	case 5:
		read_statistics(file, body, length);
		break;
	case 6:
		read_packet(file, body, length);
		break;
	default:
		cr_assert_fail("a block of type %u", type);
	}
}

struct pcapng_file *pcapng_read(const void *text, size_t length)
{
	struct pcapng_file *file = xzalloc(sizeof(*file));
	const uint8_t *data = text;

	cr_assert(length >= 12 && get32(data) == 0x0a0d0d0a, "no section header");
	for (size_t at = 0; at < length;) {
		uint32_t size;

		cr_assert(length - at >= 12, "a block is cut off");
		size = get32(data + at + 4);
		cr_assert(size % 4 == 0 && size >= 12 && size <= length - at, "length of a block");
		cr_assert_eq(get32(data + at + size - 4), size, "the two lengths of a block");
		read_block(file, get32(data + at), data + at + 8, size - 12);
		at += size;
	}
	return file;
}

void pcapng_file_freep(struct pcapng_file **file_pointer)
{
	struct pcapng_file *file = *file_pointer;

	if (!file)
		return;
	for (size_t i = 0; i < file->n_interfaces; i++) {
		free(file->interfaces[i].name);
		free(file->interfaces[i].description);
		free(file->interfaces[i].filter);
	}
	for (size_t i = 0; i < file->n_packets; i++)
		free(file->comments[i]);
	for (size_t i = 0; i < file->n_names; i++)
		free(file->names[i]);
	for (size_t i = 0; i < file->n_statistics; i++)
		free(file->statistics[i].comment);
	free(file->comment);
	free(file->system);
	free(file->application);
	free(file->interfaces);
	free(file->packets);
	free(file->comments);
	free(file->names);
	free(file->statistics);
	free(file);
}
