/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations on how a client goes on from attempt to attempt: when it gives up, in which order it
 * tries its targets, when it falls back, what it retries, how long it waits in all. Each instance
 * of the client is looked at by itself.
 */
#include <inttypes.h>

#include "runner/judge/judging.h"

enum ending attempt_ending(const struct attempt_history *attempt)
{
	switch (attempt->end) {
	case END_REFUSED:
	case END_REJECTED:
		return ENDING_REFUSED;
	case END_UNREACHABLE:
		return ENDING_UNREACHABLE;
	case END_ABANDONED:
	case END_OPEN:
	case END_N_KINDS:
		return ENDING_UNANSWERED;
	case END_ESTABLISHED:
		break;
	}
	if (attempt_had_fault(attempt, FAULT_RESET))
		return ENDING_RESET;
	if (attempt_had_fault(attempt, FAULT_CLOSED))
		return ENDING_CLOSED;
	if (attempt_had_fault(attempt, FAULT_STALLED))
		return ENDING_STALLED;
	return ENDING_CONNECTED;
}

/* ---- gives-up ---- */

static void judge_last_attempt(struct judging *judging, const struct expectation *expectation,
			       const struct attempt_group *group)
{
	int64_t most = expectation->value.gives_up.attempts, n = (int64_t)group->n_attempts;

	if (most == 0 || n <= most)
		return;
	judging_add(judging, WEIGHT_FAILED,
		    &(struct finding_parts){
			    .expectation = expectation,
			    .subject = judging_group_subject(judging, "giving up",
							     expectation->endpoint, group),
			    .expected = xasprintf("after %" PRId64 " attempts", most),
			    .actual = xasprintf("%" PRId64 " attempts", n),
			    .miss = xasprintf("%" PRId64 " too many", n - most),
			    .looks_like = judging_fit(judging, expectation->endpoint, false),
			    .has_attempt = true,
			    .attempt = group->attempts[most]->id,
		    });
}

/* The first attempt that starts after @limit_ns is the one that broke the rule. */
static void judge_late_attempt(struct judging *judging, const struct expectation *expectation,
			       const struct attempt_group *group)
{
	int64_t after_ns = expectation->value.gives_up.after_ns, late_ns;
	char limit[DURATION_TEXT_SIZE], at[DURATION_TEXT_SIZE];

	if (after_ns == INT64_MAX || group->n_attempts == 0)
		return;
	for (size_t i = 1; i < group->n_attempts; i++) {
		late_ns = group->attempts[i]->started_ns - group->attempts[0]->started_ns;
		if (late_ns <= after_ns)
			continue;
		judging_add_time(
			judging,
			&(struct finding_parts){
				.expectation = expectation,
				.subject = judging_group_subject(judging, "giving up",
								 expectation->endpoint, group),
				.expected = xasprintf("no attempt later than %s after the first",
						      duration_format(after_ns, limit)),
				.actual = xasprintf("attempt %zu after %s", i + 1,
						    duration_format(late_ns, at)),
				.miss = miss_text(late_ns - after_ns),
				.looks_like = judging_fit(judging, expectation->endpoint, false),
				.has_attempt = true,
				.attempt = group->attempts[i]->id,
			},
			late_ns - after_ns);
		return;
	}
}

/* An attempt when the client has ended comes from something that it left behind. */
static void judge_after_exit(struct judging *judging, const struct expectation *expectation,
			     const struct attempt_group *group)
{
	const struct event *exit = history_instance_exit(&judging->history, group->instance);
	char late[DURATION_TEXT_SIZE];

	if (!exit || judging->timed_out)
		return;
	for (size_t i = 0; i < group->n_attempts; i++) {
		int64_t late_ns = group->attempts[i]->started_ns - exit->at_ns;

		if (late_ns <= judging->harness_lag_ns)
			continue;
		judging_add(judging, WEIGHT_FAILED,
			    &(struct finding_parts){
				    .expectation = expectation,
				    .subject = judging_group_subject(judging, "giving up",
								     expectation->endpoint, group),
				    .expected = xstrdup("no attempt after the client's end"),
				    .actual = xasprintf("attempt %zu %s after it", i + 1,
							duration_format(late_ns, late)),
				    .has_attempt = true,
				    .attempt = group->attempts[i]->id,
			    });
		return;
	}
}

static char *giving_up_text(const struct expectation *expectation)
{
	int64_t most = expectation->value.gives_up.attempts;
	int64_t after_ns = expectation->value.gives_up.after_ns;
	char limit[DURATION_TEXT_SIZE];
	struct strbuf text = {0};

	if (most > 0)
		strbuf_printf(&text, "after %" PRId64 " attempt%s", most, most == 1 ? "" : "s");
	if (after_ns != INT64_MAX)
		strbuf_printf(&text, "%sno attempt later than %s after the first",
			      most > 0 ? ", " : "", duration_format(after_ns, limit));
	return strbuf_steal(&text);
}

/* Of several instances: the most attempts of one, and the latest of one. */
static void measure_giving_up(struct judging *judging, const struct expectation *expectation,
			      const struct attempt_groups *groups)
{
	const struct attempt_history *last = NULL;
	int64_t latest_ns = 0;
	size_t most = 0;
	char latest[DURATION_TEXT_SIZE];

	for (size_t i = 0; i < groups->n_groups; i++) {
		const struct attempt_group *group = &groups->groups[i];
		const struct attempt_history *end;

		if (group->n_attempts == 0)
			continue;
		end = group->attempts[group->n_attempts - 1];
		most = MAX(most, group->n_attempts);
		latest_ns = MAX(latest_ns, end->started_ns - group->attempts[0]->started_ns);
		if (!last || end->started_ns > last->started_ns)
			last = end;
	}
	judging_measured(judging, expectation,
			 &(struct measured){
				 .expected = giving_up_text(expectation),
				 .actual = xasprintf("%s%zu attempt%s, the last %s after the first",
						     groups->n_groups > 1 ? "at most " : "", most,
						     most == 1 ? "" : "s",
						     duration_format(latest_ns, latest)),
				 .attempt = last,
			 });
}

void judge_gives_up(struct judging *judging, const struct expectation *expectation)
{
	const struct attempt_groups *groups = judging_groups(judging, expectation);

	measure_giving_up(judging, expectation, groups);
	for (size_t i = 0; i < groups->n_groups; i++) {
		judge_last_attempt(judging, expectation, &groups->groups[i]);
		judge_late_attempt(judging, expectation, &groups->groups[i]);
		judge_after_exit(judging, expectation, &groups->groups[i]);
	}
}

/* ---- order and fall-back ---- */

static bool is_at(const struct record *record, uint32_t id, const struct target *target)
{
	const struct record_attempt *attempt = &record->attempts[id];
	int family = target->family == FAMILY_IPV4 ? AF_INET : AF_INET6;

	if (target->endpoint != ALL_ENDPOINTS && target->endpoint != attempt->endpoint)
		return false;
	return target->family == N_FAMILIES || attempt->server.family == family;
}

static char *target_text(const struct judging *judging, const struct target *target)
{
	const struct endpoint_spec *endpoints = judging->scenario->endpoints;

	if (target->endpoint == ALL_ENDPOINTS)
		return xstrdup(family_name(target->family));
	if (target->family == N_FAMILIES)
		return xstrdup(endpoints[target->endpoint].name);
	return xasprintf("%s.%s", endpoints[target->endpoint].name, family_name(target->family));
}

static const struct attempt_history *first_at(const struct judging *judging,
					      const struct attempt_group *group,
					      const struct target *target)
{
	for (size_t i = 0; i < group->n_attempts; i++)
		if (is_at(judging->record, group->attempts[i]->id, target))
			return group->attempts[i];
	return NULL;
}

/* The first attempt at each target, NULL: none; one pass over them, for there can be many. */
static void find_firsts(const struct judging *judging, const struct attempt_group *group,
			const struct target *targets, size_t n,
			const struct attempt_history **ret_firsts)
{
	size_t n_missing = n;

	for (size_t k = 0; k < n; k++)
		ret_firsts[k] = NULL;
	for (size_t i = 0; i < group->n_attempts && n_missing > 0; i++)
		for (size_t k = 0; k < n; k++)
			if (!ret_firsts[k] &&
			    is_at(judging->record, group->attempts[i]->id, &targets[k])) {
				ret_firsts[k] = group->attempts[i];
				n_missing--;
			}
}

/* Whether an attempt at the target has failed by then. */
static bool failed_before(const struct judging *judging, const struct attempt_group *group,
			  const struct target *target, int64_t at_ns)
{
	for (size_t i = 0; i < group->n_attempts; i++) {
		const struct attempt_history *attempt = group->attempts[i];

		if (attempt->started_ns > at_ns)
			break;
		if (attempt->over_ns - attempt_note_slack_ns(attempt) <= at_ns &&
		    attempt_ending(attempt) != ENDING_CONNECTED &&
		    is_at(judging->record, attempt->id, target))
			return true;
	}
	return false;
}

static char *when_text(const struct attempt_history *attempt)
{
	char at[DURATION_TEXT_SIZE];

	if (!attempt)
		return xstrdup("never");
	return xasprintf("at %s", duration_format(attempt->started_ns, at));
}

static void add_order(struct judging *judging, const struct expectation *expectation,
		      const struct attempt_group *group,
		      const struct attempt_history *const *firsts, size_t earlier, size_t later)
{
	const struct target *targets = expectation->value.order.targets;
	AUTO_FREE char *earlier_name = target_text(judging, &targets[earlier]);
	AUTO_FREE char *later_name = target_text(judging, &targets[later]);
	AUTO_FREE char *earlier_at = when_text(firsts[earlier]);
	AUTO_FREE char *later_at = when_text(firsts[later]);
	bool failure = expectation->value.order.after_failure;

	judging_add(
		judging, WEIGHT_FAILED,
		&(struct finding_parts){
			.expectation = expectation,
			.subject = judging_group_subject(judging, "order", ALL_ENDPOINTS, group),
			.expected = failure ? xasprintf("%s not before %s has failed", later_name,
							earlier_name)
					    : xasprintf("%s before %s", earlier_name, later_name),
			.actual = xasprintf("%s %s, %s %s", later_name, later_at, earlier_name,
					    earlier_at),
			.has_attempt = true,
			.attempt = firsts[later]->id,
		});
}

static void judge_order_of(struct judging *judging, const struct expectation *expectation,
			   const struct attempt_group *group,
			   const struct attempt_history *const *firsts)
{
	const struct target *targets = expectation->value.order.targets;
	size_t n = expectation->value.order.n_targets;
	const struct attempt_history *last = n > 0 ? firsts[n - 1] : NULL;

	for (size_t i = 0; expectation->value.order.after_failure && last && i < n - 1; i++)
		if (!failed_before(judging, group, &targets[i], last->started_ns))
			add_order(judging, expectation, group, firsts, i, n - 1);
	for (size_t i = 1; !expectation->value.order.after_failure && i < n; i++) {
		const struct attempt_history *before = firsts[i - 1], *after = firsts[i];

		if (after && (!before || before->started_ns > after->started_ns))
			add_order(judging, expectation, group, firsts, i - 1, i);
	}
}

/* What was to come when, and when it came: of several instances, the first one's. */
static void measure_order(struct judging *judging, const struct expectation *expectation,
			  const struct attempt_history *const *firsts)
{
	const struct target *targets = expectation->value.order.targets;
	size_t n = expectation->value.order.n_targets;
	const struct attempt_history *last = NULL;
	struct strbuf expected = {0}, actual = {0};

	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *name = target_text(judging, &targets[i]);
		const struct attempt_history *first = firsts[i];
		AUTO_FREE char *when = when_text(first);
		const char *before =
			expectation->value.order.after_failure ? ", after that failed " : ", then ";

		strbuf_printf(&expected, "%s%s", i > 0 ? before : "", name);
		strbuf_printf(&actual, "%s%s %s", i > 0 ? ", " : "", name, when);
		if (first && (!last || first->started_ns > last->started_ns))
			last = first;
	}
	judging_measured(judging, expectation,
			 &(struct measured){
				 .expected = strbuf_steal(&expected),
				 .actual = strbuf_steal(&actual),
				 .attempt = last,
			 });
}

void judge_order(struct judging *judging, const struct expectation *expectation)
{
	const struct attempt_groups *groups = judging_groups(judging, expectation);
	size_t n = expectation->value.order.n_targets;
	AUTO_FREE const struct attempt_history **firsts =
		xmalloc((n + 1) * sizeof(const struct attempt_history *));

	for (size_t i = 0; i < groups->n_groups; i++) {
		find_firsts(judging, &groups->groups[i], expectation->value.order.targets, n,
			    firsts);
		if (i == 0)
			measure_order(judging, expectation, firsts);
		judge_order_of(judging, expectation, &groups->groups[i], firsts);
	}
}

static void judge_fallback_of(struct judging *judging, const struct expectation *expectation,
			      const struct attempt_group *group, struct time_span *span)
{
	const struct target *from = &expectation->value.fallback.from;
	const struct target *to = &expectation->value.fallback.to;
	const struct attempt_history *first = first_at(judging, group, from);
	const struct attempt_history *second = first_at(judging, group, to);
	struct time_bounds bounds = {.exact = expectation->value.fallback.within,
				     .scale = judging->timing_scale};
	AUTO_FREE char *from_name = target_text(judging, from), *to_name = target_text(judging, to);
	AUTO_FREE char *what = xasprintf("fall-back from %s to %s", from_name, to_name);
	struct finding_parts parts = {
		.expectation = expectation,
		.subject = judging_group_subject(judging, what, ALL_ENDPOINTS, group),
		.expected = bounds_text(&bounds),
	};
	int64_t took_ns = first && second ? second->started_ns - first->started_ns : 0;
	int64_t miss_ns = time_miss(&bounds, took_ns);

	if (first && second && took_ns >= 0)
		time_span_add(span, took_ns, second);
	if (!first || !second || took_ns < 0) {
		parts.actual = !first    ? xasprintf("%s was never tried", from_name)
			       : !second ? xasprintf("%s was never tried", to_name)
					 : xasprintf("%s was tried before %s", to_name, from_name);
		parts.has_attempt = first || second;
		parts.attempt = second ? second->id : first ? first->id : 0;
		judging_add(judging, WEIGHT_FAILED, &parts);
	} else if (miss_ns != 0) {
		parts.actual = time_text(took_ns);
		parts.miss = miss_text(miss_ns);
		parts.has_attempt = true;
		parts.attempt = second->id;
		judging_add_time(judging, &parts, miss_ns);
	} else {
		free(parts.subject);
		free(parts.expected);
	}
}

void judge_fallback(struct judging *judging, const struct expectation *expectation)
{
	const struct attempt_groups *groups = judging_groups(judging, expectation);
	struct time_bounds bounds = {.exact = expectation->value.fallback.within,
				     .scale = judging->timing_scale};
	struct time_span span = {0};

	for (size_t i = 0; i < groups->n_groups; i++)
		judge_fallback_of(judging, expectation, &groups->groups[i], &span);
	/* Without any, the finding says why. */
	if (span.n_times > 0)
		judging_measured(judging, expectation,
				 &(struct measured){
					 .expected = bounds_text(&bounds),
					 .actual = time_span_text(&span),
					 .attempt = span.attempt,
				 });
}

/* ---- retry-on ---- */

static char *endings_text(unsigned endings)
{
	struct strbuf text = {0};

	for (unsigned ending = 0; ending < ENDING_N_KINDS; ending++)
		if (endings & (1u << ending))
			strbuf_printf(&text, "%s%s", text.length > 0 ? ", " : "",
				      ending_name(ending));
	if (text.length == 0)
		strbuf_puts(&text, "nothing");
	return strbuf_steal(&text);
}

static void add_retry(struct judging *judging, const struct expectation *expectation,
		      const struct attempt_group *group, const struct attempt_history *before,
		      const struct attempt_history *retry)
{
	const struct record_attempt *attempts = judging->record->attempts;
	AUTO_FREE char *allowed = endings_text(expectation->value.endings);

	judging_add(
		judging, WEIGHT_FAILED,
		&(struct finding_parts){
			.expectation = expectation,
			.subject = judging_group_subject(judging, "retries",
							 attempts[retry->id].endpoint, group),
			.expected = xasprintf("only after: %s", allowed),
			.actual = xasprintf("attempt %" PRIu32 " after attempt %" PRIu32 " was %s",
					    attempts[retry->id].number, attempts[before->id].number,
					    ending_name(attempt_ending(before))),
			.has_attempt = true,
			.attempt = retry->id,
		});
}

/* What the attempts came to that were followed by another at the same address. */
struct retried {
	size_t n_after[ENDING_N_KINDS];
	const struct attempt_history *last; /* the last retry */
	size_t n_wrong;
};

/* What came before, at one address. */
struct before {
	const struct attempt_history *attempt; /* the one before */
	const struct attempt_history
		*barred; /* the first over of those that must not be followed */
};

static void measure_retries(struct judging *judging, const struct expectation *expectation,
			    const struct retried *retried)
{
	AUTO_FREE char *allowed = endings_text(expectation->value.endings);
	struct strbuf actual = {0};

	for (unsigned ending = 0; ending < ENDING_N_KINDS; ending++)
		if (retried->n_after[ending] > 0)
			strbuf_printf(&actual, "%s%zu after %s", actual.length > 0 ? ", " : "",
				      retried->n_after[ending], ending_name(ending));
	judging_measured(
		judging, expectation,
		&(struct measured){
			.expected = xasprintf("only after: %s", allowed),
			.actual = actual.length > 0 ? strbuf_steal(&actual) : xstrdup("no retries"),
			.attempt = retried->last,
		});
}

/* An attempt that was under way already when the other one ended is no answer to that. */
static bool follows(const struct attempt_history *attempt, const struct attempt_history *other)
{
	return other && attempt->started_ns >= other->over_ns - attempt_note_slack_ns(other);
}

static void judge_retries_of(struct judging *judging, const struct expectation *expectation,
			     const struct attempt_group *group, struct retried *retried)
{
	const struct record *record = judging->record;
	AUTO_FREE struct before *all = xzalloc((judging_n_addresses(record) + 1) * sizeof(*all));

	for (size_t i = 0; i < group->n_attempts; i++) {
		const struct attempt_history *attempt = group->attempts[i];
		struct before *before = &all[judging_address(record, attempt->id)];

		if (follows(attempt, before->attempt)) {
			retried->n_after[attempt_ending(before->attempt)]++;
			retried->last = attempt;
		}
		before->attempt = attempt;
		if (follows(attempt, before->barred)) {
			if (++retried->n_wrong <= MAX_ALIKE_FINDINGS)
				add_retry(judging, expectation, group, before->barred, attempt);
			before->barred = NULL;
		}
		if (attempt->over_ns != INT64_MAX &&
		    !(expectation->value.endings & (1u << attempt_ending(attempt))) &&
		    (!before->barred || attempt->over_ns < before->barred->over_ns))
			before->barred = attempt;
	}
}

void judge_retry_on(struct judging *judging, const struct expectation *expectation)
{
	const struct attempt_groups *groups = judging_groups(judging, expectation);
	struct retried retried = {0};

	for (size_t i = 0; i < groups->n_groups; i++)
		judge_retries_of(judging, expectation, &groups->groups[i], &retried);
	measure_retries(judging, expectation, &retried);
}

/* ---- total-backoff ---- */

void judge_total_backoff(struct judging *judging, const struct expectation *expectation)
{
	const struct attempt_groups *groups = judging_groups(judging, expectation);
	struct time_bounds bounds = judging_bounds(judging, expectation);
	struct time_span span = {0};
	size_t n_wrong = 0;

	for (size_t i = 0; i < groups->n_groups; i++) {
		const struct attempt_group *group = &groups->groups[i];
		int64_t total_ns = 0, wait_ns, miss_ns;

		/* Of an attempt that was left open there is no wait. */
		for (size_t k = 1; k < group->n_attempts; k++)
			if (attempt_wait(group, k, false, &wait_ns))
				total_ns += MAX(wait_ns, 0);
		miss_ns = time_miss(&bounds, total_ns);
		time_span_add(&span, total_ns,
			      group->n_attempts > 0 ? group->attempts[group->n_attempts - 1]
						    : NULL);
		if (miss_ns == 0 || ++n_wrong > MAX_ALIKE_FINDINGS)
			continue;
		judging_add_time(
			judging,
			&(struct finding_parts){
				.expectation = expectation,
				.subject = judging_group_subject(judging, "waits in all",
								 expectation->endpoint, group),
				.expected = bounds_text(&bounds),
				.actual = time_text(total_ns),
				.miss = miss_text(miss_ns),
				.looks_like = judging_fit(judging, expectation->endpoint, false),
			},
			miss_ns);
	}
	judging_measured(judging, expectation,
			 &(struct measured){
				 .expected = bounds_text(&bounds),
				 .actual = time_span_text(&span),
				 .attempt = span.attempt,
			 });
}
