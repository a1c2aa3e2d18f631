/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault schema`: see schema.h. */
#include "runner/command/schema.h"

#include "runner/command/manual.h"
#include "runner/record/json.h"
#include "runner/report/run_json.h"
#include "runner/scenario/json_schema.h"

struct schema_options {
	enum { FORMAT_SCENARIO, FORMAT_MANUAL, FORMAT_RESULTS, FORMAT_RECORD } format;
};

static int run_schema(int argc, char **argv, const struct command_context *context)
{
	struct schema_options options = {0};
	AUTO_STRBUF struct strbuf text = {0};
	struct operands operands;
	int status;

	if (!command_parse(&command_schema, argc, argv, &options, context, &operands, &status))
		return status;
	if (options.format == FORMAT_MANUAL)
		manual_keys(&text);
	else if (options.format == FORMAT_RESULTS)
		run_json_schema(&text);
	else if (options.format == FORMAT_RECORD)
		record_schema(&text);
	else
		scenario_json_schema(&text);
	fputs(strbuf_text(&text), context->out);
	return STATUS_PASSED;
}

static const struct option_spec schema_options[] = {
	{"format", 0, "FORMAT",
	 "print json (default), scdoc, or the schema of results (run --json) or of a record",
	 OPTION_CHOICE, OPTION_FIELD(struct schema_options, format),
	 .words = "json scdoc results record",
	 .command_line_only = true}, /* SYNFAULT_FORMAT may be text */
	OPTION_ROW_HELP,
};

const struct command command_schema = {
	.name = "schema",
	.arguments = "[OPTION...]",
	.summary = "print the JSON Schema of scenario files",
	.description = "Prints the JSON Schema of scenario files, for editors (docs/editors.md).\n",
	.options = OPTION_TABLE(schema_options),
	.needs = "takes no arguments",
	.run = run_schema,
};
