/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads scenario files: see load.h. A file is cut into documents. Each is parsed, merged with the
 * defaults before it, expanded by its matrix, and decoded. It becomes scenarios, or one broken
 * document.
 */
#include "runner/scenario/load.h"

#include "common/files.h"
#include "runner/scenario/decode_document.h"
#include "runner/scenario/decode_policy.h"
#include "runner/scenario/decode_value.h"
#include "runner/scenario/document.h"
#include "runner/scenario/matrix.h"
#include "runner/scenario/table.h"

#include <errno.h>
#include <fcntl.h>

#define MAX_FILE_SIZE ((size_t)64 * 1024 * 1024)
/* After this many errors in a document, the remaining rows of its matrix are not read. */
#define ENOUGH_DIAGS 100

/* A scenario's name that is taken. */
struct taken_name {
	const char *name;
	unsigned line;
	UT_hash_handle hh;
};

/* What a file is loaded for. */
enum purpose {
	TO_RUN,
	TO_ATTACH, /* another process starts the client */
	TO_CHECK,  /* no scenario is kept, so that a large file needs little memory */
};

struct file_loader {
	struct scenario_file *file;
	enum purpose purpose;
	struct arena arena;          /* for the current document */
	struct arena row_arena;      /* for the current row of its matrix */
	struct arena kept;           /* for the whole file: defaults, names */
	const struct node *defaults; /* all so far, merged; or NULL */
	unsigned wrong_defaults;     /* line of a broken document of defaults, or 0 */
	struct taken_name *names;
	size_t n_documents; /* without empty ones */
};

/* Collects the scenarios of a document until all of them are known to be good. */
struct harvest {
	struct scenario **scenarios;
	size_t n_scenarios, capacity;
	size_t n_dropped; /* TO_CHECK */
	struct diag_list diags;
};

static void harvest_free(struct harvest *harvest)
{
	for (size_t i = 0; i < harvest->n_scenarios; i++)
		scenario_free(harvest->scenarios[i]);
	free(harvest->scenarios);
	diag_list_free(&harvest->diags);
}

static const struct node *merge(struct arena *arena, const struct node *base,
				const struct node *over, const struct schema *schema,
				const struct schema_key *named);

/* Merges the values of a key that both mappings have. */
static const struct node *merge_value(struct arena *arena, const struct node *base,
				      const struct node *over, const struct schema_key *key)
{
	if (!key || base->kind != NODE_MAPPING || over->kind != NODE_MAPPING)
		return over;
	/* A policy is replaced as a whole: halves of two policies do not make one. */
	if (key->type == SCHEMA_POLICY && (is_policy(base) || is_policy(over)))
		return over;
	if (key->type == SCHEMA_POLICY)
		return merge(arena, base, over, NULL, key->named);
	if (key->mapping == &schema_document)
		return over;
	return merge(arena, base, over, key->mapping, key->named);
}

/* Pointers to a mapping's pairs, sorted by key; owned by the caller. */
static const struct node_pair **sort_pairs(const struct node *mapping)
{
	const struct node_pair **sorted = xmalloc((mapping->count + 1) * sizeof(*sorted));

	for (size_t i = 0; i < mapping->count; i++)
		sorted[i] = &mapping->pairs[i];
	node_sort_pairs(sorted, mapping->count);
	return sorted;
}

/* Returns the index of the first pair with this key among sorted pairs, or @count. */
static size_t search_pair(const struct node_pair **sorted, size_t count, const char *name)
{
	const size_t first = BISECT(count, i, strcmp(sorted[i]->key->text, name) >= 0);

	return first < count && strcmp(sorted[first]->key->text, name) == 0 ? first : count;
}

/*
 * Merges @over into @base: the keys of @base in their order, with the values of @over if it has
 * them, then the keys that only @over has. @schema and @named describe the values; either may be
 * NULL.
 */
static const struct node *merge(struct arena *arena, const struct node *base,
				const struct node *over, const struct schema *schema,
				const struct schema_key *named)
{
	AUTO_FREE const struct node_pair **sorted = sort_pairs(over);
	AUTO_FREE bool *used = xzalloc(over->count + 1);
	struct node *made = arena_alloc(arena, sizeof(*made));

	*made = *over;
	made->size += base->size;
	made->bytes += base->bytes;
	made->refers_to_matrix |= base->refers_to_matrix;
	made->count = 0;
	made->pairs = arena_alloc(arena, (base->count + over->count) * sizeof(*made->pairs));
	for (size_t i = 0; i < base->count; i++) {
		struct node_pair pair = base->pairs[i];
		size_t index = search_pair(sorted, over->count, pair.key->text);
		const struct schema_key *key = schema ? schema_find(schema, pair.key->text) : NULL;

		if (index < over->count) {
			pair.key = sorted[index]->key;
			pair.value = merge_value(arena, pair.value, sorted[index]->value,
						 key ? key : named);
			used[sorted[index] - over->pairs] = true;
		}
		made->pairs[made->count++] = pair;
	}
	for (size_t i = 0; i < over->count; i++)
		if (!used[i])
			made->pairs[made->count++] = over->pairs[i];
	return made;
}

static struct loader new_loader(struct file_loader *files, struct harvest *harvest)
{
	struct scenario *scenario = xzalloc(sizeof(*scenario));

	scenario->path = xstrdup(files->file->path);
	return (struct loader){
		.path = scenario->path,
		.diags = &harvest->diags,
		.scenario = scenario,
		.root = &schema_document,
		.attached = files->purpose == TO_ATTACH,
	};
}

/*
 * Takes the scenario's name, or adds an error: names must be unique, so that a scenario can be
 * chosen by its name and followed over time.
 */
static void take_name(struct file_loader *files, struct loader *loader)
{
	const struct scenario *scenario = loader->scenario;
	struct taken_name *taken;
	size_t length;

	if (!scenario->name)
		return;
	HASH_FIND_STR(files->names, scenario->name, taken);
	if (taken) {
		diag_add(loader->diags, &scenario->place,
			 "the name \"%s\" is used twice in this file", scenario->name);
		diag_hint(loader->diags, "the first is in line %u", taken->line);
		return;
	}
	taken = arena_alloc(&files->kept, sizeof(*taken));
	*taken = (struct taken_name){.line = scenario->place.line};
	length = strlen(scenario->name);
	taken->name = arena_strndup(&files->kept, scenario->name, length);
	/* The macro evaluates its arguments several times. */
	HASH_ADD_KEYPTR(hh, files->names, taken->name, length, taken);
}

static void load_row(struct file_loader *files, struct harvest *harvest, struct matrix *matrix,
		     size_t row, const struct node *root)
{
	struct loader loader = new_loader(files, harvest);

	arena_reset(&files->row_arena);
	root = matrix_apply(&loader, matrix, row, root, &files->row_arena);
	if (root) {
		decode_document(&loader, root);
		take_name(files, &loader);
	}
	if (files->purpose == TO_CHECK) {
		scenario_free(loader.scenario);
		harvest->n_dropped++;
		return;
	}
	array_append(harvest->scenarios, harvest->n_scenarios, harvest->capacity, loader.scenario);
}

static void drop_diag(struct diag *diag)
{
	free(diag->path);
	free(diag->message);
	free(diag->hint);
}

static bool diag_equal(const struct diag *left, const struct diag *right)
{
	return left->line == right->line && left->column == right->column &&
	       strcmp(left->message, right->message) == 0;
}

/* Removes errors from @first on that are also before it: the rows of a matrix repeat errors. */
static void drop_repeated(struct diag_list *diags, size_t first)
{
	size_t kept = first;

	for (size_t i = first; i < diags->n_items; i++) {
		bool repeated = false;

		for (size_t k = 0; k < first && !repeated; k++)
			repeated = diag_equal(&diags->items[k], &diags->items[i]);
		if (repeated)
			drop_diag(&diags->items[i]);
		else
			diags->items[kept++] = diags->items[i];
	}
	diags->n_items = kept;
}

static void load_scenarios(struct file_loader *files, struct harvest *harvest,
			   const struct node *root)
{
	struct loader loader = {.path = files->file->path, .diags = &harvest->diags};
	struct matrix matrix;

	if (files->defaults)
		root = merge(&files->arena, files->defaults, root, &schema_document, NULL);
	matrix_read(&loader, node_get(root, "matrix"), &files->arena, &matrix);
	for (size_t i = 0; i < matrix.n_rows; i++) {
		size_t before = harvest->diags.n_items;

		load_row(files, harvest, &matrix, i, root);
		drop_repeated(&harvest->diags, before);
		if (harvest->diags.n_items > ENOUGH_DIAGS || matrix.nodes > MATRIX_MAX_NODES ||
		    matrix.bytes > MATRIX_MAX_BYTES)
			break;
	}
}

/*
 * Decodes defaults once on their own, so that an error in them is reported once, at its place. The
 * documents that they are merged into make the checks that need a whole document.
 */
static void load_defaults(struct file_loader *files, struct harvest *harvest,
			  const struct node_pair *pair)
{
	const struct node *defaults = pair->value;
	struct loader loader = new_loader(files, harvest);
	struct field field = {schema_find(&schema_document, "defaults"), pair->key, defaults};

	loader.partial = true;
	if (decode_form(&loader, &field) && !node_get(defaults, "defaults")) {
		/* The document that they are merged into has the matrix. */
		if (!defaults->refers_to_matrix)
			decode_document(&loader, defaults);
	} else if (defaults->kind == NODE_MAPPING) {
		loader_error(&loader, defaults, "\"defaults\" can't hold \"defaults\"");
	}
	scenario_free(loader.scenario);
	if (harvest->diags.n_items)
		files->wrong_defaults = pair->key->line;
	if (defaults->kind != NODE_MAPPING)
		return;
	if (files->defaults)
		defaults = merge(&files->arena, files->defaults, defaults, &schema_document, NULL);
	files->defaults = defaults;
	arena_adopt(&files->kept, &files->arena);
}

/*
 * Returns whether one of the first @n diagnostics, which are sorted, says the same at the same
 * place.
 */
static bool is_repeated(const struct diag_list *diags, size_t n, const struct diag *diag)
{
	for (size_t i = n; i-- > 0;) {
		const struct diag *earlier = &diags->items[i];

		if (earlier->line != diag->line || earlier->column != diag->column)
			break;
		if (diag_equal(earlier, diag))
			return true;
	}
	return false;
}

/*
 * Sorts a document's errors and removes repetitions: the rows of a matrix repeat errors, and a
 * document repeats those of broken defaults, which are already reported. An error in good defaults
 * is reported with the document that they do not fit.
 */
static void tidy_diags(struct file_loader *files, struct diag_list *diags,
		       const struct document_text *text, unsigned line)
{
	size_t kept = 0;

	diag_sort(diags);
	for (size_t i = 0; i < diags->n_items; i++) {
		struct diag *diag = &diags->items[i];
		bool elsewhere = diag->line && diag->line < text->line;

		if ((elsewhere && files->wrong_defaults) || is_repeated(diags, kept, diag))
			drop_diag(diag);
		else
			diags->items[kept++] = *diag;
	}
	diags->n_items = kept;
	for (size_t i = 0; i < kept; i++) {
		struct diag *diag = &diags->items[i];
		char *message;

		if (!diag->line || diag->line >= text->line)
			continue;
		message = xasprintf("%s (in the scenario of line %u)", diag->message, line);
		free(diag->message);
		diag->message = message;
	}
	if (!kept)
		diag_add(diags, &(struct place){.path = files->file->path, .line = line},
			 "the defaults in line %u, on which this depends, are wrong",
			 files->wrong_defaults);
}

static void add_broken(struct scenario_file *file, const char *name, size_t number, unsigned line,
		       struct diag_list *diags)
{
	struct broken_document broken = {
		.name = name ? xstrdup(name) : xasprintf("document %zu", number),
		.line = line,
		.first_diag = file->diags.n_items,
		.n_diags = diags->n_items,
	};

	diag_move(&file->diags, diags);
	array_append(file->broken, file->n_broken, file->broken_capacity, broken);
}

static void load_document(struct file_loader *files, const struct document_text *text)
{
	CLEANUP(harvest_free) struct harvest harvest = {0};
	struct scenario_file *file = files->file;
	const char *name;
	struct document document;
	int r;

	arena_reset(&files->arena);
	r = document_parse(text, file->path, &files->arena, &harvest.diags, &document);
	if (!r && !document.root)
		return;
	files->n_documents++;
	name = document.name;
	if (!document.root) {
		/* Its errors are already reported. */
	} else if (document.root->kind != NODE_MAPPING) {
		diag_add(&harvest.diags,
			 &(struct place){file->path, document.root->line, document.root->column,
					 document.root->length},
			 "a document must be a mapping of keys, not %s",
			 node_kind_name(document.root->kind));
	} else if (document.root->count == 1 &&
		   strcmp(document.root->pairs[0].key->text, "defaults") == 0) {
		name = "defaults";
		load_defaults(files, &harvest, &document.root->pairs[0]);
	} else {
		load_scenarios(files, &harvest, document.root);
	}
	if (harvest.diags.n_items) {
		tidy_diags(files, &harvest.diags, text, document.line);
		add_broken(file, name, files->n_documents, document.line, &harvest.diags);
		return;
	}
	for (size_t i = 0; i < harvest.n_scenarios; i++) {
		harvest.scenarios[i]->index = file->n_scenarios;
		array_append(file->scenarios, file->n_scenarios, file->scenarios_capacity,
			     harvest.scenarios[i]);
	}
	harvest.n_scenarios = 0;
	file->n_checked += harvest.n_dropped;
}

static void load_documents(struct scenario_file *file, enum purpose purpose)
{
	struct file_loader files = {.file = file, .purpose = purpose};
	struct document_cursor cursor = {file->source, file->source_length, 1};
	struct document_text text;

	while (document_next(&cursor, &text))
		load_document(&files, &text);
	if (!file->n_scenarios && !file->n_checked && !file->n_broken) {
		struct diag_list diags = {0};

		diag_add(&diags, &(struct place){.path = file->path},
			 files.n_documents ? "the file has defaults and no scenario"
					   : "the file is empty");
		add_broken(file, NULL, 1, 1, &diags);
	}
	HASH_CLEAR(hh, files.names);
	arena_free(&files.arena);
	arena_free(&files.row_arena);
	arena_free(&files.kept);
}

static struct scenario_file *new_file(const char *path)
{
	struct scenario_file *file = xzalloc(sizeof(*file));

	file->path = xstrdup(path);
	return file;
}

/* Takes ownership of @source. */
static struct scenario_file *parse_source(const char *path, char *source, size_t length,
					  enum purpose purpose)
{
	struct scenario_file *file = new_file(path);

	file->source = source;
	file->source_length = length;
	/* Skip a byte order mark: it would count as a column. */
	if (length >= 3 && memcmp(source, "\xEF\xBB\xBF", 3) == 0) {
		file->source_length -= 3;
		memmove(source, source + 3, file->source_length + 1);
	}
	load_documents(file, purpose);
	return file;
}

struct scenario_file *scenario_file_parse(const char *path, const char *text, size_t length)
{
	return parse_source(path, xstrndup(text, length), length, TO_RUN);
}

struct scenario_file *scenario_file_parse_attached(const char *path, const char *text,
						   size_t length)
{
	return parse_source(path, xstrndup(text, length), length, TO_ATTACH);
}

static struct scenario_file *load(const char *path, enum purpose purpose)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_STRBUF struct strbuf source = {0};
	int r = fd < 0 ? -errno : file_read(fd, MAX_FILE_SIZE, &source);
	size_t length = source.length;
	struct diag_list diags = {0};
	struct scenario_file *file;

	if (r == 0)
		return parse_source(path, strbuf_steal(&source), length, purpose);
	file = new_file(path);
	diag_add(&diags, &(struct place){.path = path}, "can't be read: %s", strerror(-r));
	add_broken(file, NULL, 1, 1, &diags);
	return file;
}

struct scenario_file *scenario_file_load(const char *path)
{
	return load(path, TO_RUN);
}

struct scenario_file *scenario_file_load_attached(const char *path)
{
	return load(path, TO_ATTACH);
}

struct scenario_file *scenario_file_check(const char *path)
{
	return load(path, TO_CHECK);
}

void scenario_file_free(struct scenario_file *file)
{
	if (!file)
		return;
	for (size_t i = 0; i < file->n_scenarios; i++)
		scenario_free(file->scenarios[i]);
	free(file->scenarios);
	for (size_t i = 0; i < file->n_broken; i++)
		free(file->broken[i].name);
	free(file->broken);
	diag_list_free(&file->diags);
	free(file->source);
	free(file->repository_path);
	free(file->path);
	free(file);
}
