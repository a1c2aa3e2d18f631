/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault inject`: see inject.h. */
#include "runner/command/inject.h"

#include <signal.h>

#include "runner/command/inject_options.h"
#include "runner/command/scenario_paths.h"
#include "runner/inject/control_socket.h"
#include "runner/inject/netns_enter.h"
#include "runner/inject/watchdog.h"
#include "runner/report/junit.h"

struct inject {
	struct inject_options options;
	const char *path;     /* of the file */
	const char *scenario; /* the one to begin with, or NULL */
	struct scenario_file *file;
	const struct scenario **scenarios; /* those selected */
	size_t n_scenarios, first;         /* first: the one to begin with */
	struct isolation isolation;
	FILE *out, *err;
};

static void print_help(FILE *out)
{
	AUTO_STRBUF struct strbuf text = {0};

	options_help(inject_option_table.specs, inject_option_table.n_specs, &text);
	fprintf(out,
		"Usage: synfault inject [OPTION...] FILE [SCENARIO]\n\n"
		"Injects a scenario's faults for a client that somebody else starts, until it is\n"
		"told to stop (SIGINT, SIGTERM, synfault ctl stop); then judges what can be "
		"judged\n"
		"without owning the client.\n\n%s"
		"\nEach is also an environment variable, SYNFAULT_NETNS for --netns; what is given "
		"here\ncounts more.\n",
		strbuf_text(&text));
}

static void print_diags(const struct inject *inject, struct diag_list *diags)
{
	for (size_t i = 0; i < diags->n_items; i++)
		fprintf(inject->err, "synfault inject: %s%s%s\n", diags->items[i].message,
			diags->items[i].hint ? "; " : "",
			diags->items[i].hint ? diags->items[i].hint : "");
	diag_list_free(diags);
}

/* The scenarios that orders can name, and the one to begin with. */
static bool select_scenarios(struct inject *inject)
{
	const struct scenario_file *file = inject->file;

	inject->scenarios = xzalloc((file->n_scenarios + 1) * sizeof(*inject->scenarios));
	for (size_t i = 0; i < file->n_scenarios; i++)
		if (selection_takes(&inject->options.selection, file->scenarios[i]->name,
				    file->scenarios[i]->tags))
			inject->scenarios[inject->n_scenarios++] = file->scenarios[i];
	while (inject->scenario && inject->first < inject->n_scenarios &&
	       strcmp(inject->scenarios[inject->first]->name, inject->scenario) != 0)
		inject->first++;
	if (inject->n_scenarios == 0) {
		fprintf(inject->err, "synfault inject: no scenario is selected by --filter\n");
		return false;
	}
	if (inject->first == inject->n_scenarios) {
		fprintf(inject->err, "synfault inject: there is no scenario \"%s\" in %s; there %s",
			inject->scenario, inject->path, inject->n_scenarios == 1 ? "is" : "are");
		for (size_t i = 0; i < inject->n_scenarios; i++)
			fprintf(inject->err, "%s \"%s\"", i ? "," : "", inject->scenarios[i]->name);
		fprintf(inject->err, "\n");
		return false;
	}
	return true;
}

/* Loads the file. Returns false, having said why, when it is not right. */
static bool load(struct inject *inject)
{
	inject->file = scenario_file_load_attached(inject->path);
	if (inject->file->n_broken == 0)
		return true;
	scenario_paths_print_diags(inject->file, inject->err,
				   color_is_wanted(inject->options.console.color, inject->err));
	return false;
}

/* What can be found out before anything is changed. */
static bool is_possible(struct inject *inject)
{
	AUTO_DIAG struct diag_list diags = {0};

	if (inject->options.junit)
		(void)junit_check_path(inject->options.junit, &diags);
	if (diags.n_items == 0 && inject->options.netns)
		(void)netns_enter(inject->options.netns, &diags);
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
	status = packet_file_open(file, inject->options.capture, everywhere);
	if (status < 0)
		fprintf(inject->err, "synfault inject: can't write the capture to %s: %s\n",
			inject->options.capture, strerror(-status));
	return status == 0;
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
				.seed = inject->options.seed,
				.judge = {.timing_scale = inject->options.timing_scale},
				.console = inject->options.console,
				.json = inject->options.json,
				.junit = inject->options.junit,
				.record = inject->options.record,
				.most_attempts = inject->options.most_attempts,
				.capture = &capture,
				.capture_size = inject->options.capture_size,
				.control_fd = -1,
				.out = inject->out,
				.err = inject->err,
			},
		.ready_fd = inject->options.ready_fd,
	};
	const struct scenario *first = inject->scenarios[inject->first];
	enum exit_status status = STATUS_UNJUDGED;

	if (isolation_probe(ISOLATION_SHARED, &inject->isolation, &message) < 0) {
		fprintf(inject->err, "synfault inject: %s\n", message);
		return STATUS_UNJUDGED;
	}
	message = isolation_obstacle(&inject->isolation, first);
	if (message)
		fprintf(inject->err, "synfault inject: \"%s\" can't run here: %s\n", first->name,
			message);
	else if (open_capture(inject, &capture))
		config.session.control_fd =
			control_socket_listen(inject->options.control, &diags, &control);
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
	if (!load(inject))
		return STATUS_USAGE;
	if (!select_scenarios(inject))
		return inject->n_scenarios ? STATUS_USAGE : STATUS_NOTHING_RAN;
	if (inject->options.check) {
		fprintf(inject->out, "%zu scenario%s, all fine\n", inject->n_scenarios,
			inject->n_scenarios == 1 ? "" : "s");
		return STATUS_PASSED;
	}
	if (!is_possible(inject))
		return STATUS_UNJUDGED;
	/* A reader of what is printed, or a peer, that is gone ends nothing. */
	signal(SIGPIPE, SIG_IGN);
	return run(inject);
}

int command_inject(int argc, char **argv, FILE *out, FILE *err)
{
	struct inject inject = {.out = out, .err = err};
	AUTO_FREE char *message = NULL;
	enum exit_status status = STATUS_USAGE;
	int n_operands = 0;
	char **rest = NULL;

	if (inject_options_parse(argc, argv, &inject.options, &n_operands, &rest, &message) &&
	    !inject.options.help) {
		if (rest)
			message = xstrdup("takes no client: it is somebody else who starts it; "
					  "synfault run starts one");
		else if (n_operands < 1)
			message = xstrdup("a scenario file is missing");
		else if (n_operands > 2)
			message = xstrdup("takes one file, and the name of one scenario in it");
	}
	if (message) {
		fprintf(err, "synfault inject: %s\nTry 'synfault inject --help'.\n", message);
	} else if (inject.options.help) {
		print_help(out);
		status = STATUS_PASSED;
	} else {
		inject.path = argv[0];
		inject.scenario = n_operands > 1 ? argv[1] : NULL;
		status = prepare_and_run(&inject);
	}
	free(inject.scenarios);
	scenario_file_free(inject.file);
	inject_options_free(&inject.options);
	return (int)status;
}
