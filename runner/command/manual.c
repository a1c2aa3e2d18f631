/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The references of the manual pages: see manual.h. */
#include "runner/command/manual.h"

#include "runner/scenario/schema.h"

/* Escapes characters that mean something to scdoc. */
static void add_text(const char *text, struct strbuf *out)
{
	for (; *text; text++) {
		if (strchr("\\*_`~", *text))
			strbuf_putc(out, '\\');
		strbuf_putc(out, *text);
	}
}

static void add_bold(const char *text, struct strbuf *out)
{
	strbuf_putc(out, '*');
	add_text(text, out);
	strbuf_putc(out, '*');
}

/* ---- commands ---- */

static void add_option(const struct option_spec *spec, struct strbuf *out)
{
	strbuf_puts(out, "*");
	if (spec->letter)
		strbuf_printf(out, "-%c, ", spec->letter);
	strbuf_printf(out, "--%s*", spec->name);
	if (spec->argument) {
		strbuf_puts(out, " _");
		add_text(spec->argument, out);
		strbuf_puts(out, "_");
	}
	strbuf_puts(out, "\n\t");
	add_text(spec->help, out);
	if (!spec->command_line_only) {
		AUTO_FREE char *variable = option_variable(spec->name);

		strbuf_puts(out, " (");
		add_bold(variable, out);
		strbuf_puts(out, ")");
	}
	strbuf_puts(out, ".\n\n");
}

void manual_commands(const struct command *const *commands, struct strbuf *out)
{
	for (size_t i = 0; commands[i]; i++) {
		const struct command *command = commands[i];

		strbuf_printf(out, "## synfault %s ", command->name);
		/* scdoc marks up headings, too. */
		add_text(command->arguments, out);
		strbuf_puts(out, "\n\n");
		add_bold(command->name, out);
		strbuf_puts(out, ": ");
		add_text(command->summary, out);
		strbuf_puts(out, ".\n\n");
		for (size_t k = 0; k < command->options->n_specs; k++)
			add_option(&command->options->specs[k], out);
	}
}

/* ---- keys ---- */

/* Mappings that are still to be described, each with the path of its key. */
struct key_manual {
	struct described {
		const struct schema *schema;
		char *path; /* "endpoints.ENDPOINT" */
	} * items;
	size_t n_items, capacity;
};

static void describe_later(struct key_manual *manual, const struct schema *schema, const char *path,
			   const char *name)
{
	struct described described = {.schema = schema};

	for (size_t i = 0; i < manual->n_items; i++)
		if (manual->items[i].schema == schema)
			return;
	described.path = *path ? xasprintf("%s.%s", path, name) : xstrdup(name);
	array_append(manual->items, manual->n_items, manual->capacity, described);
}

static void add_key(struct key_manual *manual, const struct schema_key *key, const char *path,
		    struct strbuf *out)
{
	AUTO_FREE char *below = *path ? xasprintf("%s.%s", path, key->name) : xstrdup(key->name);

	add_bold(key->name, out);
	strbuf_puts(out, " (");
	add_text(key->value, out);
	strbuf_puts(out, key->required ? "; required)\n\t" : ")\n\t");
	add_text(key->description, out);
	if (key->fallback) {
		strbuf_puts(out, " The default is ");
		add_bold(key->fallback, out);
		strbuf_putc(out, '.');
	}
	if (key->example) {
		AUTO_FREE char *example = xasprintf("%s: %s", key->name, key->example);

		strbuf_puts(out, " Example: ");
		add_bold(example, out);
	}
	strbuf_puts(out, "\n\n");
	if (key->mapping)
		describe_later(manual, key->mapping, path, key->name);
	if (key->mapping_item)
		describe_later(manual, key->mapping_item, path, key->name);
	if (key->named && key->named->mapping)
		describe_later(manual, key->named->mapping, below, key->named->name);
	if (key->named && key->named->mapping_item)
		describe_later(manual, key->named->mapping_item, below, key->named->name);
}

void manual_keys(struct strbuf *out)
{
	struct key_manual manual = {0};

	describe_later(&manual, &schema_document, "", "");
	/* Describing a mapping adds those below it. */
	for (size_t i = 0; i < manual.n_items; i++) {
		const struct schema *schema = manual.items[i].schema;
		AUTO_FREE char *path = xstrdup(manual.items[i].path);

		strbuf_puts(out, "## Keys of ");
		add_text(schema->name, out);
		if (*path) {
			strbuf_puts(out, ", ");
			add_text(path, out);
		}
		strbuf_puts(out, "\n\n");
		for (size_t k = 0; k < schema->n_keys; k++)
			add_key(&manual, &schema->keys[k], path, out);
	}
	for (size_t i = 0; i < manual.n_items; i++)
		free(manual.items[i].path);
	free(manual.items);
}
