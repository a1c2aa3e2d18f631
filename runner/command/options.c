/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command-line options as tables: see options.h. */
#include "runner/command/options.h"

#include <errno.h>

#include "common/text.h"

static const struct option_spec *find_name(const struct option_spec *table, size_t n_specs,
					   const char *name, size_t length)
{
	for (size_t i = 0; i < n_specs; i++)
		if (strlen(table[i].name) == length && !memcmp(table[i].name, name, length))
			return &table[i];
	return NULL;
}

static const struct option_spec *find_letter(const struct option_spec *table, size_t n_specs,
					     char letter)
{
	for (size_t i = 0; i < n_specs; i++)
		if (table[i].letter == letter)
			return &table[i];
	return NULL;
}

static char *unknown_name(const struct option_spec *table, size_t n_specs, const char *name,
			  size_t length)
{
	AUTO_FREE char *word = xstrndup(name, length);
	AUTO_FREE const char **names = xzalloc((n_specs + 1) * sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < n_specs; i++)
		names[i] = table[i].name;
	nearest = text_nearest(word, names);
	return nearest ? xasprintf("unknown option --%s; did you mean --%s?", word, nearest)
		       : xasprintf("unknown option --%s", word);
}

static bool apply(const struct option_spec *spec, void *options, const char *value,
		  char **ret_message)
{
	AUTO_FREE char *expected = NULL;

	if (spec->apply(options, value, &expected))
		return true;
	*ret_message = xasprintf("--%s: %s, not \"%s\"", spec->name, expected, value ? value : "");
	return false;
}

/* The arguments that are still to be read. */
struct cursor {
	int argc, next;
	char **argv;
};

/* Takes one word that starts with two dashes. */
static bool take_long(const struct option_spec *table, size_t n_specs, struct cursor *cursor,
		      const char *word, void *options, char **ret_message)
{
	size_t length = strcspn(word, "=");
	const char *value = word[length] ? word + length + 1 : NULL;
	const struct option_spec *spec = find_name(table, n_specs, word, length);

	if (!spec) {
		*ret_message = unknown_name(table, n_specs, word, length);
		return false;
	}
	if (!spec->argument && value) {
		*ret_message = xasprintf("--%s takes no value", spec->name);
		return false;
	}
	if (spec->argument && !value && cursor->next < cursor->argc)
		value = cursor->argv[cursor->next++];
	if (spec->argument && !value) {
		*ret_message = xasprintf("--%s needs a value: %s", spec->name, spec->argument);
		return false;
	}
	return apply(spec, options, value, ret_message);
}

/* Takes one word of short options. */
static bool take_short(const struct option_spec *table, size_t n_specs, struct cursor *cursor,
		       const char *word, void *options, char **ret_message)
{
	for (; *word; word++) {
		const struct option_spec *spec = find_letter(table, n_specs, *word);
		const char *value = NULL;

		if (!spec) {
			*ret_message = xasprintf("unknown option -%c", *word);
			return false;
		}
		if (!spec->argument) {
			if (!apply(spec, options, NULL, ret_message))
				return false;
			continue;
		}
		if (word[1])
			value = word + 1;
		else if (cursor->next < cursor->argc)
			value = cursor->argv[cursor->next++];
		if (!value) {
			*ret_message = xasprintf("-%c needs a value: %s", *word, spec->argument);
			return false;
		}
		return apply(spec, options, value, ret_message);
	}
	return true;
}

bool options_parse(const struct option_spec *table, size_t n_specs, int argc, char **argv,
		   void *options, int *ret_n_operands, char ***ret_rest, char **ret_message)
{
	struct cursor cursor = {.argc = argc, .argv = argv};
	char **rest = NULL;
	int n_operands = 0;

	while (cursor.next < argc) {
		char *word = argv[cursor.next++];
		bool good = true;

		if (!strcmp(word, "--")) {
			rest = argv + cursor.next;
			break;
		}
		if (!strncmp(word, "--", 2))
			good = take_long(table, n_specs, &cursor, word + 2, options, ret_message);
		else if (word[0] == '-' && word[1])
			good = take_short(table, n_specs, &cursor, word + 1, options, ret_message);
		else
			argv[n_operands++] = word;
		if (!good)
			return false;
	}
	*ret_n_operands = n_operands;
	*ret_rest = rest;
	return true;
}

void options_help(const struct option_spec *table, size_t n_specs, struct strbuf *out)
{
	for (size_t i = 0; i < n_specs; i++) {
		const struct option_spec *spec = &table[i];
		size_t start = out->length, width;

		if (spec->letter)
			strbuf_printf(out, "  -%c, ", spec->letter);
		else
			strbuf_puts(out, "      ");
		strbuf_printf(out, "--%s%s%s", spec->name, spec->argument ? " " : "",
			      spec->argument ? spec->argument : "");
		width = out->length - start;
		strbuf_pad(out, ' ', width < 28 ? 28 - width : 2);
		strbuf_printf(out, "%s\n", spec->help);
	}
}

bool option_number(const char *text, int64_t low, int64_t high, int64_t *ret)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 0);
	if (errno || end == text || *end || value < low || value > high)
		return false;
	*ret = value;
	return true;
}

bool option_decimal(const char *text, double low, double high, double *ret)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	if (errno || end == text || *end || !(value >= low && value <= high))
		return false;
	*ret = value;
	return true;
}

bool option_color(const char *text, enum color_mode *ret, char **ret_message)
{
	static const char *const modes[] = {
		[COLOR_AUTO] = "auto",
		[COLOR_ALWAYS] = "always",
		[COLOR_NEVER] = "never",
	};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(text, modes[i]) != 0)
			continue;
		*ret = (enum color_mode)i;
		return true;
	}
	*ret_message = xstrdup("auto, always or never is expected");
	return false;
}
