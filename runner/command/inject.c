/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault inject`: injects faults for a client that another process starts. */
#include "runner/command/command.h"

#include <errno.h>
#include <signal.h>

#include "common/random.h"
#include "common/text.h"
#include "runner/command/inject_options.h"
#include "runner/command/scenario_paths.h"
#include "runner/inject/netns_enter.h"
#include "runner/inject/watchdog.h"
#include "runner/report/junit.h"
#include "runner/scenario/step_list.h"
#include "runner/session/attached_judge.h"
#include "runner/session/control_socket.h"

struct inject {
	struct inject_options *options;
	const char *path;     /* of the file; NULL: there is none */
	const char *steps;    /* of the only endpoint without a file; NULL: those of the options */
	const char *scenario; /* the one to begin with, or NULL */
	struct scenario_file *file;
	const struct scenario **scenarios; /* those selected */
	size_t n_scenarios, first;         /* first: the one to begin with */
	struct isolation isolation;
	FILE *out, *err;
};

static void print_diags(const struct inject *inject, struct diag_list *diags)
{
	for (size_t i = 0; i < diags->n_items; i++)
		fprintf(inject->err, "synfault inject: %s%s%s\n", diags->items[i].message,
			diags->items[i].hint ? "; " : "",
			diags->items[i].hint ? diags->items[i].hint : "");
	diag_list_free(diags);
}

static bool names_file(const char *operand)
{
	const char *dot = strrchr(operand, '.');

	return access(operand, F_OK) == 0 || (strchr(operand, '/') && !strchr(operand, ' ')) ||
	       (dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml")));
}

/* Selects the scenarios that commands can name, and the one to begin with. */
static bool select_scenarios(struct inject *inject)
{
	const struct scenario_file *file = inject->file;

	inject->scenarios = xzalloc((file->n_scenarios + 1) * sizeof(*inject->scenarios));
	for (size_t i = 0; i < file->n_scenarios; i++)
		if (selection_takes(&inject->options->selection, file->scenarios[i]->name,
				    file->scenarios[i]->tags))
			inject->scenarios[inject->n_scenarios++] = file->scenarios[i];
	while (inject->scenario && inject->first < inject->n_scenarios &&
	       strcmp(inject->scenarios[inject->first]->name, inject->scenario) != 0)
		inject->first++;
	if (inject->n_scenarios == 0) {
		selection_print_none(&inject->options->selection, "synfault inject", inject->err);
		return false;
	}
	if (inject->first == inject->n_scenarios) {
		fprintf(inject->err, "synfault inject: there is no scenario \"%s\" in %s; there %s",
			inject->scenario, inject->file->path,
			inject->n_scenarios == 1 ? "is" : "are");
		for (size_t i = 0; i < inject->n_scenarios; i++)
			fprintf(inject->err, "%s \"%s\"", i ? "," : "", inject->scenarios[i]->name);
		fprintf(inject->err, "\n");
		return false;
	}
	return true;
}

/*
 * Decides whether the operand is a file or fault steps: what exists, or is written like a path, is
 * a file. Returns false, with a message, if the operands and options don't go together.
 */
static bool take_operands(struct inject *inject, const struct operands *operands,
			  char **ret_message)
{
	const struct inline_endpoints *endpoints = &inject->options->endpoints;
	const char *first = operands->n > 0 ? operands->items[0] : NULL;

	if (!first && endpoints->n_items == 0)
		*ret_message = xstrdup("a scenario file, fault steps, or -e NAME=STEPS is needed");
	else if (first && endpoints->n_items > 0)
		*ret_message =
			xasprintf("-e goes without a file and other steps, not with \"%s\"", first);
	else if (first && !names_file(first))
		inject->steps = first;
	else
		inject->path = first;
	if (!*ret_message && inject->steps && operands->n > 1)
		*ret_message = xasprintf("steps are one argument, with commas: '%s, %s'", first,
					 operands->items[1]);
	if (!*ret_message && inject->path && inject->options->port)
		*ret_message = xstrdup("--port goes without a file; in a file it is the "
				       "endpoint's key \"port\"");
	if (*ret_message)
		return false;
	inject->scenario = operands->n > 1 ? operands->items[1] : NULL;
	return true;
}

/* Makes a scenario of the endpoints. Returns false, after printing why, if that is impossible. */
static bool load_endpoints(struct inject *inject)
{
	struct inline_endpoints *endpoints = &inject->options->endpoints;
	AUTO_STRV char **steps = step_list_split(inject->steps ? inject->steps : "");
	AUTO_FREE char *message = inject->steps ? step_list_fault(steps) : NULL;
	const struct inline_options options = {.path = INLINE_SCENARIO_PATH};

	if (message) {
		fprintf(inject->err, "synfault inject: %s (and there is no file \"%s\")\n", message,
			inject->steps);
		return false;
	}
	if (inject->steps)
		inline_endpoints_add(endpoints, INLINE_ENDPOINT, inject->steps, 0);
	for (size_t i = 0; i < endpoints->n_items; i++)
		endpoints->items[i].port = inject->options->port;
	inject->file = inline_scenario_load(endpoints, &options, &message);
	if (!inject->file)
		fprintf(inject->err, "synfault inject: %s\n", message);
	return inject->file != NULL;
}

/* Loads the file. Returns false, after printing its errors, if it has any. */
static bool load(struct inject *inject)
{
	inject->file = scenario_file_load_attached(inject->path);
	if (inject->file->n_broken == 0)
		return true;
	scenario_paths_print_diags(inject->file, inject->err,
				   color_is_wanted(inject->options->console.color, inject->err));
	return false;
}

/* Checks what can be checked before anything changes. */
static bool is_possible(struct inject *inject)
{
	AUTO_DIAG struct diag_list diags = {0};

	if (inject->options->junit)
		(void)junit_check_path(inject->options->junit, &diags);
	if (diags.n_items == 0 && inject->options->netns)
		(void)netns_enter(inject->options->netns, &diags);
	if (diags.n_items == 0)
		return true;
	print_diags(inject, &diags);
	return false;
}

static bool open_capture(const struct inject *inject, struct packet_file *file)
{
	bool everywhere = false;
	int status;

	for (size_t i = 0; i < inject->n_scenarios; i++)
		everywhere = everywhere || scenario_has_remote(inject->scenarios[i]);
	status = packet_file_open(file, inject->options->capture, everywhere);
	if (status < 0)
		fprintf(inject->err, "synfault inject: can't write the capture to %s: %s\n",
			inject->options->capture, strerror(-status));
	return status == 0;
}

/* Returns 0, or a negative errno with a diagnostic. */
static int listen_tcp(const struct inject *inject, struct daemon_config *config,
		      struct diag_list *diags)
{
	AUTO_FREE char *bound = NULL;

	if (!inject->options->listen)
		return 0;
	config->token = control_socket_token(diags);
	if (!config->token)
		return -EINVAL;
	config->tcp_fd = control_socket_listen_tcp(inject->options->listen, diags, &bound);
	if (config->tcp_fd < 0)
		return config->tcp_fd;
	fprintf(inject->err, "synfault inject: takes commands at %s\n", bound);
	return 0;
}

static enum exit_status run(struct inject *inject)
{
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_FREE char *message = NULL, *control = NULL;
	struct packet_file capture = {.fd = -1, .spool_fd = -1};
	struct watchdog_config config = {
		.session =
			{
				.file = inject->file,
				.scenarios = inject->scenarios,
				.n_scenarios = inject->n_scenarios,
				.first = inject->first,
				.isolation = &inject->isolation,
				.seed = inject->options->seed.given ? inject->options->seed.value
								    : random_seed(),
				.judge = {.timing_scale = inject->options->timing_scale},
				.console = inject->options->console,
				.json = inject->options->json,
				.junit = inject->options->junit,
				.record = inject->options->record,
				.max_attempts = inject->options->max_attempts,
				.capture = &capture,
				.capture_size = inject->options->capture_size,
				.control_fd = -1,
				.out = inject->out,
				.err = inject->err,
			},
		.ready_fd = inject->options->ready_fd,
	};
	const struct scenario *first = inject->scenarios[inject->first];
	enum exit_status status = STATUS_UNJUDGED;
	int listening = 0;

	if (isolation_probe(ISOLATION_SHARED, &inject->isolation, &message) < 0) {
		fprintf(inject->err, "synfault inject: %s\n", message);
		return STATUS_UNJUDGED;
	}
	message = attached_obstacle(&inject->isolation, first);
	if (message)
		fprintf(inject->err, "synfault inject: \"%s\" can't run here: %s\n", first->name,
			message);
	else if (open_capture(inject, &capture) &&
		 (listening = listen_tcp(inject, &config.session, &diags)) == 0)
		config.session.control_fd =
			control_socket_listen(inject->options->control, &diags, &control);
	if (listening == -EINVAL)
		status = STATUS_USAGE;
	if (!message && config.session.control_fd >= 0) {
		config.session.control = control;
		status = watchdog_run(&config);
	}
	print_diags(inject, &diags);
	packet_file_close(&capture);
	isolation_free(&inject->isolation);
	return status;
}

static enum exit_status prepare_and_run(struct inject *inject)
{
	if (!(inject->path ? load(inject) : load_endpoints(inject)))
		return STATUS_USAGE;
	if (!select_scenarios(inject))
		return inject->n_scenarios ? STATUS_USAGE : STATUS_NOTHING_RAN;
	if (inject->options->check) {
		fprintf(inject->out, "%zu scenario%s, all fine\n", inject->n_scenarios,
			PLURAL(inject->n_scenarios));
		return STATUS_PASSED;
	}
	if (!is_possible(inject))
		return STATUS_UNJUDGED;
	/* The daemon must survive a closed pipe and a peer that has disconnected. */
	signal(SIGPIPE, SIG_IGN);
	return run(inject);
}

static int run_inject(void *parsed, const struct operands *operands,
		      const struct command_context *context)
{
	struct inject inject = {.options = parsed, .out = context->out, .err = context->err};
	AUTO_FREE char *message = NULL;
	int status = take_operands(&inject, operands, &message)
			     ? (int)prepare_and_run(&inject)
			     : command_usage_error(&command_inject, context->err, message);

	free(inject.scenarios);
	scenario_file_free(inject.file);
	return status;
}

const struct command command_inject = {
	.name = "inject",
	.arguments = "[OPTION...] FILE [SCENARIO] | STEPS | -e NAME=STEPS...",
	.summary = "inject faults for a client that another process starts",
	.description =
		"Injects a scenario's faults for a client that another process starts, until it\n"
		"is stopped (SIGINT, SIGTERM, synfault ctl stop). Then judges the attempts; it\n"
		"knows nothing of the client's process, unlike synfault run. Without a file,\n"
		"injects STEPS, such as 'refuse x2, accept', at an endpoint of its own.\n",
	.options = &inject_option_table,
	.min_operands = 0,
	.max_operands = 2,
	.needs = "one scenario file is needed, and at most the name of a scenario in it",
	.run = run_inject,
};
