/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault run`: loads, runs, judges, reports. */
#include "runner/command/run.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "common/random.h"
#include "common/text.h"
#include "runner/command/files.h"
#include "runner/command/schedule.h"
#include "runner/report/console.h"
#include "runner/report/junit.h"

struct run_options {
	size_t jobs;
	const char *junit;
	const char *records;
	const char *filter;
	uint64_t seed;
	bool seed_given, help;
	double timing_scale;
	enum isolation_mode isolation;
	struct console_options console;
};

/* ---- options ---- */

static bool apply_jobs(void *options, const char *value, char **ret_message)
{
	int64_t jobs;

	if (!option_number(value, 1, 100000, &jobs)) {
		*ret_message = xstrdup("a number from 1 to 100000 is expected");
		return false;
	}
	((struct run_options *)options)->jobs = (size_t)jobs;
	return true;
}

static bool apply_junit(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->junit = value;
	return true;
}

static bool apply_records(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->records = value;
	return true;
}

static bool apply_filter(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->filter = value;
	return true;
}

static bool apply_seed(void *options, const char *value, char **ret_message)
{
	struct run_options *run = options;
	char *end;

	errno = 0;
	run->seed = strtoull(value, &end, 0);
	run->seed_given = true;
	if (!errno && end != value && !*end && value[0] != '-')
		return true;
	*ret_message = xstrdup("a number such as 0x1f or 17 is expected");
	return false;
}

static bool apply_timing_scale(void *options, const char *value, char **ret_message)
{
	if (option_decimal(value, 0.01, 1000, &((struct run_options *)options)->timing_scale))
		return true;
	*ret_message = xstrdup("a factor from 0.01 to 1000 is expected");
	return false;
}

static bool apply_isolation(void *options, const char *value, char **ret_message)
{
	for (int mode = 0; mode < ISOLATION_N_MODES; mode++) {
		if (strcmp(value, isolation_mode_name((enum isolation_mode)mode)) != 0)
			continue;
		((struct run_options *)options)->isolation = (enum isolation_mode)mode;
		return true;
	}
	*ret_message = xstrdup("auto, private or shared is expected");
	return false;
}

static bool apply_color(void *options, const char *value, char **ret_message)
{
	return option_color(value, &((struct run_options *)options)->console.color, ret_message);
}

static bool apply_verbose(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->console.verbose = true;
	return true;
}

static bool apply_quiet(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->console.quiet = true;
	return true;
}

static bool apply_help(void *options, const char *value, char **ret_message)
{
	((struct run_options *)options)->help = true;
	return true;
}

static const struct option_spec run_options[] = {
	{"jobs", 'j', "N", "scenarios at once (default: as many as fit, at most 256)", apply_jobs},
	{"filter", 'f', "GLOB", "only scenarios whose name matches", apply_filter},
	{"isolation", 0, "HOW", "private or shared namespaces, or auto (docs/isolation.md)",
	 apply_isolation},
	{"junit", 0, "FILE", "write a JUnit XML report", apply_junit},
	{"records", 0, "DIR", "write each scenario's record there, as JSON", apply_records},
	{"seed", 0, "N", "seed of everything that is drawn (default: a new one)", apply_seed},
	{"timing-scale", 0, "F", "multiply all tolerances of time by F", apply_timing_scale},
	{"color", 0, "WHEN", "auto, always or never", apply_color},
	{"verbose", 'v', NULL, "show the attempts of passed scenarios too", apply_verbose},
	{"quiet", 'q', NULL, "show failures and the summary only", apply_quiet},
	{"help", 'h', NULL, "show this help", apply_help},
};

void command_run_help(struct strbuf *out)
{
	options_help(run_options, ARRAY_SIZE(run_options), out);
}

/* ---- loading ---- */

struct run {
	struct run_options options;
	char *const *command; /* after "--", or NULL */
	struct scenario_file **files;
	size_t n_files, files_capacity;
	struct run_results results;
	struct console *console;
	FILE *err;
};

static bool is_selected(const struct run *run, const char *name)
{
	return !run->options.filter || fnmatch(run->options.filter, name, 0) == 0;
}

/* The file's scenarios and broken documents, in the order of their lines. */
static void add_results(struct run *run, const struct scenario_file *file)
{
	struct run_results *results = &run->results;
	size_t s = 0, b = 0;

	while (s < file->n_scenarios || b < file->n_broken) {
		struct result result = {.file = file};

		if (b == file->n_broken || (s < file->n_scenarios &&
					    file->scenarios[s]->place.line < file->broken[b].line))
			result.scenario = file->scenarios[s++];
		else
			result.broken = &file->broken[b++];
		if (is_selected(run, result_name(&result)))
			array_append(results->items, results->n_items, results->capacity, result);
	}
}

/* Finds and loads all files. Returns false, having said why, when a path stands for nothing. */
static bool load(struct run *run, char *const *operands, size_t n_operands)
{
	AUTO_FILE_PATHS struct file_paths found = {0};
	bool color = color_is_wanted(run->options.console.color, run->err);

	file_paths_find(&found, operands, n_operands, run->err, color);
	for (size_t i = 0; i < found.n_paths; i++) {
		struct scenario_file *file = scenario_file_load(found.paths[i]);

		array_append(run->files, run->n_files, run->files_capacity, file);
		add_results(run, file);
	}
	return found.n_errors == 0;
}

/* ---- results ---- */

/* A name as a glob that matches it alone. */
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

	strbuf_puts(&command, "synfault run ");
	text_quote_shell(&command, result->file->path);
	strbuf_puts(&command, " --filter ");
	text_quote_shell(&command, glob);
	strbuf_printf(&command, " --seed %llu", (unsigned long long)run->results.seed);
	if (run->options.timing_scale != 1.0)
		strbuf_printf(&command, " --timing-scale %g", run->options.timing_scale);
	if (run->options.isolation != ISOLATION_AUTO)
		strbuf_printf(&command, " --isolation %s",
			      isolation_mode_name(run->options.isolation));
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
	AUTO_FREE char *repeat = repeat_command(run, result);

	console_result(run->console, result, repeat);
}

static void on_tick(void *userdata, size_t n_done, const char *const *running, size_t n_running)
{
	struct run *run = userdata;

	console_progress(run->console, n_done, running, n_running,
			 clock_realtime_ns() - run->results.started_realtime_ns);
}

/* DIR/<number>.json, numbered as the scenarios are: names are no file names. */
static int write_record(const char *directory, size_t number, const struct record *record)
{
	AUTO_FREE char *path = xasprintf("%s/%04zu.json", directory, number);
	AUTO_FREE char *text = NULL;
	AUTO_CLOSE int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
	size_t length, done = 0;

	if (fd < 0)
		return -errno;
	text = record_write_json(record, &length);
	while (done < length) {
		ssize_t written = write(fd, text + done, length - done);

		if (written < 0)
			return -errno;
		done += (size_t)written;
	}
	return close(steal_fd(&fd)) < 0 ? -errno : 0;
}

static void say_no_records(const struct run *run, int status)
{
	fprintf(run->err, "synfault: can't write records to %s: %s\n", run->options.records,
		strerror(-status));
}

static bool write_records(const struct run *run)
{
	int status = 0;

	for (size_t i = 0; !status && i < run->results.n_items; i++)
		if (run->results.items[i].record)
			status = write_record(run->options.records, i + 1,
					      run->results.items[i].record);
	if (status < 0)
		say_no_records(run, status);
	return status == 0;
}

/* Writes what was asked for. Returns false, having said why, when something could not be. */
static bool write_reports(const struct run *run)
{
	AUTO_DIAG struct diag_list diags = {0};
	bool written = true;

	if (run->options.junit && junit_write(&run->results, run->options.junit, &diags) < 0) {
		written = false;
		for (size_t i = 0; i < diags.n_items; i++)
			fprintf(run->err, "synfault: %s\n", diags.items[i].message);
	}
	if (run->options.records && !write_records(run))
		written = false;
	return written;
}

static enum exit_status decide_status(const struct run_results *results)
{
	struct outcome_counts counts = results_count(results);
	bool broken = false;

	for (size_t i = 0; i < results->n_items; i++)
		broken = broken || results->items[i].broken;
	if (results->interrupted)
		return STATUS_INTERRUPTED;
	if (counts.by_outcome[OUTCOME_FAIL])
		return STATUS_FAILED;
	if (broken)
		return STATUS_USAGE;
	if (counts.by_outcome[OUTCOME_ERROR])
		return STATUS_UNJUDGED;
	return counts.by_outcome[OUTCOME_PASS] ? STATUS_PASSED : STATUS_NOTHING_RAN;
}

static enum exit_status execute(struct run *run, FILE *out)
{
	struct schedule_config config = {
		.jobs = run->options.jobs ? run->options.jobs : schedule_default_jobs(),
		.command = run->command,
		.seed = run->results.seed,
		.isolation = run->options.isolation,
		.judge = {.timing_scale = run->options.timing_scale},
		.on_result = on_result,
		.on_tick = on_tick,
		.userdata = run,
	};
	enum exit_status status;

	run->console = console_new(out, &run->options.console);
	console_start(run->console, run->results.n_items, config.jobs, run->results.seed);
	schedule_run(&config, &run->results);
	console_summary(run->console, &run->results);
	console_free(run->console);
	status = decide_status(&run->results);
	/* A result that nobody can read is none. */
	if (!write_reports(run) && (status == STATUS_PASSED || status == STATUS_NOTHING_RAN))
		status = STATUS_UNJUDGED;
	return status;
}

/* Makes the directory for records. Returns 0 or a negative errno. */
static int make_records_directory(const char *directory)
{
	struct stat status;

	if (mkdir(directory, 0777) == 0)
		return 0;
	if (errno != EEXIST || stat(directory, &status) < 0)
		return -errno;
	if (!S_ISDIR(status.st_mode))
		return -ENOTDIR;
	return access(directory, W_OK | X_OK) < 0 ? -errno : 0;
}

/* Whether reports can be written is found out before anything runs. */
static bool reports_are_possible(const struct run *run)
{
	AUTO_DIAG struct diag_list diags = {0};
	int status = 0;

	if (run->options.junit)
		junit_check_path(run->options.junit, &diags);
	for (size_t i = 0; i < diags.n_items; i++)
		fprintf(run->err, "synfault: %s\n", diags.items[i].message);
	if (run->options.records)
		status = make_records_directory(run->options.records);
	if (status < 0)
		say_no_records(run, status);
	return diags.n_items == 0 && status == 0;
}

static enum exit_status usage_error(FILE *err, const char *message)
{
	fprintf(err, "synfault run: %s\nTry 'synfault run --help'.\n", message);
	return STATUS_USAGE;
}

static void print_help(FILE *out)
{
	AUTO_STRBUF struct strbuf text = {0};

	strbuf_puts(
		&text,
		"Usage: synfault run [OPTION...] PATH... [-- CLIENT ARG...]\n\n"
		"Runs the scenarios in the files, and in all .yaml and .yml files below the\n"
		"directories. After --: a command that replaces the client of every scenario.\n\n");
	command_run_help(&text);
	fputs(strbuf_text(&text), out);
}

int command_run(int argc, char **argv, FILE *out, FILE *err)
{
	struct run run = {.options = {.timing_scale = 1.0}, .err = err};
	AUTO_FREE char *message = NULL;
	int n_operands, status;
	char **rest;

	if (!options_parse(run_options, ARRAY_SIZE(run_options), argc, argv, &run.options,
			   &n_operands, &rest, &message))
		return usage_error(err, message);
	if (run.options.help) {
		print_help(out);
		return STATUS_PASSED;
	}
	if (n_operands == 0)
		return usage_error(err, "a scenario file or directory is needed");
	if (rest && !*rest)
		return usage_error(err, "a client command is needed after --");
	run.command = rest;
	run.results.seed = run.options.seed_given ? run.options.seed : random_seed();
	if (!reports_are_possible(&run) || !load(&run, argv, (size_t)n_operands)) {
		status = STATUS_USAGE;
	} else if (run.results.n_items == 0) {
		fprintf(err, "synfault: no scenario %s%s\n",
			run.options.filter ? "has a name that matches " : "was found",
			run.options.filter ? run.options.filter : "");
		status = STATUS_NOTHING_RAN;
	} else {
		status = (int)execute(&run, out);
	}
	results_free(&run.results);
	for (size_t i = 0; i < run.n_files; i++)
		scenario_file_free(run.files[i]);
	free(run.files);
	return status;
}
