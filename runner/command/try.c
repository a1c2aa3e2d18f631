/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault try`: shows how a client behaves under given faults. */
#include "runner/command/command.h"

#include "runner/command/adhoc_run.h"
#include "runner/observe/observation.h"
#include "runner/report/attempt_table.h"
#include "runner/scenario/step_list.h"

#define TIMEOUT_NS (30 * NS_PER_S)
#define HOSTNAME   "server.test"

static void on_live(void *userdata, const struct result *result, const char *line)
{
	FILE *out = userdata;

	(void)result;
	fprintf(out, "%s\n", line);
	fflush(out);
}

/* Adds the variables that send clients to a proxy, each after @before. */
static void add_proxies(struct strbuf *out, const char *before)
{
	static const char *const variables[] = {
		"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
	};

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value)
			strbuf_printf(out, "%s%s", before, variables[i]);
	}
}

/* Says what may explain that the client never connected. */
static void explain_silence(const struct result *result, FILE *out)
{
	AUTO_STRBUF struct strbuf proxies = {0}, without = {0};

	add_proxies(&proxies, " ");
	add_proxies(&without, " -u ");
	if (!adhoc_run_mentions_endpoint(result->scenario->client.command))
		fputs("\nThe client's arguments do not say where the server is: write ${server} "
		      "there,\nin single quotes.\n",
		      out);
	else if (result->record->other_netns)
		fputs("\nThe client has a process in another network namespace. Connections from "
		      "there are not\nseen, and ${server} is another place there.\n",
		      out);
	else if (proxies.length > 0)
		fprintf(out,
			"\nThe environment sets%s: the client may have turned to a proxy. Run it "
			"with\n\"env%s\", or set no_proxy.\n",
			strbuf_text(&proxies), strbuf_text(&without));
	else
		fputs("\nConnections over QUIC, and those that another process makes for the "
		      "client, such\nas a container engine or a service, are not seen.\n",
		      out);
}

/* Returns whether the document was written, if one is wanted. */
static bool write_json(const struct observed *observed, const struct adhoc_run_options *options,
		       const char *steps, const struct result *result, FILE *err)
{
	const struct observation_part part = {
		.name = "try", .steps = steps, .runs = observed, .n_runs = 1};
	const struct observation observation = {
		.command = result->scenario->client.command,
		.timeout_ns = options->timeout_ns,
		.parts = &part,
		.n_parts = 1,
	};
	AUTO_DIAG struct diag_list diags = {0};

	if (!options->json || observation_write(&observation, options->json, &diags) == 0)
		return true;
	fprintf(err, "synfault try: %s\n", diags.items[0].message);
	return false;
}

static enum exit_status show(const struct result *result, const struct adhoc_run_options *options,
			     const char *steps, FILE *out, FILE *err)
{
	const struct attempt_table_style style = {
		.color = color_is_wanted(options->color, out),
		.ascii = adhoc_run_is_ascii(),
		.untitled = true,
	};
	AUTO_FREE char *obstacle = adhoc_run_obstacle(result);
	AUTO_STRBUF struct strbuf text = {0}, ascii = {0};
	AUTO_FREE char *disturbance = NULL;
	struct observed observed;
	bool written;

	if (result->record) {
		attempt_table_format(result->scenario, result->record, NULL, &style, &text);
		fputs(strbuf_text(&text), out);
		strbuf_free(&text);
	}
	if (obstacle) {
		fflush(out);
		fprintf(err, "synfault try: %s\n", obstacle);
		return result->interrupted ? STATUS_INTERRUPTED : STATUS_UNJUDGED;
	}
	observed = observe_followed(result->record, options->timeout_ns);
	strbuf_puts(&text, "\nwhat was seen\n");
	observed_format(&observed, 1, &text);
	if (style.ascii)
		report_ascii(&ascii, strbuf_text(&text));
	fputs(strbuf_text(style.ascii ? &ascii : &text), out);
	if (observed.n_attempts == 0)
		explain_silence(result, out);
	disturbance = adhoc_run_disturbance(result);
	if (disturbance)
		fprintf(out,
			"\nThe machine was too slow; on a faster one the client may behave "
			"differently: %s.\n",
			disturbance);
	written = write_json(&observed, options, steps, result, err);
	observed_free(&observed);
	return written ? STATUS_PASSED : STATUS_UNJUDGED;
}

static enum exit_status try(const struct adhoc_run_options *options, const char *steps,
			    char *const *command, FILE *out, FILE *err)
{
	AUTO_STRV char **faults = step_list_split(steps ? steps : "");
	bool both = options->families[0] && options->families[1];
	const struct adhoc_scenario adhoc = {
		.name = "try",
		.faults = steps ? (const char *const *)faults : NULL,
		.endpoints = &options->endpoints,
		.families = options->families[0] ? options->families : NULL,
		.hostname = both && options->isolation != ISOLATION_SHARED ? HOSTNAME : NULL,
		.serve = options->serve,
		.port = options->port,
		.timeout_ns = options->timeout_ns,
		.leftover_timeout_ns = options->timeout_ns,
		.command = command,
	};
	struct run_results results = {0};
	struct scenario_file *file;
	enum exit_status status = STATUS_USAGE;
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_FREE char *fault = NULL;

	if (steps && !faults[0])
		return (enum exit_status)command_usage_error(&command_try, err,
							     "a step is needed, such as refuse");
	fault = steps ? step_list_fault(faults) : NULL;
	if (fault) {
		fprintf(err, "synfault try: %s\n", fault);
		return STATUS_USAGE;
	}
	if (options->json && observation_check_path(options->json, &diags) < 0) {
		fprintf(err, "synfault try: %s\n", diags.items[0].message);
		return STATUS_USAGE;
	}
	file = adhoc_scenario_make(&adhoc);
	if (adhoc_run_check_command("try", file, err)) {
		adhoc_run_run(options, &file, 1, options->verbose ? on_live : NULL, out, &results);
		if (options->verbose)
			fputc('\n', out);
		status = show(&results.items[0], options, steps, out, err);
	}
	results_free(&results);
	scenario_file_free(file);
	return status;
}

static int run_try(void *parsed, const struct operands *operands,
		   const struct command_context *context)
{
	const struct adhoc_run_options *options = parsed;

	if ((operands->n > 0) == (options->endpoints.n_items > 0))
		return command_usage_error(&command_try, context->err, command_try.needs);
	return (int)try(options, operands->n > 0 ? operands->items[0] : NULL, operands->client,
			context->out, context->err);
}

static const struct adhoc_run_options defaults = {.timeout_ns = TIMEOUT_NS};

static const struct option_spec try_options[] = {
	{"endpoint", 'e', "NAME=STEPS", "use STEPS at endpoint NAME (repeatable)", OPTION_CUSTOM,
	 OPTION_FIELD(struct adhoc_run_options, endpoints), .parse = inline_endpoints_parse,
	 .clear = inline_endpoints_free, .explains = true, .command_line_only = true},
	{"family", 0, "LIST", "use ipv4 (default), ipv6, or both in their order: ipv6,ipv4",
	 OPTION_CUSTOM, OPTION_FIELD(struct adhoc_run_options, families),
	 .parse = adhoc_run_parse_families},
	{"verbose", 'v', NULL, "show events live", OPTION_FLAG,
	 OPTION_FIELD(struct adhoc_run_options, verbose)},
	ADHOC_OPTIONS,
};

const struct command command_try = {
	.name = "try",
	.arguments = "[OPTION...] 'STEP, STEP...' -- CLIENT ARG...",
	.summary = "show how a client behaves under given faults",
	.description =
		"Runs the client against one endpoint that behaves as the steps say, and shows\n"
		"what the client does. In its arguments, ${server} stands for the endpoint's\n"
		"HOST:PORT (quote it for the shell), ${server.host} and ${server.port} for its\n"
		"parts. Its environment has them as SYNFAULT_SERVER, SYNFAULT_SERVER_HOST and\n"
		"SYNFAULT_SERVER_PORT. With -e there are several endpoints instead, which ${NAME}\n"
		"stands for.\n\n"
		"    synfault try 'refuse x3, accept' -- curl --retry 5 --retry-connrefused \\\n"
		"        'http://${server}/'\n",
	.options = OPTION_TABLE(try_options, .size = sizeof(defaults), .defaults = &defaults),
	.min_operands = 0,
	.max_operands = 1,
	.needs = "the steps are needed, as one text in quotes, for example 'refuse x3, accept'",
	.client = CLIENT_REQUIRED,
	.run = run_try,
};
