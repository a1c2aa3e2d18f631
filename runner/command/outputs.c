/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reports of a run: see outputs.h. */
#include "runner/command/outputs.h"

#include "runner/report/html.h"
#include "runner/report/junit.h"
#include "runner/report/pictures.h"
#include "runner/report/run_json.h"

bool output_apply_junit(void *options, const char *value, char **ret_message)
{
	((struct output_options *)options)->junit = value;
	return true;
}

bool output_apply_junit_strict(void *options, const char *value, char **ret_message)
{
	((struct output_options *)options)->junit_strict = true;
	return true;
}

bool output_apply_json(void *options, const char *value, char **ret_message)
{
	((struct output_options *)options)->json = value;
	return true;
}

bool output_apply_html(void *options, const char *value, char **ret_message)
{
	((struct output_options *)options)->html = value;
	return true;
}

bool output_apply_html_single(void *options, const char *value, char **ret_message)
{
	((struct output_options *)options)->html_single = value;
	return true;
}

bool output_apply_timeline(void *options, const char *value, char **ret_message)
{
	((struct output_options *)options)->timeline = value;
	return true;
}

bool outputs_any(const struct output_options *options)
{
	return options->junit || options->json || options->timeline || options->html ||
	       options->html_single || options->junit_strict;
}

static bool say(const struct diag_list *diags, FILE *err)
{
	for (size_t i = 0; i < diags->n_items; i++)
		fprintf(err, "synfault: %s\n", diags->items[i].message);
	return diags->n_items == 0;
}

bool outputs_check(const struct output_options *options, FILE *err)
{
	AUTO_DIAG struct diag_list diags = {0};

	if (options->junit)
		junit_check_path(options->junit, &diags);
	if (options->json)
		run_json_check_path(options->json, &diags);
	if (options->timeline)
		pictures_check(options->timeline, &diags);
	if (options->html)
		html_check(options->html, &diags);
	if (options->html_single)
		html_single_check(options->html_single, &diags);
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

	if (options->json)
		run_json_write(results, options->json, &diags);
	if (options->timeline)
		pictures_write(results, options->timeline, &diags);
	if (options->html)
		html_write(results, options->html, &diags);
	if (options->html_single)
		html_single_write(results, options->html_single, &diags);
	/* Last: it names the others. */
	if (options->junit)
		junit_write(results, &junit, options->junit, &diags);
	return say(&diags, err);
}
