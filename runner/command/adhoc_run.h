/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `synfault try` and `synfault record` have in common: they run made-up scenarios around one
 * endpoint, and look at what the client does instead of judging it.
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
	enum color_mode color;
	bool verbose;
	/* record */
	size_t jobs; /* 0: as many as fit */
	size_t runs;
	const char *output; /* NULL: nothing is written */
};

/* Parses the value of --family into the field "families". */
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
		OPTION_ROW_ISOLATION(struct adhoc_run_options, isolation),                         \
		OPTION_ROW_SEED(struct adhoc_run_options, seed),                                   \
		OPTION_ROW_COLOR(struct adhoc_run_options, color), OPTION_ROW_HELP

/*
 * Runs the scenarios side by side; a file of more than one scenario, or of none, is not looked at.
 * @on_live may be NULL. The results have to be freed before the files.
 */
void adhoc_run_run(const struct adhoc_run_options *options, struct scenario_file *const *files,
		   size_t n_files,
		   void (*on_live)(void *userdata, const struct result *result, const char *line),
		   void *userdata, struct run_results *ret);

/*
 * Why a result shows nothing about the client: what the harness lacks, or what went wrong; owned by
 * the caller. NULL: it was observed.
 */
char *adhoc_run_obstacle(const struct result *result);

/*
 * What the machine's slowness made of a result that shows something: the client met what it was not
 * to meet (late_verdict.h); owned by the caller. NULL: nothing.
 */
char *adhoc_run_disturbance(const struct result *result);

/* Whether a client's command, or what it takes from its environment, could lead to the endpoint. */
bool adhoc_run_mentions_endpoint(char *const *command);
/*
 * Says what is wrong with references in the command. Returns whether all are well; @command is the
 * name of ours for messages.
 */
bool adhoc_run_check_command(const char *name, const struct scenario_file *file, FILE *err);

/* Whether @out can show more than ASCII. */
bool adhoc_run_is_ascii(void);

#endif
