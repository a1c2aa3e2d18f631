/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault report`: renders reports from a finished run. */
#include "runner/command/command.h"

#include "runner/command/outputs.h"
#include "runner/command/run_loader.h"

struct report_options {
	struct output_options outputs;
};

static int run_report(void *parsed, const struct operands *operands,
		      const struct command_context *context)
{
	const struct report_options *options = parsed;
	FILE *out = context->out, *err = context->err;
	AUTO_FREE char *message = NULL;
	AUTO_STORED_RUN struct stored_run *run = NULL;

	if (!outputs_check(&options->outputs, err))
		return STATUS_USAGE;
	run = run_loader_open(operands->items[0], &message);
	if (!run) {
		fprintf(err, "synfault report: %s\n", message);
		return STATUS_USAGE;
	}
	if (!outputs_any(&options->outputs) || options->outputs.github == GITHUB_ALWAYS)
		run_loader_print(&run->results, &options->outputs, out, err);
	return outputs_write(&options->outputs, &run->results, err) ? STATUS_PASSED
								    : STATUS_UNJUDGED;
}

static const struct option_spec report_options[] = {
	OUTPUT_OPTIONS(struct report_options),
	SHOWN_OPTIONS(struct report_options,
		      "show attempts and expectations of passed scenarios, too"),
	OPTION_ROW_HELP,
};

const struct command command_report = {
	.name = "report",
	.arguments = "[OPTION...] RUN",
	.summary = "render reports from a finished run",
	.description =
		"Renders reports from a finished run as the run itself does. RUN is a file of\n"
		"`synfault run --json FILE`, or a directory of --records. Without a report to\n"
		"write, and with --github always, prints the results.\n",
	.options = OPTION_TABLE(report_options, .size = sizeof(struct report_options)),
	.min_operands = 1,
	.max_operands = 1,
	.needs = "one run is needed, a file of `synfault run --json`",
	.confinement = CONFINED_TO_FILES,
	.run = run_report,
};
