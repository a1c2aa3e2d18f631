/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault schema`: see schema.h. */
#include "runner/command/schema.h"

#include "runner/scenario/json_schema.h"

struct schema_options {
	bool help;
};

static bool apply_help(void *options, const char *value, char **ret_message)
{
	((struct schema_options *)options)->help = true;
	return true;
}

static const struct option_spec schema_options[] = {
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
	scenario_json_schema(&text);
	fputs(strbuf_text(&text), out);
	return STATUS_PASSED;
}
