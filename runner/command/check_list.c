/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command lines of `synfault check` and `synfault list`: see inspect.h. */
#include "runner/command/check_list.h"

#include "runner/command/check.h"
#include "runner/command/list.h"
#include "runner/command/options.h"

struct inspect_options {
	enum color_mode color;
	bool json, help;
};

static bool apply_color(void *options, const char *value, char **ret_message)
{
	return option_color(value, &((struct inspect_options *)options)->color, ret_message);
}

static bool apply_json(void *options, const char *value, char **ret_message)
{
	((struct inspect_options *)options)->json = true;
	return true;
}

static bool apply_format(void *options, const char *value, char **ret_message)
{
	return option_format(value, &((struct inspect_options *)options)->json, ret_message);
}

static bool apply_help(void *options, const char *value, char **ret_message)
{
	((struct inspect_options *)options)->help = true;
	return true;
}

/* What both commands have. */
#define COMMON_OPTIONS                                                                             \
	{"color", 0, "WHEN", "auto, always or never", apply_color, .words = "auto always never"},  \
	{                                                                                          \
		"help", 'h', NULL, "show this help", apply_help, .command_line_only = true         \
	}

static const struct option_spec check_options[] = {COMMON_OPTIONS};
const struct option_table check_option_table = OPTION_TABLE(check_options);

static const struct option_spec list_options[] = {
	/* SYNFAULT_JSON is the file of `run`: it may be set for a whole job. */
	{"json", 0, NULL, "as a JSON array", apply_json, .command_line_only = true},
	{"format", 0, "FORMAT", "text or json", apply_format, .words = "text json"},
	COMMON_OPTIONS,
};
const struct option_table list_option_table = OPTION_TABLE(list_options);

static int inspect(int argc, char **argv, FILE *out, FILE *err, bool list)
{
	const struct option_table *options_of = list ? &list_option_table : &check_option_table;
	const struct option_spec *table = options_of->specs;
	const char *name = list ? "list" : "check";
	size_t n_specs = options_of->n_specs;
	struct inspect_options options = {.color = COLOR_AUTO};
	AUTO_FREE char *message = NULL;
	AUTO_STRBUF struct strbuf help = {0};
	int n_operands = 0;
	char **rest = NULL;

	if (!options_parse(table, n_specs, argc, argv, &options, &n_operands, &rest, &message)) {
		fprintf(err, "synfault %s: %s\nTry 'synfault %s --help'.\n", name, message, name);
		return STATUS_USAGE;
	}
	if (options.help) {
		options_help(table, n_specs, &help);
		fprintf(out, "Usage: synfault %s [OPTION...] PATH...\n\n%s", name,
			strbuf_text(&help));
		return STATUS_PASSED;
	}
	if (n_operands == 0 || rest) {
		fprintf(err, "synfault %s: %s\n", name,
			rest ? "takes no client command"
			     : "a scenario file or directory is needed");
		return STATUS_USAGE;
	}
	if (list)
		return command_list(argv, (size_t)n_operands, options.json, out, err,
				    color_is_wanted(options.color, err));
	return command_check(argv, (size_t)n_operands, out, err,
			     color_is_wanted(options.color, err));
}

int command_check_main(int argc, char **argv, FILE *out, FILE *err)
{
	return inspect(argc, argv, out, err, false);
}

int command_list_main(int argc, char **argv, FILE *out, FILE *err)
{
	return inspect(argc, argv, out, err, true);
}
