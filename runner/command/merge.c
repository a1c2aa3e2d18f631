/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault merge`: see merge.h. */
#include "runner/command/merge.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "runner/command/options.h"
#include "runner/command/record_dir.h"
#include "runner/report/junit.h"
#include "runner/report/junit_merge.h"

struct merge_options {
	bool help;
};

static bool apply_help(void *options, const char *value, char **ret_message)
{
	((struct merge_options *)options)->help = true;
	return true;
}

static const struct option_spec merge_options[] = {
	{"help", 'h', NULL, "show this help", apply_help, .command_line_only = true},
};

const struct option_table merge_option_table = OPTION_TABLE(merge_options);

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
			*ret_message =
				xasprintf("%s: \"%s\" is no part of a suite", paths[i], shard);
			return false;
		}
	}
	return true;
}

/* As results_status() of a run. */
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

	fprintf(out, "%zu report%s\n", n_parts, n_parts == 1 ? "" : "s");
	if (n_errors)
		fprintf(out, "%zu error%s, counted as failed: could not be judged\n", n_errors,
			n_errors == 1 ? "" : "s");
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
	for (size_t i = 0; i < diags.n_items; i++)
		fprintf(err, "synfault merge: %s\n", diags.items[i].message);
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

/* The records of all parts so far. */
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

/* Reads what all directories hold; the sum is in @gathered. */
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
	/* The end that a list of names has. */
	array_append(gathered->run.names, gathered->n_names, gathered->names_capacity, NULL);
	return good;
}

static int copy_record(const char *from, const char *to, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", from, name);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_STRBUF struct strbuf text = {0};
	char buffer[65536];
	ssize_t length;

	if (fd < 0)
		return -errno;
	while ((length = read(fd, buffer, sizeof(buffer))) > 0)
		strbuf_add(&text, buffer, (size_t)length);
	return length < 0 ? -errno
			  : record_dir_write_file(to, name, strbuf_text(&text), text.length);
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
		fprintf(out, "%zu records of %zu directories\n", gathered.n_sources, n);
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

static void print_help(FILE *out)
{
	AUTO_STRBUF struct strbuf text = {0};

	options_help(merge_options, ARRAY_SIZE(merge_options), &text);
	fprintf(out,
		"Usage: synfault merge OUT IN...\n\n"
		"Makes one JUnit report, the file OUT, of those that the parts of a suite wrote\n"
		"(run --shard K/N --junit FILE); or one directory OUT of their records\n"
		"(--records DIR). All parts have to be there.\n\n%s",
		strbuf_text(&text));
}

static enum exit_status usage_error(FILE *err, const char *message)
{
	fprintf(err, "synfault merge: %s\nTry 'synfault merge --help'.\n", message);
	return STATUS_USAGE;
}

int command_merge(int argc, char **argv, FILE *out, FILE *err)
{
	struct merge_options options = {0};
	AUTO_FREE char *message = NULL;
	size_t n_directories = 0, n;
	int n_operands;
	char **rest;

	if (!options_parse(merge_options, ARRAY_SIZE(merge_options), argc, argv, &options,
			   &n_operands, &rest, &message))
		return (int)usage_error(err, message);
	if (options.help) {
		print_help(out);
		return STATUS_PASSED;
	}
	if (n_operands < 2 || rest)
		return (int)usage_error(err, "an output and at least one input are needed");
	n = (size_t)n_operands - 1;
	for (size_t i = 1; i <= n; i++)
		n_directories += is_directory(argv[i]);
	if (n_directories && n_directories < n)
		return (int)usage_error(err, "reports and directories of records can't be merged "
					     "into one");
	return (int)(n_directories ? merge_records(argv[0], argv + 1, n, out, err)
				   : merge_reports(argv[0], argv + 1, n, out, err));
}
