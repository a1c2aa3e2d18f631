/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parses documents: see document.h. The tree is built from libyaml's parser events, with a stack of
 * open collections and a stack of finished nodes that wait for the end of their collection.
 */
#include "runner/scenario/document.h"

#include "common/utf8.h"
#include "runner/scenario/reference.h"
#include "runner/scenario/table.h"
#include "runner/scenario/utf8.h"

#include <errno.h>
#include <yaml.h>

struct anchor {
	const char *name;
	const struct node *node;
	bool complete; /* its collection has ended */
	UT_hash_handle hh;
};

struct frame {
	struct node *node;
	struct anchor *anchor; /* or NULL */
	size_t first;          /* index of its first child on the stack of waiting nodes */
	size_t nodes_before, bytes_before;
	yaml_mark_t start;
	bool brackets; /* written with [ ] or { } */
};

struct builder {
	yaml_parser_t yaml;
	const struct document_text *text;
	const char *path;
	struct arena *arena;
	struct diag_list *diags;

	const struct node **waiting;
	size_t n_waiting, waiting_capacity;
	struct frame frames[NODE_MAX_DEPTH];
	size_t n_frames;
	struct anchor *anchors;
	size_t n_nodes, n_bytes; /* so far, aliases followed; bytes of texts */
	unsigned first_line;
};

static bool is_border(const char *line, size_t length, char character)
{
	if (length < 3 || line[0] != character || line[1] != character || line[2] != character)
		return false;
	return length == 3 || memchr(" \t\r\n", line[3], 4);
}

/*
 * Returns whether a line is empty, a comment or a directive: those may precede a document's "---".
 */
static bool is_prologue(const char *line, size_t length)
{
	size_t i = 0;

	if (length && line[0] == '%')
		return true;
	while (i < length && memchr(" \t\r\n", line[i], 4))
		i++;
	return i == length || line[i] == '#';
}

bool document_next(struct document_cursor *cursor, struct document_text *ret)
{
	size_t offset = 0;
	unsigned lines = 0;
	bool content = false;

	if (!cursor->length)
		return false;
	while (offset < cursor->length) {
		const char *line = cursor->text + offset;
		size_t left = cursor->length - offset;
		const char *end = memchr(line, '\n', left);
		size_t length = end ? (size_t)(end - line) + 1 : left;
		bool start = is_border(line, length, '-');

		if (start && content)
			break;
		offset += length;
		lines++;
		if (is_border(line, length, '.'))
			break;
		if (!content && (start || !is_prologue(line, length)))
			content = true;
	}
	*ret = (struct document_text){cursor->text, offset, cursor->line};
	cursor->text += offset;
	cursor->length -= offset;
	cursor->line += lines;
	return true;
}

static void locate(const struct builder *builder, const yaml_mark_t *mark, unsigned *ret_line,
		   unsigned *ret_column)
{
	*ret_line = builder->text->line + (unsigned)mark->line;
	*ret_column = (unsigned)mark->column + 1;
}

static void __attribute__((format(printf, 3, 4)))
complain(struct builder *builder, const struct node *at, const char *format, ...)
{
	struct place place = node_place(at, builder->path);
	AUTO_FREE char *message = FORMAT_REST(format);

	diag_add(builder->diags, &place, "%s", message);
}

/* Returns a remedy for a text that is not YAML, or NULL. @offset: of the error, in bytes. */
static const char *syntax_hint(const struct builder *builder, size_t offset)
{
	const char *text = builder->text->text;
	size_t start = offset, length = builder->text->length;

	if (offset < length && offset && text[offset] == '{' && text[offset - 1] == '$')
		return "within [ ] and { }, put quotes around a text with ${…}";
	if (offset < length && (text[offset] == '@' || text[offset] == '`'))
		return "put quotes around a text that starts with this character";
	if (offset < length && text[offset] == '%')
		return "put quotes around a text that starts with \"%\"";
	while (start && text[start - 1] != '\n')
		start--;
	while (start < length && text[start] == ' ')
		start++;
	if (start < length && text[start] == '\t')
		return "indent with blanks: YAML allows no tabs there";
	if (builder->yaml.problem &&
	    strstr(builder->yaml.problem, "mapping values are not allowed"))
		return "put quotes around a text that holds \": \", and indent the keys of a "
		       "mapping alike";
	return NULL;
}

static void complain_syntax(struct builder *builder)
{
	const yaml_parser_t *yaml = &builder->yaml;
	struct place place = {.path = builder->path};
	const char *problem = yaml->problem ? yaml->problem : "can't be read", *hint;
	size_t offset =
		utf8_offset(builder->text->text, builder->text->length, yaml->problem_mark.index);
	unsigned line, column;

	if (yaml->error == YAML_MEMORY_ERROR)
		out_of_memory();
	locate(builder, &yaml->problem_mark, &place.line, &place.column);
	locate(builder, &yaml->context_mark, &line, &column);
	if (offset == builder->text->length && line == place.line && builder->n_frames &&
	    builder->frames[builder->n_frames - 1].brackets) {
		const struct node *open = builder->frames[builder->n_frames - 1].node;

		complain(builder, open, "not valid YAML: %s that starts here has no end",
			 node_kind_name(open->kind));
	} else if (!yaml->context) {
		diag_add(builder->diags, &place, "not valid YAML: %s", problem);
	} else if (line == place.line) {
		diag_add(builder->diags, &place, "not valid YAML: %s, %s", problem, yaml->context);
	} else if (offset < builder->text->length) {
		diag_add(builder->diags, &place, "not valid YAML: %s, %s that starts in line %u",
			 problem, yaml->context, line);
	} else {
		/* For something without an end, mark where it starts. */
		place.line = line;
		place.column = column;
		diag_add(builder->diags, &place, "not valid YAML: %s, %s that starts here", problem,
			 yaml->context);
	}
	hint = syntax_hint(builder, offset);
	if (hint)
		diag_hint(builder->diags, "%s", hint);
}

static struct node *new_node(struct builder *builder, const yaml_event_t *event,
			     enum node_kind kind)
{
	struct node *node = arena_alloc(builder->arena, sizeof(*node));

	*node = (struct node){.kind = kind, .height = 1, .size = 1};
	locate(builder, &event->start_mark, &node->line, &node->column);
	if (event->start_mark.line == event->end_mark.line)
		node->length = (unsigned)(event->end_mark.column - event->start_mark.column);
	if (!builder->first_line)
		builder->first_line = node->line;
	return node;
}

/* Adds an error for a tag, except those of the core schema. A value's type comes from its key. */
static void check_tag(struct builder *builder, const struct node *node, const yaml_char_t *tag)
{
	static const struct {
		const char *name;
		enum node_kind kind;
	} known[] = {
		{YAML_STR_TAG, NODE_TEXT},    {YAML_INT_TAG, NODE_TEXT},
		{YAML_FLOAT_TAG, NODE_TEXT},  {YAML_BOOL_TAG, NODE_TEXT},
		{YAML_NULL_TAG, NODE_TEXT},   {YAML_SEQ_TAG, NODE_LIST},
		{YAML_MAP_TAG, NODE_MAPPING},
	};
	enum node_kind kind = node->kind == NODE_NULL ? NODE_TEXT : node->kind;

	if (!tag || strcmp((const char *)tag, "!") == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].kind == kind && strcmp((const char *)tag, known[i].name) == 0)
			return;
	complain(builder, node, "the tag \"%s\" is not supported", (const char *)tag);
	if (tag[0] == '!')
		diag_hint(builder->diags, "put quotes around a text that starts with \"!\"");
}

static struct anchor *add_anchor(struct builder *builder, const yaml_char_t *name,
				 const struct node *node, bool complete)
{
	struct anchor *anchor, *replaced;

	if (!name)
		return NULL;
	anchor = arena_alloc(builder->arena, sizeof(*anchor));
	*anchor = (struct anchor){.node = node, .complete = complete};
	anchor->name =
		arena_strndup(builder->arena, (const char *)name, strlen((const char *)name));
	HASH_REPLACE_STR(builder->anchors, name, anchor, replaced);
	return anchor;
}

static void add_waiting(struct builder *builder, const struct node *node)
{
	array_append(builder->waiting, builder->n_waiting, builder->waiting_capacity, node);
}

static bool is_null(const char *text)
{
	return !*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0 ||
	       strcmp(text, "Null") == 0 || strcmp(text, "NULL") == 0;
}

static void add_scalar(struct builder *builder, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	struct node *node = new_node(builder, event, NODE_TEXT);

	node->count = event->data.scalar.length;
	node->text = arena_strndup(builder->arena, value, node->count);
	switch (event->data.scalar.style) {
	case YAML_PLAIN_SCALAR_STYLE:
		node->style = NODE_PLAIN;
		if (is_null(value) && !event->data.scalar.tag)
			node->kind = NODE_NULL;
		break;
	case YAML_LITERAL_SCALAR_STYLE:
	case YAML_FOLDED_SCALAR_STYLE:
		node->style = NODE_BLOCK;
		break;
	default:
		node->style = NODE_QUOTED;
		break;
	}
	check_tag(builder, node, event->data.scalar.tag);
	if (memchr(value, '\0', node->count)) {
		complain(builder, node, "a text can't hold the character NUL");
		node->kind = NODE_WRONG;
	}
	node->refers_to_matrix = reference_find_matrix(node->text);
	add_anchor(builder, event->data.scalar.anchor, node, true);
	node->bytes = node->count;
	builder->n_bytes += node->bytes;
	builder->n_nodes++;
	add_waiting(builder, node);
}

static int add_alias(struct builder *builder, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct node *alias = new_node(builder, event, NODE_WRONG);
	struct anchor *anchor;

	HASH_FIND_STR(builder->anchors, name, anchor);
	if (!anchor) {
		complain(builder, alias, "this alias has no anchor \"&%s\" before it", name);
		diag_hint(builder->diags, "put quotes around a text that starts with \"*\"");
	} else if (!anchor->complete) {
		complain(builder, alias, "the alias \"*%s\" is part of what it refers to", name);
	} else if (builder->n_nodes + anchor->node->size > NODE_MAX_EXPANDED) {
		complain(builder, alias, "with this alias, the document grows beyond %d nodes",
			 NODE_MAX_EXPANDED);
		return -EINVAL;
	} else if (builder->n_bytes + anchor->node->bytes > NODE_MAX_BYTES) {
		complain(builder, alias, "with this alias, the document grows beyond %d bytes",
			 NODE_MAX_BYTES);
		return -EINVAL;
	} else if (builder->n_frames + anchor->node->height > NODE_MAX_DEPTH) {
		complain(builder, alias,
			 "with this alias, the document is nested more than %d levels deep",
			 NODE_MAX_DEPTH);
		return -EINVAL;
	} else {
		builder->n_nodes += anchor->node->size;
		builder->n_bytes += anchor->node->bytes;
		add_waiting(builder, anchor->node);
		return 0;
	}
	builder->n_nodes++;
	add_waiting(builder, alias);
	return 0;
}

static int open_collection(struct builder *builder, const yaml_event_t *event, enum node_kind kind)
{
	struct node *node = new_node(builder, event, kind);
	bool list = kind == NODE_LIST;
	const yaml_char_t *anchor =
		list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor;

	check_tag(builder, node,
		  list ? event->data.sequence_start.tag : event->data.mapping_start.tag);
	if (builder->n_frames == NODE_MAX_DEPTH) {
		complain(builder, node, "the document is nested more than %d levels deep",
			 NODE_MAX_DEPTH);
		return -EINVAL;
	}
	builder->frames[builder->n_frames++] = (struct frame){
		.node = node,
		.anchor = add_anchor(builder, anchor, node, false),
		.first = builder->n_waiting,
		.nodes_before = builder->n_nodes,
		.bytes_before = builder->n_bytes,
		.start = event->start_mark,
		.brackets = list ? event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
				 : event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE,
	};
	builder->n_nodes++;
	return 0;
}

static void complain_repeated(struct builder *builder, const struct node *first,
			      const struct node *again)
{
	complain(builder, again, "\"%s\" is given twice", again->text);
	if (strcmp(again->text, "name") == 0 && again->column == 1 && first->column == 1)
		diag_hint(builder->diags,
			  "two scenarios in a file need a line \"---\" between them; the first "
			  "\"name\" is "
			  "in line %u",
			  first->line);
	else
		diag_hint(builder->diags, "the first is in line %u", first->line);
}

static void check_repeated(struct builder *builder, const struct node *mapping)
{
	AUTO_FREE const struct node_pair **sorted = NULL;

	if (mapping->count <= 12) {
		/* The usual case needs no allocation. */
		for (size_t i = 1; i < mapping->count; i++)
			for (size_t k = 0; k < i; k++)
				if (strcmp(mapping->pairs[k].key->text,
					   mapping->pairs[i].key->text) == 0) {
					complain_repeated(builder, mapping->pairs[k].key,
							  mapping->pairs[i].key);
					break;
				}
		return;
	}
	sorted = xmalloc(mapping->count * sizeof(*sorted));
	for (size_t i = 0; i < mapping->count; i++)
		sorted[i] = &mapping->pairs[i];
	node_sort_pairs(sorted, mapping->count);
	for (size_t i = 1, first = 0; i < mapping->count; i++) {
		if (strcmp(sorted[first]->key->text, sorted[i]->key->text) == 0)
			complain_repeated(builder, sorted[first]->key, sorted[i]->key);
		else
			first = i;
	}
}

/* Adds an error if a node can't be a key. */
static bool check_key(struct builder *builder, const struct node *key)
{
	if (key->kind == NODE_WRONG)
		return false;
	if (key->kind != NODE_TEXT) {
		complain(builder, key, "a key must be a text%s%s",
			 key->kind == NODE_NULL ? "" : ", not ",
			 key->kind == NODE_NULL ? "" : node_kind_name(key->kind));
		if (key->kind == NODE_MAPPING)
			diag_hint(builder->diags, "put quotes around a text with ${…}");
		return false;
	}
	if (key->style == NODE_PLAIN && strcmp(key->text, "<<") == 0) {
		complain(builder, key, "merge keys (<<) are not supported");
		diag_hint(builder->diags, "use a document with \"defaults\"");
		return false;
	}
	return true;
}

static void fill_mapping(struct builder *builder, struct node *node, const struct node **children,
			 size_t n_children)
{
	node->pairs = arena_alloc(builder->arena, n_children / 2 * sizeof(*node->pairs));
	for (size_t i = 0; i + 1 < n_children; i += 2) {
		if (!check_key(builder, children[i]))
			continue;
		node->pairs[node->count++] = (struct node_pair){children[i], children[i + 1]};
	}
	check_repeated(builder, node);
}

static void close_collection(struct builder *builder, const yaml_event_t *event)
{
	struct frame *frame = &builder->frames[--builder->n_frames];
	size_t n_children = builder->n_waiting - frame->first;
	const struct node **children = n_children ? builder->waiting + frame->first : NULL;
	struct node *node = frame->node;

	for (size_t i = 0; i < n_children; i++) {
		node->height = MAX(node->height, children[i]->height + 1);
		node->refers_to_matrix |= children[i]->refers_to_matrix;
	}
	/* Only brackets show where a collection ends; an indented one ends where the next node
	 * begins.
	 */
	if (frame->brackets && frame->start.line == event->end_mark.line)
		node->length = (unsigned)(event->end_mark.column - frame->start.column);
	node->size = builder->n_nodes - frame->nodes_before;
	node->bytes = builder->n_bytes - frame->bytes_before;
	if (node->kind == NODE_MAPPING) {
		fill_mapping(builder, node, children, n_children);
	} else {
		node->count = n_children;
		node->items = arena_alloc(builder->arena, n_children * sizeof(*node->items));
		if (n_children)
			memcpy(node->items, children, n_children * sizeof(*node->items));
	}
	if (frame->anchor)
		frame->anchor->complete = true;
	builder->n_waiting = frame->first;
	add_waiting(builder, node);
}

static int handle_event(struct builder *builder, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		add_scalar(builder, event);
		return 0;
	case YAML_ALIAS_EVENT:
		return add_alias(builder, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_collection(builder, event, NODE_LIST);
	case YAML_MAPPING_START_EVENT:
		return open_collection(builder, event, NODE_MAPPING);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		close_collection(builder, event);
		return 0;
	case YAML_DOCUMENT_START_EVENT:
		if (builder->n_waiting) {
			/* Each text was cut before its second "---". */
			complain(builder, new_node(builder, event, NODE_WRONG),
				 "a document must start on a line of its own");
			return -EINVAL;
		}
		return 0;
	default:
		return 0;
	}
}

/* Handles the parser's events up to the end of the document. */
static int build(struct builder *builder)
{
	yaml_event_t event;
	bool end = false;
	int r = 0;

	while (!r && !end) {
		if (!yaml_parser_parse(&builder->yaml, &event)) {
			complain_syntax(builder);
			return -EINVAL;
		}
		end = event.type == YAML_STREAM_END_EVENT;
		r = handle_event(builder, &event);
		yaml_event_delete(&event);
	}
	return r;
}

/* Finds "name" in the part of the outermost mapping that was read before an error. */
static const char *find_name(const struct builder *builder)
{
	size_t end = builder->n_frames > 1 ? builder->frames[1].first : builder->n_waiting;

	if (!builder->n_frames || builder->frames[0].node->kind != NODE_MAPPING)
		return NULL;
	for (size_t i = builder->frames[0].first; i + 1 < end; i += 2)
		if (builder->waiting[i]->kind == NODE_TEXT &&
		    builder->waiting[i + 1]->kind == NODE_TEXT &&
		    strcmp(builder->waiting[i]->text, "name") == 0)
			return builder->waiting[i + 1]->text;
	return NULL;
}

/*
 * Guesses the name of a document that is not YAML, from the line that seems to give it. Lives in
 * @arena; NULL if there is no such line.
 */
static const char *guess_name(const struct document_text *text, struct arena *arena)
{
	static const char key[] = "name:";
	const char *line = text->text, *end = text->text + text->length;
	struct utf8_error error;

	while (line && (size_t)(end - line) > sizeof(key)) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		const char *start = line + sizeof(key) - 1, *stop = next ? next : end;

		if (memcmp(line, key, sizeof(key) - 1) == 0) {
			while (start < stop && memchr(" \t\"'", *start, 4))
				start++;
			while (stop > start && memchr(" \t\r\"'", stop[-1], 5))
				stop--;
			if (start < stop && !memchr("[{|>&*!%@`", *start, 10) &&
			    utf8_check(start, (size_t)(stop - start), &error) == 0)
				return arena_strndup(arena, start, (size_t)(stop - start));
			return NULL;
		}
		line = next ? next + 1 : NULL;
	}
	return NULL;
}

/* Guesses the line where a document's content starts. */
static unsigned guess_line(const struct document_text *text)
{
	const char *line = text->text, *end = text->text + text->length, *next;
	unsigned number = text->line;

	while ((next = memchr(line, '\n', (size_t)(end - line)))) {
		size_t length = (size_t)(next - line);
		bool border = is_border(line, length, '-') && is_prologue(line + 3, length - 3);

		if (!border && !is_prologue(line, length))
			return number;
		number++;
		line = next + 1;
	}
	return line < end ? number : text->line;
}

/* Reports characters that libyaml rejects without a place, or takes for the end of the text. */
static int check_characters(const struct document_text *text, const char *path,
			    struct diag_list *diags)
{
	struct utf8_error error;
	struct place place = {.path = path};

	if (utf8_check(text->text, text->length, &error) == 0)
		return 0;
	place.line = text->line + error.line;
	place.column = error.column + 1;
	switch (error.kind) {
	case UTF8_BAD_BYTE:
		diag_add(diags, &place, "the byte 0x%02X is not UTF-8 here", error.value);
		diag_hint(diags, "save the file as UTF-8");
		break;
	case UTF8_LONE_CR:
		diag_add(diags, &place, "a carriage return must be followed by a line feed");
		diag_hint(diags, "save the file with LF or CRLF line endings");
		break;
	case UTF8_CONTROL:
		diag_add(diags, &place, "the character U+%04X is not allowed in a scenario file",
			 error.value);
		if (error.value)
			diag_hint(diags, "write it as \\u%04X in double quotes", error.value);
		break;
	}
	return -EINVAL;
}

int document_parse(const struct document_text *text, const char *path, struct arena *arena,
		   struct diag_list *diags, struct document *ret)
{
	struct builder builder = {.text = text, .path = path, .arena = arena, .diags = diags};
	size_t diags_before = diags->n_items;
	const struct node *name;
	int r;

	*ret = (struct document){0};
	if (check_characters(text, path, diags) < 0) {
		ret->line = guess_line(text);
		ret->name = guess_name(text, arena);
		return -EINVAL;
	}
	if (!yaml_parser_initialize(&builder.yaml))
		out_of_memory();
	yaml_parser_set_input_string(&builder.yaml, (const unsigned char *)text->text,
				     text->length);
	yaml_parser_set_encoding(&builder.yaml, YAML_UTF8_ENCODING);
	r = build(&builder);
	ret->line = builder.first_line ? builder.first_line : guess_line(text);
	if (r) {
		ret->name = find_name(&builder);
		if (!ret->name)
			ret->name = guess_name(text, arena);
	} else if (builder.n_waiting) {
		ret->root = builder.waiting[0];
		name = node_get(ret->root, "name");
		if (name && name->kind == NODE_TEXT)
			ret->name = name->text;
		if (ret->root->kind == NODE_NULL && !ret->root->count)
			ret->root = NULL;
	}
	yaml_parser_delete(&builder.yaml);
	HASH_CLEAR(hh, builder.anchors);
	free(builder.waiting);
	return diags->n_items > diags_before ? -EINVAL : 0;
}
