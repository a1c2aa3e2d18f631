/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault record`: records a client's behavior as scenarios. */
#include "runner/command/command.h"

#include "common/duration.h"
#include "common/text.h"
#include "runner/command/adhoc_run.h"
#include "runner/observe/baseline.h"
#include "runner/observe/observation.h"
#include "runner/observe/outliers.h"
#include "runner/report/file.h"
#include "runner/scenario/step_list.h"
#include "runner/scenario/utf8.h"
#include "runner/schedule/retry.h"

#include <unistd.h>

#define TIMEOUT_NS   (30 * NS_PER_S)
#define DEFAULT_RUNS 3
#define HOSTNAME     "server.test"
/* All of it takes at most this many times as long as the longest run, but may take this long. */
#define BUDGET_FACTOR   3
#define LEAST_BUDGET_NS (20 * NS_PER_S)

struct recording {
	const struct adhoc_run_options *options;
	char *const *command;
	FILE *out, *err;

	int64_t begun_ns; /* CLOCK_MONOTONIC */
	size_t n_runs;
	struct scenario_file **files; /* by item, then by run */
	struct run_results results;   /* as files */
	struct observed *observed;    /* as files; empty if it was not observed */
	char **obstacles;             /* by item; NULL: observed in all runs */
	bool *seen;                   /* by item */
	int64_t *usual_ns; /* by item; when most of its first runs gave up; 0: all alike */
	bool *doubtful;    /* as files; the machine may have distorted it */
	bool open;         /* unknown whether the machine or the client makes runs differ */
};

/* Checks that the file can hold the command: scenario files are UTF-8. */
static bool check_texts(const struct recording *recording)
{
	struct utf8_error error;

	for (size_t i = 0; recording->command[i]; i++) {
		const char *word = recording->command[i];

		if (utf8_check(word, strlen(word), &error) == 0)
			continue;
		fprintf(recording->err,
			"synfault record: argument %zu of the client is not UTF-8, which a "
			"scenario "
			"file can't hold; leave out -o\n",
			i);
		return false;
	}
	return true;
}

static struct scenario_file *make_file(const struct recording *recording,
				       const struct standard_fault *item)
{
	static const char *const dual[] = {"ipv6", "ipv4", NULL};
	AUTO_STRV char **faults = step_list_split(item->faults);

	return adhoc_scenario_make(&(struct adhoc_scenario){
		.name = item->name,
		.faults = (const char *const *)faults,
		.families = item->dual ? dual : NULL,
		.hostname = item->dual ? HOSTNAME : NULL,
		.serve = recording->options->serve,
		.port = recording->options->port,
		.timeout_ns = recording->options->timeout_ns,
		.leftover_timeout_ns = recording->options->timeout_ns,
		.command = recording->command,
	});
}

static void forget_item(struct recording *recording, size_t item)
{
	for (size_t run = 0; run < recording->n_runs; run++)
		observed_free(&recording->observed[item * recording->n_runs + run]);
	free(recording->obstacles[item]);
	recording->obstacles[item] = NULL;
}

/* Says why a run shows nothing, as adhoc_run_obstacle() does, also if it could not be made. */
static char *find_obstacle(const struct recording *recording, size_t i)
{
	const struct scenario_file *file = recording->files[i];

	if (file->n_scenarios == 1)
		return adhoc_run_obstacle(&recording->results.items[i]);
	return xstrdup(file->diags.n_items > 0 ? file->diags.items[0].message
					       : "no client can meet this fault here");
}

/*
 * Counts the usual time of the first runs beside those that replaced them: a client that draws its
 * time may draw it alike the second time.
 */
static void recall_usual(struct recording *recording, size_t item)
{
	struct observed *run = &recording->observed[item * recording->n_runs];

	if (!recording->usual_ns[item] || run->n_abandoned == 0)
		return;
	run->shortest_ns = MIN(run->shortest_ns, recording->usual_ns[item]);
	run->longest_ns = MAX(run->longest_ns, recording->usual_ns[item]);
}

static void observe_item(struct recording *recording, size_t item)
{
	forget_item(recording, item);
	for (size_t run = 0; run < recording->n_runs; run++) {
		size_t i = item * recording->n_runs + run;

		if (!recording->obstacles[item])
			recording->obstacles[item] = find_obstacle(recording, i);
	}
	recording->seen[item] = !recording->obstacles[item];
	for (size_t run = 0; recording->seen[item] && run < recording->n_runs; run++) {
		size_t i = item * recording->n_runs + run;

		recording->observed[i] = observe_followed(recording->results.items[i].record,
							  recording->options->timeout_ns);
	}
	if (recording->seen[item])
		recall_usual(recording, item);
}

/* ---- a slow machine ---- */

/* Returns whether something hindered this run that did not hinder others: it may be seen yet. */
static bool may_be_seen_yet(const struct recording *recording, size_t i)
{
	AUTO_FREE char *obstacle = adhoc_run_obstacle(&recording->results.items[i]);
	bool any_seen = false;

	for (size_t item = 0; item < n_standard_faults; item++)
		any_seen |= recording->seen[item];
	return obstacle && any_seen && !recording->results.interrupted &&
	       recording->files[i]->n_scenarios == 1;
}

/* Marks doubtful runs. Returns how many there are. */
static size_t find_doubts(struct recording *recording)
{
	size_t n = 0;

	for (size_t item = 0; item < n_standard_faults; item++)
		observe_item(recording, item);
	recording->open = outliers_find(recording->observed, recording->n_runs, recording->seen,
					recording->doubtful);
	for (size_t i = 0; i < n_standard_faults * recording->n_runs; i++) {
		AUTO_FREE char *disturbance = NULL;

		if (recording->seen[i / recording->n_runs])
			disturbance = adhoc_run_disturbance(&recording->results.items[i]);
		else
			recording->doubtful[i] = may_be_seen_yet(recording, i);
		recording->doubtful[i] |= disturbance != NULL;
		n += recording->doubtful[i];
	}
	return n;
}

/*
 * Also doubts all runs of a fault in which the client gave up unsteadily. Returns how many runs are
 * in doubt.
 */
static size_t doubt_unsteady(struct recording *recording, size_t n)
{
	for (size_t item = 0; item < n_standard_faults; item++) {
		const size_t first = item * recording->n_runs;
		struct observed *runs = &recording->observed[first];
		int64_t usual_ns;

		if (!recording->seen[item] ||
		    !given_up_unsteadily(runs, recording->n_runs, &usual_ns))
			continue;
		recording->usual_ns[item] = usual_ns;
		for (size_t i = first; i < first + recording->n_runs; i++) {
			n += !recording->doubtful[i];
			recording->doubtful[i] = true;
		}
	}
	return n;
}

/*
 * Keeps only those doubts whose part would not be observed, or without its times. Returns how many
 * runs they are.
 */
static size_t keep_grave_doubts(struct recording *recording)
{
	size_t n = 0;

	for (size_t i = 0; i < n_standard_faults * recording->n_runs; i++) {
		size_t item = i / recording->n_runs;
		AUTO_FREE char *disturbance = NULL;

		if (recording->seen[item] && recording->doubtful[i])
			disturbance = adhoc_run_disturbance(&recording->results.items[i]);
		recording->doubtful[i] &=
			!recording->seen[item] || disturbance ||
			times_are_off(&recording->observed[item * recording->n_runs],
				      recording->n_runs);
		n += recording->doubtful[i];
	}
	return n;
}

/* Returns how long the longest run took; @doubtful: the longest of those to repeat. */
static int64_t longest_ns(const struct recording *recording, bool doubtful)
{
	int64_t longest_ns = 0;

	for (size_t i = 0; i < n_standard_faults * recording->n_runs; i++)
		if ((!doubtful || recording->doubtful[i]) && recording->results.items[i].record)
			longest_ns = MAX(longest_ns, recording->results.items[i].duration_ns);
	return longest_ns;
}

/*
 * Returns how many of @n runs to repeat at a time, so that all of them end in time: as few as
 * possible, since they disturb each other. 0: there is not enough time left.
 */
static size_t jobs_in_time(const struct recording *recording, size_t n)
{
	size_t most = recording->options->jobs ? recording->options->jobs : n;
	size_t online = (size_t)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L);
	size_t jobs = MIN(online, MAX(most, (size_t)1));
	int64_t left_ns = MAX(BUDGET_FACTOR * longest_ns(recording, false), LEAST_BUDGET_NS) -
			  (clock_monotonic_ns() - recording->begun_ns);
	int64_t each_ns = longest_ns(recording, true);

	while (jobs < most && (int64_t)((n + jobs - 1) / jobs) * each_ns > left_ns)
		jobs++;
	return (int64_t)((n + jobs - 1) / jobs) * each_ns <= left_ns ? jobs : 0;
}

/* Replaces a result by that of its repetition, if the repetition shows something. */
static void replace(struct result *result, struct result *again)
{
	AUTO_FREE char *obstacle = adhoc_run_obstacle(again);
	struct result before = *result;

	if (obstacle)
		return;
	*result = *again;
	result->number = before.number;
	*again = before;
}

/* Repeats the doubtful runs once. */
static void look_again(struct recording *recording, size_t n_doubtful, size_t jobs)
{
	struct adhoc_run_options options = *recording->options;
	size_t n = 0;
	AUTO_FREE struct scenario_file **files = xzalloc(n_doubtful * sizeof(*files));
	AUTO_FREE size_t *places = xzalloc(n_doubtful * sizeof(*places));
	struct run_results again = {0};

	options.jobs = jobs;
	options.seed = (struct option_seed){recording->results.seed, .given = true};
	for (size_t i = 0; i < n_standard_faults * recording->n_runs; i++) {
		if (!recording->doubtful[i])
			continue;
		places[n] = i;
		files[n++] = recording->files[i];
	}
	fprintf(recording->err,
		"synfault record: %zu of %zu runs may have been held up by other processes: they "
		"run again, %zu at a time\n",
		n, n_standard_faults * recording->n_runs, options.jobs);
	fflush(recording->err);
	adhoc_run_run(&options, files, n, NULL, NULL, &again);
	for (size_t i = 0; i < n; i++)
		replace(&recording->results.items[places[i]], &again.items[i]);
	recording->results.interrupted |= again.interrupted;
	results_free(&again);
}

/* Counts the item as not observed if the machine disturbed one of its runs. */
static void forget_if_disturbed(struct recording *recording, size_t item)
{
	for (size_t run = 0; recording->seen[item] && run < recording->n_runs; run++) {
		size_t i = item * recording->n_runs + run;
		AUTO_FREE char *disturbance = adhoc_run_disturbance(&recording->results.items[i]);

		if (!disturbance)
			continue;
		forget_item(recording, item);
		recording->obstacles[item] = xasprintf("the machine was too slow: %s", disturbance);
		recording->seen[item] = false;
	}
}

/*
 * Repeats doubtful runs as often as `synfault run` repeats runs for which the machine was too slow,
 * and disturbed ones while there is time. A run that is still disturbed after that counts as not
 * observed.
 */
static void settle_doubts(struct recording *recording)
{
	for (unsigned round = 0;; round++) {
		size_t n = find_doubts(recording), jobs;

		if (round == 0)
			n = doubt_unsteady(recording, n);
		if (round >= RETRY_LATE_DEFAULT)
			n = keep_grave_doubts(recording);
		if (n == 0 || recording->results.interrupted)
			break;
		jobs = jobs_in_time(recording, n);
		if (jobs == 0)
			break;
		look_again(recording, n, jobs);
	}
	if (find_doubts(recording) == 0)
		return;
	outliers_settle(recording->observed, recording->n_runs, recording->seen);
	recording->open = outliers_find(recording->observed, recording->n_runs, recording->seen,
					recording->doubtful);
	for (size_t item = 0; item < n_standard_faults; item++)
		forget_if_disturbed(recording, item);
}

/* Gives each result the place of its file; faults that could not be run have none. */
static void spread_results(struct recording *recording, size_t n_files)
{
	struct run_results *results = &recording->results;
	struct result *items = xzalloc(n_files * sizeof(*items));

	for (size_t i = 0; i < n_files; i++)
		items[i] = (struct result){.file = recording->files[i], .number = i + 1};
	for (size_t i = 0; i < results->n_items; i++)
		items[results->items[i].number - 1] = results->items[i];
	free(results->items);
	results->items = items;
	results->n_items = results->capacity = n_files;
}

/* Runs all faults. Returns false, after saying why, if the command is wrong. */
static bool run_standard_faults(struct recording *recording)
{
	size_t n_files = n_standard_faults * recording->n_runs;

	recording->files = xzalloc(n_files * sizeof(struct scenario_file *));
	recording->observed = xzalloc(n_files * sizeof(*recording->observed));
	recording->obstacles = xzalloc(n_standard_faults * sizeof(*recording->obstacles));
	recording->seen = xzalloc(n_standard_faults * sizeof(*recording->seen));
	recording->usual_ns = xzalloc(n_standard_faults * sizeof(*recording->usual_ns));
	recording->doubtful = xzalloc(n_files * sizeof(*recording->doubtful));
	for (size_t i = 0; i < n_files; i++)
		recording->files[i] = make_file(recording, &standard_faults[i / recording->n_runs]);
	if (!adhoc_run_check_command("record", recording->files[0], recording->err))
		return false;
	recording->begun_ns = clock_monotonic_ns();
	adhoc_run_run(recording->options, recording->files, n_files, NULL, NULL,
		      &recording->results);
	spread_results(recording, n_files);
	settle_doubts(recording);
	return true;
}

/* ---- what was observed ---- */

static void add_item(const struct recording *recording, size_t item, struct strbuf *out)
{
	const struct observed *runs = &recording->observed[item * recording->n_runs];

	strbuf_printf(out, "\n%s: %s\n", standard_faults[item].name, standard_faults[item].asks);
	if (recording->seen[item])
		observed_format(runs, recording->n_runs, out);
	else
		strbuf_printf(out, "  not seen: %s\n", recording->obstacles[item]);
}

static void show(const struct recording *recording)
{
	AUTO_STRBUF struct strbuf text = {0}, ascii = {0};

	strbuf_printf(&text, "%zu parts, each run %zu time%s\n", n_standard_faults,
		      recording->n_runs, PLURAL(recording->n_runs));
	for (size_t item = 0; item < n_standard_faults; item++)
		add_item(recording, item, &text);
	strbuf_puts(&text, "\nin short\n");
	standard_faults_summary(recording->observed, recording->n_runs, recording->seen, &text);
	if (recording->open)
		strbuf_printf(&text,
			      "\nThe machine was too slow to say whether %s;\n"
			      "run it again when the machine is less busy.\n",
			      recording->n_runs == 1 ? "these times are the client's own"
						     : "runs differ because of the client");
	if (adhoc_run_is_ascii())
		report_ascii(&ascii, strbuf_text(&text));
	fputs(strbuf_text(adhoc_run_is_ascii() ? &ascii : &text), recording->out);
}

/* Returns whether the document was written, if one is wanted. */
static bool write_json(const struct recording *recording)
{
	const struct adhoc_run_options *options = recording->options;
	AUTO_FREE struct observation_part *parts = xzalloc(n_standard_faults * sizeof(*parts));
	const struct observation observation = {
		.command = recording->command,
		.timeout_ns = options->timeout_ns,
		.parts = parts,
		.n_parts = n_standard_faults,
	};
	AUTO_DIAG struct diag_list diags = {0};

	for (size_t item = 0; item < n_standard_faults; item++)
		parts[item] = (struct observation_part){
			.name = standard_faults[item].name,
			.steps = standard_faults[item].faults,
			.obstacle = recording->obstacles[item],
			.runs = &recording->observed[item * recording->n_runs],
			.n_runs = recording->n_runs,
		};
	if (!options->json || observation_write(&observation, options->json, &diags) == 0)
		return true;
	fprintf(recording->err, "synfault record: %s\n", diags.items[0].message);
	return false;
}

static bool any_attempt(const struct recording *recording)
{
	for (size_t i = 0; i < n_standard_faults * recording->n_runs; i++)
		if (recording->observed[i].n_attempts > 0)
			return true;
	return false;
}

/* ---- the file ---- */

static bool write_file(const struct recording *recording)
{
	const struct adhoc_run_options *options = recording->options;
	struct baseline baseline = {
		.command = recording->command,
		.serve = options->serve,
		.port = options->port,
		.timeout_ns = options->timeout_ns,
		.silent = true,
		.doubtful = recording->open,
		.single = recording->n_runs == 1,
		.draws = baseline_draws_backoff(recording->observed, recording->n_runs,
						recording->seen),
	};
	AUTO_FREE struct record **records = xzalloc(recording->n_runs * sizeof(struct record *));
	AUTO_STRBUF struct strbuf text = {0};
	AUTO_DIAG struct diag_list diags = {0};
	size_t n_written = 0;

	for (size_t i = 0; i < n_standard_faults * recording->n_runs; i++)
		if (recording->seen[i / recording->n_runs])
			baseline.silent &=
				baseline_is_silent(&recording->results.items[i].record, 1);
	baseline_begin(&baseline, &text);
	for (size_t item = 0; item < n_standard_faults; item++) {
		size_t first = item * recording->n_runs;

		for (size_t run = 0; run < recording->n_runs; run++)
			records[run] = recording->results.items[first + run].record;
		if (recording->seen[item])
			n_written +=
				baseline_add(&baseline, &standard_faults[item], records,
					     &recording->observed[first], recording->n_runs, &text);
		else
			baseline_add_unseen(&standard_faults[item], recording->obstacles[item],
					    &text);
	}
	if (report_file_write("scenarios", options->output, strbuf_text(&text), text.length,
			      &diags) < 0) {
		fprintf(recording->err, "synfault record: %s\n", diags.items[0].message);
		return false;
	}
	fprintf(recording->out, "\n%zu scenarios written to %s; to run them: synfault run %s\n",
		n_written, options->output, options->output);
	return true;
}

/*
 * Returns whether no fault was observed, always for the same reason: then only the reason is
 * printed.
 */
static bool same_obstacle(const struct recording *recording)
{
	for (size_t item = 0; item < n_standard_faults; item++)
		if (recording->seen[item] ||
		    strcmp(recording->obstacles[item], recording->obstacles[0]) != 0)
			return false;
	return true;
}

static enum exit_status conclude(const struct recording *recording)
{
	size_t n_seen = 0;

	for (size_t item = 0; item < n_standard_faults; item++)
		n_seen += recording->seen[item];
	if (recording->results.interrupted) {
		fputs("synfault record: interrupted\n", recording->err);
		return STATUS_INTERRUPTED;
	}
	if (!same_obstacle(recording))
		show(recording);
	if (!write_json(recording))
		return STATUS_UNJUDGED;
	if (n_seen == 0) {
		fflush(recording->out);
		fprintf(recording->err, "synfault record: %s\n", recording->obstacles[0]);
		return STATUS_UNJUDGED;
	}
	if (!any_attempt(recording)) {
		fflush(recording->out);
		fprintf(recording->err,
			"synfault record: the client never tried to connect%s; nothing is "
			"written\n",
			adhoc_run_mentions_endpoint(recording->command)
				? ""
				: ": its arguments do not say where the server is (${server}, in "
				  "single quotes)");
		return STATUS_UNJUDGED;
	}
	if (recording->options->output && !write_file(recording))
		return STATUS_UNJUDGED;
	return STATUS_PASSED;
}

static int run_record(void *parsed, const struct operands *operands,
		      const struct command_context *context)
{
	const struct adhoc_run_options *options = parsed;
	struct recording recording = {
		.options = options,
		.command = operands->client,
		.out = context->out,
		.err = context->err,
		.n_runs = options->runs,
	};
	AUTO_DIAG struct diag_list diags = {0};
	enum exit_status status = STATUS_USAGE;

	if (options->output && !check_texts(&recording))
		return STATUS_USAGE;
	if ((options->output && report_file_check("scenarios", options->output, &diags) < 0) ||
	    (options->json && observation_check_path(options->json, &diags) < 0)) {
		fprintf(context->err, "synfault record: %s\n", diags.items[0].message);
		return STATUS_USAGE;
	}
	if (run_standard_faults(&recording))
		status = conclude(&recording);
	results_free(&recording.results);
	for (size_t i = 0; i < n_standard_faults * recording.n_runs; i++) {
		observed_free(&recording.observed[i]);
		scenario_file_free(recording.files[i]);
	}
	for (size_t item = 0; item < n_standard_faults; item++)
		free(recording.obstacles[item]);
	free(recording.doubtful);
	free(recording.obstacles);
	free(recording.observed);
	free(recording.files);
	free(recording.seen);
	free(recording.usual_ns);
	return status;
}

static const struct adhoc_run_options defaults = {.timeout_ns = TIMEOUT_NS, .runs = DEFAULT_RUNS};
static const struct option_spec record_options[] = {
	{"output", 'o', "FILE", "write what was observed, as scenarios", OPTION_FILE,
	 OPTION_FIELD(struct adhoc_run_options, output)},
	{"runs", 0, "N", "run each part N times, to learn what varies (default: 3)", OPTION_COUNT,
	 OPTION_FIELD(struct adhoc_run_options, runs), 1, 20},
	{"jobs", 'j', "N", "run N clients at once (default: as many as fit)", OPTION_COUNT,
	 OPTION_FIELD(struct adhoc_run_options, jobs), 1, 1000},
	ADHOC_OPTIONS,
};

const struct command command_record = {
	.name = "record",
	.arguments = "[OPTION...] -- CLIENT ARG...",
	.summary = "learn how a client behaves, and write it down",
	.description =
		"Runs the client against one endpoint under one standard fault after the other\n"
		"(refused, never answered, late and so on) and shows how it behaves. With -o,\n"
		"writes scenarios that expect this behavior. ${server} in its arguments stands\n"
		"for HOST:PORT, as for 'synfault try'.\n",
	.options = OPTION_TABLE(record_options, .size = sizeof(defaults), .defaults = &defaults),
	.needs = "takes only the client, after --",
	.client = CLIENT_REQUIRED,
	.run = run_record,
};
