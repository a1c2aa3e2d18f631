/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault schema`: prints the JSON Schema of scenario files. */
#include "runner/command/command.h"

#include "runner/command/compare.h"
#include "runner/command/list.h"
#include "runner/command/manual.h"
#include "runner/diagnose/format.h"
#include "runner/doctor/check.h"
#include "runner/observe/observation.h"
#include "runner/record/json.h"
#include "runner/report/run_json.h"
#include "runner/scenario/json_schema.h"
#include "runner/session/protocol.h"

/* In the order of the words of --format. */
static void (*const formats[])(struct strbuf *out) = {
	scenario_json_schema, manual_keys, run_json_schema, record_schema,   diagnosis_schema,
	doctor_schema,        list_schema, compare_schema,  protocol_schema, observation_schema,
};

struct schema_options {
	unsigned format;
};

static int run_schema(void *parsed, const struct operands *operands,
		      const struct command_context *context)
{
	const struct schema_options *options = parsed;
	AUTO_STRBUF struct strbuf text = {0};

	(void)operands;
	formats[options->format](&text);
	fputs(strbuf_text(&text), context->out);
	return STATUS_PASSED;
}

static const struct option_spec schema_options[] = {
	{"format", 0, "FORMAT",
	 "print json (default), scdoc, or the schema of a JSON document: results (run --json), "
	 "record, diagnosis, doctor, list, comparison, protocol, observation",
	 OPTION_CHOICE, OPTION_FIELD(struct schema_options, format),
	 .words = "json scdoc results record diagnosis doctor list comparison protocol observation",
	 .command_line_only = true}, /* SYNFAULT_FORMAT may be text */
	OPTION_ROW_HELP,
};

const struct command command_schema = {
	.name = "schema",
	.arguments = "[OPTION...]",
	.summary = "print the JSON Schema of scenario files",
	.description =
		"Prints the JSON Schema of scenario files, for editors (docs/editors.md), or of\n"
		"a JSON document that synfault writes.\n",
	.options = OPTION_TABLE(schema_options, .size = sizeof(struct schema_options)),
	.needs = "takes no arguments",
	.run = run_schema,
};
