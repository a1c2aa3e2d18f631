/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Matrices: see matrix.h. */
#include "runner/scenario/matrix.h"
#include "runner/scenario/document.h"

#include "common/text.h"
#include "runner/scenario/reference.h"

static const struct node wrong_node = {.kind = NODE_WRONG, .height = 1, .size = 1};

/* The values of one key, and for each row of "exclude" which of them it means. */
struct axis {
	const struct node *key;
	const struct node *values; /* a list with at least one item */
};

struct reader {
	struct loader *loader;
	struct arena *arena;
	struct matrix *matrix;
	struct axis *axes; /* none when there is only "include" */
	size_t n_axes;
	size_t rows_capacity;
};

static bool is_key_name(const char *name)
{
	static const char *const letters =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789-";

	return *name && !strchr("0123456789-", *name) && !name[strspn(name, letters)];
}

static bool check_key(struct reader *reader, const struct node *key)
{
	if (is_key_name(key->text))
		return true;
	loader_error(reader->loader, key, "\"%s\" can't be a key of a matrix", key->text);
	loader_hint(reader->loader,
		    "such a key holds letters, digits, \"_\" and \"-\", and starts with a letter");
	return false;
}

/* Adds an error if a row's value is missing. */
static bool check_value(struct reader *reader, const struct node *value)
{
	if (value->kind == NODE_NULL) {
		loader_error(reader->loader, value, "a value is missing here");
		loader_hint(reader->loader, "put quotes around it: \"%s\"", value->text);
	}
	return value->kind != NODE_NULL && value->kind != NODE_WRONG;
}

static bool read_axis(struct reader *reader, const struct node_pair *pair)
{
	struct loader *loader = reader->loader;
	const struct node *values = pair->value;
	bool good = check_key(reader, pair->key);

	if (values->kind == NODE_WRONG)
		return false;
	if (values->kind == NODE_NULL) {
		loader_error(loader, pair->key, "\"%s\" has no value", pair->key->text);
		return false;
	}
	if (values->kind != NODE_LIST) {
		loader_error(loader, values, "a key of a matrix takes a list of values, not %s",
			     node_kind_name(values->kind));
		loader_hint(loader, "for example: %s: [1, 3]", pair->key->text);
		return false;
	}
	if (!values->count)
		return loader_error(loader, values, "the list of values is empty");
	for (size_t i = 0; i < values->count; i++)
		good = check_value(reader, values->items[i]) && good;
	return good;
}

/* Returns the index of a key, or SIZE_MAX. */
static size_t find_key(const struct matrix *matrix, const char *name)
{
	for (size_t i = 0; i < matrix->n_keys; i++)
		if (strcmp(matrix->keys[i], name) == 0)
			return i;
	return SIZE_MAX;
}

/* Checks a mapping of "exclude" or "include": it has only known keys, each with a value. */
static bool check_row(struct reader *reader, const struct node *row)
{
	bool good = true;

	if (row->kind == NODE_WRONG)
		return false;
	if (row->kind != NODE_MAPPING) {
		loader_error(reader->loader, row, "this must be a mapping of keys to values");
		return false;
	}
	if (!row->count)
		return loader_error(reader->loader, row, "the mapping is empty");
	for (size_t i = 0; i < row->count; i++) {
		const struct node *key = row->pairs[i].key;

		if (find_key(reader->matrix, key->text) == SIZE_MAX) {
			good = loader_error(reader->loader, key, "the matrix has no key \"%s\"",
					    key->text);
			loader_hint_names(reader->loader, key->text, reader->matrix->keys,
					  "its keys are");
		} else if (!check_value(reader, row->pairs[i].value)) {
			good = false;
		}
	}
	return good;
}

static bool check_rows(struct reader *reader, const struct node *rows, const char *what)
{
	bool good = true;

	if (!rows)
		return true;
	if (rows->kind == NODE_WRONG)
		return false;
	if (rows->kind != NODE_LIST) {
		loader_error(reader->loader, rows, "\"%s\" takes a list of mappings, not %s", what,
			     node_kind_name(rows->kind));
		return false;
	}
	for (size_t i = 0; i < rows->count; i++)
		good = check_row(reader, rows->items[i]) && good;
	return good;
}

static void add_row(struct reader *reader, const struct node **values)
{
	struct matrix *matrix = reader->matrix;
	const struct node **row =
		arena_alloc(reader->arena, (matrix->n_keys + 1) * sizeof(const struct node *));

	for (size_t i = 0; i < matrix->n_keys; i++)
		row[i] = values[i];
	if (matrix->n_rows == reader->rows_capacity) {
		size_t capacity = MAX((size_t)16, reader->rows_capacity * 2);
		const struct node ***rows = arena_alloc(reader->arena, capacity * sizeof(*rows));

		for (size_t i = 0; i < matrix->n_rows; i++)
			rows[i] = matrix->rows[i];
		matrix->rows = rows;
		reader->rows_capacity = capacity;
	}
	matrix->rows[matrix->n_rows++] = row;
}

/*
 * Flags the values that a row of "exclude" matches, axis after axis. So each combination is
 * compared by looking up flags.
 */
static bool *exclude_flags(const struct reader *reader, const struct node *row)
{
	size_t n_flags = 0, at = 0;
	bool *flags;

	for (size_t i = 0; i < reader->n_axes; i++)
		n_flags += reader->axes[i].values->count;
	flags = arena_alloc(reader->arena, n_flags);
	for (size_t i = 0; i < reader->n_axes; i++) {
		const struct axis *axis = &reader->axes[i];
		const struct node *value = node_get(row, axis->key->text);

		for (size_t k = 0; k < axis->values->count; k++)
			flags[at++] = !value || node_equal(axis->values->items[k], value);
	}
	return flags;
}

static bool is_excluded(const struct reader *reader, const bool *flags, const size_t *indexes)
{
	for (size_t i = 0; i < reader->n_axes; i++) {
		if (!flags[indexes[i]])
			return false;
		flags += reader->axes[i].values->count;
	}
	return true;
}

/* Moves to the next combination; the last key changes fastest. Returns false after the last one. */
static bool advance(const struct reader *reader, size_t *indexes)
{
	for (size_t i = reader->n_axes; i-- > 0;) {
		if (++indexes[i] < reader->axes[i].values->count)
			return true;
		indexes[i] = 0;
	}
	return false;
}

static bool combine(struct reader *reader, const struct node *exclude)
{
	size_t n_exclude = exclude ? exclude->count : 0;
	AUTO_FREE const bool **flags = xzalloc(n_exclude * sizeof(*flags));
	AUTO_FREE bool *used = xzalloc(n_exclude);
	AUTO_FREE size_t *indexes = xzalloc(reader->n_axes * sizeof(*indexes));
	AUTO_FREE const struct node **values = xzalloc(reader->n_axes * sizeof(*values));
	bool good = true;

	for (size_t i = 0; i < n_exclude; i++)
		flags[i] = exclude_flags(reader, exclude->items[i]);
	do {
		bool excluded = false;

		for (size_t i = 0; i < n_exclude; i++)
			if (is_excluded(reader, flags[i], indexes))
				excluded = used[i] = true;
		for (size_t i = 0; i < reader->n_axes; i++)
			values[i] = reader->axes[i].values->items[indexes[i]];
		if (!excluded)
			add_row(reader, values);
	} while (advance(reader, indexes));
	for (size_t i = 0; i < n_exclude; i++)
		if (!used[i])
			good = loader_error(reader->loader, exclude->items[i],
					    "no combination has these values");
	return good;
}

static bool include_rows(struct reader *reader, const struct node *include)
{
	const struct matrix *matrix = reader->matrix;
	AUTO_FREE const struct node **values = xzalloc((matrix->n_keys + 1) * sizeof(*values));
	bool good = true;

	for (size_t i = 0; include && i < include->count; i++) {
		const struct node *row = include->items[i];
		bool whole = true;

		for (size_t k = 0; k < matrix->n_keys; k++) {
			values[k] = node_get(row, matrix->keys[k]);
			if (!values[k])
				whole = loader_error(reader->loader, row,
						     "the row lacks the key \"%s\"",
						     matrix->keys[k]);
		}
		if (whole)
			add_row(reader, values);
		good = good && whole;
	}
	return good;
}

/* Reads the axes, and the names of all keys. */
static bool read_keys(struct reader *reader, const struct node *node, const struct node *include)
{
	struct matrix *matrix = reader->matrix;
	const struct node *source = node;
	bool good = true;

	reader->axes = arena_alloc(reader->arena, (node->count + 1) * sizeof(*reader->axes));
	for (size_t i = 0; i < node->count; i++) {
		const struct node_pair *pair = &node->pairs[i];

		if (strcmp(pair->key->text, "exclude") == 0 ||
		    strcmp(pair->key->text, "include") == 0)
			continue;
		good = read_axis(reader, pair) && good;
		reader->axes[reader->n_axes++] = (struct axis){pair->key, pair->value};
	}
	/* Without axes, the first row of "include" determines the keys. */
	if (!reader->n_axes && include && include->kind == NODE_LIST && include->count &&
	    include->items[0]->kind == NODE_MAPPING) {
		source = include->items[0];
		for (size_t i = 0; i < source->count; i++)
			good = check_key(reader, source->pairs[i].key) && good;
	}
	matrix->keys = arena_alloc(reader->arena, (source->count + 1) * sizeof(*matrix->keys));
	for (size_t i = 0; i < source->count; i++)
		if (source != node || (strcmp(source->pairs[i].key->text, "exclude") != 0 &&
				       strcmp(source->pairs[i].key->text, "include") != 0))
			matrix->keys[matrix->n_keys++] = source->pairs[i].key->text;
	matrix->keys[matrix->n_keys] = NULL;
	if (!matrix->n_keys && good) {
		loader_error(reader->loader, node, "the matrix has no keys");
		loader_hint(reader->loader, "for example: matrix: {fault: [refuse, drop]}");
	}
	return good && matrix->n_keys;
}

/* Adds an error if there are too many combinations. */
static bool check_size(struct reader *reader, const struct node *node, const struct node *include)
{
	size_t rows = reader->n_axes ? 1 : 0;

	for (size_t i = 0; i < reader->n_axes && rows <= MATRIX_MAX_ROWS; i++)
		rows *= reader->axes[i].values->count;
	if (include)
		rows += include->count;
	if (rows <= MATRIX_MAX_ROWS)
		return true;
	return loader_error(reader->loader, node, "the matrix makes more than %d scenarios",
			    MATRIX_MAX_ROWS);
}

/* Makes a single row after an error, so that the rest of the document can be checked. */
static bool give_up(struct reader *reader)
{
	struct matrix *matrix = reader->matrix;
	AUTO_FREE const struct node **values = xzalloc((matrix->n_keys + 1) * sizeof(*values));

	for (size_t i = 0; i < matrix->n_keys; i++) {
		const struct node *list = i < reader->n_axes ? reader->axes[i].values : NULL;

		values[i] = list && list->kind == NODE_LIST && list->count &&
					    list->items[0]->kind != NODE_NULL
				    ? list->items[0]
				    : &wrong_node;
	}
	matrix->n_rows = 0;
	add_row(reader, values);
	return false;
}

bool matrix_read(struct loader *loader, const struct node *node, struct arena *arena,
		 struct matrix *ret)
{
	struct reader reader = {.loader = loader, .arena = arena, .matrix = ret};
	const struct node *exclude = node_get(node, "exclude"),
			  *include = node_get(node, "include");
	bool good;

	*ret = (struct matrix){.present = node};
	if (!node || node->kind != NODE_MAPPING) {
		/* decode_document() reports a matrix that is not a mapping. */
		ret->keys = arena_alloc(arena, sizeof(*ret->keys));
		ret->keys[0] = NULL;
		add_row(&reader, NULL);
		return true;
	}
	good = read_keys(&reader, node, include);
	good = check_rows(&reader, exclude, "exclude") && good;
	good = check_rows(&reader, include, "include") && good;
	if (!good || !check_size(&reader, node, include))
		return give_up(&reader);
	if (reader.n_axes)
		good = combine(&reader, exclude);
	good = include_rows(&reader, include) && good;
	if (good && !ret->n_rows)
		good = loader_error(loader, node, "the matrix excludes every combination");
	return good || give_up(&reader);
}

/* Replacing the references of one row. */
struct replacer {
	struct loader *loader;
	struct arena *arena;
	const struct matrix *matrix;
	const struct node **values;
};

/* Finds the value of a reference in a node's text. Returns NULL after an error. */
static const struct node *look_up(const struct replacer *replacer, const struct node *node,
				  const char *reference, size_t *ret_length)
{
	const char *key = reference + strlen("${" MATRIX_PREFIX), *end = strchr(key, '}');
	size_t offset = (size_t)(reference - node->text), index;
	AUTO_FREE char *name = NULL;

	if (!end) {
		loader_error_within(replacer->loader, node, offset, 2,
				    "this reference has no closing \"}\"");
		return NULL;
	}
	*ret_length = (size_t)(end + 1 - reference);
	name = xstrndup(key, (size_t)(end - key));
	index = find_key(replacer->matrix, name);
	if (index != SIZE_MAX)
		return replacer->values[index];
	if (replacer->matrix->present) {
		loader_error_within(replacer->loader, node, offset, *ret_length,
				    "the matrix has no key \"%s\"", name);
		loader_hint_names(replacer->loader, name, replacer->matrix->keys, "its keys are");
	} else {
		loader_error_within(replacer->loader, node, offset, *ret_length,
				    "this document has no \"matrix\"");
	}
	return NULL;
}

static const struct node *replace_text(const struct replacer *replacer, const struct node *node)
{
	AUTO_STRBUF struct strbuf text = {0};
	const char *at = node->text, *reference;
	struct node *made;

	while ((reference = reference_find_matrix(at))) {
		size_t length = 0;
		const struct node *value = look_up(replacer, node, reference, &length);

		if (!value || value->kind == NODE_WRONG)
			return &wrong_node;
		if (length == node->count)
			return value;
		if (value->kind != NODE_TEXT) {
			loader_error_within(
				replacer->loader, node, (size_t)(reference - node->text), length,
				"%s can't be part of a text", node_kind_name(value->kind));
			return &wrong_node;
		}
		strbuf_add(&text, at, (size_t)(reference - at));
		strbuf_add(&text, value->text, value->count);
		if (text.length > NODE_MAX_BYTES) {
			loader_error(replacer->loader, node, "the text grows beyond %d bytes",
				     NODE_MAX_BYTES);
			return &wrong_node;
		}
		at = reference + length;
	}
	strbuf_puts(&text, at);
	made = arena_alloc(replacer->arena, sizeof(*made));
	*made = *node;
	made->style = NODE_MADE;
	made->refers_to_matrix = false;
	made->count = made->bytes = text.length;
	made->text = arena_strndup(replacer->arena, strbuf_text(&text), text.length);
	return made;
}

static const struct node *replace(const struct replacer *replacer, const struct node *node);

static const struct node *replace_list(const struct replacer *replacer, const struct node *node)
{
	struct node *made = arena_alloc(replacer->arena, sizeof(*made));

	*made = *node;
	made->size = 1;
	made->bytes = 0;
	made->items = arena_alloc(replacer->arena, node->count * sizeof(*made->items));
	for (size_t i = 0; i < node->count; i++) {
		made->items[i] = replace(replacer, node->items[i]);
		made->size += made->items[i]->size;
		made->bytes += made->items[i]->bytes;
	}
	return made;
}

static const struct node *replace_mapping(const struct replacer *replacer, const struct node *node,
					  bool outermost)
{
	struct node *made = arena_alloc(replacer->arena, sizeof(*made));

	*made = *node;
	made->size = 1;
	made->bytes = 0;
	made->pairs = arena_alloc(replacer->arena, node->count * sizeof(*made->pairs));
	for (size_t i = 0; i < node->count; i++) {
		struct node_pair pair = node->pairs[i];

		if (pair.key->refers_to_matrix)
			loader_error(replacer->loader, pair.key,
				     "references are not replaced in keys");
		if (!outermost || strcmp(pair.key->text, "matrix") != 0)
			pair.value = replace(replacer, pair.value);
		made->size += pair.key->size + pair.value->size;
		made->bytes += pair.key->bytes + pair.value->bytes;
		made->pairs[i] = pair;
	}
	return made;
}

static const struct node *replace(const struct replacer *replacer, const struct node *node)
{
	if (!node->refers_to_matrix)
		return node;
	switch (node->kind) {
	case NODE_TEXT:
		return replace_text(replacer, node);
	case NODE_LIST:
		return replace_list(replacer, node);
	case NODE_MAPPING:
		return replace_mapping(replacer, node, false);
	case NODE_NULL:
	case NODE_WRONG:
		break;
	}
	return node;
}

/* Returns whether the name refers to each key, and so distinguishes the rows. */
static bool names_each_key(const struct matrix *matrix, const char *name)
{
	for (size_t i = 0; i < matrix->n_keys; i++) {
		AUTO_FREE char *reference = xasprintf("${" MATRIX_PREFIX "%s}", matrix->keys[i]);
		const char *at = reference_find_matrix(name);

		while (at && strncmp(at, reference, strlen(reference)) != 0)
			at = reference_find_matrix(at + 2);
		if (!at)
			return false;
	}
	return true;
}

/* Appends the row to the document's name. @root belongs to this row alone. */
static void add_row_to_name(const struct replacer *replacer, const struct node *root,
			    const struct node *written)
{
	AUTO_STRBUF struct strbuf name = {0};
	struct node *made;

	if (!written || written->kind != NODE_TEXT ||
	    names_each_key(replacer->matrix, written->text))
		return;
	for (size_t i = 0; i < root->count; i++) {
		const struct node *old = root->pairs[i].value;

		if (strcmp(root->pairs[i].key->text, "name") != 0 || old->kind != NODE_TEXT)
			continue;
		strbuf_printf(&name, "%s [", old->text);
		for (size_t k = 0; k < replacer->matrix->n_keys; k++) {
			strbuf_printf(&name, "%s%s=", k ? ", " : "", replacer->matrix->keys[k]);
			node_format(replacer->values[k], &name);
		}
		strbuf_putc(&name, ']');
		made = arena_alloc(replacer->arena, sizeof(*made));
		*made = *old;
		made->style = NODE_MADE;
		made->count = name.length;
		made->text = arena_strndup(replacer->arena, strbuf_text(&name), name.length);
		root->pairs[i].value = made;
		return;
	}
}

const struct node *matrix_apply(struct loader *loader, struct matrix *matrix, size_t row,
				const struct node *root, struct arena *arena)
{
	struct replacer replacer = {loader, arena, matrix, matrix->rows[row]};
	const struct node *written = node_get(root, "name");
	size_t least_nodes;

	if (root->kind != NODE_MAPPING || (!matrix->n_keys && !root->refers_to_matrix))
		return root;
	/* No row has fewer values than the document: a matrix that is too large costs little time.
	 */
	least_nodes = matrix->n_rows * root->size;
	root = replace_mapping(&replacer, root, true);
	if (matrix->n_keys)
		add_row_to_name(&replacer, root, written);
	matrix->nodes += root->size;
	matrix->bytes += root->bytes;
	if (MAX(least_nodes, matrix->nodes) > MATRIX_MAX_NODES ||
	    matrix->bytes > MATRIX_MAX_BYTES) {
		loader_error(loader, node_get(root, "matrix") ? node_get(root, "matrix") : root,
			     "the scenarios of the matrix are too large: they have more than %zu "
			     "values or %zu bytes in all",
			     MATRIX_MAX_NODES, MATRIX_MAX_BYTES);
		return NULL;
	}
	return root;
}
