/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts, failures, the slowest and all scenarios: see html_overview.h. */
#include "runner/report/html_overview.h"

#include "common/text.h"

enum { SLOWEST = 10 };

static void tile(struct markup *markup, const char *class_name, size_t count, const char *word,
		 const char *target)
{
	markup_begin(markup, "li", count > 0 ? class_name : "none");
	markup_elementf(markup, "b", NULL, "%zu", count);
	if (count > 0) {
		markup_open(markup, "a");
		markup_attr(markup, "href", target);
		markup_text(markup, word);
		markup_close(markup);
	} else {
		markup_text(markup, word);
	}
	markup_close(markup);
}

static void add_tiles(struct markup *markup, const struct run_results *results)
{
	struct outcome_counts counts = results_count(results);

	markup_begin(markup, "ul", "tiles");
	tile(markup, "pass", counts.by_outcome[OUTCOME_PASS], "passed", "#all");
	tile(markup, "fail", counts.by_outcome[OUTCOME_FAIL], "failed", "#failed");
	tile(markup, "error", counts.by_outcome[OUTCOME_ERROR], "not judged", "#failed");
	tile(markup, "skip", counts.by_outcome[OUTCOME_SKIP], "skipped", "#skipped");
	tile(markup, "flaky", counts.n_flaky, "flaky", "#flaky");
	markup_close(markup);
}

static void add_stopped(struct markup *markup, const struct run_results *results)
{
	static const char *const words[] = {
		[STOP_SIGNAL] = "The run was interrupted",
		[STOP_TIMEOUT] = "The run reached its time limit (--global-timeout)",
		[STOP_FAILURES] = "The run stopped at its limit of failures (--max-fail)",
	};
	enum stop_cause stop = results->interrupted ? STOP_SIGNAL : results->stop;
	size_t n_left = 0;

	for (size_t i = 0; i < results->n_items; i++)
		n_left += result_never_ran(&results->items[i]);
	if (stop != STOP_NONE)
		markup_elementf(markup, "p", "lead bad-text", "%s: %zu scenario%s did not run.",
				words[stop], n_left, PLURAL(n_left));
}

static void add_facts(struct markup *markup, const struct run_results *results)
{
	const struct run_metadata *facts = &results->facts;
	AUTO_FREE char *seed = xasprintf("%llu", (unsigned long long)results->seed);
	AUTO_FREE char *user = NULL, *processors = NULL;
	char duration[DURATION_TEXT_SIZE];
	AUTO_STRBUF struct strbuf command = {0};

	for (char **word = facts->command; word && *word; word++)
		strbuf_printf(&command, "%s%s", command.length ? " " : "", *word);
	if (facts->user >= 0)
		user = xasprintf("%lld", (long long)facts->user);
	if (facts->processors > 0)
		processors = xasprintf("%lld", (long long)facts->processors);
	markup_begin(markup, "dl", "facts");
	html_started(markup, results->started_realtime_ns);
	html_term(markup, "took", duration_format(results->duration_ns, duration));
	html_term(markup, "seed", seed);
	html_term(markup, "shard", results->shard);
	html_term(markup, "command of the clients (--)",
		  command.length ? strbuf_text(&command) : NULL);
	html_term(markup, "synfault", facts->program);
	html_term(markup, "machine", facts->hostname);
	html_term(markup, "system", facts->system);
	html_term(markup, "kernel", facts->kernel);
	html_term(markup, "processors", processors);
	html_term(markup, "user id", user);
	html_term(markup, "capabilities", facts->capabilities);
	html_term(markup, "isolation asked for", facts->isolation);
	markup_close(markup);
}

/* Adds a row: outcome, name (and why), attempts, time. */
static void add_row(struct markup *markup, const struct html_site *site, size_t index, bool why)
{
	const struct result *result = &site->results->items[index];
	AUTO_STRBUF struct strbuf reason = {0};
	char duration[DURATION_TEXT_SIZE];

	markup_open(markup, "tr");
	markup_begin(markup, "td", "tight");
	html_badge(markup, result);
	markup_close(markup);
	markup_begin(markup, "td", "name");
	markup_open(markup, "a");
	html_link_to(markup, site, index, false);
	markup_text(markup, site->titles[index]);
	markup_close(markup);
	if (why) {
		result_reason(result, &reason);
		markup_element(markup, "div", NULL, strbuf_text(&reason));
	}
	markup_close(markup);
	markup_elementf(markup, "td", "num", "%zu",
			result->record ? result->record->n_attempts : 0);
	markup_element(markup, "td", "num", duration_format(result->duration_ns, duration));
	markup_close(markup);
}

static void begin_table(struct markup *markup, const char *caption)
{
	static const struct html_column columns[] = {
		{"outcome"}, {"scenario"}, {"attempts", true}, {"time", true}, {NULL}};

	html_table_begin(markup, caption, columns);
}

static void begin_section(struct markup *markup, const char *id, const char *heading)
{
	markup_open(markup, "section");
	markup_attrf(markup, "aria-labelledby", "%s", id);
	markup_open(markup, "h2");
	markup_attr(markup, "id", id);
	markup_text(markup, heading);
	markup_close(markup);
}

/* Adds a section with the results that @takes accepts, if there are any. */
static void add_list(struct markup *markup, const struct html_site *site, const char *id,
		     const char *heading, bool (*takes)(const struct result *result))
{
	size_t n = 0;

	for (size_t i = 0; i < site->results->n_items; i++) {
		size_t index = site->order[i];

		if (!takes(&site->results->items[index]))
			continue;
		if (n++ == 0) {
			begin_section(markup, id, heading);
			begin_table(markup, heading);
		}
		add_row(markup, site, index, true);
	}
	if (n == 0)
		return;
	html_table_end(markup);
	markup_close(markup);
}

static bool is_flaky(const struct result *result)
{
	return result->flaky;
}

static bool is_skipped(const struct result *result)
{
	return result_outcome(result) == OUTCOME_SKIP;
}

/* ---- slowest ---- */

static void add_slowest(struct markup *markup, const struct html_site *site)
{
	const struct run_results *results = site->results;
	size_t slowest[SLOWEST], n = 0;

	/* By insertion, since only a few are kept. */
	for (size_t i = 0; i < results->n_items; i++) {
		size_t at = n;

		while (at > 0 &&
		       results->items[slowest[at - 1]].duration_ns < results->items[i].duration_ns)
			at--;
		if (at >= SLOWEST)
			continue;
		n = MIN(n + 1, (size_t)SLOWEST);
		memmove(&slowest[at + 1], &slowest[at], (n - at - 1) * sizeof(*slowest));
		slowest[at] = i;
	}
	if (n < 2)
		return;
	begin_section(markup, "slowest", "Slowest");
	begin_table(markup, "Slowest scenarios");
	for (size_t i = 0; i < n; i++)
		add_row(markup, site, slowest[i], false);
	html_table_end(markup);
	markup_close(markup);
}

/* ---- by tag ---- */

struct tag {
	const char *name;
	size_t counts[OUTCOME_N_KINDS], total;
	int64_t duration_ns;
};

static int compare_tags(const void *a, const void *b)
{
	return strcmp(((const struct tag *)a)->name, ((const struct tag *)b)->name);
}

/* Returns one entry for each tag, sorted; free() it. */
static struct tag *gather_tags(const struct run_results *results, size_t *ret_n)
{
	struct tag *tags = NULL;
	size_t n = 0, capacity = 0, n_merged = 0;

	for (size_t i = 0; i < results->n_items; i++) {
		const struct result *result = &results->items[i];
		char **names = result->scenario ? result->scenario->tags : NULL;

		for (; names && *names; names++) {
			struct tag tag = {
				.name = *names, .total = 1, .duration_ns = result->duration_ns};

			tag.counts[result_outcome(result)] = 1;
			array_append(tags, n, capacity, tag);
		}
	}
	if (n > 0)
		qsort(tags, n, sizeof(*tags), compare_tags);
	for (size_t i = 0; i < n; i++) {
		struct tag *last = n_merged > 0 ? &tags[n_merged - 1] : NULL;

		if (!last || strcmp(last->name, tags[i].name) != 0) {
			tags[n_merged++] = tags[i];
			continue;
		}
		last->total++;
		last->duration_ns += tags[i].duration_ns;
		for (size_t k = 0; k < OUTCOME_N_KINDS; k++)
			last->counts[k] += tags[i].counts[k];
	}
	*ret_n = n_merged;
	return tags;
}

static void add_tags(struct markup *markup, const struct run_results *results)
{
	static const struct html_column columns[] = {
		{"tag"},           {"failed", true},    {"not judged", true}, {"passed", true},
		{"skipped", true}, {"scenarios", true}, {"time", true},       {NULL},
	};
	/* What needs attention comes first, where a narrow screen shows it. */
	static const enum outcome outcomes[] = {OUTCOME_FAIL, OUTCOME_ERROR, OUTCOME_PASS,
						OUTCOME_SKIP};
	size_t n;
	AUTO_FREE struct tag *tags = gather_tags(results, &n);
	char duration[DURATION_TEXT_SIZE];

	if (n == 0)
		return;
	begin_section(markup, "tags", "By tag");
	html_table_begin(markup, "Outcomes by tag", columns);
	for (size_t i = 0; i < n; i++) {
		markup_open(markup, "tr");
		html_row_heading(markup, tags[i].name);
		for (size_t k = 0; k < ARRAY_SIZE(outcomes); k++)
			markup_elementf(markup, "td", "num", "%zu", tags[i].counts[outcomes[k]]);
		markup_elementf(markup, "td", "num", "%zu", tags[i].total);
		markup_element(markup, "td", "num", duration_format(tags[i].duration_ns, duration));
		markup_close(markup);
	}
	html_table_end(markup);
	markup_close(markup);
}

/* ---- all ---- */

static void add_all(struct markup *markup, const struct html_site *site)
{
	const struct run_results *results = site->results;
	size_t n_files = 0;

	begin_section(markup, "all", "All scenarios");
	for (size_t i = 0; i < results->n_items;) {
		const char *file = site->files[site->order[i]];

		markup_open(markup, "h3");
		markup_attrf(markup, "id", "file-%zu", ++n_files);
		markup_element(markup, "code", NULL, *file ? file : "no file");
		markup_close(markup);
		begin_table(markup, *file ? file : "no file");
		for (; i < results->n_items && !strcmp(site->files[site->order[i]], file); i++)
			add_row(markup, site, site->order[i], false);
		html_table_end(markup);
	}
	if (results->n_items == 0)
		markup_element(markup, "p", NULL, "No scenario was selected.");
	markup_close(markup);
}

void html_overview(struct markup *markup, const struct html_site *site)
{
	const struct run_results *results = site->results;
	struct outcome_counts counts = results_count(results);
	size_t n_bad = counts.by_outcome[OUTCOME_FAIL] + counts.by_outcome[OUTCOME_ERROR];
	size_t n_passed = counts.by_outcome[OUTCOME_PASS];

	markup_element(markup, "h1", NULL, "synfault report");
	if (n_bad > 0)
		markup_elementf(markup, "p", "lead", "%zu of %zu scenario%s did not pass.", n_bad,
				results->n_items, PLURAL(results->n_items));
	else
		markup_elementf(markup, "p", "lead", "%zu of %zu scenario%s passed.", n_passed,
				results->n_items, PLURAL(results->n_items));
	add_stopped(markup, results);
	add_tiles(markup, results);
	add_list(markup, site, "failed", "Failed or not judged", result_is_failure);
	add_list(markup, site, "flaky", "Flaky: passed only when run again", is_flaky);
	add_list(markup, site, "skipped", "Skipped", is_skipped);
	add_slowest(markup, site);
	add_tags(markup, results);
	add_all(markup, site);
	begin_section(markup, "run", "The run");
	add_facts(markup, results);
	markup_close(markup);
}
