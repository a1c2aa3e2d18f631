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
#include "runner/report/run_json_fields.h"
#include "runner/scenario/json_schema.h"
#include "runner/session/protocol.h"

/* In the order of the words of --format. */
static const struct {
	void (*print)(struct strbuf *out); /* NULL: the schema of a document */
	const struct json_type *type;
	const char *title;
} formats[] = {
	{.print = scenario_json_schema},
	{.print = manual_keys},
	{NULL, &json_document_type, "synfault results"},
	{NULL, &record_type, "synfault record"},
	{NULL, &diagnosis_type, "synfault diagnosis"},
	{NULL, &doctor_type, "synfault doctor"},
	{NULL, &list_type, "synfault list"},
	{NULL, &compare_type, "synfault comparison"},
	{NULL, &requests_type, "Requests to synfault exec"},
	{NULL, &observation_type, "synfault observation"},
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
	if (formats[options->format].print)
		formats[options->format].print(&text);
	else
		json_fields_schema(formats[options->format].type, formats[options->format].title,
				   &text);
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
