/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The outcome of a record: gathers findings from the parts and applies the order of precedence that
 * judge.h states.
 */
#include <inttypes.h>

#include "runner/judge/judging.h"
#include "runner/judge/late_verdict.h"

static const char *const outcome_names[] = {
	[OUTCOME_PASS] = "pass",
	[OUTCOME_FAIL] = "fail",
	[OUTCOME_ERROR] = "error",
	[OUTCOME_SKIP] = "skip",
};
_Static_assert(ARRAY_SIZE(outcome_names) == OUTCOME_N_KINDS, "a name for each outcome");

const char *outcome_name(enum outcome outcome)
{
	return outcome_names[outcome];
}

static char *compose_message(const struct finding *finding)
{
	struct strbuf text = {0};

	strbuf_printf(&text, "%s:", finding->subject);
	if (finding->expected)
		strbuf_printf(&text, " expected %s", finding->expected);
	if (finding->actual)
		strbuf_printf(&text, "%s got %s", finding->expected ? "," : "", finding->actual);
	if (finding->miss)
		strbuf_printf(&text, ", %s", finding->miss);
	return strbuf_steal(&text);
}

static void blame_overdue(const struct judging *judging, struct finding *finding)
{
	char *message = xasprintf("%s; but the machine was too slow to tell: %s", finding->message,
				  judging->overdue);

	free(finding->message);
	finding->message = message;
}

/* Whether an answer came too late. Nobody asks of a record in which nothing is wrong. */
static bool any_overdue(struct judging *judging)
{
	struct late_verdict overdue;

	if (!judging->overdue_sought &&
	    late_verdict_find(judging->scenario, &judging->history, &overdue))
		judging->overdue = late_verdict_text(judging->scenario, judging->record, &overdue);
	judging->overdue_sought = true;
	return judging->overdue != NULL;
}

static struct finding *add(struct judging *judging, enum weight weight,
			   const struct finding_parts *parts)
{
	const bool late =
		weight == WEIGHT_FAILED && (judging->cut_short_by_lag || any_overdue(judging));
	struct finding_list *list = &judging->findings[late ? WEIGHT_LAG : weight];
	const struct expectation *expectation = parts->expectation;
	const char *type = parts->type;
	struct finding finding = {
		.subject = parts->subject,
		.expected = parts->expected,
		.actual = parts->actual,
		.miss = parts->miss,
		.message = parts->message,
		.looks_like = parts->looks_like,
		.place = expectation ? expectation->place : parts->place,
		.attempt = parts->has_attempt ? parts->attempt : UINT32_MAX,
		.caused_by_lag = late,
		.assessment = expectation
				      ? (uint32_t)(expectation - judging->scenario->expectations)
				      : UINT32_MAX,
	};

	if (!type)
		type = expectation ? expectation_kind_name(expectation->kind) : "harness";
	finding.type = xstrdup(type);
	if (!finding.message)
		finding.message = compose_message(&finding);
	if (late && judging->overdue)
		blame_overdue(judging, &finding);
	array_append(list->items, list->n_items, list->capacity, finding);
	return &list->items[list->n_items - 1];
}

void judging_add(struct judging *judging, enum weight weight, const struct finding_parts *parts)
{
	add(judging, weight, parts);
}

static void blame_lag(const struct judging *judging, struct finding *finding)
{
	char harness[DURATION_TEXT_SIZE], client[DURATION_TEXT_SIZE];
	char *message =
		xasprintf("%s; but the machine was too slow to tell: synfault's own lag "
			  "was up to %s, and the client waited %s for a processor",
			  finding->message, duration_format(judging->harness_lag_ns, harness),
			  duration_format(judging->client_lag_ns, client));

	free(finding->message);
	finding->message = message;
	finding->caused_by_lag = true;
}

bool judging_lag_explains(const struct judging *judging, int64_t miss_ns)
{
	int64_t lag_ns = judging->harness_lag_ns + (miss_ns > 0 ? judging->client_lag_ns : 0);

	return (miss_ns < 0 ? -miss_ns : miss_ns) <= lag_ns;
}

void judging_add_time(struct judging *judging, const struct finding_parts *parts, int64_t miss_ns)
{
	bool lag = judging_lag_explains(judging, miss_ns);
	struct finding *finding = add(judging, lag ? WEIGHT_LAG : WEIGHT_FAILED, parts);

	if (lag)
		blame_lag(judging, finding);
}

char *judging_subject(const struct judging *judging, const char *what, size_t endpoint)
{
	if (endpoint >= judging->scenario->n_endpoints)
		return xstrdup(what);
	return xasprintf("%s at %s", what, judging->scenario->endpoints[endpoint].name);
}

char *judging_instance_subject(const struct judging *judging, const char *what, uint32_t instance)
{
	if (judging->record->n_instances == 1)
		return xstrdup(what);
	return xasprintf("%s of instance %" PRIu32, what, instance + 1);
}

/* Problems, and what a record must have. Returns whether it can be judged; if not, *@ret_skip. */
static bool judge_problems(struct judging *judging, bool *ret_skip)
{
	const struct record *record = judging->record;
	struct finding_list *list = &judging->findings[WEIGHT_HARNESS];

	*ret_skip = record->n_problems > 0 && record->problems[0].missing_capability &&
		    !record->client_started;
	for (size_t i = 0; i < record->n_problems; i++) {
		const struct problem *problem = &record->problems[i];

		judging_add(judging, WEIGHT_HARNESS,
			    &(struct finding_parts){
				    .type = problem->missing_capability ? "capability" : "harness",
				    .place = judging->scenario->place,
				    .subject = xstrdup("the harness"),
				    .message = xstrdup(problem->message),
			    });
	}
	if (list->n_items == 0 && !record->client_started)
		judging_add(judging, WEIGHT_HARNESS,
			    &(struct finding_parts){
				    .place = judging->scenario->place,
				    .subject = xstrdup("the harness"),
				    .message = xstrdup("the client was never started"),
			    });
	if (list->n_items == 0 && !record->complete)
		judging_add(judging, WEIGHT_HARNESS,
			    &(struct finding_parts){
				    .place = judging->scenario->place,
				    .subject = xstrdup("the harness"),
				    .message = xstrdup("the process that supervised the scenario "
						       "ended before the record was complete"),
			    });
	return list->n_items == 0;
}

/*
 * A timeout is the client's, unless our own lag took more than a tenth of its time: then nothing
 * that is missing is the client's either.
 */
static void judge_timeout(struct judging *judging)
{
	const struct scenario *scenario = judging->scenario;
	bool lag = judging->harness_lag_ns + judging->client_lag_ns > scenario->timeout_ns / 10;
	char timeout[DURATION_TEXT_SIZE];
	struct finding *finding;

	if (!judging->timed_out)
		return;
	duration_format(scenario->timeout_ns, timeout);
	judging->cut_short_by_lag = lag;
	finding = add(judging, WEIGHT_FAILED,
		      &(struct finding_parts){
			      .type = "timeout",
			      .place = scenario->place,
			      .subject = xstrdup("the client"),
			      .expected = xasprintf("to end within %s", timeout),
			      .actual = xstrdup("still running"),
			      .message = xasprintf("the client was still running after %s, its "
						   "timeout, and was ended",
						   timeout),
		      });
	if (lag && !judging->overdue)
		blame_lag(judging, finding);
}

static bool tries_several_addresses(const struct judging *judging, size_t endpoint)
{
	const struct record *record = judging->record;
	size_t first = SIZE_MAX;

	for (uint32_t id = 0; id < record->n_attempts; id++) {
		size_t address = judging_address(record, id);

		if (endpoint != ALL_ENDPOINTS && record->attempts[id].endpoint != endpoint)
			continue;
		if (first != SIZE_MAX && address != first)
			return true;
		first = address;
	}
	return false;
}

/* What a scenario can say and judgement does not know yet: never a pass. */
static bool is_beyond_judgement(const struct judging *judging,
				const struct expectation *expectation)
{
	switch (expectation->kind) {
	case EXPECT_READ_TIMEOUT:
	case EXPECT_CONNECTING:
		return true;
	case EXPECT_ORDER:
		for (size_t i = 0; i < expectation->value.order.n_targets; i++)
			if (expectation->value.order.targets[i].ordinal > 0)
				return true;
		return false;
	case EXPECT_FALLBACK:
		return expectation->value.fallback.from.ordinal > 0 ||
		       expectation->value.fallback.to.ordinal > 0;
	case EXPECT_BACKOFF:
	case EXPECT_ATTEMPT_DELAY:
		return expectation->value.policy.resets_on_success ||
		       (expectation->value.policy.per_round &&
			tries_several_addresses(judging, expectation->endpoint));
	default:
		return false;
	}
}

static void judge_expectation(struct judging *judging, const struct expectation *expectation)
{
	if (is_beyond_judgement(judging, expectation)) {
		judging_add(
			judging, WEIGHT_HARNESS,
			&(struct finding_parts){
				.place = expectation->place,
				.subject = xstrdup("the harness"),
				.message = xasprintf("this \"%s\" can't be judged by this version "
						     "(docs/scenario.md)",
						     expectation_kind_name(expectation->kind)),
			});
		return;
	}
	switch (expectation->kind) {
	case EXPECT_EXIT:
		judge_exit(judging, expectation);
		break;
	case EXPECT_DURATION:
		judge_duration(judging, expectation);
		break;
	case EXPECT_ATTEMPTS:
		judge_attempts(judging, expectation);
		break;
	case EXPECT_RETRANSMISSIONS:
		judge_retransmissions(judging, expectation);
		break;
	case EXPECT_BACKOFF:
	case EXPECT_ATTEMPT_DELAY:
		judge_backoff(judging, expectation);
		break;
	case EXPECT_STDOUT:
	case EXPECT_STDERR:
		judge_text(judging, expectation);
		break;
	case EXPECT_HERD:
		judge_herd(judging, expectation);
		break;
	case EXPECT_CONNECTED:
		judge_connected(judging, expectation);
		break;
	case EXPECT_RECEIVED:
	case EXPECT_SENT:
		judge_bytes(judging, expectation);
		break;
	case EXPECT_ENDED:
		judge_ended(judging, expectation);
		break;
	case EXPECT_CONNECT_TIMEOUT:
		judge_connect_timeout(judging, expectation);
		break;
	case EXPECT_GIVES_UP:
		judge_gives_up(judging, expectation);
		break;
	case EXPECT_ORDER:
		judge_order(judging, expectation);
		break;
	case EXPECT_FALLBACK:
		judge_fallback(judging, expectation);
		break;
	case EXPECT_CONCURRENT_ATTEMPTS:
		judge_concurrent_attempts(judging, expectation);
		break;
	case EXPECT_LEAKS:
		judge_leaks(judging, expectation);
		break;
	case EXPECT_RETRY_ON:
		judge_retry_on(judging, expectation);
		break;
	case EXPECT_TOTAL_BACKOFF:
		judge_total_backoff(judging, expectation);
		break;
	case EXPECT_READ_TIMEOUT:
	case EXPECT_CONNECTING:
	case EXPECT_N_KINDS:
		break;
	}
}

/* Joins the lists in the order of their weight; the first finding then is the one that decided. */
static struct judgement decide(struct judging *judging, bool skip)
{
	static const enum outcome outcomes[N_WEIGHTS] = {
		[WEIGHT_HARNESS] = OUTCOME_ERROR, [WEIGHT_FAILED] = OUTCOME_FAIL,
		[WEIGHT_LAG] = OUTCOME_ERROR,     [WEIGHT_UNDECIDED] = OUTCOME_ERROR,
		[WEIGHT_UNFIRED] = OUTCOME_ERROR,
	};
	struct judgement judgement = {.outcome = OUTCOME_PASS};

	for (size_t weight = 0; weight < N_WEIGHTS; weight++) {
		struct finding_list *list = &judging->findings[weight];

		if (list->n_items > 0 && judgement.n_findings == 0)
			judgement.outcome = outcomes[weight];
		for (size_t i = 0; i < list->n_items; i++)
			array_append(judgement.findings, judgement.n_findings, judgement.capacity,
				     list->items[i]);
		free(list->items);
	}
	judging_assessments_finish(judging, &judgement);
	if (skip)
		judgement.outcome = OUTCOME_SKIP;
	return judgement;
}

bool expectation_needs_client(const struct expectation *expectation)
{
	switch (expectation->kind) {
	case EXPECT_EXIT:
	case EXPECT_DURATION:
	case EXPECT_STDOUT:
	case EXPECT_STDERR:
		return true;
	default:
		return false;
	}
}

/* The client's end at the timeout is our doing: its status and duration say nothing then. */
static bool is_judged(const struct judging *judging, const struct expectation *expectation)
{
	if (judging->record->attached && expectation_needs_client(expectation))
		return false;
	return !judging->timed_out ||
	       (expectation->kind != EXPECT_EXIT && expectation->kind != EXPECT_DURATION);
}

/* What is expected, as far as the record can tell; and that the faults fired that had to. */
static void judge_expectations(struct judging *judging)
{
	const struct scenario *scenario = judging->scenario;
	bool attached = judging->record->attached;
	size_t n_judged = 0;

	judge_timeout(judging);
	for (size_t i = 0; i < scenario->n_expectations; i++) {
		const struct expectation *expectation = &scenario->expectations[i];

		if (!is_judged(judging, expectation))
			continue;
		judging->assessments[i].result = ASSESSED_MET;
		judge_expectation(judging, expectation);
		n_judged++;
	}
	if (!attached || n_judged > 0)
		judge_fired(judging);
}

struct judgement judge(const struct scenario *scenario, const struct record *record,
		       const struct judge_options *options)
{
	struct judging judging = {
		.scenario = scenario,
		.record = record,
		.timing_scale = options ? options->timing_scale : 1,
		.harness_lag_ns = MAX(record->harness_lag_ns, 0),
		.client_lag_ns = MAX(record->client_lag_ns, 0),
	};
	bool skip;

	judging_assessments_make(&judging);
	if (judge_problems(&judging, &skip)) {
		judging.history = history_make(record);
		judging.timed_out = history_timed_out(&judging.history);
		judge_consistency(&judging);
		if (judging.findings[WEIGHT_HARNESS].n_items == 0)
			judge_expectations(&judging);
		judging_free_groups(&judging);
		free(judging.overdue);
		history_free(&judging.history);
	}
	return decide(&judging, skip);
}

bool judgement_is_late(const struct judgement *judgement)
{
	return judgement->outcome == OUTCOME_ERROR && judgement->n_findings > 0 &&
	       judgement->findings[0].caused_by_lag;
}

void judgement_free(struct judgement *judgement)
{
	for (size_t i = 0; i < judgement->n_findings; i++) {
		struct finding *finding = &judgement->findings[i];

		free(finding->type);
		free(finding->subject);
		free(finding->expected);
		free(finding->actual);
		free(finding->miss);
		free(finding->message);
		free(finding->looks_like);
	}
	free(judgement->findings);
	for (size_t i = 0; i < judgement->n_assessments; i++) {
		struct assessment *assessment = &judgement->assessments[i];

		free(assessment->type);
		free(assessment->subject);
		free(assessment->expected);
		free(assessment->actual);
	}
	free(judgement->assessments);
	*judgement = (struct judgement){0};
}
