/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command-line options as tables: see options.h. */
#include "runner/command/options.h"

#include <errno.h>
#include <strings.h>

#include "common/duration.h"
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

/* @source: what the user knows it by, "--jobs" or "SYNFAULT_JOBS". */
static bool apply(const struct option_spec *spec, const char *source, void *options,
		  const char *value, char **ret_message)
{
	AUTO_FREE char *expected = NULL;

	if (spec->apply(options, value, &expected))
		return true;
	*ret_message = xasprintf("%s: %s, not \"%s\"", source, expected, value ? value : "");
	return false;
}

/* The arguments that are still to be read, and the options that were. */
struct cursor {
	int argc, next;
	char **argv;
	bool *given; /* one for each entry of the table */
};

/* An option of the command line. */
static bool apply_given(const struct option_spec *table, const struct option_spec *spec,
			const struct cursor *cursor, void *options, const char *value,
			char **ret_message)
{
	AUTO_FREE char *source = xasprintf("--%s", spec->name);

	cursor->given[spec - table] = true;
	return apply(spec, source, options, value, ret_message);
}

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
	return apply_given(table, spec, cursor, options, value, ret_message);
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
			if (!apply_given(table, spec, cursor, options, NULL, ret_message))
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
		return apply_given(table, spec, cursor, options, value, ret_message);
	}
	return true;
}

/* ---- the environment ---- */

char *option_variable(const char *name)
{
	char *variable = xasprintf("SYNFAULT_%s", name);

	for (char *c = variable; *c; c++) {
		if (*c == '-')
			*c = '_';
		else if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	}
	return variable;
}

/* The value of a variable that switches something on or off. */
static bool read_switch(const char *text, bool *ret)
{
	static const char *const words[] = {"0", "1", "false", "true", "no", "yes", "off", "on"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(text, words[i]) != 0)
			continue;
		*ret = i % 2 == 1;
		return true;
	}
	return false;
}

static bool apply_variable(const struct option_spec *spec, void *options, char **ret_message)
{
	AUTO_FREE char *variable = option_variable(spec->name);
	const char *value = getenv(variable);
	bool on = true;

	if (!value || !*value)
		return true;
	if (!spec->argument && !read_switch(value, &on)) {
		*ret_message = xasprintf("%s: 1 or 0 is expected, not \"%s\"", variable, value);
		return false;
	}
	if (!on)
		return true;
	return apply(spec, variable, options, spec->argument ? value : NULL, ret_message);
}

static bool apply_environment(const struct option_spec *table, size_t n_specs, const bool *given,
			      void *options, char **ret_message)
{
	for (size_t i = 0; i < n_specs; i++)
		if (!given[i] && !table[i].command_line_only &&
		    !apply_variable(&table[i], options, ret_message))
			return false;
	return true;
}

bool options_parse(const struct option_spec *table, size_t n_specs, int argc, char **argv,
		   void *options, int *ret_n_operands, char ***ret_rest, char **ret_message)
{
	AUTO_FREE bool *given = xzalloc((n_specs + 1) * sizeof(*given));
	struct cursor cursor = {.argc = argc, .argv = argv, .given = given};
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
	if (!apply_environment(table, n_specs, given, options, ret_message))
		return false;
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

bool option_choice(const char *text, const char *const *words, size_t *ret_index,
		   char **ret_message)
{
	AUTO_STRBUF struct strbuf expected = {0};

	for (size_t i = 0; words[i]; i++) {
		if (!strcmp(text, words[i])) {
			*ret_index = i;
			return true;
		}
		strbuf_puts(&expected, i == 0 ? "" : words[i + 1] ? ", " : " or ");
		strbuf_puts(&expected, words[i]);
	}
	*ret_message = xasprintf("%s is expected", strbuf_text(&expected));
	return false;
}

bool option_duration(const char *text, int64_t *ret_ns, char **ret_message)
{
	const char *reason = NULL;
	int64_t duration_ns = 0;

	if (duration_parse(text, &duration_ns, &reason) == 0 && duration_ns > 0) {
		*ret_ns = duration_ns;
		return true;
	}
	*ret_message = xasprintf("a duration such as 30s or 1m30s is expected (%s)",
				 reason ? reason : "has to be more than 0");
	return false;
}

bool option_format(const char *text, bool *ret_json, char **ret_message)
{
	static const char *const formats[] = {"text", "json", NULL};
	size_t index;

	if (!option_choice(text, formats, &index, ret_message))
		return false;
	*ret_json = index == 1;
	return true;
}

bool option_color(const char *text, enum color_mode *ret, char **ret_message)
{
	static const char *const modes[] = {
		[COLOR_AUTO] = "auto",
		[COLOR_ALWAYS] = "always",
		[COLOR_NEVER] = "never",
		NULL,
	};
	size_t index;

	if (!option_choice(text, modes, &index, ret_message))
		return false;
	*ret = (enum color_mode)index;
	return true;
}

bool option_seed(const char *text, uint64_t *ret, char **ret_message)
{
	char *end;
	uint64_t seed;

	errno = 0;
	seed = strtoull(text, &end, 0);
	if (errno || end == text || *end || text[0] == '-') {
		*ret_message = xstrdup("a number such as 0x1f or 17 is expected");
		return false;
	}
	*ret = seed;
	return true;
}

bool option_isolation(const char *text, enum isolation_mode *ret, char **ret_message)
{
	for (int mode = 0; mode < ISOLATION_N_MODES; mode++) {
		if (strcmp(text, isolation_mode_name((enum isolation_mode)mode)) != 0)
			continue;
		*ret = (enum isolation_mode)mode;
		return true;
	}
	*ret_message = xstrdup("auto, private or shared is expected");
	return false;
}
