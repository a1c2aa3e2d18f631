/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes: look-ups, places, and their text. See node.h. */
#include "runner/scenario/node.h"

#include "common/utf8.h"

static int compare_pairs(const void *left, const void *right)
{
	const struct node_pair *a = *(const struct node_pair *const *)left;
	const struct node_pair *b = *(const struct node_pair *const *)right;
	int order = strcmp(a->key->text, b->key->text);

	return order ? order : (a > b) - (a < b);
}

void node_sort_pairs(const struct node_pair **pairs, size_t count)
{
	qsort(pairs, count, sizeof(*pairs), compare_pairs);
}

const struct node *node_get(const struct node *mapping, const char *key)
{
	if (!mapping || mapping->kind != NODE_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->count; i++)
		if (strcmp(mapping->pairs[i].key->text, key) == 0)
			return mapping->pairs[i].value;
	return NULL;
}

struct place node_place(const struct node *node, const char *path)
{
	return (struct place){path, node->line, node->column, node->length};
}

struct place node_place_within(const struct node *node, const char *path, size_t offset,
			       size_t length)
{
	struct place place = node_place(node, path);
	size_t quotes = node->style == NODE_QUOTED ? 2 : 0;

	if (node->kind != NODE_TEXT || node->style == NODE_MADE || node->style == NODE_BLOCK ||
	    offset > node->count || utf8_count(node->text, node->count) + quotes != node->length)
		return place;
	place.column += (unsigned)(quotes / 2 + utf8_count(node->text, offset));
	place.length = (unsigned)utf8_count(node->text + offset, MIN(length, node->count - offset));
	return place;
}

bool node_equal(const struct node *left, const struct node *right)
{
	if (left == right)
		return true;
	if (left->kind != right->kind || left->count != right->count)
		return false;
	switch (left->kind) {
	case NODE_TEXT:
		return memcmp(left->text, right->text, left->count) == 0;
	case NODE_LIST:
		for (size_t i = 0; i < left->count; i++)
			if (!node_equal(left->items[i], right->items[i]))
				return false;
		return true;
	case NODE_MAPPING:
		for (size_t i = 0; i < left->count; i++) {
			const struct node *other = node_get(right, left->pairs[i].key->text);

			if (!other || !node_equal(left->pairs[i].value, other))
				return false;
		}
		return true;
	case NODE_NULL:
		return true;
	case NODE_WRONG:
		break;
	}
	return false;
}

void node_format(const struct node *node, struct strbuf *out)
{
	switch (node->kind) {
	case NODE_TEXT:
		strbuf_add(out, node->text, node->count);
		break;
	case NODE_LIST:
		strbuf_putc(out, '[');
		for (size_t i = 0; i < node->count; i++) {
			strbuf_puts(out, i ? ", " : "");
			node_format(node->items[i], out);
		}
		strbuf_putc(out, ']');
		break;
	case NODE_MAPPING:
		strbuf_putc(out, '{');
		for (size_t i = 0; i < node->count; i++) {
			strbuf_puts(out, i ? ", " : "");
			strbuf_puts(out, node->pairs[i].key->text);
			strbuf_puts(out, ": ");
			node_format(node->pairs[i].value, out);
		}
		strbuf_putc(out, '}');
		break;
	case NODE_NULL:
	case NODE_WRONG:
		strbuf_putc(out, '~');
		break;
	}
}

const char *node_kind_name(enum node_kind kind)
{
	static const char *const names[] = {
		[NODE_TEXT] = "a text",       [NODE_NULL] = "nothing",  [NODE_LIST] = "a list",
		[NODE_MAPPING] = "a mapping", [NODE_WRONG] = "nothing",
	};

	_Static_assert(ARRAY_SIZE(names) == NODE_WRONG + 1, "a name per kind");
	return names[kind];
}
