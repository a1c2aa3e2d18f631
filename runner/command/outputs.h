/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command can be told to write and to show of a run's results, with the options that say so:
 * the same for `run` and for the commands that read stored runs.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_OUTPUTS_H
#define SYNFAULT_RUNNER_COMMAND_OUTPUTS_H

#include "runner/command/options.h"
#include "runner/report/console.h"
#include "runner/report/github.h"

/* Where each goes; NULL: not wanted. Texts are borrowed from the command line or the environment.
 */
struct output_options {
	const char *junit, *json, *timeline, *html, *html_single;
	bool junit_strict;
	struct console_options console;
	enum github_mode github;
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
/* The same of what is shown; @verbose_help: what --verbose adds. */
#define SHOWN_OPTIONS(verbose_help)                                                                \
	{"failure-output",                                                                         \
	 0,                                                                                        \
	 "WHEN",                                                                                   \
	 "failures in full: final (default), immediate, immediate-final or never",                 \
	 output_apply_failures,                                                                    \
	 .words = "final immediate immediate-final never"},                                        \
		{"github",                                                                         \
		 0,                                                                                \
		 "WHEN",                                                                           \
		 "annotations and a summary for GitHub Actions: auto, always or never",            \
		 output_apply_github,                                                              \
		 .words = "auto always never"},                                                    \
		{"color",                                                                          \
		 0,                                                                                \
		 "WHEN",                                                                           \
		 "auto, always or never",                                                          \
		 output_apply_color,                                                               \
		 .words = "auto always never"},                                                    \
		{"verbose", 'v', NULL, verbose_help, output_apply_verbose},                        \
	{                                                                                          \
		"quiet", 'q', NULL, "show failures and the summary only", output_apply_quiet       \
	}
bool output_apply_failures(void *options, const char *value, char **ret_message);
bool output_apply_github(void *options, const char *value, char **ret_message);
bool output_apply_color(void *options, const char *value, char **ret_message);
bool output_apply_verbose(void *options, const char *value, char **ret_message);
bool output_apply_quiet(void *options, const char *value, char **ret_message);
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

/*
 * What is shown while a run goes on, between outputs_begin() and outputs_end(): whatever a client
 * or a scenario file says meanwhile is no command to GitHub's runner.
 */
struct telling {
	struct console *console;
	FILE *out; /* borrowed */
	bool github;
	uint64_t token; /* github_stop_commands() */
};
struct telling outputs_begin(const struct output_options *options, FILE *out);
/* The end: failures in full, annotations, the totals. */
void outputs_end(struct telling *telling, const struct run_results *results);
/*
 * Adds to the summary on the page of GitHub's job. What is wrong with it is said, but what was done
 * is done.
 */
void outputs_write_github(const struct output_options *options, const struct run_results *results,
			  FILE *err);

#endif
