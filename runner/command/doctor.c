/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault doctor`: see doctor.h. */
#include "runner/command/doctor.h"

#include "runner/doctor/check.h"

struct doctor_options {
	bool json;
};

static enum exit_status examine(bool json, FILE *out)
{
	AUTO_DOCTOR struct doctor doctor = {0};
	AUTO_STRBUF struct strbuf text = {0};

	doctor_examine(&doctor);
	if (json)
		doctor_format_json(&doctor, &text);
	else
		doctor_format_text(&doctor, &text);
	fputs(strbuf_text(&text), out);
	return doctor.isolation == DOCTOR_NONE ? STATUS_UNJUDGED : STATUS_PASSED;
}

static int run_doctor(int argc, char **argv, const struct command_context *context)
{
	struct doctor_options options = {0};
	struct operands operands;
	int status;

	if (!command_parse(&command_doctor, argc, argv, &options, context, &operands, &status))
		return status;
	return (int)examine(options.json, context->out);
}

static const struct option_spec doctor_options[] = {
	OPTION_ROW_JSON(struct doctor_options, json),
	OPTION_ROW_FORMAT(struct doctor_options, json, "print text or json"),
	OPTION_ROW_HELP,
};

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "[OPTION...]",
	.summary = "check what this machine can do",
	.description = "Tries out what scenarios need, and shows what this machine lacks.\n",
	.options = OPTION_TABLE(doctor_options),
	.needs = "takes no arguments",
	.run = run_doctor,
};
