/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes YAML with libyaml's emitter: see yaml_writer.h. */
#include "runner/scenario/yaml_writer.h"

#include <yaml.h>

enum container {
	CONTAINER_MAPPING,
	CONTAINER_LIST,
};

/* Deeper than any scenario that synfault writes. */
enum { MAX_LEVELS = 16 };

struct yaml_writer {
	yaml_emitter_t emitter;
	struct strbuf *out;
	enum container open[MAX_LEVELS];
	size_t n_open;
};

static int write_out(void *userdata, unsigned char *data, size_t length)
{
	struct yaml_writer *writer = userdata;

	strbuf_add(writer->out, (const char *)data, length);
	return 1;
}

/* Events come in a valid order, so only memory can run out. */
static void emit(struct yaml_writer *writer, yaml_event_t *event, int made)
{
	if (!made || !yaml_emitter_emit(&writer->emitter, event))
		out_of_memory();
}

struct yaml_writer *yaml_writer_new(struct strbuf *out)
{
	struct yaml_writer *writer = xzalloc(sizeof(*writer));
	yaml_event_t event;

	writer->out = out;
	if (!yaml_emitter_initialize(&writer->emitter))
		out_of_memory();
	yaml_emitter_set_output(&writer->emitter, write_out, writer);
	yaml_emitter_set_unicode(&writer->emitter, 1);
	/* Never wrap: a command is easier to read on one line. */
	yaml_emitter_set_width(&writer->emitter, -1);
	emit(writer, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(writer, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	return writer;
}

void yaml_writer_finish(struct yaml_writer *writer)
{
	yaml_event_t event;

	while (writer->n_open > 0)
		yaml_end(writer);
	emit(writer, &event, yaml_document_end_event_initialize(&event, 1));
	emit(writer, &event, yaml_stream_end_event_initialize(&event));
	yaml_emitter_delete(&writer->emitter);
	free(writer);
}

static void opened(struct yaml_writer *writer, enum container container)
{
	if (writer->n_open == MAX_LEVELS)
		out_of_memory();
	writer->open[writer->n_open++] = container;
}

void yaml_mapping(struct yaml_writer *writer, bool flow)
{
	yaml_event_t event;

	emit(writer, &event,
	     yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
						 flow ? YAML_FLOW_MAPPING_STYLE
						      : YAML_BLOCK_MAPPING_STYLE));
	opened(writer, CONTAINER_MAPPING);
}

void yaml_list(struct yaml_writer *writer, bool flow)
{
	yaml_event_t event;

	emit(writer, &event,
	     yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
						  flow ? YAML_FLOW_SEQUENCE_STYLE
						       : YAML_BLOCK_SEQUENCE_STYLE));
	opened(writer, CONTAINER_LIST);
}

void yaml_end(struct yaml_writer *writer)
{
	yaml_event_t event;

	if (writer->open[--writer->n_open] == CONTAINER_MAPPING)
		emit(writer, &event, yaml_mapping_end_event_initialize(&event));
	else
		emit(writer, &event, yaml_sequence_end_event_initialize(&event));
}

/*
 * Returns whether a text needs no quotes. The emitter knows what YAML forbids. This function knows
 * what other readers would not take for text, and what would be folded. Numbers need no quotes: the
 * loader reads them as text.
 */
static bool is_plain(const char *text)
{
	static const char *const others[] = {"null", "~",   "true", "false", "yes",
					     "no",   "off", "on",   "y",     "n"};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcasecmp(text, others[i]) == 0)
			return false;
	for (const char *c = text; *c; c++)
		if (*c < ' ' || *c > '~' || strchr("\"'\\#&*!|{}", *c))
			return false;
	return *text && text[0] != ' ' && text[strlen(text) - 1] != ' ';
}

void yaml_text(struct yaml_writer *writer, const char *text)
{
	yaml_scalar_style_t style =
		is_plain(text) ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	yaml_event_t event;

	emit(writer, &event,
	     yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
					  (int)strlen(text), 1, 1, style));
}

void yaml_printf(struct yaml_writer *writer, const char *format, ...)
{
	AUTO_FREE char *text = FORMAT_REST(format);

	yaml_text(writer, text);
}

void yaml_pair(struct yaml_writer *writer, const char *key, const char *format, ...)
{
	AUTO_FREE char *text = FORMAT_REST(format);

	yaml_text(writer, key);
	yaml_text(writer, text);
}

void yaml_texts(struct yaml_writer *writer, const char *key, const char *const *texts)
{
	yaml_text(writer, key);
	yaml_list(writer, true);
	for (; *texts; texts++)
		yaml_text(writer, *texts);
	yaml_end(writer);
}

/* Deeper than anything on a command line. */
enum { MAX_SNIPPET_LEVELS = 8 };

/* Writes one event of a snippet, or only checks it if @writer is NULL. Returns false if invalid. */
static bool take_snippet_event(struct yaml_writer *writer, const yaml_event_t *event, size_t *depth)
{
	bool mapping = event->type == YAML_MAPPING_START_EVENT;

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
			return false;
		if (writer)
			yaml_text(writer, (const char *)event->data.scalar.value);
		return true;
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		if (++*depth > MAX_SNIPPET_LEVELS)
			return false;
		if (writer && mapping)
			yaml_mapping(writer, true);
		else if (writer)
			yaml_list(writer, true);
		return true;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		--*depth;
		if (writer)
			yaml_end(writer);
		return true;
	case YAML_ALIAS_EVENT:
		return false;
	default:
		return true;
	}
}

/* Goes through the whole text. Returns false if it is not a single value. */
static bool take_snippet(struct yaml_writer *writer, const char *text)
{
	size_t depth = 0, n_documents = 0;
	yaml_parser_t parser;
	yaml_event_t event;
	bool good = true, end = false;

	if (!yaml_parser_initialize(&parser))
		out_of_memory();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	while (good && !end) {
		if (!yaml_parser_parse(&parser, &event)) {
			good = false;
			break;
		}
		n_documents += event.type == YAML_DOCUMENT_START_EVENT;
		end = event.type == YAML_STREAM_END_EVENT;
		good = n_documents <= 1 && take_snippet_event(writer, &event, &depth);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return good && n_documents == 1;
}

bool yaml_snippet(struct yaml_writer *writer, const char *text)
{
	return take_snippet(NULL, text) && take_snippet(writer, text);
}
