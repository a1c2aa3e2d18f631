/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written and printed of a run: see outputs.h. */
#include "runner/command/outputs.h"

#include "common/random.h"
#include "runner/report/html.h"
#include "runner/report/junit.h"
#include "runner/report/run_json.h"
#include "runner/report/svg_files.h"

/* The reports that follow from the results alone. JUnit also names the others. */
static const struct report {
	size_t path; /* offset in struct output_options */
	int (*check)(const char *path, struct diag_list *diags);
	int (*write)(const struct run_results *results, const char *path, struct diag_list *diags);
} reports[] = {
	{offsetof(struct output_options, json), run_json_check_path, run_json_write},
	{offsetof(struct output_options, timeline), svg_files_check, svg_files_write},
	{offsetof(struct output_options, html), html_check, html_write},
	{offsetof(struct output_options, html_single), html_single_check, html_single_write},
};

/* Returns where a report goes, or NULL. */
static const char *path_of(const struct output_options *options, const struct report *report)
{
	return *(const char *const *)((const char *)options + report->path);
}

bool outputs_any(const struct output_options *options)
{
	bool any = options->junit || options->junit_strict;

	for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
		any = any || path_of(options, &reports[i]);
	return any;
}

static bool say(const struct diag_list *diags, FILE *err)
{
	diag_list_print(diags, "synfault", err);
	return diags->n_items == 0;
}

bool outputs_check(const struct output_options *options, FILE *err)
{
	AUTO_DIAG struct diag_list diags = {0};

	if (options->junit)
		junit_check_path(options->junit, &diags);
	for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
		if (path_of(options, &reports[i]))
			reports[i].check(path_of(options, &reports[i]), &diags);
	return say(&diags, err);
}

bool outputs_write(const struct output_options *options, const struct run_results *results,
		   FILE *err)
{
	const struct junit_options junit = {
		.strict = options->junit_strict,
		.attachments = {.timeline = options->timeline, .html = options->html},
	};
	AUTO_DIAG struct diag_list diags = {0};

	for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
		if (path_of(options, &reports[i]))
			reports[i].write(results, path_of(options, &reports[i]), &diags);
	/* Last, since it names the other reports. */
	if (options->junit)
		junit_write(results, &junit, options->junit, &diags);
	return say(&diags, err);
}

/* ---- what is printed ---- */

/* Prints workflow commands, if any, and empties the buffer. */
static void emit_commands(struct strbuf *commands, FILE *out)
{
	fwrite(strbuf_text(commands), 1, commands->length, out);
	fflush(out);
	strbuf_free(commands);
}

struct printing outputs_begin(const struct output_options *options, FILE *out)
{
	struct printing printing = {
		.out = out,
		.github = github_is_wanted(options->github),
		.token = random_seed(),
	};
	AUTO_STRBUF struct strbuf commands = {0};

	if (printing.github)
		github_stop_commands(printing.token, &commands);
	emit_commands(&commands, out);
	printing.console = console_new(out, &options->console);
	return printing;
}

void outputs_end(struct printing *printing, const struct run_results *results)
{
	AUTO_STRBUF struct strbuf commands = {0};

	console_failures(printing->console, results);
	if (printing->github) {
		github_resume_commands(printing->token, &commands);
		github_annotations(results, &commands);
	}
	emit_commands(&commands, printing->out);
	console_summary(printing->console, results);
	console_free(printing->console);
	printing->console = NULL;
}

void outputs_write_github(const struct output_options *options, const struct run_results *results,
			  FILE *err)
{
	AUTO_DIAG struct diag_list diags = {0};

	if (!github_is_wanted(options->github))
		return;
	github_write_summary(results, &diags);
	say(&diags, err);
}
