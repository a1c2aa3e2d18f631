/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault doctor`: checks what this machine can do. */
#include "runner/command/command.h"

#include "runner/doctor/check.h"

struct doctor_options {
	bool json;
};

static int run_doctor(void *parsed, const struct operands *operands,
		      const struct command_context *context)
{
	const struct doctor_options *options = parsed;
	AUTO_DOCTOR struct doctor doctor = {0};
	AUTO_STRBUF struct strbuf text = {0};

	(void)operands;
	doctor_examine(&doctor);
	if (options->json)
		doctor_format_json(&doctor, &text);
	else
		doctor_format_text(&doctor, &text);
	fputs(strbuf_text(&text), context->out);
	return doctor.isolation == DOCTOR_NONE ? STATUS_UNJUDGED : STATUS_PASSED;
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
	.options = OPTION_TABLE(doctor_options, .size = sizeof(struct doctor_options)),
	.needs = "takes no arguments",
	.run = run_doctor,
};
