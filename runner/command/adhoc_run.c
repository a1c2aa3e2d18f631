/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The common part of `synfault try` and `synfault record`: see observing.h. */
#include "runner/command/adhoc_run.h"

#include <langinfo.h>

#include "common/random.h"
#include "runner/judge/late_verdict.h"
#include "runner/schedule/schedule.h"

static bool apply_family(void *options, const char *value, char **ret_message)
{
	struct adhoc_run_options *observing = options;
	AUTO_FREE char *copy = xstrdup(value);
	char *rest = copy;
	size_t n = 0;

	for (char *word; (word = strsep(&rest, ","));) {
		const char *name = NULL;

		for (int family = 0; family < N_FAMILIES; family++)
			if (strcmp(word, family_name((enum family)family)) == 0)
				name = family_name((enum family)family);
		if (!name || n == N_FAMILIES || (n == 1 && name == observing->families[0])) {
			*ret_message = xstrdup("ipv4, ipv6, or both as in ipv6,ipv4 is expected");
			return false;
		}
		observing->families[n++] = name;
	}
	observing->families[n] = NULL;
	return true;
}

static bool apply_serve(void *options, const char *value, char **ret_message)
{
	for (int kind = 0; kind < SERVE_COMMAND; kind++) {
		if (strcmp(value, serve_kind_name((enum serve_kind)kind)) != 0)
			continue;
		((struct adhoc_run_options *)options)->serve = value;
		return true;
	}
	*ret_message = xstrdup("http, echo, accept or none is expected");
	return false;
}

static bool apply_port(void *options, const char *value, char **ret_message)
{
	int64_t port;

	if (!option_number(value, 1, UINT16_MAX, &port)) {
		*ret_message = xstrdup("a port is 1 to 65535");
		return false;
	}
	((struct adhoc_run_options *)options)->port = (uint16_t)port;
	return true;
}

static bool apply_timeout(void *options, const char *value, char **ret_message)
{
	return option_duration(value, &((struct adhoc_run_options *)options)->timeout_ns,
			       ret_message);
}

static bool apply_seed(void *options, const char *value, char **ret_message)
{
	struct adhoc_run_options *observing = options;

	observing->seed_given = true;
	return option_seed(value, &observing->seed, ret_message);
}

static bool apply_isolation(void *options, const char *value, char **ret_message)
{
	return option_isolation(value, &((struct adhoc_run_options *)options)->isolation,
				ret_message);
}

static bool apply_color(void *options, const char *value, char **ret_message)
{
	return option_color(value, &((struct adhoc_run_options *)options)->color, ret_message);
}

static bool apply_verbose(void *options, const char *value, char **ret_message)
{
	((struct adhoc_run_options *)options)->verbose = true;
	return true;
}

static bool apply_help(void *options, const char *value, char **ret_message)
{
	((struct adhoc_run_options *)options)->help = true;
	return true;
}

static bool apply_jobs(void *options, const char *value, char **ret_message)
{
	int64_t jobs;

	if (!option_number(value, 1, 1000, &jobs)) {
		*ret_message = xstrdup("a number from 1 to 1000 is expected");
		return false;
	}
	((struct adhoc_run_options *)options)->jobs = (size_t)jobs;
	return true;
}

static bool apply_runs(void *options, const char *value, char **ret_message)
{
	int64_t runs;

	if (!option_number(value, 1, 20, &runs)) {
		*ret_message = xstrdup("a number from 1 to 20 is expected");
		return false;
	}
	((struct adhoc_run_options *)options)->runs = (size_t)runs;
	return true;
}

static bool apply_output(void *options, const char *value, char **ret_message)
{
	if (!*value) {
		*ret_message = xstrdup("the name of a file is expected");
		return false;
	}
	((struct adhoc_run_options *)options)->output = value;
	return true;
}

#define SERVE_OPTION                                                                               \
	{                                                                                          \
		"serve", 0, "KIND", "what listens there: http (default), echo, accept or none",    \
			apply_serve                                                                \
	}
#define PORT_OPTION                                                                                \
	{                                                                                          \
		"port", 0, "N", "port of the endpoint (default: one that is free)", apply_port     \
	}
#define COMMON_OPTIONS                                                                             \
	{"isolation",     0,                                                                       \
	 "MODE",          "auto, private or shared",                                               \
	 apply_isolation, .words = "auto private shared"},                                         \
		{"seed", 0, "N", "seed of everything that is drawn (default: a new one)",          \
		 apply_seed},                                                                      \
		{"color",     0,                                                                   \
		 "WHEN",      "auto, always or never",                                             \
		 apply_color, .words = "auto always never"},                                       \
	{                                                                                          \
		"help", 'h', NULL, "show this help", apply_help, .command_line_only = true         \
	}

static const struct option_spec try_options[] = {
	{"family", 0, "LIST", "ipv4 (default), ipv6, or both in their order: ipv6,ipv4",
	 apply_family},
	SERVE_OPTION,
	PORT_OPTION,
	{"timeout", 0, "D", "end the client after this time (default 30s)", apply_timeout},
	{"verbose", 'v', NULL, "show what happens while it happens", apply_verbose},
	COMMON_OPTIONS,
};
const struct option_table try_option_table = OPTION_TABLE(try_options);

static const struct option_spec record_options[] = {
	{"output", 'o', "FILE", "write what was seen there, as scenarios", apply_output},
	{"runs", 0, "N", "run each part N times, to learn what varies (default 3)", apply_runs},
	{"jobs", 'j', "N", "run N clients at the same time", apply_jobs},
	{"timeout", 0, "D", "end a client after this time (default 30s)", apply_timeout},
	SERVE_OPTION,
	PORT_OPTION,
	COMMON_OPTIONS,
};
const struct option_table record_option_table = OPTION_TABLE(record_options);

/* ---- running ---- */

struct observing {
	void (*on_live)(void *userdata, const struct result *result, const char *line);
	void *userdata;
};

static void on_live(void *userdata, const struct result *result, const char *line)
{
	struct observing *observing = userdata;

	observing->on_live(observing->userdata, result, line);
}

static void on_result(void *userdata, struct result *result)
{
	(void)userdata;
	(void)result;
}

static void on_tick(void *userdata, size_t n_done, const char *const *running, size_t n_running)
{
}

static void on_status(void *userdata, size_t n_done, const struct schedule_running *running,
		      size_t n_running)
{
}

void adhoc_run_run(const struct adhoc_run_options *options, struct scenario_file *const *files,
		   size_t n_files,
		   void (*live)(void *userdata, const struct result *result, const char *line),
		   void *userdata, struct run_results *ret)
{
	struct observing observing = {live, userdata};
	struct run_results results = {.seed = options->seed_given ? options->seed : random_seed()};
	struct schedule_config config = {
		.jobs = options->jobs ? options->jobs : schedule_default_jobs(),
		.seed = results.seed,
		.isolation = options->isolation,
		.judge = {.timing_scale = 1},
		.retry = {.late_retries = RETRY_LATE_DEFAULT},
		.on_result = on_result,
		.on_tick = on_tick,
		.on_status = on_status,
		.on_live = live ? on_live : NULL,
		.userdata = &observing,
	};

	for (size_t i = 0; i < n_files; i++)
		if (files[i]->n_scenarios == 1)
			array_append(results.items, results.n_items, results.capacity,
				     (struct result){.file = files[i],
						     .scenario = files[i]->scenarios[0],
						     .number = i + 1});
	schedule_run(&config, &results);
	*ret = results;
}

/*
 * What the client did is not at fault here, nor that a step was not reached: it is a question, not
 * a test.
 */
char *adhoc_run_obstacle(const struct result *result)
{
	if (!result->record || result->interrupted)
		return xstrdup("it was interrupted");
	for (size_t i = 0; i < result->judgement.n_findings; i++) {
		const struct finding *finding = &result->judgement.findings[i];

		if (strcmp(finding->type, "harness") == 0 ||
		    strcmp(finding->type, "capability") == 0)
			return xstrdup(finding->message);
	}
	return NULL;
}

char *adhoc_run_disturbance(const struct result *result)
{
	struct history history = history_make(result->record);
	struct late_verdict overdue;
	char *text = NULL;

	if (late_verdict_find(result->scenario, &history, &overdue))
		text = late_verdict_text(result->scenario, result->record, &overdue);
	history_free(&history);
	return text;
}

bool adhoc_run_mentions_endpoint(char *const *command)
{
	for (; *command; command++)
		if (strstr(*command, "${" ADHOC_ENDPOINT) || strstr(*command, "SYNFAULT_"))
			return true;
	return false;
}

bool adhoc_run_check_command(const char *name, const struct scenario_file *file, FILE *err)
{
	const struct scenario *scenario = file->n_scenarios ? file->scenarios[0] : NULL;
	bool good = true;

	for (size_t i = 0; i < file->diags.n_items; i++)
		fprintf(err, "synfault %s: %s\n", name, file->diags.items[i].message);
	for (char *const *word = scenario ? scenario->client.command : NULL; word && *word;
	     word++) {
		AUTO_FREE char *message = NULL, *hint = NULL;
		size_t offset, length;

		if (substitute_check(scenario, *word, &offset, &length, &message, &hint))
			continue;
		fprintf(err, "synfault %s: %s%s%s\n", name, message, hint ? "; " : "",
			hint ? hint : "");
		good = false;
	}
	return good && scenario;
}

bool adhoc_run_is_ascii(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}
