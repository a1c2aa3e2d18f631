/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault exec`: runs a command whose own code injects faults. */
#include "runner/command/command.h"

#include <errno.h>

#include "common/random.h"
#include "runner/command/outputs.h"
#include "runner/command/scenario_paths.h"
#include "runner/command/select.h"
#include "runner/scenario/inline_scenario.h"
#include "runner/session/control_socket.h"
#include "runner/session/exec.h"

struct exec_options {
	struct inline_endpoints endpoints;
	struct selection selection;
	enum isolation_mode isolation;
	enum time_mode time; /* real or auto, which is the same here */
	const char *control, *listen;
	struct option_seed seed;
	double timing_scale;
	struct capture_policy capture;
	struct output_options outputs;
};

struct exec_command {
	struct exec_options *options;
	struct scenario_file *file;
	const struct scenario **scenarios;
	size_t n_scenarios, capacity;
	struct console *console;
	struct run_metadata facts;
	FILE *err;
	size_t n_shown;
};

static bool parse_time(void *field, const char *value, char **ret_message)
{
	if (strcmp(value, time_mode_name(TIME_VIRTUAL)) == 0)
		*ret_message = xstrdup("only the clock of a client that synfault itself starts can "
				       "jump; use synfault run");
	else if (strcmp(value, time_mode_name(TIME_REAL)) == 0)
		*(enum time_mode *)field = TIME_REAL;
	else if (strcmp(value, time_mode_name(TIME_AUTO)) == 0)
		*(enum time_mode *)field = TIME_AUTO;
	else
		*ret_message = xstrdup("real or auto is expected");
	return !*ret_message;
}

#define TO(member) OPTION_FIELD(struct exec_options, member)
static const struct option_spec rows[] = {
	{"endpoint", 'e', "NAME=STEPS", "inject STEPS at an endpoint from the start (repeatable)",
	 OPTION_CUSTOM, TO(endpoints), .parse = inline_endpoints_parse,
	 .clear = inline_endpoints_free, .explains = true, .command_line_only = true},
	OPTION_ROW_FILTER(struct exec_options),
	OPTION_ROW_ISOLATION(struct exec_options, isolation),
	/* Without a variable: SYNFAULT_TIME=virtual is meant for runs beside it. */
	{"time", 0, "MODE", "run in real time, the only one possible here: real or auto",
	 OPTION_CUSTOM, TO(time), .parse = parse_time, .explains = true, .command_line_only = true},
	{"control", 0, "PATH", "take commands on this socket (default: see docs/inject.md)",
	 OPTION_STRING, TO(control), .command_line_only = true},
	{"listen", 0, "ADDRESS",
	 "take commands over TCP, too: PORT on 127.0.0.1, or HOST:PORT; needs a secret in "
	 "SYNFAULT_TOKEN",
	 OPTION_STRING, TO(listen), .command_line_only = true},
	OPTION_ROW_SEED(struct exec_options, seed),
	OPTION_ROW_TIMING_SCALE(struct exec_options, timing_scale,
				"multiply all timing tolerances by F"),
	OUTPUT_OPTIONS(struct exec_options),
	{"capture", 0, "WHEN",
	 "capture packets: never (default), failed (of what does not pass) or always",
	 OPTION_CHOICE, TO(capture.mode), .words = "never failed always"},
	{"capture-dir", 0, "DIR", "write captures to this directory (default: ./captures)",
	 OPTION_FILE, TO(capture.directory)},
	{"capture-size", 0, "SIZE", "keep at most SIZE bytes of packets each (default: 16M)",
	 OPTION_SIZE, TO(capture.size), CAPTURE_MIN_SIZE, CAPTURE_MAX_SIZE},
	OPTION_ROW_COLOR(struct exec_options, outputs.console.color),
	{"verbose", 'v', NULL, "show all sessions at the end, not only those that failed unnoticed",
	 OPTION_FLAG, TO(outputs.console.verbose)},
	OPTION_ROW_HELP,
};

/* ---- in the sandbox ---- */

static void on_result(void *userdata, const struct result *result, bool checked)
{
	struct exec_command *self = userdata;

	/* Whoever asked for the judgement shows it; standard output belongs to the command. */
	if (!self->options->outputs.console.verbose &&
	    (checked || result_outcome(result) == OUTCOME_PASS))
		return;
	if (!self->console)
		self->console = console_new(self->err, &self->options->outputs.console);
	console_result(self->console, result, NULL);
	self->n_shown++;
}

static bool on_end(void *userdata, struct run_results *results)
{
	struct exec_command *self = userdata;

	results->facts = self->facts;
	if (self->console) {
		console_summary(self->console, results);
		console_free(self->console);
	}
	return outputs_write(&self->options->outputs, results, self->err);
}

/* ---- before ---- */

/* Finds the sessions to open. Returns false, after saying why, if there is an error. */
static bool load(struct exec_command *self, const char *path)
{
	const struct inline_endpoints *endpoints = &self->options->endpoints;
	const struct inline_options from_command_line = {.path = INLINE_SCENARIO_PATH,
							 .proves = true};
	AUTO_FREE char *message = NULL;

	if (path) {
		self->file = scenario_file_load_attached(path);
		if (self->file->n_broken > 0) {
			scenario_paths_print_diags(
				self->file, self->err,
				color_is_wanted(self->options->outputs.console.color, self->err));
			return false;
		}
	} else if (endpoints->n_items > 0) {
		self->file = inline_scenario_load(endpoints, &from_command_line, &message);
		if (!self->file) {
			fprintf(self->err, "synfault exec: %s\n", message);
			return false;
		}
	}
	for (size_t i = 0; self->file && i < self->file->n_scenarios; i++) {
		const struct scenario *scenario = self->file->scenarios[i];

		if (!path ||
		    selection_takes(&self->options->selection, scenario->name, scenario->tags))
			array_append(self->scenarios, self->n_scenarios, self->capacity, scenario);
	}
	if (path && self->n_scenarios == 0)
		selection_print_none(&self->options->selection, "synfault exec", self->err);
	return !path || self->n_scenarios > 0;
}

static bool has_endpoint(const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		if (strcmp(scenario->endpoints[i].name, name) == 0)
			return true;
	return false;
}

/* The command finds endpoints by their names, so no two sessions may have the same. */
static bool names_differ(const struct exec_command *self)
{
	for (size_t i = 0; i < self->n_scenarios; i++)
		for (size_t k = 0; k < i; k++)
			for (size_t e = 0; e < self->scenarios[i]->n_endpoints; e++)
				if (has_endpoint(self->scenarios[k],
						 self->scenarios[i]->endpoints[e].name)) {
					fprintf(self->err,
						"synfault exec: \"%s\" and \"%s\" both have an "
						"endpoint %s; choose scenarios with --filter\n",
						self->scenarios[k]->name, self->scenarios[i]->name,
						self->scenarios[i]->endpoints[e].name);
					return false;
				}
	return true;
}

static bool reports_are_possible(const struct exec_command *self)
{
	AUTO_DIAG struct diag_list diags = {0};
	bool possible = outputs_check(&self->options->outputs, self->err);

	possible = captures_prepare(&self->options->capture, &diags) == 0 && possible;
	diag_list_print(&diags, "synfault exec", self->err);
	return possible;
}

/* The command may change to another directory. */
static char *absolute(const char *path)
{
	AUTO_FREE char *directory = path[0] == '/' ? NULL : getcwd(NULL, 0);

	return directory ? xasprintf("%s/%s", directory, path) : xstrdup(path);
}

/* Returns 0, or an exit status after saying why that is impossible. */
static int listen_tcp(const struct exec_command *self, struct exec_config *config)
{
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_FREE char *bound = NULL;
	int status = -EINVAL;

	if (!self->options->listen)
		return 0;
	/* From another network namespace, no endpoint of a private sandbox would be reached. */
	config->isolation = ISOLATION_SHARED;
	config->token = control_socket_token(&diags);
	if (config->token)
		status = control_socket_listen_tcp(self->options->listen, &diags, &bound);
	if (status == -EINVAL)
		return command_usage_error(&command_exec, self->err, diags.items[0].message);
	if (status < 0) {
		fprintf(self->err, "synfault exec: %s\n", diags.items[0].message);
		return EXEC_FAILED;
	}
	config->tcp_fd = status;
	fprintf(self->err, "synfault exec: takes commands at %s\n", bound);
	return 0;
}

static int run(struct exec_command *self, char *const *command)
{
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_FREE char *given = NULL, *control = NULL;
	struct exec_config config = {
		.isolation = self->options->isolation,
		.command = command,
		.file = self->file,
		.scenarios = self->scenarios,
		.n_scenarios = self->n_scenarios,
		.seed = self->options->seed.given ? self->options->seed.value : random_seed(),
		.judge = {.timing_scale = self->options->timing_scale},
		.capture = self->options->capture,
		.err = self->err,
		.on_result = on_result,
		.on_end = on_end,
		.userdata = self,
	};
	int status = listen_tcp(self, &config);

	if (status)
		return status;
	config.control_fd = control_socket_listen(self->options->control, &diags, &given);
	if (config.control_fd < 0) {
		fprintf(self->err, "synfault exec: %s; %s\n", diags.items[0].message,
			diags.items[0].hint);
		return EXEC_FAILED;
	}
	control = absolute(given);
	config.control = control;
	run_metadata_find(&self->facts);
	self->facts.timing_scale = self->options->timing_scale;
	self->facts.isolation = xstrdup(isolation_mode_name(config.isolation));
	return exec_run(&config);
}

static int run_exec(void *parsed, const struct operands *operands,
		    const struct command_context *context)
{
	struct exec_command self = {.options = parsed, .err = context->err};
	const char *path = operands->n > 0 ? operands->items[0] : NULL;
	int status = STATUS_USAGE;

	captures_complete(&self.options->capture, "captures");
	if (path && self.options->endpoints.n_items > 0)
		command_usage_error(&command_exec, context->err, "-e goes without a file");
	else if (self.options->listen && self.options->isolation == ISOLATION_PRIVATE)
		command_usage_error(&command_exec, context->err,
				    "--listen goes with --isolation shared: nothing outside "
				    "reaches the endpoints of a private sandbox");
	else if (load(&self, path) && names_differ(&self) && reports_are_possible(&self))
		status = run(&self, operands->client);
	scenario_file_free(self.file);
	free(self.scenarios);
	run_metadata_free(&self.facts);
	return status;
}

static const struct exec_options defaults = {
	.timing_scale = 1,
	.capture = {.mode = CAPTURE_N_MODES, .size = CAPTURE_DEFAULT_SIZE},
	.outputs.console.failures = FAILURES_IMMEDIATE,
};

const struct command command_exec = {
	.name = "exec",
	.arguments = "[OPTION...] [FILE] -- COMMAND ARG...",
	.summary = "run a command that injects faults from its own code",
	.description =
		"Runs a command, such as a test runner, in a sandbox. There it can open sessions\n"
		"with faults of their own (docs/protocol.md); SYNFAULT_CONTROL names the socket.\n"
		"Scenarios of FILE, or endpoints of -e, are armed before the command starts, and\n"
		"their addresses are in its environment: SYNFAULT_API for an endpoint api.\n",
	.options = OPTION_TABLE(rows, .size = sizeof(defaults), .defaults = &defaults),
	.min_operands = 0,
	.max_operands = 1,
	.needs = "at most one scenario file is expected before --",
	.client = CLIENT_REQUIRED,
	.run = run_exec,
};
