/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command-line options as tables: see options.h. */
#include "runner/command/options.h"

#include <errno.h>
#include <strings.h>

#include "common/duration.h"
#include "common/text.h"

/* Where the right column of the help begins. */
#define HELP_COLUMN 28
#define HELP_WIDTH  80

/* ---- values ---- */

int option_choice(const char *text, const char *words, char **ret_message)
{
	AUTO_STRBUF struct strbuf expected = {0};
	const char *separator = "";
	int index = 0;

	for (const char *word = words; *word; index++) {
		size_t length = strcspn(word, " ");
		const char *next = word + length + (word[length] == ' ');

		if (strlen(text) == length && memcmp(text, word, length) == 0)
			return index;
		strbuf_puts(&expected, separator);
		strbuf_add(&expected, word, length);
		separator = strchr(next, ' ') ? ", " : " or ";
		word = next;
	}
	*ret_message = xasprintf("%s is expected", strbuf_text(&expected));
	return -1;
}

static bool set_count(const struct option_spec *spec, void *field, const char *value,
		      char **ret_message)
{
	int64_t count;

	if (text_to_integer(value, spec->low, spec->high, &count)) {
		store_integer(field, spec->size, count);
		return true;
	}
	*ret_message = xasprintf("a number from %lld to %lld is expected", (long long)spec->low,
				 (long long)spec->high);
	return false;
}

static char *size_text(int64_t size)
{
	static const char *const units[] = {"", "K", "M", "G"};
	size_t unit = 0;

	while (unit + 1 < ARRAY_SIZE(units) && size % 1024 == 0) {
		size /= 1024;
		unit++;
	}
	return xasprintf("%lld%s", (long long)size, units[unit]);
}

/* Parses bytes, with K, M or G for powers of 1024. */
static bool set_size(const struct option_spec *spec, void *field, const char *value,
		     char **ret_message)
{
	static const char units[] = "KMG";
	AUTO_FREE char *number = xstrdup(value), *low = NULL, *high = NULL;
	size_t length = strlen(number);
	const char *unit = length ? strchr(units, number[length - 1]) : NULL;
	const int shift = unit ? 10 * (int)(unit - units + 1) : 0;
	int64_t size;

	if (unit)
		number[length - 1] = '\0';
	if (text_to_integer(number, 1, spec->high >> shift, &size) && size << shift >= spec->low) {
		store_integer(field, spec->size, size << shift);
		return true;
	}
	low = size_text(spec->low);
	high = size_text(spec->high);
	*ret_message = xasprintf("a size from %s to %s is expected, such as 64M", low, high);
	return false;
}

static bool set_factor(void *field, const char *value, char **ret_message)
{
	char *end;
	double factor;

	errno = 0;
	factor = strtod(value, &end);
	if (!errno && end != value && !*end && factor >= 0.01 && factor <= 1000) {
		*(double *)field = factor;
		return true;
	}
	*ret_message = xstrdup("a factor from 0.01 to 1000 is expected");
	return false;
}

static bool set_duration(void *field, const char *value, char **ret_message)
{
	const char *reason = NULL;
	int64_t duration_ns = 0;
	AUTO_FREE char *meant = NULL;

	if (duration_parse(value, &duration_ns, &reason) == 0 && duration_ns > 0) {
		*(int64_t *)field = duration_ns;
		return true;
	}
	if (!reason)
		reason = "has to be more than 0";
	else
		meant = duration_meant(value);
	*ret_message =
		xasprintf("a duration such as 30s or 1m30s is expected (%s%s%s)",
			  meant ? "did you mean " : reason, meant ? meant : "", meant ? "?" : "");
	return false;
}

static bool set_seed(struct option_seed *field, const char *value, char **ret_message)
{
	char *end;

	errno = 0;
	field->value = strtoull(value, &end, 0);
	field->given = true;
	if (!errno && end != value && !*end && value[0] != '-')
		return true;
	*ret_message = xstrdup("a number such as 0x1f or 17 is expected");
	return false;
}

/* Stores a value in its field; "" for an option without argument. */
static bool set(const struct option_spec *spec, void *options, const char *value,
		char **ret_message)
{
	void *field = (char *)options + spec->offset;
	int choice = 0;

	if (spec->words)
		choice = option_choice(value, spec->words, ret_message);
	if (choice < 0)
		return false;
	switch (spec->kind) {
	case OPTION_HELP:
		return true;
	case OPTION_FLAG:
		store_integer(field, spec->size, 1);
		return true;
	case OPTION_FILE:
		if (!*value || strcmp(value, "-") == 0) {
			*ret_message = xstrdup("a name is expected; standard output is "
					       "/dev/stdout");
			return false;
		}
		*(const char **)field = value;
		return true;
	case OPTION_STRING:
		*(const char **)field = value;
		return true;
	case OPTION_COUNT:
		return set_count(spec, field, value, ret_message);
	case OPTION_SIZE:
		return set_size(spec, field, value, ret_message);
	case OPTION_FACTOR:
		return set_factor(field, value, ret_message);
	case OPTION_DURATION:
		return set_duration(field, value, ret_message);
	case OPTION_SEED:
		return set_seed(field, value, ret_message);
	case OPTION_CHOICE:
		store_integer(field, spec->size, choice);
		return true;
	case OPTION_CUSTOM:
		return spec->parse(field, value, ret_message);
	}
	return false;
}

/* ---- the command line ---- */

/* The state of parsing. */
struct parser {
	const struct option_table *table;
	void *options;
	int argc, next; /* next: the argument to parse */
	char **argv;
	bool *given; /* one for each row */
	bool help;
	char **message;
};

static const struct option_spec *find_name(const struct option_table *table, const char *name,
					   size_t length)
{
	for (size_t i = 0; i < table->n_specs; i++)
		if (strlen(table->specs[i].name) == length &&
		    !memcmp(table->specs[i].name, name, length))
			return &table->specs[i];
	return NULL;
}

static const struct option_spec *find_letter(const struct option_table *table, char letter)
{
	for (size_t i = 0; i < table->n_specs; i++)
		if (table->specs[i].letter == letter)
			return &table->specs[i];
	return NULL;
}

/* Options of other tools (pytest, Jest, Cargo, Surefire), and ours for them if the command has it.
 */
static const struct {
	const char *words; /* separated by blanks; a letter stands for a short option */
	const char *meant;
} foreign_options[] = {
	{" junit-xml junitxml junit-file junit-report xunit xml ", "junit"},
	{" html-report report reporter ", "html"},
	{" json-report output out ", "json"},
	{" n parallel workers threads concurrency numprocesses test-threads ", "jobs"},
	{" k t grep match name name-pattern testNamePattern pattern include ", "filter"},
	{" tags label labels mark m ", "tag"},
	{" bail fail-fast failfast ", "max-fail"},
	{" reruns retry rerun max-retries ", "retries"},
	{" lf failed only-failures rerun-failed ", "last-failed"},
	{" collect-only co ", "list"},
	{" random-seed randomly-seed ", "seed"},
	{" pcap dump tcpdump ", "capture"},
	{" namespace netns sandbox ", "isolation"},
	{" total-timeout run-timeout deadline ", "global-timeout"},
	{" slow tolerance time-scale ", "timing-scale"},
	{" times count loop ", "repeat"},
	{" colour ", "color"},
};

static char *unknown_name(const struct option_table *table, const char *dashes, const char *name,
			  size_t length)
{
	AUTO_FREE char *word = xstrndup(name, length), *framed = xasprintf(" %s ", word);
	AUTO_FREE const char **names = xzalloc((table->n_specs + 1) * sizeof(*names));
	const char *meant = NULL;

	for (size_t i = 0; i < table->n_specs; i++)
		names[i] = table->specs[i].name;
	for (size_t i = 0; !meant && i < ARRAY_SIZE(foreign_options); i++)
		if (strstr(foreign_options[i].words, framed) &&
		    find_name(table, foreign_options[i].meant, strlen(foreign_options[i].meant)))
			meant = foreign_options[i].meant;
	if (!meant)
		meant = text_nearest(word, names);
	return meant ? xasprintf("unknown option %s%s; did you mean --%s?", dashes, word, meant)
		     : xasprintf("unknown option %s%s", dashes, word);
}

/* Applies a value. @source: what the user calls it, "--jobs" or "SYNFAULT_JOBS". */
static bool apply(struct parser *parser, const struct option_spec *spec, const char *source,
		  const char *value)
{
	AUTO_FREE char *expected = NULL;

	if (set(spec, parser->options, value, &expected))
		return true;
	*parser->message = spec->explains
				   ? xasprintf("%s \"%s\": %s", source, value, expected)
				   : xasprintf("%s: %s, not \"%s\"", source, expected, value);
	return false;
}

/* Applies an option of the command line. */
static bool apply_given(struct parser *parser, const struct option_spec *spec, const char *value)
{
	AUTO_FREE char *source = xasprintf("--%s", spec->name);

	parser->given[spec - parser->table->specs] = true;
	parser->help |= spec->kind == OPTION_HELP;
	return apply(parser, spec, source, value);
}

/* Parses one word that starts with two dashes. */
static bool take_long(struct parser *parser, const char *word)
{
	size_t length = strcspn(word, "=");
	const char *value = word[length] ? word + length + 1 : NULL;
	const struct option_spec *spec = find_name(parser->table, word, length);

	if (!spec) {
		*parser->message = unknown_name(parser->table, "--", word, length);
		return false;
	}
	if (!spec->argument && value) {
		*parser->message = xasprintf("--%s takes no value", spec->name);
		return false;
	}
	if (spec->argument && !value && parser->next < parser->argc)
		value = parser->argv[parser->next++];
	if (spec->argument && !value) {
		*parser->message = xasprintf("--%s needs a value: %s", spec->name, spec->argument);
		return false;
	}
	return apply_given(parser, spec, value ? value : "");
}

/* Parses one word of short options. */
static bool take_short(struct parser *parser, const char *word)
{
	for (; *word; word++) {
		const struct option_spec *spec = find_letter(parser->table, *word);
		const char *value = NULL;

		if (!spec) {
			*parser->message = unknown_name(parser->table, "-", word, 1);
			return false;
		}
		if (!spec->argument) {
			if (!apply_given(parser, spec, ""))
				return false;
			continue;
		}
		if (word[1])
			value = word + 1;
		else if (parser->next < parser->argc)
			value = parser->argv[parser->next++];
		if (!value) {
			*parser->message =
				xasprintf("-%c needs a value: %s", *word, spec->argument);
			return false;
		}
		return apply_given(parser, spec, value);
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

/* Parses the value of a variable that switches something on or off. */
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

static bool apply_variable(struct parser *parser, const struct option_spec *spec)
{
	AUTO_FREE char *variable = option_variable(spec->name);
	const char *value = getenv(variable);
	bool on = true;

	if (!value || !*value)
		return true;
	if (!spec->argument && !read_switch(value, &on)) {
		*parser->message = xasprintf("%s: 1 or 0 is expected, not \"%s\"", variable, value);
		return false;
	}
	return !on || apply(parser, spec, variable, value);
}

bool options_parse(const struct option_table *table, int argc, char **argv, void *options,
		   struct operands *ret_operands, char **ret_message)
{
	AUTO_FREE bool *given = xzalloc((table->n_specs + 1) * sizeof(*given));
	struct operands operands = {.items = argv};
	struct parser parser = {
		.table = table,
		.options = options,
		.argc = argc,
		.argv = argv,
		.given = given,
		.message = ret_message,
	};

	while (parser.next < argc && !operands.client) {
		char *word = argv[parser.next++];
		bool good = true;

		if (!strcmp(word, "--"))
			operands.client = argv + parser.next;
		else if (!strncmp(word, "--", 2))
			good = take_long(&parser, word + 2);
		else if (word[0] == '-' && word[1])
			good = take_short(&parser, word + 1);
		else
			argv[operands.n++] = word;
		if (!good)
			return false;
	}
	for (size_t i = 0; i < table->n_specs; i++)
		if (!given[i] && !table->specs[i].command_line_only &&
		    !apply_variable(&parser, &table->specs[i]))
			return false;
	operands.help = parser.help;
	*ret_operands = operands;
	return true;
}

/* ---- help ---- */

void options_help(const struct option_table *table, struct strbuf *out)
{
	for (size_t i = 0; i < table->n_specs; i++) {
		const struct option_spec *spec = &table->specs[i];
		size_t start = out->length, width;

		if (spec->letter)
			strbuf_printf(out, "  -%c, ", spec->letter);
		else
			strbuf_puts(out, "      ");
		strbuf_printf(out, "--%s%s%s", spec->name, spec->argument ? " " : "",
			      spec->argument ? spec->argument : "");
		width = out->length - start;
		if (width + 2 > HELP_COLUMN) {
			strbuf_putc(out, '\n');
			width = 0;
		}
		strbuf_pad(out, ' ', HELP_COLUMN - width);
		text_wrap(out, HELP_COLUMN, HELP_WIDTH, spec->help);
	}
}
