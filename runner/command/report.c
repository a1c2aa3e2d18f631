/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault report`: see report.h. */
#include "runner/command/report.h"

#include "runner/command/outputs.h"
#include "runner/command/run_loader.h"

struct report_options {
	struct output_options outputs; /* the first: see OUTPUT_OPTIONS */
	bool help;
};

static bool apply_help(void *options, const char *value, char **ret_message)
{
	((struct report_options *)options)->help = true;
	return true;
}

static const struct option_spec report_options[] = {
	OUTPUT_OPTIONS,
	SHOWN_OPTIONS("show attempts and expectations of what passed, too"),
	{"help", 'h', NULL, "show this help", apply_help, .command_line_only = true},
};
const struct option_table report_option_table = OPTION_TABLE(report_options);

static void print_help(FILE *out)
{
	AUTO_STRBUF struct strbuf text = {0};

	options_help(report_options, ARRAY_SIZE(report_options), &text);
	fprintf(out,
		"Usage: synfault report [OPTION...] RUN\n\n"
		"Makes reports of a run that is over, as the run itself would have: RUN is what\n"
		"`synfault run --json FILE` wrote, or the directory of --records. Without any\n"
		"report to make, and with --github always, shows the results here.\n\n%s",
		strbuf_text(&text));
}

static enum exit_status usage_error(FILE *err, const char *message)
{
	fprintf(err, "synfault report: %s\nTry 'synfault report --help'.\n", message);
	return STATUS_USAGE;
}

static enum exit_status report(const struct report_options *options, const char *path, FILE *out,
			       FILE *err)
{
	AUTO_FREE char *message = NULL;
	AUTO_STORED_RUN struct stored_run *run = NULL;

	if (!outputs_check(&options->outputs, err))
		return STATUS_USAGE;
	run = run_loader_open(path, &message);
	if (!run) {
		fprintf(err, "synfault report: %s\n", message);
		return STATUS_USAGE;
	}
	if (!outputs_any(&options->outputs) || options->outputs.github == GITHUB_ALWAYS)
		run_loader_print(&run->results, &options->outputs, out, err);
	return outputs_write(&options->outputs, &run->results, err) ? STATUS_PASSED
								    : STATUS_UNJUDGED;
}

int command_report(int argc, char **argv, FILE *out, FILE *err)
{
	struct report_options options = {0};
	AUTO_FREE char *message = NULL;
	int n_operands;
	char **rest;

	if (!options_parse(report_options, ARRAY_SIZE(report_options), argc, argv, &options,
			   &n_operands, &rest, &message))
		return (int)usage_error(err, message);
	if (options.help) {
		print_help(out);
		return STATUS_PASSED;
	}
	if (n_operands != 1 || rest)
		return (int)usage_error(err, "one run is needed, a file of `synfault run --json`");
	return (int)report(&options, argv[0], out, err);
}
