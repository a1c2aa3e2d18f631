/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Searches of output in a process of their own: what they find, and how they end. */
#include "runner/schedule/searcher.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "tests/lib/record_builder.h"

TestSuite(searcher);

/* Without its limits this search would take years. */
static const char endless[] = "(a+)+$",
		  output_for_it[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaax";
static const struct pattern_limits no_limits = {
	.steps = UINT64_MAX,
	.cpu_ns = INT64_MAX / 4,
	.all_ns = INT64_MAX / 4,
};

struct ended {
	struct event_base *base;
	struct record_builder *b;
	struct judgement judgement;
	unsigned n;
};

static void on_end(void *userdata, const struct text_searches *searches)
{
	struct ended *ended = userdata;
	const struct judge_options options = {.timing_scale = 1, .searches = searches};

	ended->judgement = judge(ended->b->scenario, ended->b->record, &options);
	ended->n++;
	event_base_loopbreak(ended->base);
}

static struct searcher *start(struct ended *ended, const char *output, const char *pattern,
			      const struct pattern_limits *limits, int64_t patience_ns)
{
	struct searcher_config config = {
		.limits = *limits,
		.patience_ns = patience_ns,
		.on_end = on_end,
		.userdata = ended,
	};
	struct searcher *searcher = NULL;

	ended->base = config.base = event_base_new();
	ended->b = record_builder_new();
	record_builder_client_writes(ended->b, STREAM_STDERR, 5, output, strlen(output));
	record_builder_client_exits(ended->b, 10, 0);
	record_builder_expect_text(ended->b, EXPECT_STDERR, false, TEXT_MATCHES, pattern);
	config.scenario = ended->b->scenario;
	config.record = ended->b->record;
	cr_assert_eq(searcher_start(&config, &searcher), 0);
	return searcher;
}

/* Waits for the end, and looks at the judgement that follows. @message: NULL: it passes. */
static void expect_end(struct ended *ended, enum outcome outcome, const char *message)
{
	event_base_dispatch(ended->base);
	cr_expect_eq(ended->n, 1);
	cr_expect_eq(ended->judgement.outcome, outcome, "%s",
		     outcome_name(ended->judgement.outcome));
	if (message) {
		cr_assert_geq(ended->judgement.n_findings, 1);
		cr_expect(strstr(ended->judgement.findings[0].message, message), "%s",
			  ended->judgement.findings[0].message);
	}
	cr_expect_lt(waitpid(-1, NULL, WNOHANG), 0, "it left a process");
	cr_expect_eq(errno, ECHILD);
	judgement_free(&ended->judgement);
	record_builder_free(ended->b);
	event_base_free(ended->base);
}

Test(searcher, finds_what_a_search_on_the_spot_finds)
{
	static const struct {
		const char *output, *pattern;
		enum outcome outcome;
		const char *message;
	} cases[] = {
		{"try 1\ntry 2\n", "^try 2$|try \\d\\n$", OUTCOME_PASS, NULL},
		{"all is well\n", "refused", OUTCOME_FAIL,
		 "expected a match of \"refused\", got 12 bytes, the last line is \"all is well\""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ended ended = {0};

		start(&ended, cases[i].output, cases[i].pattern, &pattern_default_limits,
		      searcher_default_patience_ns());
		expect_end(&ended, cases[i].outcome, cases[i].message);
	}
}

Test(searcher, keeps_the_limits_of_patterns)
{
	struct pattern_limits limits = no_limits;
	struct ended ended = {0};

	limits.steps = 10000;
	start(&ended, output_for_it, endless, &limits, searcher_default_patience_ns());
	expect_end(&ended, OUTCOME_ERROR, "it backtracks too much on this output");
}

Test(searcher, is_killed_when_patience_ends)
{
	struct ended ended = {0};

	start(&ended, output_for_it, endless, &no_limits, 20 * NS_PER_MS);
	expect_end(&ended, OUTCOME_ERROR, "the search took too long");
}

Test(searcher, is_killed_when_the_run_ends)
{
	struct ended ended = {0};

	searcher_stop(
		start(&ended, output_for_it, endless, &no_limits, searcher_default_patience_ns()));
	expect_end(&ended, OUTCOME_ERROR, "the run ended while it was searched for");
}

/* The scheduler handles events while the search goes on. */
static void stop_it(evutil_socket_t fd, short what, void *userdata)
{
	searcher_stop(userdata);
}

Test(searcher, leaves_the_loop_to_others)
{
	const struct timeval soon = {.tv_usec = 20000};
	struct ended ended = {0};
	struct searcher *searcher =
		start(&ended, output_for_it, endless, &no_limits, searcher_default_patience_ns());

	event_base_once(ended.base, -1, EV_TIMEOUT, stop_it, searcher, &soon);
	expect_end(&ended, OUTCOME_ERROR, "the run ended while it was searched for");
}
