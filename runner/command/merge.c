/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault merge`: merges the results of a suite's shards. */
#include "runner/command/command.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/files.h"
#include "common/text.h"
#include "runner/command/record_dir.h"
#include "runner/report/junit.h"
#include "runner/report/junit_merge.h"

/* ---- JUnit reports ---- */

static bool load_parts(char *const *paths, size_t n, struct junit_part **parts,
		       struct shard *shards, char **ret_message)
{
	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *reason = NULL;
		const char *shard;

		parts[i] = junit_part_load(paths[i], ret_message);
		if (!parts[i])
			return false;
		shard = junit_part_shard(parts[i]);
		if (*shard && !shard_parse(shard, &shards[i], &reason)) {
			*ret_message = xasprintf("%s: \"%s\" is not a shard", paths[i], shard);
			return false;
		}
	}
	return true;
}

/* Returns the exit status that results_status() would give such a run. */
static enum exit_status status_of(const struct junit_totals *totals)
{
	if (totals->counts.by_outcome[OUTCOME_FAIL])
		return STATUS_FAILED;
	if (totals->n_invalid)
		return STATUS_USAGE;
	if (totals->counts.by_outcome[OUTCOME_ERROR])
		return STATUS_UNJUDGED;
	return totals->counts.by_outcome[OUTCOME_PASS] ? STATUS_PASSED : STATUS_NOTHING_RAN;
}

static void print_totals(const struct junit_totals *totals, size_t n_parts, FILE *out)
{
	size_t n_errors = totals->counts.by_outcome[OUTCOME_ERROR];

	fprintf(out, "%zu report%s\n", n_parts, PLURAL(n_parts));
	if (n_errors)
		fprintf(out, "%zu error%s: not judged, counted as failed\n", n_errors,
			PLURAL(n_errors));
	fprintf(out, "%zu passed, %zu failed, %zu skipped\n",
		totals->counts.by_outcome[OUTCOME_PASS],
		totals->counts.by_outcome[OUTCOME_FAIL] + n_errors,
		totals->counts.by_outcome[OUTCOME_SKIP]);
}

static enum exit_status write_report(const char *path, const char *text, size_t length, FILE *err)
{
	AUTO_DIAG struct diag_list diags = {0};

	if (junit_write_text(text, length, path, &diags) == 0)
		return STATUS_PASSED;
	diag_list_print(&diags, "synfault merge", err);
	return STATUS_UNJUDGED;
}

static enum exit_status merge_reports(const char *target, char *const *paths, size_t n, FILE *out,
				      FILE *err)
{
	AUTO_FREE struct junit_part **parts = xzalloc(n * sizeof(*parts));
	AUTO_FREE struct shard *shards = xzalloc(n * sizeof(*shards));
	AUTO_FREE char *message = NULL, *text = NULL;
	enum exit_status status = STATUS_UNJUDGED;
	struct junit_totals totals = {0};
	size_t length = 0;

	if (load_parts(paths, n, parts, shards, &message) &&
	    shard_check_all(shards, (const char *const *)paths, n, &message))
		text = junit_merge(parts, n, &length, &totals, &message);
	if (text)
		status = write_report(target, text, length, err);
	else
		fprintf(err, "synfault merge: %s\n", message);
	if (text && status == STATUS_PASSED) {
		print_totals(&totals, n, out);
		status = status_of(&totals);
	}
	for (size_t i = 0; i < n; i++)
		junit_part_free(parts[i]);
	return status;
}

/* ---- directories of records ---- */

/* The records collected from all parts so far. */
struct gathered {
	struct record_dir_run run;
	const char **sources; /* one per name: the directory it comes from */
	size_t n_names, names_capacity, n_sources, sources_capacity;
};

static bool gather(struct gathered *gathered, const char *directory,
		   const struct record_dir_run *part, char **ret_message)
{
	for (char **name = part->names; *name; name++) {
		for (size_t i = 0; i < gathered->n_names; i++) {
			if (strcmp(gathered->run.names[i], *name) != 0)
				continue;
			*ret_message = xasprintf("%s is in %s and in %s", *name,
						 gathered->sources[i], directory);
			return false;
		}
		array_append(gathered->run.names, gathered->n_names, gathered->names_capacity,
			     xstrdup(*name));
		array_append(gathered->sources, gathered->n_sources, gathered->sources_capacity,
			     directory);
	}
	return true;
}

/* Reads run.json of all directories; @gathered gets the sum. */
static bool gather_all(struct gathered *gathered, char *const *paths, size_t n, char **ret_message)
{
	AUTO_FREE struct shard *shards = xzalloc(n * sizeof(*shards));
	bool good = true;

	for (size_t i = 0; good && i < n; i++) {
		AUTO_RECORDS_RUN struct record_dir_run part = {0};

		good = record_dir_read_run(paths[i], &part, ret_message) &&
		       gather(gathered, paths[i], &part, ret_message);
		shards[i] = part.shard;
		if (i == 0)
			gathered->run.seed = part.seed;
		gathered->run.n_scenarios = part.shard.count
						    ? part.n_scenarios
						    : gathered->run.n_scenarios + part.n_scenarios;
	}
	if (good)
		good = shard_check_all(shards, (const char *const *)paths, n, ret_message);
	/* A list of names ends with NULL. */
	array_append(gathered->run.names, gathered->n_names, gathered->names_capacity, NULL);
	return good;
}

static int copy_record(const char *from, const char *to, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", from, name);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_STRBUF struct strbuf text = {0};
	int r = fd < 0 ? -errno : file_read(fd, SIZE_MAX, &text);

	return r < 0 ? r : record_dir_write_file(to, name, strbuf_text(&text), text.length);
}

static enum exit_status merge_records(const char *target, char *const *paths, size_t n, FILE *out,
				      FILE *err)
{
	struct gathered gathered = {0};
	AUTO_FREE char *message = NULL;
	bool good = gather_all(&gathered, paths, n, &message);
	int status = 0;

	if (good)
		status = record_dir_make_directory(target);
	for (size_t i = 0; good && !status && i < gathered.n_sources; i++) {
		status = copy_record(gathered.sources[i], target, gathered.run.names[i]);
		if (status < 0)
			message = xasprintf("%s of %s can't be copied to %s: %s",
					    gathered.run.names[i], gathered.sources[i], target,
					    strerror(-status));
	}
	if (good && !status)
		status = record_dir_write_run(target, &gathered.run);
	if (good && status < 0 && !message)
		message = xasprintf("can't write to %s: %s", target, strerror(-status));
	if (message)
		fprintf(err, "synfault merge: %s\n", message);
	else
		fprintf(out, "%zu record%s of %zu director%s\n", gathered.n_sources,
			PLURAL(gathered.n_sources), n, n == 1 ? "y" : "ies");
	record_dir_run_free(&gathered.run);
	free(gathered.sources);
	return message ? STATUS_UNJUDGED : STATUS_PASSED;
}

/* ---- the command ---- */

static bool is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int run_merge(void *parsed, const struct operands *operands,
		     const struct command_context *context)
{
	char **paths = operands->items + 1;
	size_t n_directories = 0, n = (size_t)operands->n - 1;

	(void)parsed;
	for (size_t i = 0; i < n; i++)
		n_directories += is_directory(paths[i]);
	if (n_directories && n_directories < n)
		return command_usage_error(&command_merge, context->err,
					   "can't merge reports with directories of records");
	return (int)(n_directories ? merge_records(operands->items[0], paths, n, context->out,
						   context->err)
				   : merge_reports(operands->items[0], paths, n, context->out,
						   context->err));
}

static const struct option_spec merge_options[] = {OPTION_ROW_HELP};

const struct command command_merge = {
	.name = "merge",
	.arguments = "OUT IN...",
	.summary = "merge the results of several machines",
	.description =
		"Merges the JUnit reports of a suite's shards (run --shard K/N --junit FILE) into\n"
		"the file OUT, or their records (--records DIR) into the directory OUT. All\n"
		"shards are needed.\n",
	.options = OPTION_TABLE(merge_options),
	.min_operands = 2,
	.max_operands = -1,
	.needs = "an output and at least one input are needed",
	.confinement = CONFINED_TO_FILES,
	.run = run_merge,
};
