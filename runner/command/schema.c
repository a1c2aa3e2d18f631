/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault schema`: see schema.h. */
#include "runner/command/schema.h"

#include "runner/command/manual.h"
#include "runner/report/run_json.h"
#include "runner/scenario/json_schema.h"

struct schema_options {
	enum { FORMAT_SCENARIO, FORMAT_MANUAL, FORMAT_RESULTS } format;
	bool help;
};

static bool apply_format(void *options, const char *value, char **ret_message)
{
	static const char *const words[] = {"json", "scdoc", "results", NULL};
	size_t index;

	if (!option_choice(value, words, &index, ret_message))
		return false;
	((struct schema_options *)options)->format = index;
	return true;
}

static bool apply_help(void *options, const char *value, char **ret_message)
{
	((struct schema_options *)options)->help = true;
	return true;
}

static const struct option_spec schema_options[] = {
	{"format", 0, "FORMAT", "json (default), scdoc or results (of run --json)", apply_format,
	 .words = "json scdoc results",
	 .command_line_only = true}, /* SYNFAULT_FORMAT may be text */
	{"help", 'h', NULL, "show this help", apply_help, .command_line_only = true},
};
const struct option_table schema_option_table = OPTION_TABLE(schema_options);

int command_schema(int argc, char **argv, FILE *out, FILE *err)
{
	struct schema_options options = {0};
	AUTO_FREE char *message = NULL;
	AUTO_STRBUF struct strbuf text = {0};
	int n_operands = 0;
	char **rest = NULL;

	if (options_parse(schema_options, ARRAY_SIZE(schema_options), argc, argv, &options,
			  &n_operands, &rest, &message) &&
	    (n_operands || rest))
		message = xstrdup("takes no arguments");
	if (message) {
		fprintf(err, "synfault schema: %s\nTry 'synfault schema --help'.\n", message);
		return STATUS_USAGE;
	}
	if (options.help) {
		options_help(schema_options, ARRAY_SIZE(schema_options), &text);
		fprintf(out,
			"Usage: synfault schema [OPTION...]\n\n"
			"Prints the JSON Schema of scenario files, for editors "
			"(docs/editors.md).\n\n"
			"%s",
			strbuf_text(&text));
		return STATUS_PASSED;
	}
	if (options.format == FORMAT_MANUAL)
		manual_keys(&text);
	else if (options.format == FORMAT_RESULTS)
		run_json_schema(&text);
	else
		scenario_json_schema(&text);
	fputs(strbuf_text(&text), out);
	return STATUS_PASSED;
}
