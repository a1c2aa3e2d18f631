/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes an HTML report with everything that a report can have, from results made by hand:
 *
 *     make_site DIR
 *
 * DIR/site has the pages, DIR/single.html all of them in one.
 */
#include <signal.h>
#include <sys/wait.h>

#include "runner/report/html.h"
#include "tests/lib/report_fixture.h"

/* The builder's expectations begin at line 101. */
static char *make_source(void)
{
	struct strbuf source = {0};

	strbuf_puts(&source, "# Made for tests.\ndefaults: {tags: [demo]}\n---\nname: all of it\n");
	for (int line = 5; line < 140; line++)
		strbuf_printf(&source, "  key%d: [\"<b>&amp;</b>\", \x01 \xff, %s]\n", line,
			      line == 50 ? "a line that is rather long, so long that it can't be "
					   "shown in a narrow window without being scrolled"
					 : "short");
	return strbuf_steal(&source);
}

static void add_one_attempt(struct report_fixture *fixture, struct scenario_file *file)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "accept");

	record_builder_attempt_connected(b, api, 1);
	record_builder_client_writes(b, STREAM_STDOUT, 2, "hello\n", 6);
	record_builder_client_exits(b, 3, 0);
	record_builder_expect_exit(b, 0);
	report_fixture_result(fixture, file, "one attempt, of a millisecond", 4, b, NULL);
}

static void add_waits(struct report_fixture *fixture, struct scenario_file *file)
{
	static const char hostile[] = "\033[31mred\033[0m \x07\xff<script>alert(1)</script>]]>\n";
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse x3, delay 300ms, drop, accept");
	size_t store =
		record_builder_endpoint(b, "store<&>\"'", "lose 2, unreachable host, accept");

	record_builder_attempt_refused(b, api, 10);
	record_builder_attempt_refused(b, api, 2020);
	record_builder_attempt_refused(b, api, 3100);
	record_builder_attempt_connected_late(b, api, 6800, 300);
	record_builder_attempt_dropped(b, api, 9200, 12000);
	record_builder_attempt_connected(b, api, 14100);
	record_builder_attempt_lost(b, store, 15000, 2);
	record_builder_client_writes(b, STREAM_STDERR, 2100, hostile, sizeof(hostile) - 1);
	record_builder_client_writes(b, STREAM_STDERR, 14200, "and one more\n", 13);
	record_builder_client_exits(b, 19000, 3);
	record_builder_expect_exit(b, 0);
	record_builder_expect_attempts(b, api, 6, 6);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	record_builder_expect_text(b, EXPECT_STDERR, false, TEXT_CONTAINS, "refused");
	record_add_section(b->record, "Listening", "127.0.0.1:8080 accept queue 0 of 4096\n");
	record_add_section(b->record, "Routes", "none\n");
	b->record->harness_lag_ns = 12 * NS_PER_MS;
	report_fixture_result(fixture, file,
			      "waits too little, <b>then</b> & \"too\" long \x1b[31m, in a name "
			      "that goes on and on until it is too long for any line of a report",
			      4, b, NULL)
		->repeat = xstrdup("synfault run tests/all.yaml --filter 'waits <b>too</b> little' "
				   "--seed 42");
}

static void add_many(struct report_fixture *fixture, struct scenario_file *file)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse x990, accept");

	for (int i = 0; i < 1000; i++) {
		if (i < 990)
			record_builder_attempt_refused(b, api, i * 600 + (i % 7) * 20);
		else
			record_builder_attempt_connected(b, api, i * 600);
	}
	for (int i = 0; i < 3000; i++)
		record_builder_client_writes(b, STREAM_STDOUT, i * 200, "a line of output\n", 17);
	record_builder_client_exits(b, 600000, 0);
	record_builder_expect_exit(b, 0);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 600);
	report_fixture_result(fixture, file, "a thousand attempts in ten minutes", 4, b, NULL);
}

static void add_others(struct report_fixture *fixture, struct scenario_file *file)
{
	struct record_builder *b = record_builder_new(), *before = record_builder_new();
	struct judgement skipped = {.outcome = OUTCOME_SKIP};
	struct result *result;
	struct earlier_run run = {0};
	size_t api;

	report_fixture_finding(&skipped, "capability", NULL, NULL, NULL,
			       "the machine lacks CAP_NET_ADMIN");
	report_fixture_result(fixture, file, "skipped", 60, b, &skipped);
	report_fixture_broken(fixture, file, "a broken document", 70, "unknown key \"faluts\"");
	report_fixture_not_run(fixture, file, "not run", 80);

	api = record_builder_endpoint(before, "api", "refuse, accept");
	record_builder_attempt_refused(before, api, 5);
	record_builder_times_out(before, 2000);
	record_builder_client_killed(before, 2001, SIGTERM);
	record_builder_expect_exit(before, 0);
	run.judgement = record_builder_judge(before);
	run.record = steal_pointer(&before->record);
	run.duration_ns = 2 * NS_PER_S;
	record_builder_free(before);

	b = record_builder_new();
	api = record_builder_endpoint(b, "api", "refuse, accept");
	record_builder_attempt_refused(b, api, 5);
	record_builder_attempt_connected(b, api, 500);
	record_builder_client_exits(b, 600, 0);
	record_builder_expect_exit(b, 0);
	result = report_fixture_result(fixture, file, "flaky", 90, b, NULL);
	result->flaky = true;
	array_append(result->earlier, result->n_earlier, result->earlier_capacity, run);
}

/* Gives each result that ran a capture; the single page can only name its path. */
static void add_captures(struct report_fixture *fixture, const char *directory)
{
	AUTO_FREE char *path = xasprintf("%s/packets.pcapng", directory);
	FILE *file = fopen(path, "we");

	if (!file || fputs("no packets", file) < 0 || fclose(file) != 0)
		exit(EXIT_FAILURE);
	for (size_t i = 0; i < fixture->results.n_items; i++)
		if (fixture->results.items[i].record)
			fixture->results.items[i].capture = xstrdup(path);
}

static int complain(const struct diag_list *diags)
{
	for (size_t i = 0; i < diags->n_items; i++)
		fprintf(stderr, "make_site: %s\n", diags->items[i].message);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_FREE char *source = make_source(), *site = NULL, *single = NULL;
	AUTO_DIAG struct diag_list diags = {0};
	struct scenario_file *file;

	if (argc != 2) {
		fprintf(stderr, "usage: make_site DIR\n");
		return EXIT_FAILURE;
	}
	file = report_fixture_file(fixture, "tests/all.yaml", source);
	add_one_attempt(fixture, file);
	add_waits(fixture, file);
	add_many(fixture, file);
	add_others(fixture, file);
	add_captures(fixture, argv[1]);
	site = xasprintf("%s/site", argv[1]);
	single = xasprintf("%s/single.html", argv[1]);
	if (html_write(&fixture->results, site, &diags) < 0 ||
	    html_single_write(&fixture->results, single, &diags) < 0)
		return complain(&diags);
	return EXIT_SUCCESS;
}
