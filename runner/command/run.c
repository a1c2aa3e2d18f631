/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault run`: loads, runs, judges, reports. */
#include "runner/command/command.h"

#include <signal.h>

#include "common/random.h"
#include "common/text.h"
#include "runner/command/list.h"
#include "runner/command/record_dir.h"
#include "runner/command/run_options.h"
#include "runner/command/scenario_paths.h"
#include "runner/report/console.h"
#include "runner/report/junit.h"
#include "runner/report/junit_read.h"
#include "runner/schedule/last_failed.h"
#include "runner/schedule/limits.h"
#include "runner/schedule/schedule.h"

struct run {
	struct run_options *options;
	char *const *command; /* after "--", or NULL */
	struct scenario_file **files;
	size_t n_files, files_capacity;
	struct run_results results;
	int64_t started_ns;         /* CLOCK_MONOTONIC */
	size_t n_found, n_selected; /* scenarios in the files; those selected, in all shards */
	struct last_failed failed;
	struct console *console;
	FILE *err;
};

/* ---- selection ---- */

/* Adds a result, or one for each repetition. */
static void add_result(struct run *run, const struct result *template)
{
	struct run_results *results = &run->results;
	unsigned n = template->scenario && run->options->repeat > 1 ? run->options->repeat : 0;

	for (unsigned i = 0; i < MAX(n, 1U); i++) {
		struct result result = *template;

		result.number = results->n_items + 1;
		result.repetition = n ? i + 1 : 0;
		result.n_repetitions = n;
		array_append(results->items, results->n_items, results->capacity, result);
	}
}

/* Adds the file's scenarios and broken documents, in the order of their lines. */
static void add_results(struct run *run, const struct scenario_file *file)
{
	size_t s = 0, b = 0;

	while (s < file->n_scenarios || b < file->n_broken) {
		struct result result = {.file = file};

		if (b == file->n_broken || (s < file->n_scenarios &&
					    file->scenarios[s]->place.line < file->broken[b].line))
			result.scenario = file->scenarios[s++];
		else
			result.broken = &file->broken[b++];
		run->n_found++;
		if (selection_takes(&run->options->selection, result_name(&result),
				    result.scenario ? result.scenario->tags : NULL))
			add_result(run, &result);
	}
}

/* Returns whether what follows the first path, which exists, may be a client's command. */
static bool may_be_client(char *const *operands, size_t n_operands)
{
	for (size_t i = 1; i < n_operands && access(operands[0], F_OK) == 0; i++) {
		const char *dot = strrchr(operands[i], '.');

		if (access(operands[i], F_OK) < 0 && !strchr(operands[i], '/') &&
		    !(dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"))))
			return true;
	}
	return false;
}

/* Finds and loads all files. Returns false, with a message, if a path has no scenarios. */
static bool load(struct run *run, char *const *operands, size_t n_operands)
{
	AUTO_FILE_PATHS struct scenario_paths found = {0};
	bool color = color_is_wanted(run->options->outputs.console.color, run->err);

	scenario_paths_find(&found, operands, n_operands, run->err, color);
	if (found.n_errors > 0 && may_be_client(operands, n_operands))
		fprintf(run->err,
			"synfault: a scenario names its client; a command to run in place "
			"of it comes after --\n");
	for (size_t i = 0; i < found.n_paths; i++) {
		struct scenario_file *file = scenario_file_load(found.paths[i]);

		for (size_t k = 0; run->options->timeout_ns && k < file->n_scenarios; k++)
			file->scenarios[k]->timeout_ns = run->options->timeout_ns;
		array_append(run->files, run->n_files, run->files_capacity, file);
		add_results(run, file);
	}
	run->n_selected = run->results.n_items;
	return found.n_errors == 0;
}

/* Reads the times of --durations, if given. Returns false, after saying why, on an error. */
static bool read_durations(const struct run *run, struct case_durations *ret)
{
	AUTO_FREE char *message = NULL;

	if (!run->options->durations ||
	    junit_read_durations(run->options->durations, ret, &message))
		return true;
	fprintf(run->err, "synfault: --durations: %s\n", message);
	return false;
}

/* Finds the shard of each result. */
static void find_shards(const struct run *run, const struct case_durations *durations,
			size_t *numbers)
{
	const struct run_results *results = &run->results;
	AUTO_FREE struct shard_item *items = xzalloc((results->n_items + 1) * sizeof(*items));
	AUTO_STRV char **keys = xzalloc((results->n_items + 1) * sizeof(*keys));

	for (size_t i = 0; i < results->n_items; i++) {
		keys[i] = junit_key(&results->items[i]);
		numbers[i] = shard_of(keys[i], run->options->shard.count);
		items[i].key = keys[i];
		items[i].duration_ns = case_duration(durations, keys[i]);
	}
	if (run->options->durations)
		shard_balance(items, results->n_items, run->options->shard.count, numbers);
}

/* Keeps only the results for which @keep is set. */
static void keep_results(struct run_results *results, const bool *keep)
{
	size_t n = 0;

	for (size_t i = 0; i < results->n_items; i++)
		if (keep[i])
			results->items[n++] = results->items[i];
	results->n_items = n;
}

/* Keeps the results of this shard. Returns false, after saying why, if the shard is unknown. */
static bool take_shard(struct run *run)
{
	struct run_results *results = &run->results;
	AUTO_FREE size_t *numbers = xzalloc((results->n_items + 1) * sizeof(*numbers));
	AUTO_FREE bool *keep = xzalloc((results->n_items + 1) * sizeof(*keep));
	struct case_durations durations = {0};

	/* Even without shards: an unreadable report must not go unnoticed until there are some. */
	if (!read_durations(run, &durations))
		return false;
	if (run->options->shard.count > 0)
		find_shards(run, &durations, numbers);
	case_durations_free(&durations);
	if (run->options->shard.count == 0)
		return true;
	for (size_t i = 0; i < results->n_items; i++)
		keep[i] = numbers[i] == run->options->shard.number;
	keep_results(results, keep);
	return true;
}

/* Runs after the choice of the shard, to which all that failed on this machine belonged. */
static void take_failed(struct run *run)
{
	struct run_results *results = &run->results;
	AUTO_FREE bool *keep = xzalloc((results->n_items + 1) * sizeof(*keep));

	last_failed_read(&run->failed);
	if (!run->options->last_failed || run->failed.n_items == 0)
		return;
	for (size_t i = 0; i < results->n_items; i++)
		keep[i] = last_failed_has(&run->failed, &results->items[i]);
	keep_results(results, keep);
}

/* Describes the selection for the header; owned by the caller; NULL: nothing to say. */
static char *describe_selection(const struct run *run)
{
	const struct shard *shard = &run->options->shard;
	AUTO_STRBUF struct strbuf note = {0};

	if (shard->count)
		strbuf_printf(&note, "shard %zu/%zu of %zu (%s)", shard->number, shard->count,
			      run->n_selected, shard->origin);
	if (run->options->last_failed)
		strbuf_printf(&note, "%s%s", note.length ? ", " : "",
			      run->failed.n_items ? "failed last time"
						  : "no known failures: all scenarios");
	return note.length ? strbuf_steal(&note) : NULL;
}

/* ---- results ---- */

/* Escapes a name so that the glob matches it alone. */
static char *escape_glob(const char *name)
{
	struct strbuf glob = {0};

	for (const char *c = name; *c; c++) {
		if (strchr("*?[]\\", *c))
			strbuf_putc(&glob, '\\');
		strbuf_putc(&glob, *c);
	}
	return strbuf_steal(&glob);
}

static char *repeat_command(const struct run *run, const struct result *result)
{
	AUTO_FREE char *glob = escape_glob(result_name(result));
	struct strbuf command = {0};
	char timeout[DURATION_TEXT_SIZE];

	strbuf_puts(&command, "synfault run ");
	text_quote_shell(&command, result->file->path);
	strbuf_puts(&command, " --filter ");
	text_quote_shell(&command, glob);
	strbuf_printf(&command, " --seed %llu",
		      (unsigned long long)schedule_repetition_seed(run->results.seed,
								   result->repetition));
	if (run->options->timeout_ns)
		strbuf_printf(&command, " --timeout %s",
			      duration_format_exact(run->options->timeout_ns, timeout));
	if (run->options->timing_scale != 1.0)
		strbuf_printf(&command, " --timing-scale %g", run->options->timing_scale);
	if (run->options->isolation != ISOLATION_AUTO)
		strbuf_printf(&command, " --isolation %s",
			      isolation_mode_name(run->options->isolation));
	if (run->options->time != TIME_N_MODES)
		strbuf_printf(&command, " --time %s", time_mode_name(run->options->time));
	if (run->command)
		strbuf_puts(&command, " --");
	for (char *const *word = run->command; word && *word; word++) {
		strbuf_putc(&command, ' ');
		text_quote_shell(&command, *word);
	}
	return strbuf_steal(&command);
}

static void on_result(void *userdata, struct result *result)
{
	struct run *run = userdata;

	result->repeat = repeat_command(run, result);
	console_result(run->console, result, result->repeat);
}

static void on_live(void *userdata, const struct result *result, const char *line)
{
	console_live(((struct run *)userdata)->console, result, line);
}

static void on_tick(void *userdata, size_t n_done, const char *const *running, size_t n_running)
{
	struct run *run = userdata;

	console_progress(run->console, n_done, running, n_running,
			 clock_monotonic_ns() - run->started_ns);
}

static void on_status(void *userdata, size_t n_done, const struct schedule_running *running,
		      size_t n_running)
{
	struct run *run = userdata;
	AUTO_STRBUF struct strbuf text = {0};
	char seconds[REPORT_SECONDS_SIZE];

	console_clear(run->console);
	strbuf_printf(&text, "synfault: %zu running, %zu of %zu done\n", n_running, n_done,
		      run->results.n_items);
	for (size_t i = 0; i < n_running; i++) {
		const struct result *result = running[i].result;

		strbuf_printf(&text, "  %8s s  ", report_seconds(running[i].elapsed_ns, seconds));
		report_line(&text, result_path(result));
		strbuf_puts(&text, ": ");
		result_title(result, &text);
		if (result->n_earlier > 0)
			strbuf_printf(&text, ", retry %zu", result->n_earlier);
		strbuf_putc(&text, '\n');
	}
	fputs(strbuf_text(&text), run->err);
	fflush(run->err);
}

static void say_no_records(const struct run *run, int status)
{
	fprintf(run->err, "synfault: can't write records to %s: %s\n", run->options->records,
		strerror(-status));
}

static bool write_records(const struct run *run)
{
	int status = record_dir_write(run->options->records, &run->results, &run->options->shard,
				      run->n_selected);

	if (status < 0)
		say_no_records(run, status);
	return status == 0;
}

/* Writes the wanted reports. Returns false, after saying why, if one can't be written. */
static bool write_reports(struct run *run)
{
	bool written;

	/* Results that never ran have a rerun command, too. */
	for (size_t i = 0; i < run->results.n_items; i++)
		if (!run->results.items[i].repeat)
			run->results.items[i].repeat = repeat_command(run, &run->results.items[i]);
	/* Before the reports, since those name the records. */
	written = !run->options->records || write_records(run);
	return outputs_write(&run->options->outputs, &run->results, run->err) && written;
}

static void on_isolation(void *userdata, const struct isolation *isolation)
{
	struct run *run = userdata;
	const struct run_options *options = run->options;
	AUTO_FREE char *note = isolation ? isolation_note(isolation) : NULL;

	console_start(run->console, run->results.n_items,
		      options->jobs ? options->jobs : limits_default_jobs(), run->results.seed,
		      note);
}

static enum exit_status run_all(struct run *run, FILE *out)
{
	const struct run_options *options = run->options;
	AUTO_FREE char *note = describe_selection(run);
	struct schedule_config config = {
		.jobs = options->jobs ? options->jobs : limits_default_jobs(),
		.command = run->command,
		.seed = run->results.seed,
		.isolation = options->isolation,
		.time = options->time,
		.judge = {.timing_scale = options->timing_scale},
		.retry = options->retry,
		.capture = options->capture,
		.max_failures = options->max_failures,
		.global_timeout_ns = options->global_timeout_ns,
		.require = options->require,
		.on_isolation = on_isolation,
		.on_result = on_result,
		.on_tick = on_tick,
		.on_status = on_status,
		.on_live = options->outputs.console.verbose ? on_live : NULL,
		.userdata = run,
	};

	struct printing printing;

	run->options->outputs.console.note = note;
	printing = outputs_begin(&options->outputs, out);
	/* If the reader of our output goes away (`| head`), the run ends and writes its reports. */
	signal(SIGPIPE, SIG_IGN);
	run->console = printing.console;
	run->started_ns = clock_monotonic_ns();
	schedule_run(&config, &run->results);
	outputs_end(&printing, &run->results);
	last_failed_update(&run->failed, &run->results);
	last_failed_write(&run->failed);
	return results_status(&run->results);
}

/* Says that nothing is to run; returns the exit status for that. */
static enum exit_status run_nothing(const struct run *run, FILE *out)
{
	const struct run_options *options = run->options;

	if (run->n_selected > 0 && options->shard.count && !options->last_failed) {
		/* The other shards have all scenarios. */
		fprintf(out,
			"shard %zu/%zu (%s) has none of the %zu scenarios\n"
			"0 passed, 0 failed, 0 skipped\n",
			options->shard.number, options->shard.count, options->shard.origin,
			run->n_selected);
		return STATUS_PASSED;
	}
	if (run->n_found == 0)
		fprintf(run->err, "synfault: no scenario found\n");
	else if (run->n_selected > 0)
		fprintf(run->err, "synfault: none of the scenarios failed last time\n");
	else
		selection_print_none(&options->selection, "synfault", run->err);
	return options->no_tests_pass ? STATUS_PASSED : STATUS_NOTHING_RAN;
}

/* Collects what reports say about the whole run. */
static void find_facts(struct run *run)
{
	const struct run_options *options = run->options;
	struct run_metadata *facts = &run->results.facts;
	size_t n = 0;

	run_metadata_find(facts);
	facts->timing_scale = options->timing_scale;
	facts->isolation = xstrdup(isolation_mode_name(options->isolation));
	facts->time = options->time == TIME_N_MODES ? NULL : xstrdup(time_mode_name(options->time));
	facts->timeout_ns = options->timeout_ns;
	facts->retries = options->retry.retries;
	facts->flaky_fails = options->retry.flaky_fails;
	facts->require = options->require;
	while (run->command && run->command[n])
		n++;
	if (n > 0)
		facts->command = xzalloc((n + 1) * sizeof(*facts->command));
	for (size_t i = 0; i < n; i++)
		facts->command[i] = xstrdup(run->command[i]);
}

static enum exit_status execute(struct run *run, FILE *out)
{
	const struct shard *shard = &run->options->shard;
	enum exit_status status;

	find_facts(run);
	if (run->options->records)
		run->results.records = xstrdup(run->options->records);
	if (shard->count)
		run->results.shard = xasprintf("%zu/%zu", shard->number, shard->count);
	status = run->results.n_items ? run_all(run, out) : run_nothing(run, out);
	outputs_write_github(&run->options->outputs, &run->results, run->err);
	/* A run that lacks a wanted report does not pass. */
	if (!write_reports(run) && (status == STATUS_PASSED || status == STATUS_NOTHING_RAN))
		status = STATUS_UNJUDGED;
	return status;
}

/* ---- commands that run nothing ---- */

/* Prints the errors of broken documents; returns how many there are. */
static size_t show_broken(const struct run *run)
{
	size_t n_broken = 0;

	for (size_t i = 0; i < run->results.n_items; i++)
		n_broken += run->results.items[i].broken != NULL;
	for (size_t i = 0; n_broken && i < run->n_files; i++)
		scenario_paths_print_diags(
			run->files[i], run->err,
			color_is_wanted(run->options->outputs.console.color, run->err));
	return n_broken;
}

/* Lists what would run (--list), or also prints a header and their number (--dry-run). */
static enum exit_status show(const struct run *run, FILE *out)
{
	const struct run_results *results = &run->results;
	AUTO_FREE const struct scenario **scenarios =
		xzalloc((results->n_items + 1) * sizeof(const struct scenario *));
	AUTO_FREE char *note = describe_selection(run);
	size_t n_broken = show_broken(run), n = 0;
	bool dry_run = run->options->dry_run && !run->options->list;

	for (size_t i = 0; i < results->n_items; i++)
		/* List repetitions once. */
		if (results->items[i].scenario && results->items[i].repetition <= 1)
			scenarios[n++] = results->items[i].scenario;
	if (dry_run && note)
		fprintf(out, "%s\n", note);
	list_scenarios(scenarios, n, run->options->json, out);
	if (dry_run)
		fprintf(out, "%zu would run, %zu can't; nothing was run\n",
			results->n_items - n_broken, n_broken);
	if (n_broken)
		return STATUS_USAGE;
	return n ? STATUS_PASSED : run_nothing(run, run->options->json ? run->err : out);
}

/* Returns whether all reports can be written; asked before anything runs. */
static bool reports_are_possible(const struct run *run)
{
	bool possible = outputs_check(&run->options->outputs, run->err);
	AUTO_DIAG struct diag_list diags = {0};
	int status = 0;

	if (run->options->records)
		status = record_dir_make_directory(run->options->records);
	if (status < 0)
		say_no_records(run, status);
	possible = captures_prepare(&run->options->capture, &diags) == 0 && possible;
	diag_list_print(&diags, "synfault", run->err);
	return possible && status == 0;
}

static void free_run(struct run *run)
{
	results_free(&run->results);
	last_failed_free(&run->failed);
	for (size_t i = 0; i < run->n_files; i++)
		scenario_file_free(run->files[i]);
	free(run->files);
}

/* Does everything after the command line. */
static enum exit_status load_and_run(struct run *run, char *const *paths, size_t n_paths, FILE *out)
{
	const struct run_options *options = run->options;

	run->results.seed = options->seed.given ? options->seed.value : random_seed();
	if ((!options->list && !reports_are_possible(run)) || !load(run, paths, n_paths) ||
	    !take_shard(run))
		return STATUS_USAGE;
	take_failed(run);
	return options->list || options->dry_run ? show(run, out) : execute(run, out);
}

static int run_run(void *parsed, const struct operands *operands,
		   const struct command_context *context)
{
	struct run run = {.options = parsed, .command = operands->client, .err = context->err};
	AUTO_FREE char *message = NULL;
	int status;

	/* Until the run begins, a request for its progress must not kill the process. */
	signal(SIGUSR1, SIG_IGN);
	if (!run_options_complete(run.options, &message))
		return command_usage_error(&command_run, context->err, message);
	status = (int)load_and_run(&run, operands->items, (size_t)operands->n, context->out);
	free_run(&run);
	return status;
}

const struct command command_run = {
	.name = "run",
	.arguments = "[OPTION...] PATH... [-- CLIENT ARG...]",
	.summary = "run scenarios and judge the client",
	.description =
		"Runs the scenarios in the files, and in all .yaml and .yml files below the\n"
		"directories. After --: a command that replaces the client of every scenario.\n",
	.options = &run_option_table,
	.min_operands = 1,
	.max_operands = -1,
	.needs = "a scenario file or directory is needed",
	.client = CLIENT_OPTIONAL,
	.run = run_run,
};
