/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reports that a command can be told to write of a run's results, with the options that say so:
 * the same for `run` and for the commands that read stored runs.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_OUTPUTS_H
#define SYNFAULT_RUNNER_COMMAND_OUTPUTS_H

#include "runner/command/options.h"
#include "runner/report/result.h"

/* Where each goes; NULL: not wanted. Texts are borrowed from the command line or the environment.
 */
struct output_options {
	const char *junit, *json, *timeline, *html, *html_single;
	bool junit_strict;
};

/*
 * Entries for a command's table of options. What they apply to has to begin with a struct
 * output_options.
 */
#define OUTPUT_OPTIONS                                                                             \
	{"junit", 0, "FILE", "write a JUnit XML report", output_apply_junit},                      \
		{"junit-strict", 0, NULL, "only with what Jenkins' plugin xUnit knows",            \
		 output_apply_junit_strict},                                                       \
		{"html", 0, "DIR", "write HTML pages there", output_apply_html},                   \
		{"html-single", 0, "FILE", "write all of them as one HTML page",                   \
		 output_apply_html_single},                                                        \
		{"timeline", 0, "PATH",                                                            \
		 "draw timelines: FILE.svg of one scenario, or a directory",                       \
		 output_apply_timeline},                                                           \
	{                                                                                          \
		"json", 0, "FILE", "write all results, with records, as JSON", output_apply_json   \
	}
bool output_apply_junit(void *options, const char *value, char **ret_message);
bool output_apply_junit_strict(void *options, const char *value, char **ret_message);
bool output_apply_html(void *options, const char *value, char **ret_message);
bool output_apply_html_single(void *options, const char *value, char **ret_message);
bool output_apply_timeline(void *options, const char *value, char **ret_message);
bool output_apply_json(void *options, const char *value, char **ret_message);

/* Whether any is wanted. */
bool outputs_any(const struct output_options *options);
/* Finds out whether they can be written. Returns false, having said why on @err, if not. */
bool outputs_check(const struct output_options *options, FILE *err);
/* Writes them. Returns false, having said why on @err, when one could not be. */
bool outputs_write(const struct output_options *options, const struct run_results *results,
		   FILE *err);

#endif
