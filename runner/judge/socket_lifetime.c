/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expectations on sockets: how long a client waits for an answer, how many attempts are open at
 * once, and what it leaves open.
 *
 * When does a socket leak? When the client can't use it any more, and it stays open after the
 * client went on. These leak:
 *
 * - a socket whose attempt failed, once the client makes another attempt, anywhere;
 * - a socket that got no answer, once the client has another connection, or a later attempt has
 *   ended too and yet another follows, or if only the client's end closed it though the client had
 *   gone on. Attempts that run side by side and are each closed don't leak;
 * - a connection that the script reset, closed or stalled, once the client opens another to the
 *   same endpoint;
 * - any socket in a process that outlives the client.
 *
 * An idle connection that no fault ended does not leak. Attempts that share a socket count once.
 */
#include "runner/judge/socket_lifetime.h"

#include <inttypes.h>

#include "runner/judge/counts.h"
#include "runner/judge/findings.h"
#include "runner/judge/measurements.h"
#include "runner/judge/per_instance.h"
#include "runner/judge/time_bounds.h"

/* ---- connect-timeout ---- */

/*
 * Returns whether the attempt ended when the client exited on its own, not at synfault's
 * SIGTERM. Many clients close the socket that timed out just before they exit: that looks
 * the same as a socket that the exit closed.
 */
static bool ended_itself(const struct judge_ctx *ctx, const struct attempt_history *attempt)
{
	return attempt->details->by_exit && attempt->ended_ns < ctx->history.stopped_ns;
}

/* Bounds how long an attempt without an answer took; one that is still open has no upper bound. */
static struct range time_without_answer(const struct judge_ctx *ctx,
					const struct attempt_group *group, size_t k)
{
	const struct attempt_history *attempt = group->attempts[k];
	int64_t end_ns = record_watched_until(ctx->record);
	bool open = attempt->end == END_OPEN;
	struct when from = {attempt->started_earliest_ns, attempt->started_ns};
	struct when to = {attempt->ended_earliest_ns, attempt->ended_ns};
	struct range known;

	if (open && attempt->closed_ns == INT64_MAX)
		to = (struct when){end_ns, end_ns};
	else if (open)
		to = (struct when){attempt->closed_ns, attempt->closed_ns};
	known = span_between(&ctx->delays, from, to, from.earliest_ns, 0, 0);
	if (open && !ended_itself(ctx, attempt))
		known.high = INT64_MAX;
	return known;
}

struct timeouts {
	struct judge_ctx *ctx;
	const struct expectation *expectation;
	struct time_span span;
	size_t n_wrong;
	size_t n_cut_short; /* by the client's end */
};

static void judge_timeout_of(struct timeouts *timeouts, const struct attempt_group *group, size_t k)
{
	struct judge_ctx *ctx = timeouts->ctx;
	const struct attempt_history *attempt = group->attempts[k];
	struct time_bounds bounds = expected_bounds(timeouts->expectation, ctx->timing_scale);
	struct range known = time_without_answer(ctx, group, k), allowed = allowed_range(&bounds);
	bool open = attempt->end == END_OPEN;
	int64_t took_ns = open ? known.low : attempt->ended_ns - attempt->started_ns;
	enum truth truth = truth_of_range(known, allowed);
	AUTO_FREE char *what = xasprintf("connect timeout of attempt %zu", k + 1);
	AUTO_FREE char *took = time_text(took_ns);

	/* If the client's end closed it, that says nothing about the timeout. */
	if (ended_itself(ctx, attempt) && known.low < allowed.low) {
		timeouts->n_cut_short++;
		return;
	}
	/* An attempt that is still open may yet take long enough. */
	if (open && truth == TRUTH_UNKNOWN)
		return;
	time_span_add(&timeouts->span, took_ns, attempt);
	if (truth == TRUTH_MET || ++timeouts->n_wrong > MAX_ALIKE_FINDINGS)
		return;
	findings_add_truth(
		ctx, truth, &known, .expectation = timeouts->expectation,
		.subject = subject_of_group(ctx, what, timeouts->expectation->endpoint, group),
		.expected = bounds_text(&bounds),
		.actual = open && !ended_itself(ctx, attempt)
				  ? xasprintf("still open after %s", took)
				  : xstrdup(took),
		.miss = time_miss_text(&bounds, took_ns), .attempt = attempt);
}

void judge_connect_timeout(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const struct attempt_groups *groups = attempt_groups_get(ctx, expectation);
	struct time_bounds bounds = expected_bounds(expectation, ctx->timing_scale);
	struct timeouts timeouts = {.ctx = ctx, .expectation = expectation};

	for (size_t i = 0; i < groups->n_groups; i++)
		for (size_t k = 0; k < groups->groups[i].n_attempts; k++) {
			enum attempt_end end = groups->groups[i].attempts[k]->end;

			if (end == END_OPEN || end == END_ABANDONED || end == END_TIMED_OUT)
				judge_timeout_of(&timeouts, &groups->groups[i], k);
		}
	assessment_set_times(ctx, expectation, &bounds, &timeouts.span);
	if (timeouts.span.n_times == 0) {
		char *subject = subject_at(ctx, "connect timeout", expectation->endpoint);

		findings_add_truth(
			ctx,
			timeouts.n_cut_short > 0 || instance_may_hide(ctx, INSTANCE_UNKNOWN) ||
					instance_was_delayed(ctx, INSTANCE_UNKNOWN, false)
				? TRUTH_UNKNOWN
				: TRUTH_BROKEN,
			NULL, .expectation = expectation, .subject = subject,
			.expected = bounds_text(&bounds), .actual = xstrdup("none"),
			.message = xasprintf(
				"%s: the client never gave an attempt up for lack of an answer",
				subject));
	}
}

/* ---- connecting ---- */

/* Judges the time from the first SYN to the last end of an attempt. */
void judge_connecting(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const struct attempt_groups *groups = attempt_groups_get(ctx, expectation);
	struct time_bounds bounds = expected_bounds(expectation, ctx->timing_scale);
	struct time_span span = {0};

	for (size_t i = 0; i < groups->n_groups; i++) {
		const struct attempt_group *group = &groups->groups[i];
		struct when from, to = {INT64_MIN, INT64_MIN};
		int64_t late_ns = 0, end_ns = instance_end_ns(ctx, group->instance);
		int64_t took_ns;
		struct range known;
		enum truth truth;

		if (group->n_attempts == 0)
			continue;
		for (size_t k = 0; k < group->n_attempts; k++) {
			const struct attempt_history *attempt = group->attempts[k];
			bool is_open = attempt->end == END_OPEN;

			to.earliest_ns =
				MAX(to.earliest_ns, is_open ? MIN(attempt->closed_ns, end_ns)
							    : attempt->ended_earliest_ns);
			to.latest_ns = MAX(to.latest_ns, is_open ? MIN(attempt->closed_ns, end_ns)
								 : attempt->ended_ns);
			late_ns += attempt_lateness(attempt);
		}
		from = (struct when){group->attempts[0]->started_earliest_ns,
				     group->attempts[0]->started_ns};
		known = span_between(&ctx->delays, from, to, from.earliest_ns, 0, late_ns);
		known.high += instance_hidden_ns(ctx, group->instance);
		took_ns = to.latest_ns - from.latest_ns;
		time_span_add(&span, took_ns, group->attempts[group->n_attempts - 1]);
		truth = truth_of_range(known, allowed_range(&bounds));
		if (truth == TRUTH_MET)
			continue;
		findings_add_truth(ctx, truth, &known, .expectation = expectation,
				   .subject = subject_of_group(ctx, "connecting",
							       expectation->endpoint, group),
				   .expected = bounds_text(&bounds), .actual = time_text(took_ns),
				   .miss = time_miss_text(&bounds, took_ns),
				   .attempt = group->attempts[group->n_attempts - 1]);
	}
	assessment_set_times(ctx, expectation, &bounds, &span);
}

/* ---- concurrent-attempts ---- */

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return COMPARE(x, y);
}

/*
 * Bounds how much closer to an attempt's end the next attempt would have begun without delays. If
 * the client was idle between the two, none of its timers was overdue, so earlier delays don't
 * matter.
 */
static int64_t drawn_near(const struct judge_ctx *ctx, const struct attempt_history *attempt,
			  int64_t next_ns)
{
	int64_t inside_ns = delays_of_client(&ctx->delays, attempt->ended_ns, next_ns);

	if (next_ns - attempt->ended_ns - inside_ns > RESOLUTION_NS)
		return 0;
	return delays_of_client(&ctx->delays, attempt->started_ns,
				MAX(next_ns, attempt->started_ns));
}

/*
 * Returns how many attempts were open at once at most, if they ended as late as they may have
 * (@latest), or as early. *@ret_attempt: see peak_fn.
 */
static int64_t peak_of(const struct judge_ctx *ctx, const struct attempt_group *group, bool latest,
		       int64_t limit, const struct attempt_history **ret_attempt)
{
	AUTO_FREE int64_t *ends_ns = xmalloc((group->n_attempts + 1) * sizeof(*ends_ns));
	size_t n_ended = 0;
	int64_t peak = 0;
	bool sorted = true;

	for (size_t i = 0; i < group->n_attempts; i++) {
		const struct attempt_history *attempt = group->attempts[i];
		int64_t next_ns = i + 1 < group->n_attempts ? group->attempts[i + 1]->started_ns
							    : attempt->started_ns;
		int64_t end_ns = INT64_MAX;

		if (attempt->end != END_OPEN && latest)
			end_ns = attempt->ended_ns - RESOLUTION_NS +
				 drawn_near(ctx, attempt, next_ns);
		else if (attempt->end != END_OPEN)
			end_ns = attempt->ended_earliest_ns - RESOLUTION_NS -
				 attempt_lateness(attempt) -
				 delays_of_client(&ctx->delays, attempt->started_ns,
						  attempt->ended_ns);
		/* Its socket was seen open while another's SYN was held: they overlap. */
		if (attempt->details->last_unanswered_ns > attempt->started_ns &&
		    (latest || delays_allow_look(&ctx->delays, attempt->details->last_unanswered_ns,
						 attempt->ended_ns)))
			end_ns = MAX(end_ns, attempt->details->last_unanswered_ns);
		/* No attempt ends before it begins. */
		ends_ns[i] = MAX(end_ns, attempt->started_ns + 1);
		sorted = sorted && (i == 0 || ends_ns[i - 1] <= ends_ns[i]);
	}
	/* Most clients' ends are in order; sorting them would not take linear time. */
	if (!sorted)
		qsort(ends_ns, group->n_attempts, sizeof(*ends_ns), compare_times);
	for (size_t i = 0; i < group->n_attempts; i++) {
		/* By now attempts 0 to i have begun, and n_ended of them have ended. */
		while (n_ended < i && ends_ns[n_ended] <= group->attempts[i]->started_ns)
			n_ended++;
		peak = MAX(peak, (int64_t)(i + 1 - n_ended));
		if (!*ret_attempt && peak > limit)
			*ret_attempt = group->attempts[i];
	}
	return peak;
}

void judge_concurrent_attempts(struct judge_ctx *ctx, const struct expectation *expectation)
{
	judge_peaks(ctx, expectation, "concurrent attempts", peak_of);
}

/* ---- leaks ---- */

/* How long the loser of a race may stay open after another attempt has won. */
#define RACE_NS (100 * NS_PER_MS)

struct leaks {
	struct judge_ctx *ctx;
	const struct expectation *expectation;
	bool *still_open; /* by attempt: seen open after its client's end; NULL: none was */
	struct range count;
	int64_t n_after_end;
	const struct attempt_history *first; /* the first beyond the limit */
};

static bool *find_still_open(const struct judge_ctx *ctx)
{
	const struct history *history = &ctx->history;
	bool *still_open;

	if (history->n_still_open == 0)
		return NULL;
	still_open = xzalloc(history->n_attempts * sizeof(*still_open));
	for (size_t i = 0; i < history->n_still_open; i++) {
		const struct event *event = history->still_open[i];
		uint32_t id = event->u.net.attempt;
		const struct event *exit =
			history_instance_exit(history, ctx->record->attempts[id].instance);

		if (exit && event->at_ns - exit->at_ns > RESOLUTION_NS)
			still_open[id] = true;
	}
	return still_open;
}

struct when attempt_let_go(const struct attempt_history *attempt)
{
	const struct attempt_details *details = attempt->details;
	struct when end = {attempt->closed_earliest_ns, attempt->closed_ns};

	if (details->client_end_ns <= end.latest_ns && details->client_end_ns != INT64_MAX)
		end = (struct when){details->client_end_earliest_ns, details->client_end_ns};
	end.earliest_ns = MIN(MAX(end.earliest_ns, details->last_open_ns), end.latest_ns);
	return end;
}

/* Returns whether a socket was open for longer than the resolution after the client went on. */
static enum truth is_open_after(const struct leaks *leaks, const struct attempt_history *attempt,
				int64_t since_ns, int64_t went_on_ns, int64_t grace_ns)
{
	const struct delays *delays = &leaks->ctx->delays;
	struct when end = attempt_let_go(attempt);
	int64_t closing_ns, going_on_ns;

	if (end.latest_ns == INT64_MAX)
		return TRUTH_MET;
	closing_ns = delays_of_client(delays, since_ns, end.latest_ns);
	going_on_ns = delays_of_client(delays, since_ns, went_on_ns);
	if (end.earliest_ns - closing_ns > went_on_ns + grace_ns)
		return TRUTH_MET;
	return end.latest_ns <= went_on_ns - going_on_ns + grace_ns ? TRUTH_BROKEN : TRUTH_UNKNOWN;
}

/*
 * Returns the first attempt of the instance, at any endpoint or at @endpoint, that began at
 * @from_ns.
 */
static const struct attempt_history *next_after(const struct leaks *leaks,
						const struct attempt_group *all, size_t index,
						int64_t from_ns, size_t endpoint)
{
	const struct record_attempt *attempts = leaks->ctx->record->attempts;

	for (size_t i = index + 1; i < all->n_attempts; i++)
		if (all->attempts[i]->started_ns >= from_ns - RESOLUTION_NS &&
		    (endpoint == ALL_ENDPOINTS ||
		     attempts[all->attempts[i]->id].endpoint == endpoint))
			return all->attempts[i];
	return NULL;
}

/* Returns whether the attempt never got an answer, so that its socket may still be of use. */
static bool is_unanswered(const struct attempt_history *attempt)
{
	return attempt->end == END_OPEN || attempt->end == END_ABANDONED;
}

static enum truth is_unanswered_leak(const struct leaks *leaks, const struct attempt_group *all,
				     size_t index)
{
	const struct attempt_history *attempt = all->attempts[index];
	enum truth truth = TRUTH_BROKEN;

	/* Most clients close a socket before they begin anything else. */
	if (index + 1 == all->n_attempts ||
	    (attempt->end != END_OPEN &&
	     attempt->ended_ns <= all->attempts[index + 1]->started_ns + RESOLUTION_NS))
		return TRUTH_BROKEN;
	/* Only the client's end closed it, though the client had gone on. */
	if (attempt->end == END_OPEN)
		return TRUTH_MET;
	if (attempt->details->by_exit)
		return TRUTH_UNKNOWN;
	for (size_t i = index + 1; i < all->n_attempts; i++) {
		const struct attempt_history *other = all->attempts[i];
		enum truth one = TRUTH_BROKEN;

		if (other->started_ns > attempt->ended_ns)
			break;
		if (attempt_ending(other) == ENDING_CONNECTED)
			one = is_open_after(leaks, attempt, attempt->started_ns, other->ended_ns,
					    RACE_NS);
		else if (other->over_ns != INT64_MAX && i + 1 < all->n_attempts &&
			 all->attempts[i + 1]->started_ns > other->over_ns)
			one = is_open_after(leaks, attempt, attempt->started_ns,
					    all->attempts[i + 1]->started_ns, RESOLUTION_NS);
		if (one == TRUTH_MET)
			return TRUTH_MET;
		truth = one == TRUTH_UNKNOWN ? TRUTH_UNKNOWN : truth;
	}
	return truth;
}

/* Returns TRUTH_MET if the attempt's socket leaks. */
static enum truth is_leak(const struct leaks *leaks, const struct attempt_group *all, size_t index)
{
	const struct attempt_history *attempt = all->attempts[index], *next;
	enum ending ending = attempt_ending(attempt);
	int64_t useless_ns = attempt->over_ns;
	size_t endpoint = ALL_ENDPOINTS;

	if (ending == ENDING_CONNECTED)
		return TRUTH_BROKEN;
	if (is_unanswered(attempt))
		return is_unanswered_leak(leaks, all, index);
	if (attempt->end == END_ESTABLISHED) {
		endpoint = leaks->ctx->record->attempts[attempt->id].endpoint;
		if (ending == ENDING_STALLED)
			useless_ns = attempt_fault_ns(attempt, FAULT_STALLED);
	}
	next = next_after(leaks, all, index, useless_ns, endpoint);
	if (!next)
		return TRUTH_BROKEN;
	return is_open_after(leaks, attempt, useless_ns, next->started_ns, RESOLUTION_NS);
}

static bool outlives_client(const struct leaks *leaks, const struct attempt_history *attempt,
			    const struct event *exit)
{
	if (leaks->still_open && leaks->still_open[attempt->id])
		return true;
	if (attempt->end == END_ESTABLISHED && attempt_ending(attempt) != ENDING_RESET)
		return false;
	return attempt->closed_ns != INT64_MAX &&
	       attempt->closed_earliest_ns > exit->at_ns + RESOLUTION_NS;
}

/* Returns whether the next attempt was made with the same socket: then that one is judged. */
static bool is_used_again(const struct leaks *leaks, const struct attempt_group *all, size_t index)
{
	const struct record_attempt *attempts = leaks->ctx->record->attempts;
	uint64_t cookie = attempts[all->attempts[index]->id].cookie;

	return cookie != 0 && index + 1 < all->n_attempts &&
	       attempts[all->attempts[index + 1]->id].cookie == cookie;
}

static void count_leak(struct leaks *leaks, const struct attempt_history *attempt, enum truth truth)
{
	if (truth == TRUTH_BROKEN)
		return;
	leaks->count.high++;
	if (truth == TRUTH_MET &&
	    ++leaks->count.low == leaks->expectation->value.range.range.high + 1)
		leaks->first = attempt;
}

static void count_leaks(struct leaks *leaks, const struct attempt_group *all)
{
	const struct event *exit = history_instance_exit(&leaks->ctx->history, all->instance);
	size_t endpoint = leaks->expectation->endpoint;

	for (size_t i = 0; i < all->n_attempts; i++) {
		const struct attempt_history *attempt = all->attempts[i];
		enum truth truth;

		if (endpoint != ALL_ENDPOINTS &&
		    leaks->ctx->record->attempts[attempt->id].endpoint != endpoint)
			continue;
		if (is_used_again(leaks, all, i))
			continue;
		truth = is_leak(leaks, all, i);
		if (truth != TRUTH_MET && exit && !leaks->ctx->timed_out &&
		    outlives_client(leaks, attempt, exit)) {
			truth = TRUTH_MET;
			leaks->n_after_end++;
		}
		count_leak(leaks, attempt, truth);
	}
}

static char *leaks_text(const struct leaks *leaks)
{
	if (leaks->n_after_end == 0)
		return xasprintf("%" PRId64, leaks->count.low);
	return xasprintf("%" PRId64 ", %" PRId64 " of them after the client had ended",
			 leaks->count.low, leaks->n_after_end);
}

void judge_leaks(struct judge_ctx *ctx, const struct expectation *expectation)
{
	const struct attempt_groups *groups = attempt_groups_get(ctx, expectation);
	const struct attempt_groups *all = attempt_groups_at(ctx, ALL_ENDPOINTS);
	struct range range = expectation->value.range.range;
	struct leaks leaks = {
		.ctx = ctx,
		.expectation = expectation,
		.still_open = find_still_open(ctx),
	};
	enum truth truth;

	for (size_t i = 0; i < groups->n_groups; i++)
		count_leaks(&leaks, &all->groups[i]);
	assessment_set(ctx, expectation, .expected = count_range_text(range),
		       .actual = xasprintf("%" PRId64, leaks.count.low));
	truth = truth_of_range(leaks.count, range);
	if (truth != TRUTH_MET)
		findings_add_truth(
			ctx, truth, NULL, .expectation = expectation,
			.subject = subject_at(ctx, "sockets left open", expectation->endpoint),
			.expected = count_range_text(range), .actual = leaks_text(&leaks),
			.miss = count_miss_text(leaks.count, range), .attempt = leaks.first);
	free(leaks.still_open);
}
