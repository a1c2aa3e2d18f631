/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations on how a client goes from attempt to attempt: when it gives up, in which order it
 * tries its targets, when it falls back, and what it retries. Each instance of the client is judged
 * on its own.
 */
#include <inttypes.h>

#include "common/text.h"
#include "runner/judge/findings.h"
#include "runner/judge/measurements.h"
#include "runner/judge/per_instance.h"
#include "runner/judge/retry_sequence.h"
#include "runner/judge/time_bounds.h"
#include "runner/scenario/policy_bounds.h"

/* ---- gives-up ---- */

static void judge_last_attempt(struct judge_ctx *ctx, const struct expectation *expectation,
			       const struct attempt_group *group)
{
	int64_t most = expectation->value.gives_up.attempts, n = (int64_t)group->n_attempts;
	struct range count = group_count(ctx, group);
	enum truth truth = truth_of_range(count, (struct range){0, most});

	if (most == 0 || truth == TRUTH_MET)
		return;
	findings_add_truth(ctx, truth, NULL, .expectation = expectation,
			   .subject =
				   subject_of_group(ctx, "giving up", expectation->endpoint, group),
			   .expected = xasprintf("after %" PRId64 " attempt%s", most, PLURAL(most)),
			   .actual = xasprintf("%" PRId64 " attempt%s", n, PLURAL(n)),
			   .miss = count_miss_text((struct range){n, n}, (struct range){0, most}),
			   .looks_like = fit_text(ctx, expectation->endpoint, false),
			   .attempt = n > most ? group->attempts[most] : NULL);
}

/* Bounds the time from the first attempt to another one as it would be without delays. */
static struct range time_since_first(const struct judge_ctx *ctx, const struct attempt_group *group,
				     size_t index, int64_t late_ns)
{
	const struct attempt_history *first = group->attempts[0], *attempt = group->attempts[index];

	return span_between(&ctx->delays,
			    (struct when){first->started_earliest_ns, first->started_ns},
			    (struct when){attempt->started_earliest_ns, attempt->started_ns},
			    group->client_start_ns, 0, late_ns);
}

/* Reports the first attempt that starts after the limit. */
static void judge_late_attempt(struct judge_ctx *ctx, const struct expectation *expectation,
			       const struct attempt_group *group)
{
	int64_t after_ns = expectation->value.gives_up.after_ns, late_ns = 0;
	const struct time_bounds bounds = {.exact = {0, after_ns}};
	struct range known = {0}, unknown = {0};
	char limit[DURATION_TEXT_SIZE], at[DURATION_TEXT_SIZE];
	size_t wrong = 0, doubtful = 0, index;
	enum truth truth;

	if (after_ns == INT64_MAX || group->n_attempts == 0)
		return;
	for (size_t i = 1; i < group->n_attempts && wrong == 0; i++) {
		late_ns += attempt_lateness(group->attempts[i - 1]);
		if (group->attempts[i]->started_ns - group->attempts[0]->started_ns <=
			    after_ns / 2 &&
		    i + 1 < group->n_attempts)
			continue;
		known = time_since_first(ctx, group, i, late_ns);
		truth = truth_of_range(known, (struct range){INT64_MIN, after_ns});
		if (truth == TRUTH_BROKEN)
			wrong = i;
		else if (truth == TRUTH_UNKNOWN && doubtful == 0) {
			doubtful = i;
			unknown = known;
		}
	}
	if (wrong == 0 && doubtful == 0)
		return;
	truth = wrong > 0 ? TRUTH_BROKEN : TRUTH_UNKNOWN;
	index = wrong > 0 ? wrong : doubtful;
	late_ns = group->attempts[index]->started_ns - group->attempts[0]->started_ns;
	findings_add_truth(
		ctx, truth, wrong > 0 ? &known : &unknown, .expectation = expectation,
		.subject = subject_of_group(ctx, "giving up", expectation->endpoint, group),
		.expected = xasprintf("no attempt later than %s after the first",
				      duration_format(after_ns, limit)),
		.actual =
			xasprintf("attempt %zu after %s", index + 1, duration_format(late_ns, at)),
		.miss = time_miss_text(&bounds, late_ns),
		.looks_like = fit_text(ctx, expectation->endpoint, false),
		.attempt = group->attempts[index]);
}

/*
 * An attempt after the client's end comes from a process that it left behind. After synfault's
 * SIGTERM attempts are not judged.
 */
static void judge_after_exit(struct judge_ctx *ctx, const struct expectation *expectation,
			     const struct attempt_group *group)
{
	const struct event *exit = history_instance_exit(&ctx->history, group->instance);
	char late[DURATION_TEXT_SIZE];

	if (!exit || ctx->history.stopped_ns != INT64_MAX)
		return;
	for (size_t i = 0; i < group->n_attempts; i++) {
		const struct attempt_history *attempt = group->attempts[i];
		enum truth truth = attempt->started_earliest_ns > exit->at_ns + RESOLUTION_NS
					   ? TRUTH_BROKEN
					   : TRUTH_UNKNOWN;

		if (attempt->started_ns <= event_earliest_ns(exit) + RESOLUTION_NS ||
		    (truth == TRUTH_UNKNOWN && attempt->started_ns <= exit->at_ns))
			continue;
		findings_add_truth(
			ctx, truth, NULL, .expectation = expectation,
			.subject = subject_of_group(ctx, "giving up", expectation->endpoint, group),
			.expected = xstrdup("no attempt after the client's end"),
			.actual =
				xasprintf("attempt %zu %s after it", i + 1,
					  duration_format(attempt->started_ns - exit->at_ns, late)),
			.attempt = attempt);
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
		strbuf_printf(&text, "after %" PRId64 " attempt%s", most, PLURAL(most));
	if (after_ns != INT64_MAX)
		strbuf_printf(&text, "%sno attempt later than %s after the first",
			      most > 0 ? ", " : "", duration_format(after_ns, limit));
	return strbuf_steal(&text);
}

/* Measures the most attempts of any instance, and the latest attempt of any. */
static void measure_giving_up(struct judge_ctx *ctx, const struct expectation *expectation,
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
	assessment_set(ctx, expectation, .expected = giving_up_text(expectation),
		       .actual = xasprintf("%s%zu attempt%s, the last %s after the first",
					   groups->n_groups > 1 ? "at most " : "", most,
					   PLURAL(most), duration_format(latest_ns, latest)),
		       .attempt = last);
}

void judge_gives_up(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const struct attempt_groups *groups = attempt_groups_get(ctx, expectation);

	measure_giving_up(ctx, expectation, groups);
	for (size_t i = 0; i < groups->n_groups; i++) {
		judge_last_attempt(ctx, expectation, &groups->groups[i]);
		judge_late_attempt(ctx, expectation, &groups->groups[i]);
		judge_after_exit(ctx, expectation, &groups->groups[i]);
	}
}

/* ---- order and fallback ---- */

static bool is_at(const struct judge_ctx *ctx, uint32_t id, const struct target *target)
{
	const struct record_attempt *attempt = &ctx->record->attempts[id];
	const struct record_endpoint *endpoint = &ctx->record->endpoints[attempt->endpoint];
	int family = target->family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	size_t ordinal = 0;

	if (target->endpoint != ALL_ENDPOINTS && target->endpoint != attempt->endpoint)
		return false;
	if (target->family != N_FAMILIES && attempt->server.family != family)
		return false;
	if (target->ordinal == 0)
		return true;
	for (size_t i = 0; i < endpoint->n_addresses; i++) {
		ordinal += endpoint->addresses[i].family == family;
		if (address_equal(&endpoint->addresses[i], &attempt->server))
			return ordinal == target->ordinal;
	}
	return false;
}

/* Formats a target: "api", "ipv6", "api.ipv6.2". */
static char *target_text(const struct judge_ctx *ctx, const struct target *target)
{
	struct strbuf text = {0};

	if (target->endpoint != ALL_ENDPOINTS)
		strbuf_puts(&text, ctx->scenario->endpoints[target->endpoint].name);
	if (target->family != N_FAMILIES)
		strbuf_printf(&text, "%s%s", text.length > 0 ? "." : "",
			      family_name(target->family));
	if (target->ordinal > 1)
		strbuf_printf(&text, ".%zu", target->ordinal);
	return strbuf_steal(&text);
}

/*
 * Returns whether the attempt is at target @k and not at a more precise one: beside "ipv4.2",
 * "ipv4" means the other addresses of the family.
 */
static bool is_at_one_of(const struct judge_ctx *ctx, uint32_t id, const struct target *targets,
			 size_t n, size_t k)
{
	if (!is_at(ctx, id, &targets[k]))
		return false;
	for (size_t i = 0; targets[k].ordinal == 0 && i < n; i++)
		if (targets[i].ordinal > 0 && is_at(ctx, id, &targets[i]))
			return false;
	return true;
}

/* Finds the first attempt at each target, or NULL, in one pass: there can be many attempts. */
static void find_firsts(const struct judge_ctx *ctx, const struct attempt_group *group,
			const struct target *targets, size_t n,
			const struct attempt_history **ret_firsts)
{
	size_t n_missing = n;

	for (size_t k = 0; k < n; k++)
		ret_firsts[k] = NULL;
	for (size_t i = 0; i < group->n_attempts && n_missing > 0; i++)
		for (size_t k = 0; k < n; k++)
			if (!ret_firsts[k] &&
			    is_at_one_of(ctx, group->attempts[i]->id, targets, n, k)) {
				ret_firsts[k] = group->attempts[i];
				n_missing--;
			}
}

/*
 * Returns whether an attempt at target @k had failed before another attempt began. Delays can have
 * made either of the two later.
 */
static enum truth failed_before(const struct judge_ctx *ctx, const struct attempt_group *group,
				const struct target *targets, size_t n, size_t k,
				const struct attempt_history *other)
{
	enum truth truth = TRUTH_BROKEN;

	for (size_t i = 0; i < group->n_attempts; i++) {
		const struct attempt_history *attempt = group->attempts[i];
		int64_t failing_ns, going_on_ns;

		if (attempt->started_ns > other->started_ns)
			break;
		if (attempt->over_ns == INT64_MAX || attempt_ending(attempt) == ENDING_CONNECTED ||
		    !is_at_one_of(ctx, attempt->id, targets, n, k))
			continue;
		failing_ns = attempt_lateness(attempt) +
			     delays_of_client(&ctx->delays, attempt->started_ns, attempt->over_ns);
		/* Its socket was seen open while the other attempt's SYN was held. */
		if (attempt->details->last_unanswered_ns > other->started_ns) {
			if (!delays_allow_look(&ctx->delays, other->started_ns, attempt->over_ns))
				truth = TRUTH_UNKNOWN;
			continue;
		}
		going_on_ns =
			delays_of_client(&ctx->delays, attempt->started_ns, other->started_ns);
		/* After an idle time no timer is overdue: earlier delays don't matter. */
		if (other->started_ns - attempt->over_ns -
			    delays_of_client(&ctx->delays, attempt->over_ns, other->started_ns) >
		    RESOLUTION_NS)
			return TRUTH_MET;
		if (attempt->over_ns + going_on_ns <= other->started_earliest_ns + RESOLUTION_NS ||
		    (attempt->over_earliest_ns >= attempt->started_ns &&
		     attempt->over_ns <= other->started_earliest_ns &&
		     other->started_ns - attempt->over_ns < RESOLUTION_NS))
			return TRUTH_MET;
		if (attempt->over_earliest_ns - failing_ns <= other->started_ns + RESOLUTION_NS)
			truth = TRUTH_UNKNOWN;
	}
	return truth;
}

static char *when_text(const struct attempt_history *attempt)
{
	char at[DURATION_TEXT_SIZE];

	if (!attempt)
		return xstrdup("never");
	return xasprintf("at %s", duration_format(attempt->started_ns, at));
}

static void add_order(struct judge_ctx *ctx, const struct expectation *expectation,
		      enum truth truth, const struct attempt_group *group,
		      const struct attempt_history *const *firsts, size_t earlier, size_t later)
{
	const struct target *targets = expectation->value.order.targets;
	AUTO_FREE char *earlier_name = target_text(ctx, &targets[earlier]);
	AUTO_FREE char *later_name = target_text(ctx, &targets[later]);
	AUTO_FREE char *earlier_at = when_text(firsts[earlier]);
	AUTO_FREE char *later_at = when_text(firsts[later]);
	bool failure = expectation->value.order.after_failure;

	findings_add_truth(
		ctx, truth, NULL, .expectation = expectation,
		.subject = subject_of_group(ctx, "order", ALL_ENDPOINTS, group),
		.expected =
			failure ? xasprintf("%s not before %s has failed", later_name, earlier_name)
				: xasprintf("%s before %s", earlier_name, later_name),
		.actual = xasprintf("%s %s, %s %s", later_name, later_at, earlier_name, earlier_at),
		.attempt = firsts[later]);
}

/*
 * Returns whether one attempt was made before another; both have to be made. Only long delays can
 * have swapped them: the order of two attempts that are closer than the default tolerance is chance
 * even on a quiet machine.
 */
static enum truth comes_before(struct judge_ctx *ctx, const struct attempt_group *group,
			       const struct attempt_history *before,
			       const struct attempt_history *after)
{
	const struct tolerance tolerance = TOLERANCE_DEFAULT;
	int64_t apart_ns, delay_ns;

	if (!before || !after)
		return instance_may_hide(ctx, group->instance) ? TRUTH_UNKNOWN : TRUTH_BROKEN;
	apart_ns = after->started_ns - before->started_ns;
	delay_ns = delays_of_client(&ctx->delays, MIN(before->started_ns, after->started_ns),
				    MAX(before->started_ns, after->started_ns));
	if (apart_ns > 0)
		return TRUTH_MET;
	return delay_ns < MAX(-apart_ns, tolerance_slack(0, &tolerance, ctx->timing_scale))
		       ? TRUTH_BROKEN
		       : TRUTH_UNKNOWN;
}

static void judge_order_of(struct judge_ctx *ctx, const struct expectation *expectation,
			   const struct attempt_group *group,
			   const struct attempt_history *const *firsts)
{
	const struct target *targets = expectation->value.order.targets;
	size_t n = expectation->value.order.n_targets;
	const struct attempt_history *last = n > 0 ? firsts[n - 1] : NULL;

	for (size_t i = 0; expectation->value.order.after_failure && last && i < n - 1; i++) {
		enum truth truth = failed_before(ctx, group, targets, n, i, last);

		if (truth != TRUTH_MET)
			add_order(ctx, expectation, truth, group, firsts, i, n - 1);
	}
	for (size_t i = 1; !expectation->value.order.after_failure && i < n; i++) {
		enum truth truth = comes_before(ctx, group, firsts[i - 1], firsts[i]);

		if (truth != TRUTH_MET)
			add_order(ctx, expectation, truth, group, firsts, i - 1, i);
	}
}

/* Measures the order in which targets were tried; with several instances, by the first one. */
static void measure_order(struct judge_ctx *ctx, const struct expectation *expectation,
			  const struct attempt_history *const *firsts)
{
	const struct target *targets = expectation->value.order.targets;
	size_t n = expectation->value.order.n_targets;
	const struct attempt_history *last = NULL;
	struct strbuf expected = {0}, actual = {0};

	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *name = target_text(ctx, &targets[i]);
		const struct attempt_history *first = firsts[i];
		AUTO_FREE char *when = when_text(first);
		const char *before =
			expectation->value.order.after_failure ? ", after that failed " : ", then ";

		strbuf_printf(&expected, "%s%s", i > 0 ? before : "", name);
		strbuf_printf(&actual, "%s%s %s", i > 0 ? ", " : "", name, when);
		if (first && (!last || first->started_ns > last->started_ns))
			last = first;
	}
	assessment_set(ctx, expectation, .expected = strbuf_steal(&expected),
		       .actual = strbuf_steal(&actual), .attempt = last);
}

void judge_order(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const struct attempt_groups *groups = attempt_groups_get(ctx, expectation);
	size_t n = expectation->value.order.n_targets;
	AUTO_FREE const struct attempt_history **firsts =
		xmalloc((n + 1) * sizeof(const struct attempt_history *));

	for (size_t i = 0; i < groups->n_groups; i++) {
		find_firsts(ctx, &groups->groups[i], expectation->value.order.targets, n, firsts);
		if (i == 0)
			measure_order(ctx, expectation, firsts);
		judge_order_of(ctx, expectation, &groups->groups[i], firsts);
	}
}

static void judge_fallback_of(struct judge_ctx *ctx, const struct expectation *expectation,
			      const struct attempt_group *group, struct time_span *span)
{
	const struct target *from = &expectation->value.fallback.from;
	const struct target *to = &expectation->value.fallback.to;
	const struct target targets[] = {*from, *to};
	const struct attempt_history *firsts[2];
	const struct attempt_history *first, *second;
	struct time_bounds bounds = {.exact = expectation->value.fallback.within,
				     .scale = ctx->timing_scale};
	AUTO_FREE char *from_name = target_text(ctx, from), *to_name = target_text(ctx, to);
	AUTO_FREE char *what = xasprintf("fallback from %s to %s", from_name, to_name);
	struct finding_parts parts = {
		.expectation = expectation,
		.subject = subject_of_group(ctx, what, ALL_ENDPOINTS, group),
		.expected = bounds_text(&bounds),
	};
	int64_t took_ns = 0, late_ns = 0;
	struct range known;
	enum truth truth;

	find_firsts(ctx, group, targets, ARRAY_SIZE(targets), firsts);
	first = firsts[0];
	second = firsts[1];
	if (first && second)
		took_ns = second->started_ns - first->started_ns;
	if (first && second && took_ns >= 0) {
		time_span_add(span, took_ns, second);
		for (size_t i = 0; i < group->n_attempts && group->attempts[i] != second; i++)
			late_ns += attempt_lateness(group->attempts[i]);
		known = span_between(&ctx->delays,
				     (struct when){first->started_earliest_ns, first->started_ns},
				     (struct when){second->started_earliest_ns, second->started_ns},
				     delays_settled_since(&ctx->delays, group->client_start_ns,
							  first->started_ns),
				     0, late_ns);
		truth = truth_of_range(known, allowed_range(&bounds));
		if (truth == TRUTH_MET) {
			finding_parts_free(&parts);
			return;
		}
		parts.actual = time_text(took_ns);
		parts.miss = time_miss_text(&bounds, took_ns);
		parts.attempt = second;
		findings_add_truth_parts(ctx, truth, &known, &parts);
		return;
	}
	parts.actual = !first    ? xasprintf("%s was never tried", from_name)
		       : !second ? xasprintf("%s was never tried", to_name)
				 : xasprintf("%s was tried before %s", to_name, from_name);
	parts.attempt = second ? second : first;
	truth = !first || !second || comes_before(ctx, group, first, second) == TRUTH_UNKNOWN
			? instance_may_hide(ctx, group->instance) ? TRUTH_UNKNOWN : TRUTH_BROKEN
			: TRUTH_BROKEN;
	findings_add_truth_parts(ctx, truth, NULL, &parts);
}

void judge_fallback(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const struct attempt_groups *groups = attempt_groups_get(ctx, expectation);
	struct time_bounds bounds = {.exact = expectation->value.fallback.within,
				     .scale = ctx->timing_scale};
	struct time_span span = {0};

	for (size_t i = 0; i < groups->n_groups; i++)
		judge_fallback_of(ctx, expectation, &groups->groups[i], &span);
	/* If there is none, a finding says why. */
	if (span.n_times > 0)
		assessment_set_times(ctx, expectation, &bounds, &span);
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

static void add_retry(struct judge_ctx *ctx, const struct expectation *expectation,
		      enum truth truth, const struct attempt_group *group,
		      const struct attempt_history *before, const struct attempt_history *retry)
{
	const struct record_attempt *attempts = ctx->record->attempts;
	AUTO_FREE char *allowed = endings_text(expectation->value.endings);

	findings_add_truth(
		ctx, truth, NULL, .expectation = expectation,
		.subject = subject_of_group(ctx, "retries", attempts[retry->id].endpoint, group),
		.expected = xasprintf("only after: %s", allowed),
		.actual = xasprintf("attempt %" PRIu32 " after attempt %" PRIu32 " was %s",
				    attempts[retry->id].number, attempts[before->id].number,
				    ending_name(attempt_ending(before))),
		.attempt = retry);
}

/* The ends of attempts that were followed by another at the same address. */
struct retried {
	size_t n_after[ENDING_N_KINDS];
	const struct attempt_history *last; /* the last retry */
	size_t n_wrong;
};

/* Earlier attempts at one address. */
struct before {
	const struct attempt_history *attempt; /* the previous one */
	const struct attempt_history
		*barred; /* the first to end among those that must not be retried */
};

static void measure_retries(struct judge_ctx *ctx, const struct expectation *expectation,
			    const struct retried *retried)
{
	AUTO_FREE char *allowed = endings_text(expectation->value.endings);
	struct strbuf actual = {0};

	for (unsigned ending = 0; ending < ENDING_N_KINDS; ending++)
		if (retried->n_after[ending] > 0)
			strbuf_printf(&actual, "%s%zu after %s", actual.length > 0 ? ", " : "",
				      retried->n_after[ending], ending_name(ending));
	assessment_set(ctx, expectation, .expected = xasprintf("only after: %s", allowed),
		       .actual = actual.length > 0 ? strbuf_steal(&actual) : xstrdup("no retries"),
		       .attempt = retried->last);
}

/*
 * Returns whether an attempt may be a reaction to the end of another: it must not have begun
 * before.
 */
static enum truth follows(const struct judge_ctx *ctx, const struct attempt_history *attempt,
			  const struct attempt_history *other)
{
	int64_t going_on_ns, ending_ns;

	if (!other || other->over_ns == INT64_MAX)
		return TRUTH_BROKEN;
	going_on_ns = delays_of_client(&ctx->delays, other->started_ns, attempt->started_ns);
	ending_ns = attempt_lateness(other) +
		    delays_of_client(&ctx->delays, other->started_ns, other->over_ns);
	if (attempt->started_earliest_ns - MIN(going_on_ns, MAX(going_on_ns - RESOLUTION_NS, 0)) >=
	    other->over_ns - RESOLUTION_NS)
		return TRUTH_MET;
	return attempt->started_ns < other->over_earliest_ns - ending_ns - RESOLUTION_NS
		       ? TRUTH_BROKEN
		       : TRUTH_UNKNOWN;
}

static void judge_retries_of(struct judge_ctx *ctx, const struct expectation *expectation,
			     const struct attempt_group *group, struct retried *retried)
{
	const struct record *record = ctx->record;
	AUTO_FREE struct before *all = xzalloc((record_n_addresses(record) + 1) * sizeof(*all));

	for (size_t i = 0; i < group->n_attempts; i++) {
		const struct attempt_history *attempt = group->attempts[i];
		struct before *before = &all[record_address_index(record, attempt->id)];
		enum truth truth;

		if (follows(ctx, attempt, before->attempt) != TRUTH_BROKEN) {
			retried->n_after[attempt_ending(before->attempt)]++;
			retried->last = attempt;
		}
		before->attempt = attempt;
		truth = follows(ctx, attempt, before->barred);
		if (truth != TRUTH_BROKEN) {
			/* If the attempt follows it, the rule is broken. */
			truth = truth == TRUTH_MET ? TRUTH_BROKEN : TRUTH_UNKNOWN;
			if (++retried->n_wrong <= MAX_ALIKE_FINDINGS)
				add_retry(ctx, expectation, truth, group, before->barred, attempt);
			if (truth == TRUTH_BROKEN)
				before->barred = NULL;
		}
		if (attempt->over_ns != INT64_MAX &&
		    !(expectation->value.endings & (1u << attempt_ending(attempt))) &&
		    (!before->barred || attempt->over_ns < before->barred->over_ns))
			before->barred = attempt;
	}
}

/* Delays may have prevented a retry that is not allowed after the last attempt. */
static void judge_last_retry(struct judge_ctx *ctx, const struct expectation *expectation,
			     const struct attempt_group *group)
{
	const struct attempt_history *last =
		group->n_attempts > 0 ? group->attempts[group->n_attempts - 1] : NULL;
	AUTO_FREE char *allowed = endings_text(expectation->value.endings);

	if (!last || expectation->value.endings & (1u << attempt_ending(last)) ||
	    attempt_ending(last) == ENDING_CONNECTED || !instance_may_hide(ctx, group->instance))
		return;
	findings_add_truth(ctx, TRUTH_UNKNOWN, NULL, .expectation = expectation,
			   .subject =
				   subject_of_group(ctx, "retries", expectation->endpoint, group),
			   .expected = xasprintf("only after: %s", allowed),
			   .actual = xasprintf("none after the last attempt, which was %s",
					       ending_name(attempt_ending(last))),
			   .attempt = last);
}

void judge_retry_on(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const struct attempt_groups *groups = attempt_groups_get(ctx, expectation);
	struct retried retried = {0};

	for (size_t i = 0; i < groups->n_groups; i++) {
		judge_retries_of(ctx, expectation, &groups->groups[i], &retried);
		if (retried.n_wrong == 0)
			judge_last_retry(ctx, expectation, &groups->groups[i]);
	}
	measure_retries(ctx, expectation, &retried);
}
