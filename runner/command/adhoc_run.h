/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `synfault try` and `synfault record` have in common: they run ad-hoc scenarios with one
 * endpoint, and observe the client instead of judging it.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_ADHOC_RUN_H
#define SYNFAULT_RUNNER_COMMAND_ADHOC_RUN_H

#include "runner/command/command.h"
#include "runner/observe/adhoc_scenario.h"
#include "runner/observe/observe.h"
#include "runner/report/console.h"
#include "runner/report/result.h"
#include "runner/sandbox/isolation.h"
#include "runner/scenario/substitute.h"

/* Texts are borrowed from the command line or the environment. */
struct adhoc_run_options {
	const char *families[N_FAMILIES + 1]; /* ends with NULL; none: the command's default */
	const char *serve;                    /* NULL: http */
	uint16_t port;
	int64_t timeout_ns;
	struct option_seed seed;
	enum isolation_mode isolation;
	enum time_mode time;
	enum color_mode color;
	bool verbose;
	const char *json;                  /* NULL: nothing is written */
	struct inline_endpoints endpoints; /* try */
	/* record */
	size_t jobs; /* 0: as many as fit */
	size_t runs;
	const char *output; /* NULL: nothing is written */
};

/** adhoc_run_parse_families() - parse the value of --family into the field "families" */
bool adhoc_run_parse_families(void *field, const char *value, char **ret_message);

/* The rows that `try` and `record` share. */
#define ADHOC_OPTIONS                                                                              \
	{"serve",                                                                                  \
	 0,                                                                                        \
	 "KIND",                                                                                   \
	 "serve http (default), echo, accept or none at the endpoint",                             \
	 OPTION_STRING,                                                                            \
	 OPTION_FIELD(struct adhoc_run_options, serve),                                            \
	 .words = "http echo accept none"},                                                        \
		{"port",                                                                           \
		 0,                                                                                \
		 "N",                                                                              \
		 "listen on port N (default: a free one)",                                         \
		 OPTION_COUNT,                                                                     \
		 OPTION_FIELD(struct adhoc_run_options, port),                                     \
		 1,                                                                                \
		 UINT16_MAX},                                                                      \
		{"timeout",       0,                                                               \
		 "TIME",          "end the client after this time (default: 30s)",                 \
		 OPTION_DURATION, OPTION_FIELD(struct adhoc_run_options, timeout_ns)},             \
		{"json",      0,                                                                   \
		 "FILE",      "write what was observed as JSON",                                   \
		 OPTION_FILE, OPTION_FIELD(struct adhoc_run_options, json)},                       \
		OPTION_ROW_ISOLATION(struct adhoc_run_options, isolation),                         \
		OPTION_ROW_TIME(struct adhoc_run_options, time),                                   \
		OPTION_ROW_SEED(struct adhoc_run_options, seed),                                   \
		OPTION_ROW_COLOR(struct adhoc_run_options, color), OPTION_ROW_HELP

/**
 * adhoc_run_run() - run scenarios side by side
 * @files: with one scenario each; other files are ignored
 * @on_live: called for each event of a running scenario; NULL: not
 * @ret: free it before the files
 */
void adhoc_run_run(const struct adhoc_run_options *options, struct scenario_file *const *files,
		   size_t n_files,
		   void (*on_live)(void *userdata, const struct result *result, const char *line),
		   void *userdata, struct run_results *ret);

/**
 * adhoc_run_obstacle() - say why a result shows nothing about the client
 *
 * Return: what the harness lacks or what went wrong, owned by the caller; NULL: it was observed.
 */
char *adhoc_run_obstacle(const struct result *result);

/**
 * adhoc_run_disturbance() - say how a slow machine has distorted what a result shows
 *
 * Return: which answer came too late, so that the client met another fault than intended
 * (late_verdict.h); owned by the caller; NULL: none.
 */
char *adhoc_run_disturbance(const struct result *result);

/**
 * adhoc_run_mentions_endpoint() - find out whether a command knows where to connect to
 *
 * Return: whether it contains ${server} or one of the SYNFAULT_ variables.
 */
bool adhoc_run_mentions_endpoint(char *const *command);
/**
 * adhoc_run_check_command() - print what is wrong with references in the client's command
 * @name: of our command, for messages
 *
 * Return: whether all are correct.
 */
bool adhoc_run_check_command(const char *name, const struct scenario_file *file, FILE *err);

/** adhoc_run_is_ascii() - return whether the locale's character set is not UTF-8 */
bool adhoc_run_is_ascii(void);

#endif
