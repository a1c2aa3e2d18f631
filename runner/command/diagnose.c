/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `synfault diagnose HOST:PORT`: why a connection is refused, dropped or slow (runner/diagnose).
 *
 * Exit status: 0 every handshake was completed in time, 1 a cause was found, 3 it could not look,
 * 4 usage.
 */
#include "runner/command/command.h"

#include "common/duration.h"
#include "runner/diagnose/capture.h"
#include "runner/diagnose/examine.h"
#include "runner/diagnose/format.h"
#include "runner/report/file.h"

struct diagnose_options {
	struct examine_plan plan;
	uint16_t local_port;
	const char *capture;
	bool json;
};

/* Writes the capture that was asked for; returns whether it is there. */
static bool write_capture(const char *path, const struct evidence *evidence,
			  const struct diagnosis *diagnosis, FILE *err)
{
	AUTO_DIAG struct diag_list diags = {0};
	int r;

	if (!evidence->watched) {
		fputs("synfault diagnose: can't capture packets without CAP_NET_RAW: run it as "
		      "root\n",
		      err);
		return false;
	}
	r = capture_write(path, evidence, diagnosis, &diags);
	diag_list_print(&diags, "synfault diagnose", err);
	return r == 0;
}

static enum exit_status look(const char *target, const struct diagnose_options *options, FILE *out,
			     FILE *err)
{
	AUTO_EVIDENCE struct evidence evidence = {0};
	AUTO_DIAGNOSIS struct diagnosis diagnosis = {0};
	AUTO_STRBUF struct strbuf text = {0};
	AUTO_DIAG struct diag_list diags = {0};

	if (options->capture && report_file_check("capture", options->capture, &diags) < 0) {
		diag_list_print(&diags, "synfault diagnose", err);
		return STATUS_USAGE;
	}
	if (examine(target, options->local_port, &options->plan, &evidence) < 0) {
		fprintf(err, "synfault diagnose: \"%s\" is not HOST:PORT or [ADDRESS]:PORT\n",
			target);
		return STATUS_USAGE;
	}
	diagnosis = diagnose(&evidence);
	if (options->json)
		diagnosis_format_json(&evidence, &diagnosis, &text);
	else
		diagnosis_format_text(&evidence, &diagnosis, &text);
	fputs(strbuf_text(&text), out);
	if (options->capture && !write_capture(options->capture, &evidence, &diagnosis, err))
		return STATUS_UNJUDGED;
	if (evidence.n_addresses == 0 && diagnosis.n_causes == 0)
		return STATUS_UNJUDGED;
	return diagnosis.n_causes > 0 ? STATUS_FAILED : STATUS_PASSED;
}

static int run_diagnose(void *parsed, const struct operands *operands,
			const struct command_context *context)
{
	struct diagnose_options *options = parsed;

	options->plan.handshake.keep_packets = options->capture != NULL;
	if (operands->n != (options->local_port ? 0 : 1))
		return command_usage_error(&command_diagnose, context->err, command_diagnose.needs);
	return (int)look(operands->n ? operands->items[0] : NULL, options, context->out,
			 context->err);
}

static const struct diagnose_options defaults = {
	.plan.handshake = {.n_trials = 5,
			   .interval_ns = 300 * NS_PER_MS,
			   .patience_ns = 3500 * NS_PER_MS},
};

#define TO(member) OPTION_FIELD(struct diagnose_options, member)
static const struct option_spec diagnose_options[] = {
	{"trials", 'n', "N", "connect N times to each address (default: 5)", OPTION_COUNT,
	 TO(plan.handshake.n_trials), 1, MAX_TRIALS, .command_line_only = true},
	{"interval", 0, "TIME", "start a trial every TIME (default: 300ms)", OPTION_DURATION,
	 TO(plan.handshake.interval_ns), .command_line_only = true},
	{"timeout", 0, "TIME", "wait TIME for each handshake (default: 3500ms)", OPTION_DURATION,
	 TO(plan.handshake.patience_ns), .command_line_only = true},
	{"compare", 0, "PORT", "compare with an open PORT of the same host", OPTION_COUNT,
	 TO(plan.handshake.compare_port), 1, UINT16_MAX, .command_line_only = true},
	{"local", 0, "PORT", "look at PORT of this host, on all its addresses", OPTION_COUNT,
	 TO(local_port), 1, UINT16_MAX, .command_line_only = true},
	{"path", 0, NULL, "show the routers on the way, and which one answers or swallows",
	 OPTION_FLAG, TO(plan.path), .command_line_only = true},
	{"intrusive", 0, NULL, "trace this host's nftables rules; adds a table while it runs",
	 OPTION_FLAG, TO(plan.intrusive), .command_line_only = true},
	{"capture", 0, "FILE", "write the packets of the trials as pcapng (root)", OPTION_FILE,
	 TO(capture), .command_line_only = true},
	{"json", 0, NULL, "print a JSON object", OPTION_FLAG, TO(json), .command_line_only = true},
	OPTION_ROW_HELP,
};

const struct command command_diagnose = {
	.name = "diagnose",
	.arguments = "[OPTION...] HOST:PORT",
	.summary = "say why a connection is refused, dropped or slow",
	.description = "Connects a few times, watches the packets, and says why the connection is\n"
		       "refused, dropped or slow. Root sees more than an ordinary user.\n",
	.options = OPTION_TABLE(diagnose_options, .size = sizeof(defaults), .defaults = &defaults),
	.max_operands = 1,
	.needs = "takes one HOST:PORT, or --local PORT",
	.run = run_diagnose,
};
