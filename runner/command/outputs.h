/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What commands write and print of a run's results, and the options for it. `run` and the commands
 * that read stored runs share them.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_OUTPUTS_H
#define SYNFAULT_RUNNER_COMMAND_OUTPUTS_H

#include "runner/command/options.h"
#include "runner/report/console.h"
#include "runner/report/github.h"

/* Where each report goes; NULL: not wanted. Texts are borrowed. */
struct output_options {
	const char *junit, *json, *timeline, *html, *html_single;
	bool junit_strict;
	struct console_options console;
	enum github_mode github;
};

/* The rows of reports, for commands whose options have a field "outputs". */
#define OUTPUT_OPTIONS(type)                                                                       \
	{"junit",     0,                                                                           \
	 "FILE",      "write a JUnit XML report",                                                  \
	 OPTION_FILE, OPTION_FIELD(type, outputs.junit)},                                          \
		{"junit-strict", 0,                                                                \
		 NULL,           "use only what Jenkins' xUnit plugin accepts",                    \
		 OPTION_FLAG,    OPTION_FIELD(type, outputs.junit_strict)},                        \
		{"html",      0,                                                                   \
		 "DIR",       "write HTML pages to this directory",                                \
		 OPTION_FILE, OPTION_FIELD(type, outputs.html)},                                   \
		{"html-single", 0,                                                                 \
		 "FILE",        "write all HTML pages as one file",                                \
		 OPTION_FILE,   OPTION_FIELD(type, outputs.html_single)},                          \
		{"timeline",  0,                                                                   \
		 "PATH",      "draw timelines: FILE.svg for one scenario, or a directory",         \
		 OPTION_FILE, OPTION_FIELD(type, outputs.timeline)},                               \
	{                                                                                          \
		"json", 0, "FILE", "write all results, with records, as JSON", OPTION_FILE,        \
			OPTION_FIELD(type, outputs.json)                                           \
	}
/* The rows of what is printed; @verbose_help: what --verbose adds. */
#define SHOWN_OPTIONS(type, verbose_help)                                                          \
	{"failure-output",                                                                         \
	 0,                                                                                        \
	 "WHEN",                                                                                   \
	 "show failures in full: final (default), immediate, immediate-final or never",            \
	 OPTION_CHOICE,                                                                            \
	 OPTION_FIELD(type, outputs.console.failures),                                             \
	 .words = "final immediate immediate-final never"},                                        \
		{"github",                                                                         \
		 0,                                                                                \
		 "WHEN",                                                                           \
		 "print annotations and a summary for GitHub Actions: auto, always or never",      \
		 OPTION_CHOICE,                                                                    \
		 OPTION_FIELD(type, outputs.github),                                               \
		 .words = "auto always never"},                                                    \
		OPTION_ROW_COLOR(type, outputs.console.color),                                     \
		{"verbose",    'v',         NULL,                                                  \
		 verbose_help, OPTION_FLAG, OPTION_FIELD(type, outputs.console.verbose)},          \
	{                                                                                          \
		"quiet", 'q', NULL, "show only failures and the summary", OPTION_FLAG,             \
			OPTION_FIELD(type, outputs.console.quiet)                                  \
	}

/** outputs_any() - return whether any report is wanted */
bool outputs_any(const struct output_options *options);
/** outputs_check() - check that all can be written; return false, with a message on @err, if not */
bool outputs_check(const struct output_options *options, FILE *err);
/** outputs_write() - write all; return false, with a message on @err, if one fails */
bool outputs_write(const struct output_options *options, const struct run_results *results,
		   FILE *err);

/*
 * What is printed during a run, between outputs_begin() and outputs_end(). GitHub's runner never
 * takes text of clients or scenario files for commands.
 */
struct printing {
	struct console *console;
	FILE *out; /* borrowed */
	bool github;
	uint64_t token; /* github_stop_commands() */
};
/** outputs_begin() - begin to print to @out, which is borrowed */
struct printing outputs_begin(const struct output_options *options, FILE *out);
/** outputs_end() - print failures in full, annotations, and the totals */
void outputs_end(struct printing *printing, const struct run_results *results);
/**
 * outputs_write_github() - add to the summary on the page of GitHub's job
 * @err: gets a message if that fails, which has no other effect
 */
void outputs_write_github(const struct output_options *options, const struct run_results *results,
			  FILE *err);

#endif
