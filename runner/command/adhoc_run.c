/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The common part of `synfault try` and `synfault record`: see adhoc_run.h. */
#include "runner/command/adhoc_run.h"

#include <langinfo.h>

#include "common/random.h"
#include "runner/judge/late_verdict.h"
#include "runner/schedule/limits.h"
#include "runner/schedule/schedule.h"

bool adhoc_run_parse_families(void *field, const char *value, char **ret_message)
{
	const char **families = field;
	AUTO_FREE char *copy = xstrdup(value);
	char *rest = copy;
	size_t n = 0;

	for (char *word; (word = strsep(&rest, ","));) {
		const char *name = NULL;

		for (int family = 0; family < N_FAMILIES; family++)
			if (strcmp(word, family_name((enum family)family)) == 0)
				name = family_name((enum family)family);
		if (!name || n == N_FAMILIES || (n == 1 && name == families[0])) {
			*ret_message = xstrdup("ipv4, ipv6, or both as in ipv6,ipv4 is expected");
			return false;
		}
		families[n++] = name;
	}
	families[n] = NULL;
	return true;
}

/* ---- running ---- */

struct live_target {
	void (*on_live)(void *userdata, const struct result *result, const char *line);
	void *userdata;
};

static void on_live(void *userdata, const struct result *result, const char *line)
{
	struct live_target *target = userdata;

	target->on_live(target->userdata, result, line);
}

void adhoc_run_run(const struct adhoc_run_options *options, struct scenario_file *const *files,
		   size_t n_files,
		   void (*live)(void *userdata, const struct result *result, const char *line),
		   void *userdata, struct run_results *ret)
{
	struct live_target target = {live, userdata};
	struct run_results results = {.seed = options->seed.given ? options->seed.value
								  : random_seed()};
	struct schedule_config config = {
		.jobs = options->jobs ? options->jobs : limits_default_jobs(),
		.seed = results.seed,
		.isolation = options->isolation,
		.time = options->time,
		.judge = {.timing_scale = 1},
		.observe = true,
		/* `record` repeats runs itself, several at a time. */
		.retry = {.late_retries = options->runs > 0 ? 0 : RETRY_LATE_DEFAULT},
		.on_live = live ? on_live : NULL,
		.userdata = &target,
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

/* A failed client or a fault that never fired is not an obstacle: this is not a test. */
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
	struct late_verdict late;
	char *text = NULL;

	if (late_verdict_find(result->scenario, &history, &late))
		text = late_verdict_text(result->scenario, result->record, &late);
	history_free(&history);
	return text;
}

bool adhoc_run_mentions_endpoint(char *const *command)
{
	for (; *command; command++)
		if (strstr(*command, "${") || strstr(*command, "SYNFAULT_"))
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
