/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault doctor`: see doctor.h. */
#include "runner/command/doctor.h"

#include "runner/command/options.h"
#include "runner/doctor/check.h"

struct doctor_options {
	bool json, help;
};

static bool apply_json(void *options, const char *value, char **ret_message)
{
	((struct doctor_options *)options)->json = true;
	return true;
}

static bool apply_format(void *options, const char *value, char **ret_message)
{
	return option_format(value, &((struct doctor_options *)options)->json, ret_message);
}

static bool apply_help(void *options, const char *value, char **ret_message)
{
	((struct doctor_options *)options)->help = true;
	return true;
}

static const struct option_spec doctor_options[] = {
	/* SYNFAULT_JSON is the file of `run`: it may be set for a whole job. */
	{"json", 0, NULL, "as a JSON object", apply_json, .command_line_only = true},
	{"format", 0, "FORMAT", "text or json", apply_format, .words = "text json"},
	{"help", 'h', NULL, "show this help", apply_help, .command_line_only = true},
};

const struct option_table doctor_option_table = OPTION_TABLE(doctor_options);

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

int command_doctor(int argc, char **argv, FILE *out, FILE *err)
{
	struct doctor_options options = {0};
	AUTO_FREE char *message = NULL;
	AUTO_STRBUF struct strbuf help = {0};
	int n_operands = 0;
	char **rest = NULL;

	if (options_parse(doctor_options, ARRAY_SIZE(doctor_options), argc, argv, &options,
			  &n_operands, &rest, &message) &&
	    (n_operands || rest))
		message = xstrdup("takes no arguments");
	if (message) {
		fprintf(err, "synfault doctor: %s\nTry 'synfault doctor --help'.\n", message);
		return STATUS_USAGE;
	}
	if (options.help) {
		options_help(doctor_options, ARRAY_SIZE(doctor_options), &help);
		fprintf(out,
			"Usage: synfault doctor [OPTION...]\n\n"
			"Finds out, by trying, what scenarios need and this machine has.\n\n%s",
			strbuf_text(&help));
		return STATUS_PASSED;
	}
	return (int)examine(options.json, out);
}
